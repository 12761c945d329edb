"""Running the application: a socket of our own, uvicorn on it, and an end that is clean whoever asks for it.

The socket is opened before anything slow happens, so that a port in use is said at once and by its number. uvicorn would raise the
signal again after it shut down; a server that was asked to stop and did has succeeded, so here it exits with 0.
"""

import asyncio
import errno
import gc
import signal
import socket
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

BACKLOG = 2048
GC_THRESHOLDS = (50_000, 20, 100)
"""Young objects before a collection; the default of 700 spends an eighth of the hot path on looking at objects that stay."""


class PortTakenError(Exception):
    """The address cannot be listened on; the message says which and why."""


def listen(host: str, port: int) -> socket.socket:
    """Raises `PortTakenError`. Port 0 takes any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if isinstance(error, socket.gaierror):
            raise PortTakenError(f"the host {host!r} is not known") from None
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        raise PortTakenError(f"port {port} on {host} {reason}; choose another with --port or PORT") from None
    listener.setblocking(False)
    return listener


class _Server(uvicorn.Server):
    """uvicorn, which leaves signals to us and says when it listens."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            _settle_memory()
            self._on_ready()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def serve(
    build: Callable[[], Awaitable[ASGIApp]],
    listener: socket.socket,
    *,
    shutdown_timeout: int,
    on_ready: Callable[[], None],
) -> None:
    """Builds the application and serves it until SIGINT or SIGTERM; a second signal does not wait for requests in flight."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    server: _Server | None = None

    def stop() -> None:
        if server is not None:
            server.force_exit = server.should_exit
            server.should_exit = True
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    with listener:
        application = await _unless_stopped(build, stopping)
        if application is None:
            return
        server = _Server(_configured(application, shutdown_timeout), on_ready)
        await server.serve(sockets=[listener])


def _configured(application: ASGIApp, shutdown_timeout: int) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=shutdown_timeout,
    )


async def _unless_stopped(build: Callable[[], Awaitable[ASGIApp]], stopping: asyncio.Event) -> ASGIApp | None:
    """What `build` makes, or None where a signal came first."""
    building = asyncio.ensure_future(build())
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait({building, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if building.done():
        return building.result()
    building.cancel()
    await asyncio.gather(building, return_exceptions=True)
    return None


def _settle_memory() -> None:
    """What was built so far stays: the collector need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
