"""The connections to one server: kept open between requests, bounded in number, renewed when they have gone stale."""

import asyncio
import os
import socket
import ssl
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from graph.executor.transports.http_connection import ExchangeFailed, HttpConnection, HttpResponse


class InvalidUrl(ValueError):
    """The URL of a subgraph is not one that can be called."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a server listens, and what is asked for there. `socket` is the path of a Unix socket, and `host` only its name then."""

    host: str
    port: int
    target: str
    secure: bool = False
    socket: str | None = None

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.socket or self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def parse_url(url: str) -> Origin:
    """Reads `http://…`, `https://…` and `unix:///path/to/socket?path=/graphql`; raises `InvalidUrl`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidUrl(f"{url!r} is not a URL: {error}") from None
    if not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidUrl(f"{url!r} is not a URL: it has characters that must be percent-encoded")
    if parts.scheme == "unix" and parts.path:
        return Origin("localhost", 0, parse_qs(parts.query).get("path", ["/"])[0], socket=unquote(parts.path))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidUrl(f"{url!r} is not the URL of a server: expected http://, https:// or unix:///")
    secure = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Origin(parts.hostname, port or (443 if secure else 80), target, secure)


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Times in seconds. `waiting` requests may queue for one of the `connections`."""

    connections: int = 64
    waiting: int = 1_000
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    idle_timeout: float = 30.0
    response_bytes: int = 16 * 1024 * 1024


@dataclass(slots=True)
class Pool:
    """Connections to one origin, the most recently used first, so that those that are not needed grow old and are closed."""

    origin: Origin
    limits: PoolLimits
    tls: ssl.SSLContext | None = None
    _idle: deque[HttpConnection] = field(default_factory=deque)
    _busy: set[HttpConnection] = field(default_factory=set)
    _waiting: deque[asyncio.Future[HttpConnection | None]] = field(default_factory=deque)
    _places: int = 0
    """Places taken: connections, and those that are being made. A waiting request is handed a connection, or a place to make one."""
    _closed: bool = False

    async def send(self, request: bytes, *, repeatable: bool) -> HttpResponse:
        """Raises `ExchangeFailed`. A request on a connection that had gone stale unseen is sent once more where it is `repeatable`."""
        connection = await self._take()
        was_used = connection.used
        try:
            return await self._exchange(connection, request)
        except ExchangeFailed as failure:
            if not (failure.unseen and was_used and repeatable):
                raise
        self._close_idle()
        return await self._exchange(await self._take(), request)

    async def close(self) -> None:
        """Closes every connection; requests on their way fail."""
        self._closed = True
        self._close_idle()
        for connection in self._busy:
            connection.close()
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(ExchangeFailed("the connections are being closed"))
        await asyncio.sleep(0)  # the transports close in the next turn of the loop

    async def _exchange(self, connection: HttpConnection, request: bytes) -> HttpResponse:
        self._busy.add(connection)
        reusable = False
        try:
            response = await connection.exchange(request, self.limits.read_timeout)
            reusable = response.reusable
        finally:
            self._busy.discard(connection)
            self._give_back(connection, reusable)
        return response

    async def _take(self) -> HttpConnection:
        if self._closed:
            raise ExchangeFailed("the connections are closed")
        connection = self._take_idle()
        if connection is not None:
            return connection
        if self._places < self.limits.connections:
            self._places += 1
            return await self._dial()
        if len(self._waiting) >= self.limits.waiting:
            raise ExchangeFailed(f"{self.limits.waiting} requests are waiting for a connection already")
        connection = await self._wait()
        return connection if connection is not None else await self._dial()

    def _take_idle(self) -> HttpConnection | None:
        """The connection used last, once the first ones that are too old have been closed."""
        if not self._idle:
            return None
        oldest = asyncio.get_running_loop().time() - self.limits.idle_timeout
        while self._idle and self._idle[0].idle_since < oldest:
            self._close_first_idle()
        while self._idle:
            connection = self._idle.pop()
            if connection.open:
                return connection
            self._places -= 1
        return None

    def _close_idle(self) -> None:
        while self._idle:
            self._close_first_idle()

    def _close_first_idle(self) -> None:
        self._idle.popleft().close()
        self._places -= 1

    async def _wait(self) -> HttpConnection | None:
        """A connection that became free, or None for the place of one."""
        waiter: asyncio.Future[HttpConnection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(self.limits.connect_timeout):
                return await waiter
        except (TimeoutError, asyncio.CancelledError) as error:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._give_back(waiter.result(), reusable=True)
            if isinstance(error, TimeoutError):
                raise ExchangeFailed(f"no connection became free within {self.limits.connect_timeout:g} s") from None
            raise

    async def _dial(self) -> HttpConnection:
        """Makes a connection in a place that is taken already."""
        connection: HttpConnection | None = None
        try:
            async with asyncio.timeout(self.limits.connect_timeout):
                connection = await self._connect()
        except TimeoutError:
            raise ExchangeFailed(f"no connection within {self.limits.connect_timeout:g} s") from None
        except OSError as error:
            raise ExchangeFailed(f"no connection: {reason_of(error)}") from error
        finally:
            if connection is None:
                self._give_back(None, reusable=False)
        return connection

    async def _connect(self) -> HttpConnection:
        loop = asyncio.get_running_loop()
        origin = self.origin

        def protocol() -> HttpConnection:
            return HttpConnection(loop, self.limits.response_bytes)

        if origin.socket is not None:
            return (await loop.create_unix_connection(protocol, origin.socket))[1]
        return (await loop.create_connection(protocol, origin.host, origin.port, ssl=self.tls))[1]

    def _give_back(self, connection: HttpConnection | None, reusable: bool) -> None:
        """Ends the use of a connection, or of a place without one; who waits gets what can still be used of it."""
        if connection is not None and not (reusable and connection.open and not self._closed):
            connection.close()
            connection = None
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        if connection is None:
            self._places -= 1
        else:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)


def reason_of(error: OSError) -> str:
    """Why there is no connection, without the address: the text may reach a client."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not accepted: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS failed: {error.reason}"
        case socket.gaierror():
            return "its host is not known"
        case OSError(errno=int() as number):
            return os.strerror(number)
        case _:
            return "none of its addresses answers"
