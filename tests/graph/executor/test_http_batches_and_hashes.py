"""Query batching and persisted queries towards a subgraph, against a real server that shows what it was sent."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema
from hand_made import CONTEXT

from graph.config import load_settings
from graph.contracts import OperationKind, Principal, RequestContext, SubgraphRequest
from graph.errors import SubgraphError
from graph.executor.transports.http import HttpTransport, trace_headers
from graph.sources import http_transport
from tests.fakes.servers import Subgraph, served

SCHEMA = build_schema("type Query { a: String  b: String } type Mutation { a: String }")
A, B = SubgraphRequest("{ a }", {}), SubgraphRequest("{ b }", {"x": 1})
MUTATION = SubgraphRequest("mutation { a }", {}, OperationKind.MUTATION)


def _hash(document: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": sha256(document.encode()).hexdigest()}}


@asynccontextmanager
async def _transport(subgraph: Subgraph, **options: Any) -> AsyncIterator[HttpTransport]:
    async with served(subgraph.application) as url:
        transport = HttpTransport("shop", f"{url}/graphql", **options)
        try:
            yield transport
        finally:
            await transport.close()


@pytest.fixture
def subgraph() -> Subgraph:
    return Subgraph(SCHEMA, {"a": "A", "b": "B"})


def _caller(request_id: str, **headers: str) -> RequestContext:
    return RequestContext(Principal("anna", "T"), request_id, headers)


def _headers(context: RequestContext) -> Mapping[str, str]:
    return {**trace_headers(context), **context.headers}


async def test_batch_when_requests_are_sent_together_then_one_message_and_each_its_own_answer(subgraph: Subgraph) -> None:
    async with _transport(subgraph, max_batch=10) as transport:
        answers = await asyncio.gather(*(transport.execute(one, _caller(str(number))) for number, one in enumerate([A, B, A])))

    assert [answer.data for answer in answers] == [{"a": "A"}, {"b": "B"}, {"a": "A"}]
    assert subgraph.bodies == [
        [{"query": "{ a }", "variables": {}}, {"query": "{ b }", "variables": {"x": 1}}, {"query": "{ a }", "variables": {}}]
    ]


async def test_batch_when_only_one_request_is_sent_then_no_array(subgraph: Subgraph) -> None:
    async with _transport(subgraph, max_batch=10) as transport:
        await transport.execute(A, CONTEXT)
        await transport.execute(B, CONTEXT)

    assert [type(body) for body in subgraph.bodies] == [dict, dict]


async def test_batch_when_full_then_another_one(subgraph: Subgraph) -> None:
    async with _transport(subgraph, max_batch=2) as transport:
        answers = await asyncio.gather(*(transport.execute(A, CONTEXT) for _ in range(5)))

    assert [answer.data for answer in answers] == [{"a": "A"}] * 5
    assert sorted(len(body) if isinstance(body, list) else 1 for body in subgraph.bodies) == [1, 2, 2]


async def test_batch_when_callers_have_other_credentials_then_none_is_shared(subgraph: Subgraph) -> None:
    async with _transport(subgraph, max_batch=10, headers=_headers) as transport:
        await asyncio.gather(*(transport.execute(A, _caller("r", authorization=name)) for name in ("anna", "bert", "anna")))

    sent = sorted((headers["authorization"], type(body)) for headers, body in zip(subgraph.headers, subgraph.bodies, strict=True))
    assert [who for who, _ in sent] == ["anna", "bert"]
    assert [kind for _, kind in sent] == [list, dict]


async def test_batch_when_a_mutation_is_among_the_requests_then_it_goes_alone(subgraph: Subgraph) -> None:
    async with _transport(subgraph, max_batch=10) as transport:
        await asyncio.gather(transport.execute(A, CONTEXT), transport.execute(MUTATION, CONTEXT), transport.execute(B, CONTEXT))

    assert sorted(len(body) if isinstance(body, list) else 1 for body in subgraph.bodies) == [1, 2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([{"data": {}}], "answered a batch of 2 requests with status 200 and 1 answers"),
        ({"errors": [{"message": "no batches"}]}, "answered a batch of 2 requests with status 200 and something that is no list"),
        ([{"data": {}}, 5], "JSON that is not a GraphQL response"),
    ],
)
async def test_batch_when_the_answer_is_none_then_an_error_for_whom_it_concerns(subgraph: Subgraph, content: Any, message: str) -> None:
    subgraph.answer = lambda body: content
    async with _transport(subgraph, max_batch=10) as transport:
        answers = await asyncio.gather(transport.execute(A, CONTEXT), transport.execute(B, CONTEXT), return_exceptions=True)

    assert isinstance(answers[1], SubgraphError)
    assert message in answers[1].detail


async def test_batch_when_one_caller_gives_up_then_the_other_has_its_answer(subgraph: Subgraph) -> None:
    subgraph.delay = 0.1
    async with _transport(subgraph, max_batch=10) as transport:
        impatient, patient = (asyncio.create_task(transport.execute(one, CONTEXT)) for one in (A, B))
        await asyncio.sleep(0.02)
        impatient.cancel()
        answer = await patient

    assert answer.data == {"b": "B"}
    assert impatient.cancelled()


@pytest.mark.parametrize(
    "told", [{"message": "PersistedQueryNotFound"}, {"message": "?", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}]
)
async def test_hash_when_the_subgraph_does_not_know_it_then_the_text_once_and_the_hash_from_there(
    subgraph: Subgraph, told: dict[str, Any]
) -> None:
    known: dict[str, str] = {}

    def answer(body: dict[str, Any]) -> Any:
        digest = body["extensions"]["persistedQuery"]["sha256Hash"]
        if "query" in body:
            known[digest] = body["query"]
        return {"data": {"a": "A"}} if digest in known else {"errors": [told]}

    subgraph.answer = answer
    async with _transport(subgraph, persisted_queries=True) as transport:
        answers = [await transport.execute(A, CONTEXT) for _ in range(3)]

    assert [answer.data for answer in answers] == [{"a": "A"}] * 3
    hashed = {"variables": {}, "extensions": _hash("{ a }")}
    assert subgraph.bodies == [hashed, {"query": "{ a }", **hashed}, hashed, hashed]


async def test_hash_when_the_subgraph_has_no_store_then_texts_only_from_there(subgraph: Subgraph) -> None:
    subgraph.answer = lambda body: None if "query" in body else {"errors": [{"message": "PersistedQueryNotSupported"}]}
    async with _transport(subgraph, persisted_queries=True) as transport:
        answers = [await transport.execute(one, CONTEXT) for one in (A, B)]

    assert [answer.data for answer in answers] == [{"a": "A"}, {"b": "B"}]
    assert [sorted(body) for body in subgraph.bodies] == [["extensions", "variables"], ["query", "variables"], ["query", "variables"]]


async def test_hash_when_sent_in_a_batch_then_who_is_not_known_sends_its_text(subgraph: Subgraph) -> None:
    def answer(body: Any) -> Any:
        if isinstance(body, list):
            return [{"data": {"a": "A"}}, {"errors": [{"message": "PersistedQueryNotFound"}]}]
        return {"data": {"b": "B"}} if "query" in body else None

    subgraph.answer = answer
    async with _transport(subgraph, persisted_queries=True, max_batch=10) as transport:
        answers = await asyncio.gather(transport.execute(A, CONTEXT), transport.execute(B, CONTEXT))

    assert [answer.data for answer in answers] == [{"a": "A"}, {"b": "B"}]
    assert [type(body) for body in subgraph.bodies] == [list, dict]


async def test_settings_when_they_name_a_unix_socket_batches_and_hashes_then_the_gateway_uses_them(tmp_path: Path) -> None:
    subgraph = Subgraph(SCHEMA, {"a": "A"})
    subgraph.answer = lambda body: [{"data": {"a": "by hash"}}] * len(body)
    config = tmp_path / "federation.yaml"
    config.write_text(f"subgraphs:\n  one: {{url: 'unix://{tmp_path}/s?path=/graphql', persisted_queries: true, max_batch: 5}}\n")
    transport = http_transport(load_settings(config, environ={}), "one", "")

    async with served(subgraph.application, tmp_path / "s"):
        answers = await asyncio.gather(transport.execute(A, CONTEXT), transport.execute(A, CONTEXT))
        await transport.close()

    assert [answer.data for answer in answers] == [{"a": "by hash"}] * 2
    assert subgraph.bodies == [[{"variables": {}, "extensions": _hash("{ a }")}] * 2]
