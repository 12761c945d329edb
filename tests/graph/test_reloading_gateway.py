"""A gateway on a socket follows its files: without a failed request, and only to what can serve."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import build_schema
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from graph.config import load_settings
from graph.engine import build_gateway
from graph.sources import SchemaSource
from tests.fakes.servers import Subgraph, served

OLD = "type Query { old: String _service: _Service! } type _Service { sdl: String! }"
NEW = "type Query { old: String fresh: String _service: _Service! } type _Service { sdl: String! }"
PUBLIC_OLD, PUBLIC_NEW = "type Query { old: String }", "type Query { old: String fresh: String }"
BROKEN = "type Query { old: Strin }"
SAID = ("INVALID_GRAPHQL: [one] Unknown type 'Strin'", "one.graphql cannot be read", "put right")
OLD_QUERY, NEW_QUERY = {"query": "{ old }"}, {"query": "{ fresh }"}


@pytest.fixture
async def subgraph() -> AsyncIterator[tuple[Subgraph, str]]:
    answers = Subgraph(build_schema(NEW), {"old": "yes", "fresh": "too", "_service": {"sdl": PUBLIC_OLD}})
    async with served(answers.application) as url:
        yield answers, f"{url}/graphql"


def _source(config: Path, supergraph: str | None = None) -> SchemaSource:
    settings = {"reload_files_s": 0.05, "reload_urls_s": 0.1, "port": 0}
    return SchemaSource(lambda: load_settings(config, environ={}, defaults=settings), config, supergraph)


def _write(path: Path, text: str) -> None:
    """As editors and deployments do it: the file is never seen half written."""
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(path)


def _config(folder: Path, url: str, *, with_schema: bool = True) -> Path:
    schema = ", schema: one.graphql" if with_schema else ""
    _write(folder / "one.graphql", PUBLIC_OLD)
    _write(folder / "federation.yaml", f"subgraphs:\n  one: {{url: '{url}'{schema}}}\n")
    return folder / "federation.yaml"


async def _until(client: httpx.AsyncClient, wanted: Any) -> dict[str, Any]:
    """The state of the schema, as soon as it is the wanted one."""
    async with asyncio.timeout(10):
        while True:
            state = (await client.get("/api/v1/ready")).json()["schema"]
            if wanted(state):
                return dict(state)
            await asyncio.sleep(0.02)


async def test_schema_file_when_it_changes_under_200_requests_then_none_fails_and_the_new_one_goes_live(
    subgraph: tuple[Subgraph, str], tmp_path: Path
) -> None:
    answers, url = subgraph
    answers.delay = 0.2
    gateway = await build_gateway(_source(_config(tmp_path, url)), no_auth=True)
    async with served(gateway) as base, httpx.AsyncClient(base_url=base, timeout=30) as client:
        first = (await client.get("/api/v1/ready")).json()["schema"]["sha256"]

        async def ask(number: int) -> httpx.Response:
            await asyncio.sleep(number * 0.005)
            return await client.post("/graphql", json=OLD_QUERY)

        running = [asyncio.create_task(ask(number)) for number in range(200)]
        await asyncio.sleep(0.3)
        _write(tmp_path / "one.graphql", PUBLIC_NEW)
        await _until(client, lambda state: state["sha256"] != first)
        unfinished = sum(not task.done() for task in running)
        responses = await asyncio.gather(*running)
        fresh = await client.post("/graphql", json=NEW_QUERY)

    assert unfinished > 0
    assert [response.json() for response in responses] == [{"data": {"old": "yes"}}] * 200
    assert fresh.json() == {"data": {"fresh": "too"}}


async def test_schema_file_when_broken_then_refused_and_reported_and_when_put_right_then_live(
    subgraph: tuple[Subgraph, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, url = subgraph
    gateway = await build_gateway(_source(_config(tmp_path, url)), no_auth=True)
    async with served(gateway) as base, httpx.AsyncClient(base_url=base) as client:
        first = (await client.get("/api/v1/ready")).json()["schema"]
        _write(tmp_path / "one.graphql", BROKEN)
        broken = await _until(client, lambda state: state["refused"])
        await asyncio.sleep(0.3)
        meanwhile = await client.post("/graphql", json=OLD_QUERY)
        (tmp_path / "one.graphql").unlink()
        gone = await _until(client, lambda state: state["refused"]["codes"] == ["UNREADABLE"])
        _write(tmp_path / "one.graphql", PUBLIC_NEW)
        fixed = await _until(client, lambda state: state["refused"] is None)
        fresh = await client.post("/graphql", json=NEW_QUERY)

    assert first["refused"] is None
    assert broken["sha256"] == gone["sha256"] == first["sha256"] != fixed["sha256"]
    assert broken["refused"]["codes"] == ["INVALID_GRAPHQL"]
    assert [(record.levelname, text in record.getMessage()) for record, text in zip(caplog.records, SAID, strict=True)] == [
        ("ERROR", True),
        ("ERROR", True),
        ("WARNING", True),
    ]
    assert meanwhile.json() == {"data": {"old": "yes"}}
    assert fresh.json() == {"data": {"fresh": "too"}}


async def test_config_when_it_is_no_longer_one_then_refused_and_the_old_one_serves(subgraph: tuple[Subgraph, str], tmp_path: Path) -> None:
    _, url = subgraph
    config = _config(tmp_path, url)
    gateway = await build_gateway(_source(config), no_auth=True)
    async with served(gateway) as base, httpx.AsyncClient(base_url=base) as client:
        _write(config, "prot: 1\n")
        state = await _until(client, lambda state: state["refused"])
        meanwhile = await client.post("/graphql", json=OLD_QUERY)

    assert state["refused"]["codes"] == ["UNREADABLE"]
    assert meanwhile.json() == {"data": {"old": "yes"}}


async def test_subgraph_when_it_says_another_schema_then_polled_and_live(subgraph: tuple[Subgraph, str], tmp_path: Path) -> None:
    answers, url = subgraph
    gateway = await build_gateway(_source(_config(tmp_path, url, with_schema=False)), no_auth=True)
    async with served(gateway) as base, httpx.AsyncClient(base_url=base) as client:
        first = (await client.get("/api/v1/ready")).json()["schema"]
        answers.root["_service"] = {"sdl": PUBLIC_NEW}
        await _until(client, lambda state: state["sha256"] != first["sha256"])
        fresh = await client.post("/graphql", json=NEW_QUERY)

    assert fresh.json() == {"data": {"fresh": "too"}}


@pytest.mark.parametrize("by_url", [True, False])
async def test_supergraph_when_its_file_or_url_says_another_then_live(subgraph: tuple[Subgraph, str], tmp_path: Path, by_url: bool) -> None:
    _, url = subgraph
    path = tmp_path / "supergraph.graphql"
    _write(path, _supergraph(url, PUBLIC_OLD))

    async def text(_: Request) -> PlainTextResponse:
        return PlainTextResponse(path.read_text())

    async with contextlib.AsyncExitStack() as stack:
        place = str(path)
        if by_url:
            place = await stack.enter_async_context(served(Starlette(routes=[Route("/supergraph", text)]))) + "/supergraph"
        (tmp_path / "none.yaml").touch()
        gateway = await build_gateway(_source(tmp_path / "none.yaml", place), no_auth=True)
        base = await stack.enter_async_context(served(gateway))
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=base))
        first = (await client.get("/api/v1/ready")).json()["schema"]
        before = await client.post("/graphql", json=NEW_QUERY)
        _write(path, _supergraph(url, PUBLIC_NEW))
        await _until(client, lambda state: state["sha256"] != first["sha256"])
        after = await client.post("/graphql", json=NEW_QUERY)

    assert before.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert after.json() == {"data": {"fresh": "too"}}


async def test_version_when_replaced_then_its_connections_are_closed_after_its_last_request(
    subgraph: tuple[Subgraph, str], tmp_path: Path
) -> None:
    answers, url = subgraph
    answers.delay = 0.5
    gateway = await build_gateway(_source(_config(tmp_path, url)), no_auth=True)
    async with served(gateway) as base, httpx.AsyncClient(base_url=base) as client:
        open_before = len(_sockets_to(url))
        slow = asyncio.create_task(client.post("/graphql", json=OLD_QUERY))
        await asyncio.sleep(0.1)
        first = (await client.get("/api/v1/ready")).json()["schema"]
        _write(tmp_path / "one.graphql", PUBLIC_NEW)
        await _until(client, lambda state: state["sha256"] != first["sha256"])
        open_meanwhile, unfinished = len(_sockets_to(url)), not slow.done()
        answered = await slow
        await asyncio.sleep(0.1)
        open_after = len(_sockets_to(url))

    assert unfinished
    assert answered.json() == {"data": {"old": "yes"}}
    assert (open_before, open_meanwhile, open_after) == (0, 1, 0)


def _sockets_to(url: str) -> list[str]:
    """The established connections of this process to a port of this machine, from the kernel's own table."""
    port = int(url.rpartition(":")[2].partition("/")[0])
    mine = {str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()}
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    remote = [row for row in rows if int(row[2].rpartition(":")[2], 16) == port and row[3] == "01"]
    return [row[9] for row in remote if f"socket:[{row[9]}]" in mine]


def _supergraph(url: str, sdl: str) -> str:
    from graph.composition import Composed, SubgraphSDL, compose

    composed = compose([SubgraphSDL("one", url, sdl)])
    assert isinstance(composed, Composed), composed
    return composed.supergraph_sdl
