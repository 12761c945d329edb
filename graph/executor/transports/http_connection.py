"""One HTTP/1.1 connection: a request at a time, its answer read by httptools within bounds.

Knows nothing of pools, retries or GraphQL. Written on `asyncio.Protocol`, because a request to a subgraph is the gateway's most
frequent act, and general HTTP clients cost ten to two hundred times as much CPU for it.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, cast

import httptools

MAX_HEAD_BYTES: Final = 64 * 1024


class ExchangeFailed(Exception):
    """No whole answer came. `unseen`: the connection ended before a single byte of it, so the server may never have had the request."""

    def __init__(self, reason: str, *, unseen: bool = False) -> None:
        super().__init__(reason)
        self.unseen = unseen


@dataclass(slots=True)
class HttpResponse:
    """`body` is as sent, perhaps compressed. `reusable`: the server keeps the connection open."""

    status: int
    content_type: str
    content_encoding: str
    body: bytes
    reusable: bool


class HttpConnection(asyncio.Protocol):
    """`exchange` may be called again when the last answer was `reusable` and the connection is still `open`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, max_body_bytes: int) -> None:
        self.idle_since = 0.0
        self.used = False
        self._loop = loop
        self._max_body_bytes = max_body_bytes
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[HttpResponse] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._reset()

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def exchange(self, request: bytes, within: float) -> HttpResponse:
        """Waits `within` seconds for the whole answer. Raises `ExchangeFailed`; closes the connection then, and when cancelled."""
        if self._transport is None:
            raise ExchangeFailed("the connection is closed", unseen=True)
        waiter: asyncio.Future[HttpResponse] = self._loop.create_future()
        self._waiter = waiter
        timer = self._loop.call_later(within, self._fail, f"no answer within {within:g} s")
        self._transport.write(request)
        try:
            return await waiter
        except BaseException:
            self.abort()
            raise
        finally:
            timer.cancel()
            self._waiter = None
            self.used = True

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._waiter is None:
            self.abort()  # an idle server that speaks is one that says goodbye
            return
        self._received = True
        self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail("the server wants another protocol")
        except httptools.HttpParserError as error:
            self._fail(f"the answer is not HTTP/1.1: {error}")
        if not self._head_complete and self._head_bytes > MAX_HEAD_BYTES:
            self._fail("the head of the answer is too long")

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._head_complete and not self._has_length and exc is None:
            self._complete(reusable=False)
        else:
            self._fail("the connection was closed", unseen=not self._received)

    # httptools

    def on_message_begin(self) -> None:
        if self._waiter is None:
            self.abort()  # a second answer to one request would be taken for that of the next

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in (b"content-length", b"transfer-encoding"):
            self._has_length = True
        elif name == b"content-type":
            self._content_type = value.decode("latin-1")
        elif name == b"content-encoding":
            self._content_encoding = value.decode("latin-1").strip().lower()

    def on_headers_complete(self) -> None:
        self._head_complete = self._parser.get_status_code() >= 200

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > self._max_body_bytes:
            self._fail(f"the answer has more than {self._max_body_bytes} bytes")
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._head_complete:
            self._complete(reusable=self._parser.should_keep_alive())
        else:
            self._reset()  # a 1xx: the answer comes after it
            self._received = True

    def _reset(self) -> None:
        self._received = False
        self._head_complete = False
        self._head_bytes = 0
        self._has_length = False
        self._content_type = ""
        self._content_encoding = ""
        self._body: list[bytes] = []
        self._body_bytes = 0

    def _complete(self, *, reusable: bool) -> None:
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        response = HttpResponse(self._parser.get_status_code(), self._content_type, self._content_encoding, body, reusable)
        self._reset()
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(response)

    def _fail(self, reason: str, *, unseen: bool = False) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(ExchangeFailed(reason, unseen=unseen))
        self.abort()
