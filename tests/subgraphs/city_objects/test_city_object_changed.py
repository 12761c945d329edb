"""cityObjectChanged as a dashboard hears it, on both stores (FC-01, AC-03)."""

from typing import Any

import pytest

from graph.errors import BadUserInput, CityGraphError, ResyncRequired
from resolvers.city_objects import live as live_module
from resolvers.stores.journal import purge_events
from tests.fakes.city import CITY, City, Live
from tests.fakes.statements import count_all_statements
from tests.subgraphs.city_objects.test_city_object_mutations import DELETE, identifier, thing, upsert
from tests.subgraphs.telemetry.objects import ingest, series

LIVE = """subscription ($cities: [ID!], $filter: CityObjectFilter, $after: String) {
  cityObjectChanged(cities: $cities, filter: $filter, after: $after) { cursor kind objectId object { id name version } } }"""
NEAR, FAR = [24.94, 60.17], [25.5, 60.9]


def at(place: list[float]) -> dict[str, Any]:
    return {"type": "Point", "coordinates": place}


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    return {"west": west, "south": south, "east": east, "north": north}


def outline(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


async def heard(live: Live, count: int = 1) -> list[Any]:
    return [(await live.next())["cityObjectChanged"] for _ in range(count)]


async def seen(live: Live, count: int) -> list[tuple[str, str]]:
    """What happened to which, by source identifier; and that the objects that can be shown are."""
    names = {identifier(name): name for name in "abcdefgh"}
    events = await heard(live, count)
    assert all((event["object"] is None) == (event["kind"] in ("LEFT", "DELETED")) for event in events)
    return [(event["kind"], names[event["objectId"]]) for event in events]


async def fault(city: City, **variables: Any) -> CityGraphError:
    """Why the subscription does not go on."""
    async with city.live(LIVE, variables) as live:
        with pytest.raises(CityGraphError) as raised:
            await live.next()
    return raised.value


async def test_objects_when_nothing_is_filtered_then_each_change_is_told_with_the_object_as_it_is(city: City) -> None:
    async with (
        city.live(LIVE, roles=("dt_viewer",)) as live,
        city.live(LIVE, {"cities": [CITY]}) as here,
        city.live(LIVE, {"cities": ["SE-STOCKHOLM"]}) as elsewhere,
        city.live(LIVE, tenant="SE-STOCKHOLM") as other_tenant,
    ):
        await upsert(city, thing("a", name="A"), thing("b", name="B"))
        await upsert(city, thing("b", name="New"), thing("a", name="A"), thing("c"))
        first, second = await heard(live, 2), await heard(live, 2)
        await city.ask(DELETE, {"id": identifier("a")})
        [last] = await heard(live)

        assert await heard(here, 5) == [*first, *second, last]
        assert await elsewhere.silent()
        assert await other_tenant.silent(0)
    assert [{**event, "cursor": None} for event in (*first, *second, last)] == [
        {"cursor": None, "kind": kind, "objectId": identifier(name), "object": shown and {"id": identifier(name), **shown}}
        for kind, name, shown in (
            ("CREATED", "a", {"name": "A", "version": 1}),
            ("CREATED", "b", {"name": "B", "version": 1}),
            ("CREATED", "c", {"name": None, "version": 1}),
            ("UPDATED", "b", {"name": "New", "version": 2}),
            ("DELETED", "a", None),
        )
    ]


@pytest.mark.parametrize(
    ("wanted", "inside", "outside"),
    [
        ({"types": ["ROAD"]}, {"type": "ROAD"}, {"type": "BRIDGE"}),
        ({"name": "mil"}, {"name": "MILL"}, {"name": "Dam"}),
        ({"boundingBox": box(24.9, 60.1, 25.0, 60.2)}, {"geometry": at(NEAR)}, {"geometry": at(FAR)}),
        ({"intersects": outline(24.9, 60.1, 25.0, 60.2)}, {"geometry": at(NEAR)}, {"geometry": at(FAR)}),
        (
            {"near": {"point": {"longitude": 24.941, "latitude": 60.17}, "radiusMetres": 100}},
            {"geometry": at(NEAR)},
            {"geometry": at([24.95, 60.17])},
        ),
        ({"attributes": [{"path": "/levels", "op": "GTE", "value": 3}]}, {"attributes": {"levels": 3}}, {"attributes": {"levels": 2}}),
        ({"parentId": identifier("p"), "types": ["BUILDING"]}, {"parentId": identifier("p")}, {"parentId": None}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
async def test_objects_when_filtered_then_those_that_enter_change_inside_and_leave_are_told(
    city: City, wanted: dict[str, Any], inside: dict[str, Any], outside: dict[str, Any]
) -> None:
    await upsert(city, thing("p", type="GENERIC"), thing("a", **inside), thing("b", **outside))

    async with city.live(LIVE, {"filter": wanted}) as live:
        await upsert(city, thing("a", **outside))
        assert await seen(live, 1) == [("LEFT", "a")]
        await upsert(city, thing("a", **{**outside, "sourceId": "a", "attributes": {"levels": 1}}))
        await upsert(city, thing("b", **inside))
        assert await seen(live, 1) == [("ENTERED", "b")]
        await upsert(city, thing("b", **{**inside, "attributes": {"levels": 4}}))
        assert await seen(live, 1) == [("UPDATED", "b")]
        await upsert(city, thing("c", **inside), thing("d", **outside))
        assert await seen(live, 1) == [("CREATED", "c")]
        for name in ("d", "a", "c"):
            await city.ask(DELETE, {"id": identifier(name)})
        assert await seen(live, 1) == [("DELETED", "c")]
        assert await live.silent(0.1)


async def test_statements_when_many_objects_change_then_their_number_is_that_of_few(city: City) -> None:
    near = {"near": {"point": {"longitude": 24.94, "latitude": 60.17}, "radiusMetres": 1_000}, "types": ["ROAD"]}
    counted = {}

    for count in (5, 50):
        names = [f"road-{count}-{n}" for n in range(count)]
        async with city.live(LIVE, {"filter": near}) as live:
            # Once it has told of something, it has done all that it does at its beginning.
            await upsert(city, thing(f"first-{count}", type="ROAD"))
            await heard(live, 1)
            with count_all_statements() as statements:
                await upsert(city, *(thing(name, type="ROAD") for name in names))
                told = await heard(live, count)
            counted[count] = len(statements)
        assert [event["objectId"] for event in told] == [identifier(name) for name in names]

    assert counted[5] == counted[50]


async def test_changes_when_a_dashboard_comes_back_with_its_cursor_then_it_comes_to_the_state_that_is(city: City) -> None:
    wanted = {"types": ["ROAD"]}
    await upsert(city, thing("a", type="ROAD"), thing("b", type="BRIDGE"), thing("c", type="ROAD"), thing("d", type="BRIDGE"))
    async with city.live(LIVE, {"filter": wanted}) as live:
        await upsert(city, thing("e", type="ROAD"), thing("f", type="ROAD"), thing("g", type="ROAD"))
        first, second, third = await heard(live, 3)
    await upsert(city, thing("a", type="BRIDGE"), thing("b", type="ROAD"), thing("d", type="BRIDGE", name="D"), thing("h", type="ROAD"))
    await upsert(city, thing("b", type="ROAD", name="B"), thing("e", type="ROAD", name="E"))
    await city.ask(DELETE, {"id": identifier("g")})

    changed = [("CREATED", "h"), ("LEFT", "a"), ("ENTERED", "b"), ("LEFT", "d"), ("UPDATED", "b"), ("ENTERED", "e")]
    quiet = [("ENTERED", "c"), ("UPDATED", "c")]
    for cursor, missed in (
        (third["cursor"], [*changed, ("DELETED", "g")]),
        # Of `g`, which came and went meanwhile, there is nothing to be told.
        (second["cursor"], [*changed, *quiet]),
        (first["cursor"], [("CREATED", "f"), *changed, *quiet, ("UPDATED", "c"), ("UPDATED", "c")]),
    ):
        async with city.live(LIVE, {"filter": wanted, "after": cursor}) as again:
            assert await seen(again, len(missed)) == missed
            # `c`, of which nothing was told, is known to have been inside.
            await upsert(city, thing("c", type="BRIDGE"))
            assert await seen(again, 1) == [("LEFT", "c")]
            assert await again.silent(0.1)
        await upsert(city, thing("c", type="ROAD"))


async def test_changes_when_no_filter_is_given_and_a_dashboard_comes_back_then_it_hears_each_change_it_missed(city: City) -> None:
    async with city.live(LIVE) as live:
        await upsert(city, thing("a"), thing("b"), thing("c"))
        first, _, third = await heard(live, 3)
    await upsert(city, thing("b", name="B"))

    async with city.live(LIVE, {"after": first["cursor"]}) as again:
        assert await seen(again, 3) == [("CREATED", "b"), ("CREATED", "c"), ("UPDATED", "b")]
    async with city.live(LIVE, {"after": third["cursor"]}) as again:
        assert await seen(again, 1) == [("UPDATED", "b")]
        assert await again.silent(0.1)
    await purge_events(city.store, 2**52)
    await upsert(city, thing("b", name="Bee"))
    assert isinstance(await fault(city, after=third["cursor"]), ResyncRequired)


async def test_changes_when_the_object_is_shown_then_other_subgraphs_tell_of_it_too(city: City) -> None:
    document = """subscription { cityObjectChanged { kind object {
      __typename name ... on Building { yearBuilt } latestTelemetry { value } city { name } } } }"""
    await upsert(city, thing("a"))
    await ingest(city, {"entityId": identifier("a"), "series": [series([1], [20.5])]})

    async with city.live(document) as live:
        await upsert(city, thing("a", name="Mill", attributes={"yearBuilt": 1850}))
        [event] = await heard(live)

    shown = {
        "__typename": "Building",
        "name": "Mill",
        "yearBuilt": 1850,
        "latestTelemetry": [{"value": 20.5}],
        "city": {"name": "Helsinki"},
    }
    assert event == {"kind": "UPDATED", "object": shown}


async def test_filter_when_too_many_objects_meet_it_then_told_to_narrow_it(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "MAX_MEMBERS", 2)
    await upsert(city, thing("a", type="ROAD"), thing("b", type="ROAD"), thing("c"))

    async with city.live(LIVE, {"filter": {"types": ["ROAD"]}}) as live:
        await upsert(city, thing("c", type="ROAD"))
        with pytest.raises(BadUserInput, match="More than 2 objects meet the filter: narrow it"):
            await live.next()
    assert isinstance(await fault(city, filter={"types": ["ROAD"]}), BadUserInput)


async def test_city_object_changed_when_asked_wrongly_then_refused(city: City) -> None:
    await upsert(city, thing("a"))
    for variables in (
        {"after": "nonsense"},
        {"filter": {"near": {"point": {"longitude": 0, "latitude": 91}, "radiusMetres": 1}}},
        {"filter": {"boundingBox": box(0, 1, 0, -1)}},
        {"filter": {"sourceIds": ["x"] * 1_001}},
    ):
        assert isinstance(await fault(city, **variables), BadUserInput), variables


@pytest.mark.parametrize("role", ["dt_ingestor", "dth_editor", "compliance_reader"])
async def test_city_object_changed_when_the_role_does_not_bring_objects_then_forbidden(city: City, role: str) -> None:
    assert await city.codes(LIVE, roles=(role,)) == ["FORBIDDEN"]
