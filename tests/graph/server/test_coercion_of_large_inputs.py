"""The event loop goes on while a large input is read and coerced: a heartbeat on it is felt in between (TC-04)."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from graph.auth.authenticate import Everybody
from graph.auth.claims import anonymous
from graph.composition import SubgraphSDL
from graph.config import Settings
from graph.contracts import Principal, RequestContext, SubgraphRequest, SubgraphResponse
from graph.engine import Federation, Surroundings, build_application, composed
from graph.json_codec import dumps
from graph.server.application import Application
from graph.server.graphql_request import received
from graph.server.messages import Answer, GraphQLRequest
from graph.server.problems import Trace

SDL = """
scalar Any
input Point { key: String!, at: Any!, value: Float!, quality: String = "good" }
type Query { stored(points: [Point!]!): Int }
"""
DOCUMENT = "query ($points: [Point!]!) { stored(points: $points) }"
SOME_BEATS = 5
"""Where the loop is held, there is none; where it is not, there is one every few milliseconds."""


@dataclass
class Heart:
    beats: int = 0

    async def beat(self) -> None:
        while True:
            await asyncio.sleep(0.001)
            self.beats += 1


@dataclass
class Subgraph:
    """Keeps what it is sent, and how often the heart had beaten by then."""

    heart: Heart
    sent: list[dict[str, Any]] = field(default_factory=list)
    beats: int = 0

    async def execute(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        self.beats = self.heart.beats
        self.sent.append(dict(request.variables))
        return SubgraphResponse({"stored": len(request.variables["points"])}, [], {})

    def subscribe(self, request: SubgraphRequest, context: RequestContext) -> AsyncGenerator[SubgraphResponse, None]:
        raise NotImplementedError

    def caller(self, context: RequestContext) -> Hashable:
        return None

    async def close(self) -> None:
        pass


@pytest.fixture
async def heart() -> AsyncIterator[Heart]:
    heart = Heart()
    beating = asyncio.create_task(heart.beat())
    yield heart
    beating.cancel()


@asynccontextmanager
async def _application(subgraph: Subgraph) -> AsyncIterator[Application]:
    federation = Federation(composed([SubgraphSDL("one", None, SDL)]), {"one": subgraph})
    application = build_application(Settings(), federation, Surroundings(title="a test", authenticator=Everybody(anonymous("T"))))
    yield application
    await application.close()


async def _answer(application: Application, points: list[dict[str, Any]]) -> Answer:
    context = RequestContext(Principal("ada", "T", frozenset()), "request-1")
    with application.in_service.current as pipeline:
        return await pipeline.answer(GraphQLRequest(DOCUMENT, {"points": points}), context, Trace("request-1", "f" * 32))


def _points(count: int) -> list[dict[str, Any]]:
    return [{"key": "t", "at": number, "value": number * 0.5} for number in range(count)]


async def test_body_when_large_then_read_while_the_loop_goes_on(heart: Heart) -> None:
    # given
    variables = {"points": _points(100_000)}
    body = dumps({"query": DOCUMENT, "variables": variables})
    await asyncio.sleep(0)
    # when
    before = heart.beats
    request = await received(body)
    beats = heart.beats - before
    # then
    assert request == GraphQLRequest(DOCUMENT, variables)
    assert beats >= SOME_BEATS


async def test_variables_when_large_then_coerced_while_the_loop_goes_on(heart: Heart) -> None:
    # given
    subgraph = Subgraph(heart)
    async with _application(subgraph) as application:
        await _answer(application, _points(1))
        points = _points(100_000)
        # when
        before = heart.beats
        answer = await _answer(application, points)
    # then
    assert answer.body == {"data": {"stored": 100_000}}
    assert subgraph.sent[1]["points"][-1] == {"key": "t", "at": 99_999, "value": 49_999.5, "quality": "good"}
    assert subgraph.beats - before >= SOME_BEATS


async def test_variables_when_the_last_of_many_is_wrong_then_refused_while_the_loop_goes_on(heart: Heart) -> None:
    # given
    async with _application(Subgraph(heart)) as application:
        await _answer(application, _points(1))
        points = [*_points(10_000), {"key": "t", "at": 1, "value": "high"}]
        # when
        before = heart.beats
        answer = await _answer(application, points)
        beats = heart.beats - before
    # then
    (error,) = answer.body["errors"]
    message = "Variable '$points' has invalid value at [10000].value: Float cannot represent non numeric value: 'high'"
    assert (error["message"], error["extensions"]["code"]) == (message, "BAD_USER_INPUT")
    assert beats >= SOME_BEATS
