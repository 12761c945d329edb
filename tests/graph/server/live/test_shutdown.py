"""The end of a server that people are connected to: by SIGTERM, within ten seconds, and each is told to come back."""

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from graph.server import run
from graph.server.application import Application
from graph.server.run import Serving, listen, serve
from tests.graph.server.live.streaming import Server, assembled

TICKS = 'subscription { ticks(room: "one") { number } }'


@pytest.fixture(autouse=True)
def same_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_settle_memory", lambda: None)


@asynccontextmanager
async def served(folder: Path, serving: Serving) -> AsyncIterator[tuple[Server, "asyncio.Task[None]"]]:
    """As the commands serve; ends when it is asked to by a signal."""
    server, ready = assembled(folder), asyncio.Event()

    async def build() -> Application:
        return server.application

    listener = listen("127.0.0.1", 0)
    server.address = f"127.0.0.1:{listener.getsockname()[1]}"
    task = asyncio.create_task(serve(build, listener, serving, ready.set))
    await ready.wait()
    yield server, task
    assert task.done(), "the server has not been stopped"


async def status(server: Server, path: str) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://{server.address}{path}")).status_code


async def within(seconds: float, found: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(seconds):
        while not await found():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_server_when_it_is_terminated_then_it_is_first_not_ready_and_then_sends_everybody_away(tmp_path: Path) -> None:
    async with served(tmp_path, Serving(grace=1, shutdown_timeout=6)) as (server, task), server.client() as idle, server.client() as busy:
        await idle.subscribe("a", TICKS)
        await busy.subscribe("b", TICKS)
        await server.settled(open=1)
        assert await status(server, "/api/v1/ready") == 200

        began = time.monotonic()
        os.kill(os.getpid(), signal.SIGTERM)

        async def not_ready() -> bool:
            return await status(server, "/api/v1/ready") == 503

        await within(0.9, not_ready)
        assert await status(server, "/api/v1/health") == 200
        assert await busy.answer("q", "{ greeting }") == {"data": {"greeting": "hello you"}}
        await busy.subscribe("slow", "{ slow(seconds: 2) }")

        code, reason = await idle.close_code()
        left, early = time.monotonic() - began, not server.rooms.finished
        answered = [await busy.message(), await busy.message()]
        also = await busy.close_code()
        await task

    assert (code, also[0]) == (1012, 1012)
    assert re.fullmatch(r"the server restarts: retry after [1-5] s", reason or "")
    assert left >= 1
    assert early
    assert [message["type"] for message in answered] == ["next", "complete"]
    assert answered[0]["payload"] == {"data": {"slow": "done"}}
    assert time.monotonic() - began < 10


async def test_operation_when_the_server_waits_for_another_then_it_is_refused(tmp_path: Path) -> None:
    async with served(tmp_path, Serving(grace=0, shutdown_timeout=5)) as (server, task), server.client() as client:
        await client.subscribe("slow", "{ slow(seconds: 0.5) }")
        await asyncio.sleep(0.1)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.1)

        refused = await client.answer("late", TICKS)

        assert [error["extensions"]["code"] for error in refused] == ["UNAVAILABLE"]
        assert (await client.message())["payload"] == {"data": {"slow": "done"}}
        await task


async def test_operation_when_it_takes_longer_than_allowed_then_the_server_ends_all_the_same(tmp_path: Path) -> None:
    async with served(tmp_path, Serving(grace=0, shutdown_timeout=1)) as (server, task), server.client() as client:
        await client.subscribe("slow", "{ slow(seconds: 30) }")
        await asyncio.sleep(0.1)
        began = time.monotonic()
        os.kill(os.getpid(), signal.SIGTERM)

        assert (await client.close_code())[0] == 1012
        await task

    assert time.monotonic() - began < 5


async def test_event_stream_when_the_server_ends_then_it_ends_without_complete_and_says_when_to_retry(tmp_path: Path) -> None:
    async with served(tmp_path, Serving(grace=0, shutdown_timeout=5)) as (server, task), httpx.AsyncClient(timeout=5) as http:
        headers = {"accept": "text/event-stream", "authorization": f"Bearer {server.token()}"}
        async with http.stream("POST", server.http_url, json={"query": TICKS}, headers=headers) as response:
            await server.settled(open=1)
            os.kill(os.getpid(), signal.SIGTERM)

            said = (await response.aread()).decode()
        await task

    assert re.fullmatch(r":\n\nretry: [1-5]000\n: the server restarts\n\n", said)


async def test_server_when_it_is_terminated_twice_then_it_does_not_wait(tmp_path: Path) -> None:
    async with served(tmp_path, Serving(grace=30, shutdown_timeout=30)) as (server, task), server.client() as client:
        await client.subscribe("slow", "{ slow(seconds: 30) }")
        await asyncio.sleep(0.1)
        began = time.monotonic()
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.1)
        await task

    assert time.monotonic() - began < 5


async def test_server_when_it_is_interrupted_then_it_leaves_the_grace_out(tmp_path: Path) -> None:
    async with served(tmp_path, Serving(grace=30, shutdown_timeout=5)) as (server, task), server.client() as client:
        began = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)

        assert (await client.close_code())[0] == 1012
        await task

    assert time.monotonic() - began < 5
