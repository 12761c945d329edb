"""The WebSockets to one subgraph, and which of them a subscription goes to.

Subscriptions share a connection where the same headers are forwarded for them: the subgraph is told these once, with the upgrade and
in `connection_init`. A connection that nobody needs any more is kept for a moment, for who comes back.
"""

import asyncio
import ssl

from graph.contracts import SubgraphRequest, SubgraphResponse
from graph.errors import Unavailable
from graph.executor.transports.http_pool import Origin
from graph.executor.transports.upstream_messages import EventStream, fault, operation
from graph.executor.transports.websocket_client import Connection, Inbox
from graph.federation_config import Subscriptions

LINGER = 2.0
"""Seconds for which a connection without subscriptions is kept."""
_Key = tuple[tuple[str, str], ...]


class WebSocketSource:
    """A subgraph that is subscribed to over WebSockets."""

    def __init__(self, subgraph: str, origin: Origin, tls: ssl.SSLContext | None, settings: Subscriptions) -> None:
        self._subgraph, self._origin, self._tls, self._settings = subgraph, origin, tls, settings
        self._connections: dict[Connection, _Key] = {}
        self._by_headers: dict[_Key, list[Connection]] = {}
        self._lingering: dict[Connection, asyncio.TimerHandle] = {}

    async def open(self, request: SubgraphRequest, forwarded: dict[str, str], own: dict[str, str]) -> EventStream:
        """`own` is not told: the connection is not this subscription's alone."""
        connection = self._take(forwarded)
        try:
            failure = await asyncio.shield(connection.opened)
        except asyncio.CancelledError:
            self._give_back(connection)
            raise
        if failure is not None:
            self._give_back(connection)
            raise failure()
        return WebSocketStream(self, connection, *connection.subscribe(operation(request)))

    async def close(self) -> None:
        for timer in self._lingering.values():
            timer.cancel()
        self._lingering.clear()
        await asyncio.gather(*(one.finish() for one in list(self._connections)), return_exceptions=True)

    def leave(self, connection: Connection, id: str) -> None:
        connection.unsubscribe(id)
        self._give_back(connection)

    def _take(self, headers: dict[str, str]) -> Connection:
        """A place on a connection, which may be on its way still."""
        key = tuple(sorted(headers.items()))
        connection = next((one for one in self._by_headers.get(key, ()) if one.usable), None)
        if connection is None:
            connection = self._make(key, headers)
        timer = self._lingering.pop(connection, None)
        if timer is not None:
            timer.cancel()
        connection.taken += 1
        return connection

    def _make(self, key: _Key, headers: dict[str, str]) -> Connection:
        most = self._settings.max_connections
        if len(self._connections) >= most:
            raise fault(Unavailable, self._subgraph, f"has {most:,} connections already, which is the most")
        connection = Connection(self._subgraph, self._origin, self._tls, headers, self._settings, self._forget)
        self._connections[connection] = key
        self._by_headers.setdefault(key, []).append(connection)
        return connection

    def _give_back(self, connection: Connection) -> None:
        connection.taken -= 1
        if connection.taken == 0 and connection in self._connections:
            loop = asyncio.get_running_loop()
            self._lingering[connection] = loop.call_later(LINGER, self._finish, connection)

    def _finish(self, connection: Connection) -> None:
        self._lingering.pop(connection, None)
        connection.finish()

    def _forget(self, connection: Connection) -> None:
        timer = self._lingering.pop(connection, None)
        if timer is not None:
            timer.cancel()
        key = self._connections.pop(connection)
        self._by_headers[key].remove(connection)
        if not self._by_headers[key]:
            del self._by_headers[key]


class WebSocketStream:
    """One subscription."""

    def __init__(self, source: WebSocketSource, connection: Connection, id: str, inbox: Inbox) -> None:
        self._source, self._connection, self._id, self._inbox = source, connection, id, inbox
        self._closed = False

    async def next(self) -> SubgraphResponse | None:
        return await self._inbox.take()

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._source.leave(self._connection, self._id)
