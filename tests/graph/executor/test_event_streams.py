"""Subscriptions as the executor runs them: one outcome for each event, with what other subgraphs add to it."""

from collections.abc import AsyncGenerator, Hashable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import build_schema, parse

from graph.composition import Composed, compose
from graph.contracts import Principal, RequestContext, SubgraphRequest, SubgraphResponse, SubgraphSDL
from graph.errors import CityGraphError, Conflict, InternalError, ResyncRequired, SubgraphError, Unavailable
from graph.executor import Executor
from graph.executor.transports.in_process import InProcessTransport
from graph.planner import Planner

CONTEXT = RequestContext(Principal("ada", "FI-HELSINKI"), "request-1")
LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])'
READINGS = (
    LINK
    + """ type Query { last: Reading } type Subscription { readings(from: Int!): Reading! }
  type Reading { value: Int! sensor: Sensor! } type Sensor @key(fields: "id") { id: ID! }"""
)
SENSORS = LINK + """ type Query { sensor: Sensor } type Sensor @key(fields: "id") { id: ID! name: String! } """


class Streams:
    """Two subgraphs; the second counts how often its entities were asked for."""

    def __init__(self) -> None:
        self.lookups = 0
        self.open = 0
        self.contexts: list[int] = []

    async def readings(self, _root: object, info: Any, **arguments: int) -> AsyncGenerator[dict[str, Any], None]:
        start = arguments["from"]
        if start < 0:
            raise Conflict("there is nothing before 0", extensions={"currentVersion": 3})
        self.open += 1
        try:
            for n in range(start, 3):
                yield {"readings": {"value": n, "sensor": {"id": f"s{n % 2}"}}}
            if start == 2:
                raise Conflict("too far back")
            if start == 1:
                raise ZeroDivisionError
        finally:
            self.open -= 1

    def entities(self, _root: object, info: Any, representations: list[dict[str, str]]) -> list[dict[str, str]]:
        self.lookups += 1
        self.contexts.append(id(info.context.loaders))
        info.context.loaders["used"] = self.contexts
        return [{"__typename": "Sensor", "id": one["id"], "name": f"sensor {one['id']}"} for one in representations]

    def executor(self) -> tuple[Executor, Planner]:
        readings = build_schema(READINGS.removeprefix(LINK).replace(' @key(fields: "id")', ""))
        assert readings.subscription_type is not None
        readings.subscription_type.fields["readings"].subscribe = self.readings
        sensors = build_schema(
            "scalar _Any union _Entity = Sensor type Query { _entities(representations: [_Any!]!): [_Entity]! sensor: Sensor }"
            " type Sensor { id: ID! name: String! }"
        )
        assert sensors.query_type is not None
        sensors.query_type.fields["_entities"].resolve = self.entities
        composed = compose([SubgraphSDL("readings", None, READINGS), SubgraphSDL("sensors", None, SENSORS)])
        assert isinstance(composed, Composed)
        transports = {
            "readings": InProcessTransport(readings, lambda request: request),
            "sensors": InProcessTransport(sensors, lambda request: request),
        }
        return Executor(composed.supergraph.api_schema, transports), Planner(composed.supergraph)


async def outcomes(streams: Streams, start: int, most: int = 10) -> list[Any]:
    executor, planner = streams.executor()
    plan = planner.plan(parse("subscription ($f: Int!) { r: readings(from: $f) { value sensor { id name } } }"))
    found: list[Any] = []
    async with aclosing(executor.subscribe(plan, {"f": start}, CONTEXT)) as stream:
        async for outcome in stream:
            assert outcome.errors == []
            found.append(outcome.data)
            if len(found) == most:
                break
    return found


async def test_events_when_they_reach_into_another_subgraph_then_the_rest_runs_for_each() -> None:
    streams = Streams()

    found = await outcomes(streams, 0)

    assert found == [{"r": {"value": n, "sensor": {"id": f"s{n % 2}", "name": f"sensor s{n % 2}"}}} for n in range(3)]
    assert streams.lookups == 3
    assert streams.open == 0


async def test_events_when_the_client_goes_then_the_source_is_closed() -> None:
    streams = Streams()

    assert len(await outcomes(streams, 0, most=1)) == 1

    assert streams.open == 0


@pytest.mark.parametrize(
    ("start", "error", "message"),
    [(-1, Conflict, "there is nothing before 0"), (2, Conflict, "too far back"), (1, InternalError, "Internal server error")],
)
async def test_events_when_the_stream_fails_then_it_raises_and_never_reads_as_complete(
    start: int, error: type[CityGraphError], message: str
) -> None:
    with pytest.raises(error) as failed:
        await outcomes(Streams(), start)

    assert failed.value.detail == message


@dataclass
class Broken:
    """A transport whose stream brings one event and then breaks."""

    error: CityGraphError

    async def execute(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        raise self.error

    async def subscribe(self, request: SubgraphRequest, context: RequestContext) -> AsyncGenerator[SubgraphResponse, None]:
        yield SubgraphResponse({"r": {"value": 1}}, extensions={"gap": True})
        raise self.error

    def caller(self, context: RequestContext) -> Hashable:
        return None

    async def close(self) -> None:
        return None


@pytest.mark.parametrize(
    ("error", "failures"),
    [
        (Unavailable("gone"), 1),
        (SubgraphError("garbage"), 1),
        (SubgraphError("too hot", extensions={"code": "TOO_HOT"}), 0),
        (ResyncRequired("a gap"), 0),
    ],
)
async def test_events_when_the_way_to_the_subgraph_breaks_then_its_health_knows_and_what_it_told_itself_is_an_answer(
    error: CityGraphError, failures: int
) -> None:
    composed = compose([SubgraphSDL("readings", None, READINGS)])
    assert isinstance(composed, Composed)
    executor = Executor(composed.supergraph.api_schema, {"readings": Broken(error)})
    plan = Planner(composed.supergraph).plan(parse("subscription { r: readings(from: 1) { value } }"))
    stream = executor.subscribe(plan, {}, CONTEXT)

    first = await anext(stream)
    with pytest.raises(type(error)):
        await anext(stream)

    health = executor.health.of("readings")
    assert (first.data, first.errors, first.gap) == ({"r": {"value": 1}}, [], True)
    assert health.last_success_at is not None
    assert health.consecutive_failures == failures
