"""`@defer` over HTTP: what a client asks for, what it gets when, and what becomes of it when it goes away (issue 5, "Protocols")."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from graph.contracts import AuditOutcome
from graph.server.hooks import Hook, Hooks
from graph.server.incremental import BY_ID, BY_PATH, Form
from graph.server.multipart import parts_form
from tests.graph.server.guarded import Guarded, Recording, guarded, principal

QUERY = '{ docs { title ... @defer(label: "slow") { price } } }'


@pytest.fixture
def city() -> Guarded:
    return guarded()


@dataclass
class Response:
    """What the application has sent so far; `arrived` is set with each piece of the body."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    ended: bool = False
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            return
        self.body += message["body"]
        self.ended = not message.get("more_body", False)
        self.arrived.set()

    async def until(self, parts: int) -> None:
        """Waits until so many parts are here."""
        while len(self.payloads) < parts:
            self.arrived.clear()
            async with asyncio.timeout(5):
                await self.arrived.wait()

    async def whole(self) -> None:
        """Waits until the body has ended."""
        while not self.ended:
            self.arrived.clear()
            async with asyncio.timeout(5):
                await self.arrived.wait()

    @property
    def payloads(self) -> list[Any]:
        """The contents of the parts that are whole: those with a boundary after them."""
        before, *parts = (b"\r\n" + self.body).split(b"\r\n---")
        assert not before.strip()
        if not parts:
            return []
        whole = parts[:-1]
        assert all(part.startswith(b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n") for part in whole), whole
        return [json.loads(part.split(b"\r\n\r\n", 1)[1]) for part in whole]


@asynccontextmanager
async def asked(city: Guarded, query: str, accept: str) -> AsyncIterator[Response]:
    """A request on its way; its client is gone afterwards, if it is not before."""
    response = Response()
    body: list[dict[str, Any]] = [{"type": "http.request", "body": json.dumps({"query": query}).encode(), "more_body": False}]

    async def receive() -> dict[str, Any]:
        if body:
            return body.pop()
        await response.gone.wait()
        return {"type": "http.disconnect"}

    headers = [(b"accept", accept.encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
    task = asyncio.ensure_future(city.application(scope, receive, response.send))  # type: ignore[arg-type]
    try:
        yield response
    finally:
        response.gone.set()
        async with asyncio.timeout(5):
            await task


def allowed(city: Guarded, *scopes: str) -> None:
    """The server's every caller has these scopes."""
    city.application._parts.authenticator._principal = principal(scopes)  # type: ignore[attr-defined]


def held_back(city: Guarded, subgraph: str) -> Recording:
    """The way to a subgraph, which answers when its `may_answer` is set."""
    transport = city.application.in_service.current.version.pipeline._executor._transports[subgraph]
    assert isinstance(transport, Recording)
    transport.may_answer, transport.asked = asyncio.Event(), asyncio.Event()
    return transport


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json;q=0.9", BY_PATH),
        ("multipart/mixed;incrementalSpec=v0.2,application/graphql-response+json,application/json;q=0.9", BY_ID),
        ("application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed", BY_PATH),
        ('multipart/mixed; boundary="x"', BY_PATH),
        ('multipart/mixed;deferSpec="20220824"', BY_PATH),
        ("application/json", None),
        ("*/*", None),
        (None, None),
        ("multipart/mixed;q=0", None),
        ("application/json, multipart/mixed;q=0.5", None),
        ("multipart/mixed;subscriptionSpec=1.0, application/json", None),
        ("multipart/mixed;deferSpec=20990101, application/json", None),
        ("multipart/mixed;deferSpec=20990101, multipart/mixed;incrementalSpec=v0.2", BY_ID),
    ],
)
def test_form_of_an_answer_when_a_client_names_what_it_accepts_then_is_the_first_known(accept: str | None, form: Form | None) -> None:
    assert parts_form(accept) is form


async def test_deferred_part_when_its_subgraph_is_slow_then_the_rest_is_there_before(city: Guarded) -> None:
    allowed(city, "price:read")
    prices = held_back(city, "prices")

    async with asked(city, QUERY, "multipart/mixed;deferSpec=20220824, application/json") as response:
        await response.until(1)
        before, ended = list(response.payloads), response.ended
        prices.may_answer.set()
        await response.whole()

    assert (response.status, response.headers["content-type"]) == (200, 'multipart/mixed; boundary="-"; deferSpec=20220824')
    assert "content-length" not in response.headers
    assert (before, ended) == ([{"data": {"docs": [{"title": "One"}, {"title": "Two"}]}, "hasNext": True}], False)
    assert response.payloads[1:] == [
        {
            "incremental": [
                {"data": {"price": 7}, "path": ["docs", 0], "label": "slow"},
                {"data": {"price": 7}, "path": ["docs", 1], "label": "slow"},
            ],
            "hasNext": False,
        }
    ]
    assert response.body.endswith(b"}\r\n-----\r\n")
    assert response.ended


async def test_parts_when_told_by_identifier_then_are_announced_and_completed(city: Guarded) -> None:
    allowed(city, "price:read")
    query = '{ doc(id: "d1") { title ... @defer(label: "slow") { price } } }'

    async with asked(city, query, "multipart/mixed;incrementalSpec=v0.2, application/json") as response:
        await response.whole()

    assert response.headers["content-type"] == 'multipart/mixed; boundary="-"; incrementalSpec=v0.2'
    assert response.payloads == [
        {"data": {"doc": {"title": "One"}}, "pending": [{"id": "0", "path": ["doc"], "label": "slow"}], "hasNext": True},
        {"incremental": [{"id": "0", "data": {"price": 7}}], "completed": [{"id": "0"}], "hasNext": False},
    ]


@pytest.mark.parametrize(
    "query", [QUERY.replace("@defer(", "@defer(if: false, "), "{ docs { title ... @defer { title } } }", "{ docs { title } }"]
)
async def test_answer_when_nothing_has_to_wait_then_comes_in_one_piece(city: Guarded, query: str) -> None:
    allowed(city, "price:read")

    async with asked(city, query, "multipart/mixed, application/json") as response:
        await response.whole()

    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert json.loads(response.body)["data"]["docs"][0]["title"] == "One"
    assert b"hasNext" not in response.body


async def test_answer_when_a_client_takes_json_alone_then_has_what_is_deferred(city: Guarded) -> None:
    allowed(city, "price:read")

    async with asked(city, QUERY, "application/json") as response:
        await response.whole()

    assert json.loads(response.body) == {"data": {"docs": [{"title": "One", "price": 7}, {"title": "Two", "price": 7}]}}


@pytest.mark.parametrize(("query", "status", "key"), [("{ docs { title } }", 200, "data"), ("{ nothing }", 400, "errors")])
async def test_answer_when_a_client_takes_parts_alone_then_is_one_part(city: Guarded, query: str, status: int, key: str) -> None:
    async with asked(city, query, "multipart/mixed") as response:
        await response.whole()

    (payload,) = response.payloads
    assert (response.status, payload["hasNext"]) == (status, False)
    assert key in payload
    assert response.ended


async def test_forbidden_field_when_deferred_then_its_part_has_the_error(city: Guarded) -> None:
    """AC-05: a deeper field that the caller may not see is null with an error, wherever it is told."""
    allowed(city, "price:read")
    query = '{ doc(id: "d1") { title ... @defer { price length } } }'

    async with asked(city, query, "multipart/mixed") as response:
        await response.whole()

    first, second = response.payloads
    assert "errors" not in first
    (part,) = second["incremental"]
    assert part["data"] == {"price": 7, "length": None}
    (error,) = part["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["doc", "length"], "FORBIDDEN")
    assert error["extensions"]["traceId"]


async def test_subgraph_when_the_client_goes_away_then_is_not_waited_for_nor_blamed(city: Guarded) -> None:
    allowed(city, "price:read")
    prices = held_back(city, "prices")

    for _ in range(6):
        async with asked(city, QUERY, "multipart/mixed") as response:
            await response.until(1)
            await prices.asked.wait()
        assert not response.ended

    executor = city.application.in_service.current.version.pipeline._executor
    assert executor.health.of("prices").consecutive_failures == 0
    assert city.application.in_service.current._requests == 0
    assert [task for task in asyncio.all_tasks() if "fetch_all" in repr(task)] == []


async def test_sensitive_field_when_deferred_then_is_audited_once_it_was_told(city: Guarded) -> None:
    """`owner` is personal data."""
    query = '{ open ... @defer { doc(id: "d1") { owner } } }'
    things = held_back(city, "things")

    async with asked(city, query, "multipart/mixed") as response:
        await things.asked.wait()
        before = list(city.audit.noted)
        things.may_answer.set()
        await response.whole()

    assert before == []
    assert [(entry.operation, entry.target, entry.outcome) for entry in city.audit.noted] == [("Query.doc", "d1", AuditOutcome.ALLOWED)]


async def test_sensitive_field_when_the_client_goes_away_before_then_is_audited_as_failed(city: Guarded) -> None:
    allowed(city, "price:read")
    prices = held_back(city, "prices")
    query = '{ open ... @defer { doc(id: "d1") { owner price } } }'

    async with asked(city, query, "multipart/mixed") as response:
        await response.until(1)
        await prices.asked.wait()

    assert [(entry.operation, entry.outcome) for entry in city.audit.noted] == [("Query.doc", AuditOutcome.FAILED)]


async def test_answer_when_a_hook_looks_at_it_then_comes_whole() -> None:
    seen: list[Any] = []

    def look(answer: Any, request: Any, context: Any) -> None:
        seen.append(answer.body)

    city = guarded()
    allowed(city, "price:read")
    pipeline = city.application.in_service.current.version.pipeline
    pipeline._hooks = Hooks(on_response=(Hook("test:look", look),))

    async with asked(city, QUERY, "multipart/mixed, application/json") as response:
        await response.whole()

    assert seen == [{"data": {"docs": [{"title": "One", "price": 7}, {"title": "Two", "price": 7}]}}]
    assert json.loads(response.body) == seen[0]
