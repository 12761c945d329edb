"""A subgraph's event streams by GraphQL over SSE, in its mode of distinct connections: one HTTP request for each subscription.

The protocol: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md. A stream that nobody reads is held up by TCP, so nothing
piles up here. HTTP is httpx's: our own client is made for answers that end.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

from graph.contracts import SubgraphRequest, SubgraphResponse
from graph.errors import SubgraphError, Unavailable
from graph.executor.transports.http_pool import Origin
from graph.executor.transports.sse_client_events import EventParser, EventTooLong
from graph.executor.transports.upstream_messages import EventStream, Lost, fault, operation, read_answer, refusal
from graph.federation_config import Subscriptions
from graph.json_codec import InvalidJSON, dumps, loads

if TYPE_CHECKING:
    import httpx

OPEN_TIMEOUT = 30.0
"""Seconds for the head of the answer; servers send it before the first event."""
CONNECT_TIMEOUT: Final = 10.0
CLOSE_TIMEOUT: Final = 2.0
PASSING: Final = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses of a server, or of a proxy before it, that is not ready now."""
PLAIN: Final = frozenset({"", "identity", "none"})
"""Content encodings that are none; the last one is what `graphql-sse` says, to keep proxies from compressing."""
_FIXED_HEADERS: Final = {"content-type": "application/json", "accept": "text/event-stream", "accept-encoding": "identity"}


class SSESource:
    """A subgraph that is subscribed to over SSE."""

    def __init__(self, subgraph: str, origin: Origin, tls: ssl.SSLContext | None, settings: Subscriptions) -> None:
        self._subgraph, self._settings, self._origin = subgraph, settings, origin
        self._url = f"{'https' if origin.secure else 'http'}://{origin.authority}{origin.target}"
        self._client = _client(origin, tls, settings.silence_s)
        self._streams: set[SSEStream] = set()
        self._places = 0

    async def open(self, request: SubgraphRequest, forwarded: dict[str, str], own: dict[str, str]) -> EventStream:
        most = self._settings.max_connections
        if self._places >= most:
            raise fault(Unavailable, self._subgraph, f"has {most:,} event streams already, which is the most")
        self._places += 1
        stream: SSEStream | None = None
        try:
            response = await self._ask(dumps(operation(request)), {**forwarded, **own, **_FIXED_HEADERS})
            stream = SSEStream(self, self._subgraph, response, self._settings.max_message_kb * 1_000)
            self._streams.add(stream)
            await self._check(response)
        except BaseException:
            if stream is not None:
                await stream.close()
            else:
                self._places -= 1
            raise
        return stream

    async def close(self) -> None:
        for stream in list(self._streams):
            await stream.close()
        await self._client.aclose()

    def forget(self, stream: "SSEStream") -> None:
        self._streams.discard(stream)
        self._places -= 1

    async def _ask(self, body: bytes, headers: dict[str, str]) -> "httpx.Response":
        import httpx

        request = self._client.build_request("POST", self._url, content=body, headers=headers)
        try:
            async with asyncio.timeout(OPEN_TIMEOUT):
                return await self._client.send(request, stream=True)
        except TimeoutError:
            raise Lost(f"no answer within {OPEN_TIMEOUT:g} s") from None
        except httpx.TransportError as error:
            raise Lost(_reason(error)) from None

    async def _check(self, response: "httpx.Response") -> None:
        """Raises where the answer is no event stream."""
        status, kind = response.status_code, response.headers.get("content-type", "")
        if status == 200 and kind.partition(";")[0].strip().lower() == "text/event-stream":
            if response.headers.get("content-encoding", "").lower() not in PLAIN:
                raise fault(SubgraphError, self._subgraph, "sends compressed events, which were not asked for")
            return
        if status in PASSING:
            raise Lost(f"it answered with status {status}")
        answer = await self._read_whole(response)
        if isinstance(answer, dict) and answer.get("errors"):
            raise refusal(self._subgraph, answer["errors"])
        raise fault(
            SubgraphError,
            self._subgraph,
            f"answered a subscription with status {status} and {kind[:80] or 'no content type'}, where text/event-stream is expected",
        )

    async def _read_whole(self, response: "httpx.Response") -> Any:
        """The JSON of an answer that is no stream, None where it is not JSON."""
        import httpx

        body = bytearray()
        try:
            async with asyncio.timeout(OPEN_TIMEOUT):
                async for chunk in response.aiter_raw():
                    body += chunk
                    if len(body) > self._settings.max_message_kb * 1_000:
                        return None
            return loads(bytes(body))
        except (InvalidJSON, TimeoutError, httpx.TransportError):
            return None


class SSEStream:
    """One subscription."""

    def __init__(self, source: SSESource, subgraph: str, response: "httpx.Response", limit: int) -> None:
        self._source, self._subgraph, self._response = source, subgraph, response
        self._chunks: AsyncIterator[bytes] = response.aiter_raw()
        self._parser = EventParser(limit)
        self._events: deque[tuple[str, bytes]] = deque()
        self._complete = self._closed = False

    async def next(self) -> SubgraphResponse | None:
        while not self._complete:
            while not self._events:
                self._events.extend(await self._more())
            kind, data = self._events.popleft()
            if kind == "next":
                return read_answer(self._subgraph, self._json(data))
            self._complete = kind == "complete"
        return None

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._source.forget(self)
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._response.aclose()
        except TimeoutError:
            pass

    async def _more(self) -> list[tuple[str, bytes]]:
        import httpx

        if self._closed:
            raise Lost("the stream was closed")
        try:
            return list(self._parser.feed(await anext(self._chunks)))
        except StopAsyncIteration:
            raise Lost("it ended the stream without saying that it is complete") from None
        except EventTooLong as error:
            raise fault(SubgraphError, self._subgraph, f"cannot be followed: {error}") from None
        except (httpx.TransportError, httpx.StreamError) as error:
            raise Lost(_reason(error)) from None

    def _json(self, data: bytes) -> Any:
        try:
            return loads(data)
        except InvalidJSON as error:
            raise fault(SubgraphError, self._subgraph, f"sent an event that is not JSON: {error}") from None


def _client(origin: Origin, tls: ssl.SSLContext | None, silence: float | None) -> "httpx.AsyncClient":
    import httpx  # takes long to load, and most gateways have no such subgraph

    transport = httpx.AsyncHTTPTransport(
        verify=tls or False,  # without a context there is no TLS
        uds=origin.socket,
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        socket_options=_probing() if origin.socket is None else None,
        trust_env=False,
    )
    timeout = httpx.Timeout(CONNECT_TIMEOUT, read=silence)
    return httpx.AsyncClient(transport=transport, timeout=timeout, trust_env=False, headers={"user-agent": "citygraph"})


def _probing() -> list[tuple[int, int, int]]:
    """TCP's keep-alive: a host that is gone without a word is noticed within a minute, however quiet its streams are."""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    for name, value in (("TCP_KEEPIDLE", 20), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
    return options


def _reason(error: Exception) -> str:
    """What happened, without the address: the text may reach a client."""
    import httpx

    match error:
        case httpx.ConnectTimeout():
            return f"no connection within {CONNECT_TIMEOUT:g} s"
        case httpx.ConnectError():
            return "no connection"
        case httpx.ReadTimeout():
            return "it was silent for too long"
        case httpx.RemoteProtocolError() | httpx.ReadError():
            return "the connection was closed"
        case _:
            return "the connection broke"
