"""The event streams of one remote subgraph: opened, and after a break opened again.

A stream ends where the subgraph says that it is complete, and nowhere else. No protocol here lets a subgraph repeat what it sent while
the way to it was broken, so a break is always told: by `ResyncRequired`, or in the first answer after it (`extensions.gap`) where the
operator would rather have the stream go on.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from typing import Final

from graph.contracts import SubgraphRequest, SubgraphResponse
from graph.errors import CityGraphError, ResyncRequired, Unavailable
from graph.executor.transports.http_pool import Origin, parse_url
from graph.executor.transports.sse_client import SSESource
from graph.executor.transports.upstream_backoff import Backoff
from graph.executor.transports.upstream_messages import AT_A_TIME, EventSource, EventStream, Lost, fault
from graph.executor.transports.websocket_client_pool import WebSocketSource
from graph.federation_config import AfterReconnect, StreamProtocol, Subscriptions

GAP: Final = "gap"
"""The member of an answer's extensions that says: events may be missing before this one."""
_HTTP: Final = {"ws": "http", "wss": "https"}


class Upstream:
    """`url` is the subgraph's own; raises `InvalidUrl`. Nothing is connected before the first subscription."""

    def __init__(
        self, subgraph: str, url: str, settings: Subscriptions, tls: ssl.SSLContext | None = None, backoff: Backoff | None = None
    ) -> None:
        self._subgraph, self._settings, self._tls = subgraph, settings, tls
        self._origin = _origin(url, settings)
        self._backoff = backoff or Backoff()
        self._made: EventSource | None = None
        self._closed = False

    async def events(
        self, request: SubgraphRequest, forwarded: dict[str, str], own: dict[str, str]
    ) -> AsyncGenerator[SubgraphResponse, None]:
        """As `Transport.subscribe` says. `own` are the headers that no other request has."""
        stream = await self._begin(request, forwarded, own)
        broken_since: float | None = None
        passed_on = 0
        try:
            while True:
                try:
                    response = await stream.next()
                except Lost as lost:
                    await stream.close()
                    broken_since = broken_since or asyncio.get_running_loop().time()
                    stream = await self._again(request, forwarded, own, str(lost), broken_since)
                    continue
                if response is None:
                    return
                if broken_since is not None:
                    response.extensions = {**response.extensions, GAP: True}
                    broken_since = None
                yield response
                passed_on += 1
                if passed_on % AT_A_TIME == 0:
                    await asyncio.sleep(0)
        finally:
            await stream.close()

    async def close(self) -> None:
        self._closed = True
        if self._made is not None:
            await self._made.close()

    async def _begin(self, request: SubgraphRequest, forwarded: dict[str, str], own: dict[str, str]) -> EventStream:
        failure = self._backoff.fresh_failure()
        if failure is not None:
            raise self._unavailable(f"cannot be subscribed to: {failure}")
        try:
            stream = await self._source().open(request, forwarded, own)
        except Lost as lost:
            self._backoff.failed(str(lost))
            raise self._unavailable(f"cannot be subscribed to: {lost}") from None
        self._backoff.reached()
        return stream

    async def _again(self, request: SubgraphRequest, forwarded: dict[str, str], own: dict[str, str], why: str, since: float) -> EventStream:
        self._backoff.lost()
        until = since + self._settings.reconnect_s
        while True:
            try:
                await self._backoff.turn(until)
                stream = await self._source().open(request, forwarded, own)
                break
            except TimeoutError:
                raise self._unavailable(f"went away ({why}) and did not come back within {self._settings.reconnect_s:g} s") from None
            except Lost as lost:
                self._backoff.failed(str(lost))
        self._backoff.reached()
        if self._settings.on_reconnect is AfterReconnect.CONTINUE:
            return stream
        await stream.close()
        raise fault(ResyncRequired, self._subgraph, f"was away ({why}) and is back: what happened meanwhile may be missing")

    def _source(self) -> EventSource:
        if self._closed:
            raise self._unavailable("is not connected any more")
        if self._made is None:
            tls = (self._tls or ssl.create_default_context()) if self._origin.secure else None
            make = SSESource if self._settings.protocol is StreamProtocol.SSE else WebSocketSource
            self._made = make(self._subgraph, self._origin, tls, self._settings)
        return self._made

    def _unavailable(self, what: str) -> CityGraphError:
        return fault(Unavailable, self._subgraph, what)


def _origin(url: str, settings: Subscriptions) -> Origin:
    given = settings.url or url
    scheme, _, rest = given.partition("://")
    origin = parse_url(f"{_HTTP.get(scheme, scheme)}://{rest}")
    if settings.path is None:
        return origin
    return Origin(origin.host, origin.port, settings.path, origin.secure, origin.socket)
