"""One HTTP exchange over ASGI: what came in, what goes out, and the body in between, which is never larger or slower than allowed."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

from starlette.types import Receive, Scope, Send

from graph.errors import BadRequest, CityGraphError, PayloadTooLarge, RequestTimeout
from graph.server.problems import Trace

_SENT_AT_ONCE = 65_536
_SEND_SECONDS = 30
"""How long a client may take for so many bytes of a streamed body."""

_NOTHING: Mapping[str, Any] = {}
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")

logger = logging.getLogger(__name__)


class ByteTransport(Protocol):
    """What is used of `asyncio.Transport` where the server's `send` is passed by."""

    def write(self, data: bytes) -> None: ...

    def get_write_buffer_size(self) -> int: ...

    def is_closing(self) -> bool: ...

    def abort(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """The request's line and headers; header names in lower case, repeated ones joined by commas.

    `transport` is the connection itself, where the server shows it: `graph.server.run` does.
    """

    method: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    trace: Trace
    transport: ByteTransport | None = None


@dataclass(frozen=True, slots=True)
class Streamed:
    """A body that is longer than should be in memory at once; `length` in bytes."""

    length: int
    pieces: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole response; header names in lower case. Where `streamed` is given, it is the body; `live` makes and ends a body by itself."""

    status: int
    body: bytes = b""
    media: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    streamed: Streamed | None = None
    live: Callable[[Receive, Send], Awaitable[None]] | None = None


def read_exchange(scope: Scope) -> Exchange:
    """Of a request, or of a WebSocket's handshake."""
    headers = read_headers(scope)
    transport = scope.get("state", _NOTHING).get("transport")
    return Exchange(scope.get("method", "GET"), scope["path"], scope["query_string"], headers, _trace(headers), transport)


def read_headers(scope: Scope) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _trace(headers: Mapping[str, str]) -> Trace:
    """The client's own identifiers where they are well formed, so that its log and ours can be laid side by side."""
    given = headers.get("x-request-id")
    request_id = given if given is not None and _REQUEST_ID.fullmatch(given) else str(uuid4())
    parent = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
    return Trace(request_id, parent[1] if parent else uuid4().hex)


async def read_body(exchange: Exchange, receive: Receive, *, max_bytes: int, seconds: float) -> bytes:
    """Raises `PayloadTooLarge` before more than the limit was kept, `RequestTimeout`, or `BadRequest` where it breaks off."""
    declared = exchange.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:18]) > max_bytes:
        raise _too_large(max_bytes)
    chunks: list[bytes] = []
    size, more = 0, True
    try:
        async with asyncio.timeout(seconds):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise BadRequest("the client closed the connection before its body ended")
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > max_bytes:
                    raise _too_large(max_bytes)
                chunks.append(chunk)
                more = message.get("more_body", False)
    except TimeoutError:
        raise RequestTimeout(f"the body did not arrive within {seconds:g} s") from None
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(max_bytes: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"the body is larger than {max_bytes} bytes (MAX_PAYLOAD_MB)")


async def send_reply(reply: Reply, extra: list[tuple[bytes, bytes]], receive: Receive, send: Send, *, head: bool) -> None:
    """`extra` are the headers that every response has, encoded already."""
    headers = list(extra)
    if reply.live is None:
        length = len(reply.body) if reply.streamed is None else reply.streamed.length
        headers.append((b"content-length", str(length).encode()))
    if reply.media is not None:
        headers.append((b"content-type", reply.media.encode()))
    headers += [(name.encode(), value.encode("latin-1", "replace")) for name, value in reply.headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if reply.live is not None:
        await reply.live(receive, send)
    elif reply.streamed is not None and not head:
        await _send_pieces(reply.streamed.pieces, receive, send)
    else:
        await send({"type": "http.response.body", "body": b"" if head else reply.body})


async def _send_pieces(pieces: AsyncIterator[bytes], receive: Receive, send: Send) -> None:
    """A body that breaks off is never ended, so the server closes the connection and the client knows that it lacks something."""
    gone = asyncio.create_task(disconnected(receive))
    try:
        async for piece in pieces:
            for start in range(0, len(piece), _SENT_AT_ONCE):
                if gone.done():
                    return
                await _send_some(send, piece[start : start + _SENT_AT_ONCE])
        await send({"type": "http.response.body", "body": b""})
    except TimeoutError:
        logger.warning("a client took less than %d bytes in %d s", _SENT_AT_ONCE, _SEND_SECONDS)
    except CityGraphError as error:
        logger.warning("a response broke off: %s", error.detail)
    finally:
        gone.cancel()


async def send_piece(send: Send, piece: bytes) -> None:
    """A part of a body that goes on. Raises `TimeoutError` where the client does not take it."""
    for start in range(0, len(piece), _SENT_AT_ONCE):
        await _send_some(send, piece[start : start + _SENT_AT_ONCE])


async def _send_some(send: Send, some: bytes) -> None:
    async with asyncio.timeout(_SEND_SECONDS):
        await send({"type": "http.response.body", "body": some, "more_body": True})


async def disconnected(receive: Receive) -> None:
    """Returns when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
