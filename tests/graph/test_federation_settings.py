"""What the configuration says of a federation, seen at the other end: by a subgraph on a real socket, and in the public API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import build_schema

from graph.composition import Composed, SubgraphSDL, compose
from graph.config import ConfigError, load_settings
from graph.engine import build_gateway
from graph.sources import SchemaSource
from tests.fakes.servers import Subgraph, served

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@tag", "@requires", "@external"])\n'
ONE = f"""{LINK}
type Query {{ me: User  secret: String @tag(name: "internal") }}
type User @key(fields: "id") {{ id: ID!  age: Int @tag(name: "internal") }}
"""
TWO = LINK + 'type User @key(fields: "id") { id: ID!  age: Int @external  adult: Boolean @requires(fields: "age") }'
PLAIN_ONE = "type Query { me: User  secret: String } type User { id: ID!  age: Int }"
PLAIN_TWO = """
type Query { _entities(representations: [_Any!]!): [_Entity]! } scalar _Any union _Entity = User type User { id: ID! adult: Boolean }
"""


@pytest.fixture
async def subgraphs() -> AsyncIterator[tuple[Subgraph, Subgraph, str, str]]:
    def entities(_info: Any, representations: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{"__typename": "User", "adult": one["age"] >= 18} for one in representations]

    one = Subgraph(build_schema(PLAIN_ONE), {"me": {"id": "1", "age": 30}, "secret": "s"})
    two = Subgraph(build_schema(PLAIN_TWO), {"_entities": entities})
    async with served(one.application) as first, served(two.application) as second:
        yield one, two, f"{first}/graphql", f"{second}/graphql"


@asynccontextmanager
async def _gateway(config: Path, supergraph: Path | None = None) -> AsyncIterator[httpx.AsyncClient]:
    source = SchemaSource(lambda: load_settings(config, environ={}), config, str(supergraph) if supergraph else None)
    async with served(await build_gateway(source, no_auth=True)) as base, httpx.AsyncClient(base_url=base) as client:
        yield client


def _config(folder: Path, urls: tuple[str, str], more: str = "", second: str = "") -> Path:
    (folder / "one.graphql").write_text(ONE)
    (folder / "two.graphql").write_text(TWO)
    path = folder / "federation.yaml"
    path.write_text(
        f"{more}subgraphs:\n  one: {{url: '{urls[0]}', schema: one.graphql}}\n  two: {{url: '{urls[1]}', schema: two.graphql{second}}}\n"
    )
    return path


QUERY = {"query": "{ me { adult } }"}
TOKEN = {"authorization": "Bearer t", "x-lang": "fi"}


def _ours(subgraph: Subgraph) -> list[dict[str, str]]:
    return [
        {name: value for name, value in headers.items() if name in ("authorization", "x-lang", "x-key")} for headers in subgraph.headers
    ]


async def test_headers_when_there_are_no_rules_then_nothing_of_the_client_reaches_a_subgraph(
    subgraphs: tuple[Subgraph, Subgraph, str, str], tmp_path: Path
) -> None:
    one, two, *urls = subgraphs
    async with _gateway(_config(tmp_path, (urls[0], urls[1]))) as client:
        answer = (await client.post("/graphql", json=QUERY, headers={**TOKEN, "x-request-id": "r-1"})).json()

    assert answer == {"data": {"me": {"adult": True}}}
    assert _ours(one) == _ours(two) == [{}]
    assert [one.headers[0]["x-request-id"], two.headers[0]["x-request-id"]] == ["r-1", "r-1"]


async def test_headers_when_rules_are_for_all_and_for_one_then_each_subgraph_gets_its_own(
    subgraphs: tuple[Subgraph, Subgraph, str, str], tmp_path: Path
) -> None:
    one, two, *urls = subgraphs
    everybody = "headers: [{propagate: {named: x-lang}}]\n"
    second = ", headers: [{propagate: {named: authorization}}, {insert: {name: x-key, value: k}}, {remove: {named: x-lang}}]"
    async with _gateway(_config(tmp_path, (urls[0], urls[1]), everybody, second)) as client:
        await client.post("/graphql", json=QUERY, headers=TOKEN)

    assert _ours(one) == [{"x-lang": "fi"}]
    assert _ours(two) == [{"authorization": "Bearer t", "x-key": "k"}]


async def test_contract_when_it_excludes_a_tag_then_clients_do_not_see_it_and_the_gateway_uses_it(
    subgraphs: tuple[Subgraph, Subgraph, str, str], tmp_path: Path
) -> None:
    *_, first, second = subgraphs
    async with _gateway(_config(tmp_path, (first, second), "contract: {exclude: [internal]}\n")) as client:
        required = (await client.post("/graphql", json=QUERY)).json()
        hidden = (await client.post("/graphql", json={"query": "{ secret me { age } }"})).json()

    assert required == {"data": {"me": {"adult": True}}}
    assert [error["message"] for error in hidden["errors"]] == [
        "Cannot query field 'secret' on type 'Query'.",
        "Cannot query field 'age' on type 'User'.",
    ]


async def test_contract_when_nothing_is_left_then_refused_at_the_start(tmp_path: Path) -> None:
    config = _config(tmp_path, ("http://127.0.0.1:1", "http://127.0.0.1:1"), "contract: {include: [nothing]}\n")

    with pytest.raises(ConfigError, match="the contract cannot be kept"):
        await build_gateway(SchemaSource(lambda: load_settings(config, environ={}), config), no_auth=True)


async def test_supergraph_when_the_config_names_its_subgraphs_then_reached_there_and_by_those_rules(
    subgraphs: tuple[Subgraph, Subgraph, str, str], tmp_path: Path
) -> None:
    one, two, *urls = subgraphs
    elsewhere = "http://127.0.0.1:1/graphql"
    composed = compose([SubgraphSDL("one", urls[0], ONE), SubgraphSDL("two", elsewhere, TWO)])
    assert isinstance(composed, Composed), composed
    (tmp_path / "supergraph.graphql").write_text(composed.supergraph_sdl)
    config = tmp_path / "gateway.yaml"
    config.write_text(
        f"contract: {{exclude: [internal]}}\nsubgraphs:\n  two: {{url: '{urls[1]}', headers: [{{propagate: {{named: authorization}}}}]}}\n"
    )

    async with _gateway(config, tmp_path / "supergraph.graphql") as client:
        answer = (await client.post("/graphql", json=QUERY, headers=TOKEN)).json()
        hidden = (await client.post("/graphql", json={"query": "{ secret }"})).json()

    assert answer == {"data": {"me": {"adult": True}}}
    assert (_ours(one), _ours(two)) == ([{}], [{"authorization": "Bearer t"}])
    assert hidden["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_ca_file_when_it_is_none_then_said_which_subgraph(tmp_path: Path) -> None:
    config = _config(tmp_path, ("https://127.0.0.1:1", "https://127.0.0.1:1"), second=", ca_file: none.pem")

    with pytest.raises(ConfigError, match="subgraph two cannot be reached"):
        await build_gateway(SchemaSource(lambda: load_settings(config, environ={}), config), no_auth=True)


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ("{protocol: graphql-ws}", "'graphql-transport-ws' or 'sse'"),
        ("{url: 'ftp://a/b'}", "expected a ws, wss, http or https URL"),
        ("{path: subscriptions}", "expected the path of a URL"),
        ("{url: 'ws://a/b', path: /c}", "url and path exclude each other"),
        ("{on_reconnect: hope}", "'resync' or 'continue'"),
        ("{max_waiting: 0}", "greater than or equal to 1"),
    ],
)
def test_subscriptions_when_their_settings_are_wrong_then_refused_with_what_is_expected(tmp_path: Path, given: str, wrong: str) -> None:
    config = _config(tmp_path, ("http://127.0.0.1:1/", "http://127.0.0.1:1/"), second=f", subscriptions: {given}")

    with pytest.raises(ConfigError, match=wrong):
        load_settings(config, environ={})
