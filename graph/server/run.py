"""Running the application: a socket of our own, uvicorn on it, and an end that is clean whoever asks for it.

The socket is opened before anything slow happens, so that a port in use is said at once and by its number. uvicorn would raise the
signal again after it shut down; a server that was asked to stop and did has succeeded, so here it exits with 0.
"""

import asyncio
import errno
import gc
import signal
import socket
from asyncio.transports import BaseTransport
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from graph.server.live.limits import Rate
from graph.server.live.line import ABORT_SECONDS

BACKLOG = 2048
PINGS_PER_SECOND = 10
GC_THRESHOLDS = (50_000, 20, 100)
"""Young objects before a collection; the default of 700 spends an eighth of the hot path on looking at objects that stay."""


class Served(Protocol):
    """An application that can be stopped gently."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...

    def stop(self) -> None:
        """From now on it says that it is not ready; it still answers."""
        ...

    async def drain(self, seconds: float) -> None:
        """Ends what would not end by itself, within so many seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Serving:
    """`grace` is how long the server goes on when it is asked to stop, so that a load balancer notices; `shutdown_timeout` is for
    what is in flight then. Both in seconds; `max_message` in bytes, of a WebSocket.
    """

    grace: float = 0
    shutdown_timeout: int = 8
    max_message: int = 256_000


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


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's, which shows the connection itself to the application: what is live is written to it directly."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self.app_state = {**self.app_state, "transport": transport}


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's, which would answer the frames of a client that pings without end, and keep the answers for one that never reads."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self._pings = Rate(PINGS_PER_SECOND, self.loop.time())

    def handle_ping(self) -> None:
        if self.close_sent or self.transport.is_closing():
            return
        if self._pings.takes(self.loop.time()):
            super().handle_ping()
            return
        self.conn.data_to_send()  # answers to what came with it
        self.conn.fail(1008, f"more than {PINGS_PER_SECOND} pings a second")
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()
        self.loop.call_later(ABORT_SECONDS, self.transport.abort)


async def serve(build: Callable[[], Awaitable[Served]], listener: socket.socket, serving: Serving, on_ready: Callable[[], None]) -> None:
    """Builds the application and serves it until SIGINT or SIGTERM; a second signal does not wait for anything."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    server: _Server | None = None
    winding_down: asyncio.Task[None] | None = None

    def stop(number: int) -> None:
        nonlocal winding_down
        if server is not None and stopping.is_set():
            server.force_exit = server.should_exit = True
        elif server is not None and application is not None:
            winding_down = asyncio.create_task(_wind_down(application, server, serving, serving.grace if number == signal.SIGTERM else 0))
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    with listener:
        application = await _unless_stopped(build, stopping)
        if application is None:
            return
        server = _Server(configured(application, serving), on_ready)
        await server.serve(sockets=[listener])
        if winding_down is not None:
            winding_down.cancel()


async def _wind_down(application: Served, server: _Server, serving: Serving, grace: float) -> None:
    """Says first that the server is not ready, then ends what is live, then has uvicorn wait for the rest."""
    application.stop()
    await asyncio.sleep(grace)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await application.drain(serving.shutdown_timeout)
    server.config.timeout_graceful_shutdown = max(1, serving.shutdown_timeout - int(loop.time() - began))
    server.should_exit = True


def configured(application: ASGIApp, serving: Serving) -> uvicorn.Config:
    """Frames of a WebSocket are the same bytes for everybody, so nothing is compressed; keep-alive is the sessions' own."""
    return uvicorn.Config(
        application,
        http=HttpProtocol,
        ws=WebSocketProtocol,
        ws_max_size=serving.max_message,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=serving.shutdown_timeout,
    )


async def _unless_stopped(build: Callable[[], Awaitable[Served]], stopping: asyncio.Event) -> Served | None:
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
