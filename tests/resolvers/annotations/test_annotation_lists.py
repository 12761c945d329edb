"""Lists of annotations, notes and mentions: filters, orders, pages, and the one statement that answers for all parents (TC-05)."""

from uuid import UUID

import pytest

from resolvers.annotations import commands, queries
from resolvers.annotations.records import Annotation, AnnotationFilter, AnnotationOrder, AnnotationType, Owner, Place
from resolvers.stores.engine import Store
from resolvers.stores.paging import Window
from tests.fakes.statements import count_statements, record_statements
from tests.resolvers.annotations.contributions import BOB, EVE, HELSINKI, KILN, MILL, annotate, hang_on, write_note

ALL = Window(100)
EVERY = AnnotationFilter()
ASC, DESC = AnnotationOrder.CREATED_AT_ASC, AnnotationOrder.CREATED_AT_DESC


async def _listed(store: Store, place: Place, wanted: AnnotationFilter = EVERY, order: AnnotationOrder = ASC) -> list[str]:
    """The texts of the annotations of one place."""
    [page] = await queries.annotations_of_each(store, HELSINKI, [place], wanted, order, ALL)
    [count] = await queries.annotation_counts(store, HELSINKI, [place], wanted)
    assert count == len(page.items)
    return [annotation.text for annotation in page.items]


FILTERS = [
    (EVERY, ["squeak", "crack", "decided", "plain"]),
    (AnnotationFilter(types=(AnnotationType.ISSUE,)), ["squeak"]),
    (AnnotationFilter(types=(AnnotationType.ISSUE, AnnotationType.RISK)), ["squeak", "crack"]),
    (AnnotationFilter(types=()), []),
    (AnnotationFilter(tags=("oil",)), ["squeak", "crack"]),
    (AnnotationFilter(tags=("noise", "oil")), ["squeak"]),
    (AnnotationFilter(tags=("noise", "steel")), []),
    (AnnotationFilter(tags=("%",)), ["decided"]),
    (AnnotationFilter(tags=('a"b',)), ["decided"]),
    (AnnotationFilter(tags=("oi",)), []),
    (AnnotationFilter(tags=("OIL",)), []),
    (AnnotationFilter(resolved=True), ["decided"]),
    (AnnotationFilter(resolved=False, types=(AnnotationType.RISK,), tags=("oil",)), ["crack"]),
]


async def test_filter_when_given_then_only_what_meets_all_of_it_is_found(store: Store) -> None:
    """FC-05."""
    await annotate(store, "squeak", kind=AnnotationType.ISSUE, tags=("oil", "noise"), now=1_000)
    await annotate(store, "crack", kind=AnnotationType.RISK, tags=("oil", "steel"), now=2_000)
    decided = await annotate(store, "decided", kind=AnnotationType.DECISION, tags=("%", 'a"b'), now=3_000)
    await annotate(store, "plain", now=4_000)
    await annotate(store, "elsewhere", model=KILN, kind=AnnotationType.ISSUE, tags=("oil", "noise"))
    await _resolve(store, decided)

    found = [(wanted, await _listed(store, Place(MILL), wanted)) for wanted, _ in FILTERS]

    assert found == FILTERS


async def _resolve(store: Store, annotation: Annotation) -> None:
    await commands.update_annotation(
        store, owner=HELSINKI, editor="bob", uuid=annotation.uuid, if_version=1, changes={"resolved": True}, now=9_000
    )


async def test_element_when_asked_then_only_its_own_are_listed_newest_first_or_last(store: Store) -> None:
    """TC-05."""
    for number, element in enumerate(("wheel", "stone", "wheel")):
        await annotate(store, f"{element} {number}", element=element, now=1_000 + number)

    assert await _listed(store, Place(MILL, "wheel"), order=ASC) == ["wheel 0", "wheel 2"]
    assert await _listed(store, Place(MILL, "wheel"), order=DESC) == ["wheel 2", "wheel 0"]
    assert await _listed(store, Place(MILL, "Wheel")) == []
    assert await _listed(store, Place(KILN, "wheel")) == []


@pytest.mark.parametrize("order", [ASC, DESC])
async def test_pages_when_walked_both_ways_then_each_is_seen_once_ties_by_identifier(store: Store, order: AnnotationOrder) -> None:
    made = [await annotate(store, str(number), now=1_000 + number // 4) for number in range(10)]
    expected = sorted(made, key=lambda it: (it.created_at, it.uuid), reverse=order is DESC)

    forward: list[Annotation] = []
    window = Window(4)
    while True:
        [page] = await queries.annotations_of_each(store, HELSINKI, [Place(MILL)], EVERY, order, window)
        assert page.has_previous is bool(forward)
        forward += page.items
        if not page.has_next:
            break
        window = Window(4, after=queries.created_position(page.items[-1]))
    backward: list[Annotation] = []
    window = Window(4, backward=True)
    while True:
        [page] = await queries.annotations_of_each(store, HELSINKI, [Place(MILL)], EVERY, order, window)
        backward = [*page.items, *backward]
        if not page.has_previous:
            break
        window = Window(4, before=queries.created_position(page.items[0]), backward=True)

    assert forward == backward == expected


async def test_notes_when_listed_then_newest_first_and_by_model(store: Store) -> None:
    old, new = await write_note(store, "old", now=1_000), await write_note(store, "new", now=2_000)
    of_kiln = await write_note(store, "kiln", model=KILN, now=3_000)

    of_mill, other, nobody = await queries.notes_of_each(store, HELSINKI, [MILL, KILN, EVE], Window(1))

    assert (of_mill.items, of_mill.has_next) == ((new,), True)
    assert (other.items, other.has_next) == ((of_kiln,), False)
    assert (nobody.items, nobody.has_next) == ((), False)
    assert await queries.note_counts(store, HELSINKI, [MILL, KILN, EVE]) == [2, 1, 0]
    [rest] = await queries.notes_of_each(store, HELSINKI, [MILL], Window(5, after=queries.created_position(new)))
    assert rest.items == (old,)


async def test_mentions_when_listed_then_newest_first_and_the_users_own(store: Store) -> None:
    await annotate(store, mentioned=(BOB, EVE), now=1_000)
    note = await write_note(store, mentioned=(BOB,), now=2_000)

    first = await queries.mentions_of(store, HELSINKI, BOB, Window(1))
    rest = await queries.mentions_of(store, HELSINKI, BOB, Window(5, after=queries.mention_position(first.items[0])))

    assert ([found.note for found in first.items], first.has_next) == ([note.uuid], True)
    assert [(found.at, found.note) for found in rest.items] == [(1_000, None)]
    assert await queries.count_mentions_of(store, HELSINKI, BOB) == 2
    assert await queries.count_mentions_of(store, HELSINKI, EVE) == 1


@pytest.mark.parametrize("owner", [Owner("DE-BERLIN", "FI-HELSINKI"), Owner("FI-HELSINKI", "DE-BERLIN")])
async def test_lists_when_another_asks_then_they_are_empty(store: Store, owner: Owner) -> None:
    await annotate(store)
    await write_note(store)

    [annotations] = await queries.annotations_of_each(store, owner, [Place(MILL)], EVERY, DESC, ALL)
    [notes] = await queries.notes_of_each(store, owner, [MILL], ALL)

    assert (annotations.items, notes.items) == ((), ())
    assert await queries.annotation_counts(store, owner, [Place(MILL, "wheel")], EVERY) == [0]
    assert await queries.note_counts(store, owner, [MILL]) == [0]


async def _ask_everything(store: Store, models: list[UUID]) -> None:
    wanted = AnnotationFilter(types=(AnnotationType.COMMENT,), tags=("a",), resolved=False)
    for places in ([Place(model) for model in models], [Place(model, "wheel") for model in models]):
        for order in (ASC, DESC):
            await queries.annotations_of_each(store, HELSINKI, places, wanted, order, Window(2))
        await queries.annotation_counts(store, HELSINKI, places, wanted)
    await queries.notes_of_each(store, HELSINKI, models, Window(2))
    await queries.note_counts(store, HELSINKI, models)
    await queries.annotations_by_uuid(store, HELSINKI, models)
    await queries.notes_by_uuid(store, HELSINKI, models)
    await queries.mentions_by_uuid(store, HELSINKI, BOB, models)
    await queries.mentions_of(store, HELSINKI, BOB, Window(2))
    await queries.count_mentions_of(store, HELSINKI, BOB)


@pytest.mark.parametrize("count", [5, 50])
async def test_statements_when_many_models_are_asked_then_each_question_is_one(store: Store, count: int) -> None:
    models = [UUID(int=number + 1) for number in range(count)]
    await hang_on(store, models)

    with count_statements(store) as statements:
        pages = await queries.annotations_of_each(store, HELSINKI, [Place(model) for model in models], EVERY, DESC, Window(2))

    assert len(statements) == 1
    assert [[found.text for found in page.items] for page in pages] == [[f"{n}.2", f"{n}.1"] for n in range(count)]
    assert all(page.has_next for page in pages)
    with count_statements(store) as statements:
        await _ask_everything(store, models)
    assert len(statements) == 13


async def test_plans_when_explained_then_every_table_is_reached_by_an_index(sqlite_store: Store) -> None:
    with record_statements(sqlite_store) as sent:
        await _ask_everything(sqlite_store, [MILL, KILN])

    async with sqlite_store.read() as connection:
        for statement, parameters in sent:
            plan = [row.detail for row in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            own = [step for step in plan if any(f" {table} " in f"{step} " for table in ("annotation", "note", "mention"))]
            assert own, plan
            assert all(step.startswith("SEARCH") and "tenant=? AND city=?" in step for step in own), plan


async def test_page_when_a_list_is_long_then_postgresql_finds_the_rows_by_index(postgresql_store: Store) -> None:
    store = postgresql_store
    made = [await annotate(store, str(number), now=1_000 + number) for number in range(30)]
    async with store.write() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO annotation SELECT tenant, city, gen_random_uuid(), gen_random_uuid(), element, type, text, tags, mentioned,"
            " author, created_at, updated_at, resolved, version FROM annotation, generate_series(1, 100)"
        )
        await connection.exec_driver_sql("ANALYZE annotation")

    with record_statements(store) as sent:
        [page] = await queries.annotations_of_each(store, HELSINKI, [Place(MILL)], EVERY, DESC, Window(3))
    [(statement, parameters)] = [(sql, values) for sql, values in sent if "LATERAL" in sql]
    async with store.read() as connection:
        rows = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        plan = [row[0] for row in rows]

    assert list(page.items) == made[:-4:-1]
    assert not [step for step in plan if "Seq Scan on annotation" in step], plan
