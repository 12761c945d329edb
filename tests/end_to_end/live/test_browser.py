"""A page in a headless Chromium, of another origin than the server's: WebSocket, `EventSource`, and what a foreign page sees."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from tests.fakes.node import node_with
from tests.fakes.servers import served
from tests.graph.server.live.streaming import Server, live_server

HERE = Path(__file__).parent
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
BUNDLE = HERE / "node_modules" / "graphql-ws" / "umd" / "graphql-ws.min.js"


@pytest.fixture(scope="module")
def browser() -> str:
    node_with(HERE)
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        reason = "no Chromium is installed: on Debian, 'apt-get install chromium-headless-shell'"
        if os.environ.get("CITYGRAPH_REQUIRE_SERVICES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@dataclass
class Portal:
    """A server of one page, which tells it what it saw."""

    reports: asyncio.Queue[tuple[str, Any]] = field(default_factory=asyncio.Queue)

    @property
    def application(self) -> Starlette:
        page = Route("/", lambda _: FileResponse(HERE / "page.html"))
        bundle = Route("/graphql-ws.js", lambda _: FileResponse(BUNDLE))
        return Starlette(routes=[page, bundle, Route("/report", self._report, methods=["POST"])])

    async def _report(self, request: Request) -> Response:
        told = await request.json()
        self.reports.put_nowait((told["kind"], told["value"]))
        return Response(status_code=204)

    async def told(self, kind: str, seconds: float = 30) -> Any:
        """The next report of that kind; what came before it is passed over."""
        async with asyncio.timeout(seconds):
            while True:
                found, value = await self.reports.get()
                assert found != "failed", value
                if found == kind:
                    return value


@asynccontextmanager
async def opened(browser: str, url: str, profile: Path) -> AsyncIterator[None]:
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage", "--remote-debugging-port=0"]
    process = await asyncio.create_subprocess_exec(
        browser, *options, f"--user-data-dir={profile}", url, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


def page(portal: str, server: Server) -> str:
    return f"{portal}/?{urlencode({'ws': server.url, 'http': server.http_url, 'token': server.token()})}"


async def test_page_when_its_origin_is_allowed_then_it_hears_by_websocket_and_by_event_source(browser: str, tmp_path: Path) -> None:
    portal = Portal()
    async with (
        served(portal.application) as origin,
        live_server(tmp_path, cors_allowed_origins=(origin,)) as server,
        opened(browser, page(origin, server), tmp_path / "profile"),
    ):
        legacy, without = await portal.told("legacy"), await portal.told("no subprotocol")
        await server.settled(open=1)
        server.rooms.publish("one", 3)
        told = dict([await asyncio.wait_for(portal.reports.get(), 10) for _ in range(4)])

    assert legacy == {"code": 4406, "reason": "Subprotocol not acceptable: graphql-ws is the legacy protocol, use graphql-transport-ws"}
    assert without == {"code": 4406, "reason": "Subprotocol not acceptable: use graphql-transport-ws"}
    assert told == {
        "started": 202,
        "tick": {"data": {"ticks": {"number": 3}}},
        "EventSource next": {"id": "q", "payload": {"data": {"greeting": "hello you"}}},
        "EventSource complete": {"id": "q"},
    }


async def test_page_when_its_origin_is_foreign_then_its_socket_does_not_open(browser: str, tmp_path: Path) -> None:
    portal = Portal()
    async with (
        served(portal.application) as origin,
        live_server(tmp_path, cors_allowed_origins=("https://portal.example",)) as server,
        opened(browser, page(origin, server), tmp_path / "profile"),
    ):
        assert await portal.told("legacy") == {"code": 1006, "reason": ""}
