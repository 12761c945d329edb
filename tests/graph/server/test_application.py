"""GraphQL over HTTP as a client meets it: an application over one small subgraph, without a socket."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from graphql import GraphQLError, build_schema

from graph.auth.authenticate import Everybody
from graph.auth.claims import anonymous
from graph.composition import SubgraphSDL
from graph.config import Settings
from graph.engine import LOOPBACK_NAMES, Federation, Surroundings, build_application, composed
from graph.errors import Unavailable
from graph.executor.transports.in_process import InProcessTransport
from graph.server.application import Application

SDL = """
type Query { greeting(name: String! = "you", times: Int): String  fails: String  required: String!  level: Level  deep: Deep }
type Mutation { count: Int! }
type Deep { deep: Deep  name: String }
enum Level { LOW HIGH }
"""
RESPONSE = "application/graphql-response+json"
JSON = "application/json"


class Root:
    """The subgraph's resolvers."""

    counted = 0

    def greeting(self, info: Any, name: str, times: int | None = None) -> str:
        return f"hello {name}" * (times or 1)

    def fails(self, info: Any) -> str:
        raise RuntimeError("the secret reason")

    def required(self, info: Any) -> str:
        raise GraphQLError("not today")

    def count(self, info: Any) -> int:
        self.counted += 1
        return self.counted


def _application(settings: Settings, root: Root, **around: Any) -> Application:
    schema = build_schema(SDL)
    for kind in (schema.query_type, schema.mutation_type):
        assert kind is not None
        for name, field in kind.fields.items():
            if hasattr(root, name):
                field.resolve = lambda _source, info, _name=name, **given: getattr(root, _name)(info, **given)
    federation = Federation(composed([SubgraphSDL("one", None, SDL)]), {"one": InProcessTransport(schema, lambda context: context)})
    surroundings = Surroundings(title="a test", authenticator=Everybody(anonymous("T")), **around)
    return build_application(settings, federation, surroundings)


@pytest.fixture
def root() -> Root:
    return Root()


@pytest.fixture
async def client(root: Root) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(cors_allowed_origins=("https://portal.example",), max_payload_mb=0.01)
    async with _client(_application(settings, root)) as client:
        yield client


def _client(application: Application) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://127.0.0.1:4000")


async def _post(client: httpx.AsyncClient, query: str, accept: str | None = RESPONSE, **parts: Any) -> httpx.Response:
    headers = {"accept": accept} if accept else {}
    return await client.post("/graphql", json={"query": query, **parts}, headers=headers)


@pytest.mark.parametrize(("accept", "media"), [(RESPONSE, RESPONSE), (JSON, JSON), ("*/*", JSON), (f"{RESPONSE}, {JSON};q=0.9", RESPONSE)])
async def test_query_when_answered_then_data_in_the_media_type_asked_for(client: httpx.AsyncClient, accept: str, media: str) -> None:
    response = await _post(client, "query ($n: String!) { greeting(name: $n) }", accept, variables={"n": "Ülo"})

    assert (response.status_code, response.headers["content-type"]) == (200, f"{media}; charset=utf-8")
    assert response.json() == {"data": {"greeting": "hello Ülo"}}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ gretting }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{ greeting(times: 1.5) }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query ($t: Int!) { greeting(times: $t) }"}, "BAD_USER_INPUT"),
        ({"query": "query ($t: Int!) { greeting(times: $t) }", "variables": {"t": "x"}}, "BAD_USER_INPUT"),
        ({"query": "query A { greeting } query B { greeting }"}, "BAD_REQUEST"),
        ({"query": "query A { greeting }", "operationName": "B"}, "BAD_REQUEST"),
        ({"query": "fragment A on Query { greeting }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": ""}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "subscription { greeting }"}, "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_operation_when_it_cannot_run_then_400_or_200_by_media_type_and_no_data(
    client: httpx.AsyncClient, body: dict[str, Any], code: str
) -> None:
    strict = await client.post("/graphql", json=body, headers={"accept": RESPONSE})
    lenient = await client.post("/graphql", json=body, headers={"accept": JSON})

    assert (strict.status_code, lenient.status_code) == (400, 200)
    for response in (strict, lenient):
        assert "data" not in response.json()
        assert [error["extensions"]["code"] for error in response.json()["errors"]] == [code]


async def test_validation_error_when_told_then_with_its_place_and_the_problems_members(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/graphql",
        json={"query": "{\n  gretting\n}"},
        headers={"x-request-id": "req-1", "traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"},
    )

    (error,) = response.json()["errors"]
    assert error["locations"] == [{"line": 2, "column": 3}]
    assert error["extensions"] == {
        "type": "urn:citygraph:problem:graphql-validation-failed",
        "title": "The GraphQL document is not valid",
        "status": 400,
        "detail": error["message"],
        "instance": "urn:citygraph:request:req-1",
        "errorCode": "GRAPHQL_VALIDATION_FAILED",
        "traceId": "ab" * 16,
        "code": "GRAPHQL_VALIDATION_FAILED",
    }
    assert response.headers["x-request-id"] == "req-1"


async def test_request_id_when_it_could_forge_a_log_line_then_another_is_made(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json={"query": "{ greeting }"}, headers={"x-request-id": "a b\tc"})

    assert response.headers["x-request-id"] != "a b\tc"


async def test_resolver_when_it_fails_then_200_with_partial_data_and_a_neutral_error(client: httpx.AsyncClient) -> None:
    response = await _post(client, "{ greeting fails }")

    answer = response.json()
    assert response.status_code == 200
    assert answer["data"] == {"greeting": "hello you", "fails": None}
    assert (answer["errors"][0]["path"], answer["errors"][0]["extensions"]["code"]) == (["fails"], "INTERNAL_SERVER_ERROR")
    assert "secret" not in response.text


async def test_required_field_when_it_fails_then_data_is_null_and_status_200(client: httpx.AsyncClient) -> None:
    response = await _post(client, "{ required }")

    assert (response.status_code, response.json()["data"]) == (200, None)
    assert response.json()["errors"][0]["message"] == "not today"


async def test_mutation_when_sent_by_get_then_405_and_it_does_not_run(client: httpx.AsyncClient, root: Root) -> None:
    safe = {"graphql-require-preflight": "1"}

    query = await client.get("/graphql", params={"query": "{ greeting }"}, headers=safe)
    mutation = await client.get("/graphql", params={"query": "mutation { count }"}, headers=safe)
    bare = await client.get("/graphql", params={"query": "{ greeting }"})

    assert (query.status_code, query.json()) == (200, {"data": {"greeting": "hello you"}})
    assert (mutation.status_code, mutation.json()["code"], mutation.headers["allow"]) == (405, "METHOD_NOT_ALLOWED", "GET, POST")
    assert (bare.status_code, bare.json()["code"]) == (403, "FORBIDDEN")
    assert root.counted == 0


async def test_document_when_sent_again_then_prepared_once(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    from graph.server import preparation

    parse = preparation.parse
    monkeypatch.setattr(preparation, "parse", lambda text, **options: parsed.append(text) or parse(text, **options))

    for name in ("a", "b", "c"):
        response = await _post(client, "query ($n: String!) { greeting(name: $n) }", variables={"n": name})
        assert response.json() == {"data": {"greeting": f"hello {name}"}}

    assert len(parsed) == 1


async def test_introspection_when_asked_then_the_public_schema(client: httpx.AsyncClient) -> None:
    response = await _post(client, '{ __schema { queryType { name } } __type(name: "Level") { enumValues { name } } }')

    assert response.json() == {
        "data": {"__schema": {"queryType": {"name": "Query"}}, "__type": {"enumValues": [{"name": "LOW"}, {"name": "HIGH"}]}}
    }


async def test_body_when_streamed_beyond_the_limit_then_413_whatever_its_length_says(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 1_000

    response = await client.post("/graphql", content=chunks(), headers={"content-type": JSON})

    assert (response.status_code, response.headers["content-type"]) == (413, "application/problem+json")


async def test_page_when_a_browser_comes_then_ours_and_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    policy = response.headers["content-security-policy"]
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html")
    assert "default-src 'none'" in policy
    assert policy.count("'sha256-") == 2
    assert "http://" not in response.text
    assert "https://" not in response.text


@pytest.mark.parametrize(("origin", "allowed"), [("https://portal.example", True), ("https://evil.example", False), ("null", False)])
async def test_cors_when_a_page_asks_then_only_the_allow_list_is_let_in(client: httpx.AsyncClient, origin: str, allowed: bool) -> None:
    preflight = await client.options("/graphql", headers={"origin": origin, "access-control-request-method": "POST"})
    answer = await client.post("/graphql", json={"query": "{ greeting }"}, headers={"origin": origin})

    for response in (preflight, answer):
        assert response.headers.get("access-control-allow-origin") == (origin if allowed else None)
        assert response.headers["vary"] == "Origin"
    assert ("access-control-allow-headers" in preflight.headers) is allowed


@pytest.mark.parametrize("path", ["/graphql", "/api/v1/health", "/nothing"])
async def test_response_when_sent_then_it_carries_the_security_headers(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)

    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-frame-options"] == "DENY"
    assert response.headers["cache-control"] == "no-store"
    assert "content-security-policy" in response.headers


async def test_paths_when_asked_wrongly_then_problems(client: httpx.AsyncClient) -> None:
    nothing, patched = await client.get("/nothing"), await client.patch("/graphql")

    assert (nothing.status_code, nothing.json()["code"]) == (404, "NOT_FOUND")
    assert (patched.status_code, patched.json()["code"]) == (405, "METHOD_NOT_ALLOWED")


async def test_readiness_when_a_dependency_is_down_then_503_while_health_stays_200(root: Root) -> None:
    async def check() -> None:
        raise Unavailable("connection refused")

    async with _client(_application(Settings(), root, checks={"the store": check})) as client:
        health, ready = await client.get("/api/v1/health"), await client.get("/api/v1/ready")

    assert (health.status_code, health.json()) == (200, {"status": "UP"})
    assert (ready.status_code, ready.json()["detail"], ready.headers["retry-after"]) == (
        503,
        "the store does not answer: connection refused",
        "5",
    )


@pytest.mark.parametrize(("host", "status"), [("127.0.0.1:4000", 200), ("localhost", 200), ("[::1]:4000", 200), ("evil.example", 400)])
async def test_host_when_a_name_was_rebound_to_loopback_then_refused(root: Root, host: str, status: int) -> None:
    async with _client(_application(Settings(), root, hosts=LOOPBACK_NAMES)) as client:
        response = await client.post("/graphql", json={"query": "{ greeting }"}, headers={"host": host})

    assert response.status_code == status


async def test_server_when_a_part_of_it_breaks_then_500_with_a_neutral_problem(root: Root) -> None:
    async def check() -> None:
        raise RuntimeError("the secret reason")

    async with _client(_application(Settings(), root, checks={"it": check})) as client:
        response = await client.get("/api/v1/ready")

    assert (response.status_code, response.json()["code"]) == (500, "INTERNAL_SERVER_ERROR")
    assert "secret" not in response.text
