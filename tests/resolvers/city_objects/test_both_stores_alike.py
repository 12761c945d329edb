"""One city in both stores: whatever is asked of it, they answer with the same objects in the same order."""

import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
import shapely

from resolvers.cities.commands import ensure_city
from resolvers.city_objects import queries
from resolvers.city_objects.records import CityObjectDraft, CityObjectFilter, CityObjectOrder, CityObjectType, Near, fold
from resolvers.stores.engine import Store
from resolvers.stores.geometry import Box
from resolvers.stores.json_pointer import Comparison, PointerCondition, pointer_condition
from resolvers.stores.paging import Window
from tests.resolvers.city_objects.drafts import CITY, TENANT, put

Both = tuple[Store, Store]

NAMES = (
    "Mill",
    "mill",
    "MÜHLE",
    "mu\u0308hle",
    "ẞ",
    "ss",
    "ﬁsh",
    "İ",
    "i",
    "Ω",
    "ω",
    "ς",
    "a_b",
    "a%b",
    "a/b",
    "\\",
    "'",
    "🏠",
    "\uffee",
    "",
)
KEYS = ("a", "b/c", "d~e", "0", "01", "-1", "ü", 'q"', "b\\s", "", "$", "x.y", "\n")
SCALARS = (
    None,
    True,
    False,
    0,
    1,
    1.0,
    1.5,
    -0.0,
    "1",
    "",
    "a",
    "ä",
    "Z",
    "🏠",
    "\uffee",
    2**53 + 1,
    2.0**60,
    2**60,
    2**63 - 1,
    1e300,
    5e-324,
    0.1,
)
STEPS = (*KEYS, "1", "2", "+1", " 1", "00", "99999999999", "nothing")


@pytest.fixture
def both(sqlite_store: Store, postgresql_store: Store) -> Both:
    return sqlite_store, postgresql_store


def some_json(random: random.Random, depth: int = 0) -> Any:
    kind = random.random()
    if depth < 3 and kind < 0.25:
        return {random.choice(KEYS): some_json(random, depth + 1) for _ in range(random.randrange(4))}
    if depth < 3 and kind < 0.4:
        return [some_json(random, depth + 1) for _ in range(random.randrange(4))]
    return random.choice(SCALARS)


def some_shape(random: random.Random) -> shapely.Geometry:
    west, south = random.choice([(24.9, 60.1), (179.999, -17.0), (-180.0, -17.0)])
    x, y = round(min(west + random.random() * 0.02, 179.9999), 6), round(south + random.random() * 0.02, 6)
    return random.choice(
        [
            shapely.Point(x, y),
            shapely.Point(x, y, 12.25),
            shapely.LineString([(x, y), (min(x + random.random() * 0.004, 180.0), y + random.random() * 0.002 - 0.001)]),
            shapely.box(x, y, min(x + 0.0004, 180), y + 0.0002),
            shapely.MultiPoint([(x, y), (x, y + 0.001)]),
        ]
    )


def some_drafts(random: random.Random, count: int) -> list[CityObjectDraft]:
    parents: list[UUID] = []
    drafts = []
    for number in range(count):
        uuid = UUID(int=random.getrandbits(128), version=4)
        drafts.append(
            CityObjectDraft(
                type=random.choice(list(CityObjectType)[:4]),
                name=random.choice([*NAMES, None]),
                source=random.choice(["osm", "Osm", None]),
                source_id=f"way/{number}",
                geometry=some_shape(random),
                attributes={random.choice(KEYS): some_json(random) for _ in range(5)},
                uuid=uuid,
                parent=random.choice(parents) if parents and random.random() < 0.5 else None,
            )
        )
        parents.append(uuid)
    return drafts


def some_condition(random: random.Random) -> PointerCondition:
    pointer = "".join(
        "/" + step.replace("~", "~0").replace("/", "~1") for step in (random.choice(STEPS) for _ in range(random.choice([1, 1, 2, 3])))
    )
    op = random.choice(list(Comparison))
    match op:
        case Comparison.EXISTS:
            return pointer_condition(pointer, op, random.choice([None, True, False]))
        case Comparison.IN:
            return pointer_condition(pointer, op, [random.choice(SCALARS) for _ in range(random.randrange(4))])
        case Comparison.EQ | Comparison.NE:
            return pointer_condition(pointer, op, random.choice(SCALARS))
    return pointer_condition(pointer, op, random.choice([0, 1, 1.5, "a", "1", 2**60, 2.0**60, "Z", 0.1, 1e300]))


def some_filter(random: random.Random, parents: Sequence[UUID]) -> CityObjectFilter:
    west, south = random.choice([(24.9, 60.1), (179.99, -17.0)])
    x, y = west + random.random() * 0.01, south + random.random() * 0.01
    box = Box(x, y, min(x + 0.01, 180.0), y + 0.01)
    outline = shapely.to_wkb(shapely.box(box.west, box.south, box.east, box.north))
    behind = Box(-180.0, box.south, -179.99, box.north)
    conditions: dict[str, Any] = {
        "types": tuple(random.sample(list(CityObjectType)[:4], 2)),
        "boxes": ((box, outline), (behind, shapely.to_wkb(shapely.box(-180.0, box.south, -179.99, box.north)))),
        "touches": (box, shapely.to_wkb(shapely.Polygon([(box.west, box.south), (box.east, box.south), (box.west, box.north)]))),
        "name": fold(random.choice(["m", "MÜ", "SS", "ſ", "i", "Σ", "_", "%", "/", "\\", "'", "🏠", ""])),
        "source": random.choice(["osm", "OSM"]),
        "source_ids": tuple(f"way/{random.randrange(60)}" for _ in range(20)),
        "attributes": tuple(some_condition(random) for _ in range(random.choice([1, 1, 2]))),
        "updated_since": random.choice([1_000, 1_001]),
        "parent": (CITY, random.choice(parents)),
    }
    chosen = random.sample(sorted(conditions), random.choice([0, 1, 1, 2]))
    return CityObjectFilter(**{name: conditions[name] for name in chosen})


async def the_same_city(both: Both, drafts: Sequence[CityObjectDraft]) -> None:
    for store in both:
        await ensure_city(store, tenant=TENANT, id=CITY, name="Helsinki")
        await put(store, *drafts[: len(drafts) // 2], now=1_000)
        await put(store, *drafts[len(drafts) // 2 :], now=1_001)


async def test_lists_when_asked_at_random_then_both_stores_answer_alike(both: Both) -> None:
    chance = random.Random(4)
    drafts = some_drafts(chance, 60)
    await the_same_city(both, drafts)
    parents = [draft.uuid for draft in drafts if draft.uuid is not None]
    orders = [order for order in CityObjectOrder if order is not CityObjectOrder.DISTANCE_ASC]
    hits = 0

    for _ in range(150):
        wanted, order = some_filter(chance, parents), chance.choice(orders)
        window = Window(chance.choice([1, 7, 100]), backward=chance.random() < 0.3)
        pages = [await queries.city_objects(store, TENANT, wanted, order, window) for store in both]
        assert told(pages[0]) == told(pages[1]), (wanted, order, window)
        counts = [await queries.count_city_objects(store, TENANT, wanted) for store in both]
        assert counts[0] == counts[1], wanted
        hits += 0 < counts[0] < 60
        if pages[0].items:
            end = queries.position_of(pages[0].items[-1], order)
            following = [await queries.city_objects(store, TENANT, wanted, order, Window(5, after=end)) for store in both]
            assert told(following[0]) == told(following[1]), (wanted, order, end)

    assert hits > 50


async def test_conditions_when_asked_at_random_then_both_stores_and_the_rules_agree(both: Both) -> None:
    chance = random.Random(5)
    drafts = some_drafts(chance, 40)
    await the_same_city(both, drafts)
    hits = 0

    for _ in range(300):
        condition = some_condition(chance)
        expected = {draft.uuid for draft in drafts if holds(draft.attributes, condition)}
        for store in both:
            page = await queries.city_objects(store, TENANT, CityObjectFilter(attributes=(condition,)), CityObjectOrder.ID_ASC, Window(100))
            assert {found.object.uuid for found in page.items} == expected, (store.dialect, condition)
        hits += 0 < len(expected) < 40

    assert hits > 70


def holds(document: Any, condition: PointerCondition) -> bool:
    """The condition by its description, in Python."""
    found, there = document, True
    for step in condition.steps:
        if isinstance(found, dict) and step in found:
            found = found[step]
        elif isinstance(found, list) and step in map(str, range(len(found))):
            found = found[int(step)]
        else:
            there = False
            break
    if condition.op is Comparison.EXISTS:
        return there is (condition.value is not False)
    if not there:
        return False
    match condition.op:
        case Comparison.EQ:
            return same(found, condition.value)
        case Comparison.NE:
            return not same(found, condition.value)
        case Comparison.IN:
            return any(same(found, value) for value in condition.value)
    if kind(found) != kind(condition.value):
        return False
    compared = {
        Comparison.LT: found < condition.value,
        Comparison.LTE: found <= condition.value,
        Comparison.GT: found > condition.value,
        Comparison.GTE: found >= condition.value,
    }
    return compared[condition.op]


def same(found: Any, value: Any) -> bool:
    return kind(found) == kind(value) and bool(found == value)


def kind(value: Any) -> type:
    return float if type(value) is int else type(value)


def told(page: Any) -> list[Any]:
    return [
        (
            it.object.uuid,
            it.object.name,
            it.object.type,
            it.object.source,
            it.object.source_id,
            repr(sorted_members(it.object.attributes)),
            it.object.footprint_area,
            it.object.length,
            it.object.parent,
            it.object.version,
            shapely.from_wkb(it.object.geometry).wkt,
            it.distance,
        )
        for it in page.items
    ] + [page.has_next, page.has_previous]


def sorted_members(value: Any) -> Any:
    """`jsonb` keeps no order of members; whether a number is 1 or 1.0 does matter."""
    if isinstance(value, dict):
        return {name: sorted_members(value[name]) for name in sorted(value)}
    return [sorted_members(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("place", [shapely.Point(24.91, 60.11), shapely.Point(179.9995, -16.99)])
async def test_distances_when_asked_then_both_stores_agree_to_five_digits(both: Both, place: shapely.Point) -> None:
    chance = random.Random(6)
    drafts = some_drafts(chance, 60)
    await the_same_city(both, drafts)
    near = CityObjectFilter(near=Near(place.x, place.y, 5_000.0, shapely.to_wkb(place)))

    pages = [await queries.city_objects(store, TENANT, near, CityObjectOrder.DISTANCE_ASC, Window(100)) for store in both]
    around = [
        await queries.neighbours(store, TENANT, [(CITY, draft.uuid) for draft in drafts if draft.uuid], 3_000.0, None, 5) for store in both
    ]

    assert [it.object.uuid for it in pages[0].items] == [it.object.uuid for it in pages[1].items]
    assert [it.distance for it in pages[0].items] == pytest.approx([it.distance for it in pages[1].items], rel=1e-5, abs=1e-6)
    for mine, theirs in zip(*around, strict=True):
        assert [it.object.uuid for it in mine] == [it.object.uuid for it in theirs]
        assert [it.distance for it in mine] == pytest.approx([it.distance for it in theirs], rel=1e-5, abs=1e-6)
