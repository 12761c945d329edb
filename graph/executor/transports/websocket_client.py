"""One WebSocket to a subgraph, as a client of `graphql-transport-ws`; it carries many subscriptions.

The protocol: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md. One task opens the connection, reads it and closes it; a
second one writes. Neither waits for who reads a subscription: a queue that overflows ends its subscription, and no other. Which
connection a subscription goes to is decided in `websocket_client_pool`.
"""

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.typing import Subprotocol

from graph.contracts import SubgraphResponse
from graph.errors import CityGraphError, ResyncRequired, SubgraphError
from graph.executor.transports.http_pool import Origin, reason_of
from graph.executor.transports.upstream_messages import AT_A_TIME, Lost, fault, read_answer, refusal
from graph.federation_config import Subscriptions
from graph.json_codec import InvalidJSON, dumps, loads

PROTOCOL: Final = Subprotocol("graphql-transport-ws")
OPEN_TIMEOUT = 10.0
SEND_TIMEOUT = 10.0
CLOSE_TIMEOUT: Final = 2.0
WAITING_MESSAGES: Final = 8
"""A subscription's queue holds the bytes of so many messages of the greatest size."""
BAD_RESPONSE: Final = 4004
"""The code with which clients of this protocol close on what is not of it."""
PASSING_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_PASSING_CODES: Final = frozenset({1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014, 4408})
"""Closes after which connecting again may help: the server goes, restarts or is too busy. All others say that something is wrong."""
_OUR_FAULT_FOUND: Final = frozenset({1002, 1003, 1007, 1009})
"""With these our side closes on what it cannot take."""

logger = logging.getLogger(__name__)

Failure = Callable[[], Exception]
"""Makes the exception anew for each who is told."""


class Inbox:
    """The answers of one subscription that have come and are not taken yet, and how it ended."""

    __slots__ = ("_answers", "_bytes", "_changed", "_ended", "_failure", "_most", "_most_bytes")

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._answers: deque[tuple[SubgraphResponse, int]] = deque()
        self._bytes = 0
        self._ended = False
        self._failure: Exception | None = None
        self._changed = asyncio.Event()

    def put(self, answer: SubgraphResponse, size: int) -> bool:
        """False where there is no room for it."""
        if len(self._answers) >= self._most or (self._answers and self._bytes + size > self._most_bytes):
            return False
        self._answers.append((answer, size))
        self._bytes += size
        self._changed.set()
        return True

    def end(self, failure: Exception | None, *, at_once: bool = False) -> None:
        """After what is there already, unless `at_once`; the first end counts."""
        if self._ended:
            return
        self._ended, self._failure = True, failure
        if at_once:
            self._answers.clear()
        self._changed.set()

    async def take(self) -> SubgraphResponse | None:
        """None at the end; raises the failure that ended it."""
        while not self._answers:
            if self._ended:
                if self._failure is not None:
                    raise self._failure
                return None
            self._changed.clear()
            await self._changed.wait()
        answer, size = self._answers.popleft()
        self._bytes -= size
        return answer


class _Garbage(Exception):
    """What came is not of the protocol."""


class Connection:
    """`taken` counts the places given away; `ended` is called once, when nothing of the connection is left."""

    def __init__(
        self,
        subgraph: str,
        origin: Origin,
        tls: ssl.SSLContext | None,
        headers: dict[str, str],
        settings: Subscriptions,
        ended: Callable[["Connection"], None],
    ) -> None:
        self.taken = 0
        self.opened: asyncio.Future[Failure | None] = asyncio.get_running_loop().create_future()
        self._subgraph, self._origin, self._tls, self._headers, self._settings = subgraph, origin, tls, headers, settings
        self._on_end = ended
        self._failure: Failure | None = None
        self._inboxes: dict[str, Inbox] = {}
        self._last_id = 0
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue(2 * settings.max_per_connection + 100)
        self._socket: ClientConnection | None = None
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._done)

    @property
    def usable(self) -> bool:
        return self._failure is None and self.taken < self._settings.max_per_connection

    def subscribe(self, operation: dict[str, Any]) -> tuple[str, Inbox]:
        """The subscription's identifier and where its answers come."""
        self._last_id += 1
        id = str(self._last_id)
        inbox = Inbox(self._settings.max_waiting, WAITING_MESSAGES * self._settings.max_message_kb * 1_000)
        if self._failure is not None:
            inbox.end(self._failure())
        else:
            self._inboxes[id] = inbox
            self._say({"id": id, "type": "subscribe", "payload": operation})
        return id, inbox

    def unsubscribe(self, id: str) -> None:
        if self._inboxes.pop(id, None) is not None and self._failure is None:
            self._say({"id": id, "type": "complete"})

    def finish(self) -> asyncio.Task[None]:
        """Closes the connection; the task ends when that is done."""
        if self._failure is None:
            self._failure = _closing
            self._task.cancel()
        return self._task

    async def _run(self) -> None:
        try:
            socket = self._socket = await self._open()
        except Exception as error:
            self._failure = self._failure or self._why_not_opened(error)
            return
        self.opened.set_result(None)
        writer = asyncio.create_task(self._write(socket))
        code = 1000
        try:
            for number in count(1):
                self._heard(await socket.recv())
                if number % AT_A_TIME == 0:  # what has come already is had without waiting: who reads it must have its turn
                    await asyncio.sleep(0)
        except ConnectionClosed as closed:
            self._end_all(self._why_closed(closed))
        except _Garbage as garbage:
            code = BAD_RESPONSE
            self._end_all(self._garbage(str(garbage)))
        finally:
            self._end_all(_closing)
            writer.cancel()
            await asyncio.gather(writer, socket.close(code), return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            logger.error("the event streams of subgraph %r failed", self._subgraph, exc_info=task.exception())
        self._end_all(_closing)
        if not self.opened.done():
            self.opened.set_result(self._failure)
        self._on_end(self)

    def _end_all(self, failure: Failure) -> None:
        self._failure = self._failure or failure
        for inbox in self._inboxes.values():
            inbox.end(self._failure())
        self._inboxes.clear()

    async def _open(self) -> ClientConnection:
        """Up to the server's acknowledgement."""
        async with asyncio.timeout(OPEN_TIMEOUT):
            socket = await _connected(self._origin, self._tls, self._headers, self._settings)
            try:
                await self._introduce(socket)
            except BaseException:
                socket.transport.abort()
                raise
        return socket

    async def _introduce(self, socket: ClientConnection) -> None:
        if socket.subprotocol != PROTOCOL:
            raise _Garbage(f"it does not speak {PROTOCOL}")
        payload = {"payload": self._headers} if self._headers else {}
        await socket.send(dumps({"type": "connection_init", **payload}), text=True)
        while not self._is_acknowledged(await socket.recv()):
            await socket.send(b'{"type":"pong"}', text=True)

    def _is_acknowledged(self, message: str | bytes) -> bool:
        match _read(message):
            case {"type": "connection_ack"}:
                return True
            case {"type": "ping" | "pong" | "ka"}:
                return False
            case {"type": "connection_error", **more}:
                payload = more.get("payload")
                raise refusal(self._subgraph, [payload if isinstance(payload, dict) else {"message": "it refuses the connection"}])
            case _:
                raise _Garbage("it sent something else than an acknowledgement")

    def _heard(self, message: str | bytes) -> None:
        """Identifiers that are not known are those of subscriptions that ended meanwhile."""
        match _read(message):
            case {"type": "next", "id": str(id), **more}:
                self._next(id, more.get("payload"), len(message))
            case {"type": "error", "id": str(id), **more}:
                self._end(id, refusal(self._subgraph, more.get("payload")))
            case {"type": "complete", "id": str(id)}:
                self._end(id, None)
            case {"type": "ping", **more}:
                self._say({"type": "pong", **({"payload": more["payload"]} if "payload" in more else {})})
            case {"type": "pong" | "connection_ack"}:
                pass
            case _:
                raise _Garbage("a message of no known type")

    def _next(self, id: str, payload: Any, size: int) -> None:
        inbox = self._inboxes.get(id)
        if inbox is None:
            return
        try:
            if not inbox.put(read_answer(self._subgraph, payload), size):
                raise fault(ResyncRequired, self._subgraph, "sends events faster than they can be passed on")
        except CityGraphError as error:
            inbox.end(error, at_once=isinstance(error, ResyncRequired))
            self.unsubscribe(id)

    def _end(self, id: str, error: CityGraphError | None) -> None:
        inbox = self._inboxes.pop(id, None)
        if inbox is not None:
            inbox.end(error)

    def _say(self, message: dict[str, Any]) -> None:
        try:
            self._outgoing.put_nowait(dumps(message))
        except asyncio.QueueFull:  # it sends pings, or we subscriptions, and does not read
            if self._socket is not None:
                self._socket.transport.abort()

    async def _write(self, socket: ClientConnection) -> None:
        try:
            while True:
                message = await self._outgoing.get()
                async with asyncio.timeout(SEND_TIMEOUT):
                    await socket.send(message, text=True)
        except (TimeoutError, ConnectionClosed):
            socket.transport.abort()

    def _garbage(self, what: str) -> Failure:
        return lambda: fault(SubgraphError, self._subgraph, f"cannot be followed over {PROTOCOL}: {what}")

    def _why_not_opened(self, error: Exception) -> Failure:
        match error:
            case TimeoutError():
                return lambda: Lost(f"no connection within {OPEN_TIMEOUT:g} s")
            case OSError():
                reason = reason_of(error)
                return lambda: Lost(f"no connection: {reason}")
            case InvalidStatus(response=response):
                status = response.status_code
                if status in PASSING_STATUSES:
                    return lambda: Lost(f"it answered with status {status}")
                return self._garbage(f"it answered with status {status}")
            case ConnectionClosed():
                return self._why_closed(error)
            case InvalidMessage():
                return lambda: Lost("the connection was closed, or is not HTTP")
            case CityGraphError():
                return lambda: type(error)(error.detail, extensions=error.extensions)
            case _Garbage():
                return self._garbage(str(error))
            case _:
                reason = type(error).__name__
                return self._garbage(f"the connection could not be made: {reason}")

    def _why_closed(self, closed: ConnectionClosed) -> Failure:
        sent, received = closed.sent, closed.rcvd
        if sent is not None and not (received is not None and closed.rcvd_then_sent):
            if sent.code in _OUR_FAULT_FOUND:
                what = "a message is too large" if sent.code == 1009 else f"what it sends is no WebSocket's: {sent.reason or sent.code}"
                return self._garbage(what)
            return lambda: Lost("it did not answer a ping")
        if received is None:
            return lambda: Lost("the connection was closed")
        told = f"{received.code} {received.reason}".strip()
        if received.code in _PASSING_CODES:
            return lambda: Lost(f"it closed the connection: {told}")
        return self._garbage(f"it closed the connection: {told}")


async def _connected(origin: Origin, tls: ssl.SSLContext | None, headers: dict[str, str], settings: Subscriptions) -> ClientConnection:
    more: dict[str, Any] = {"ssl": tls} if tls is not None else {}
    if origin.socket is not None:
        more |= {"unix": True, "path": origin.socket}
    return await _Connect(
        f"{'wss' if origin.secure else 'ws'}://{origin.authority}{origin.target}",
        subprotocols=[PROTOCOL],
        additional_headers=headers,
        user_agent_header="citygraph",
        compression=None,
        proxy=None,
        open_timeout=None,
        ping_interval=settings.keep_alive_s,
        ping_timeout=settings.keep_alive_s,
        close_timeout=CLOSE_TIMEOUT,
        max_size=settings.max_message_kb * 1_000,
        **more,
    )


class _Connect(connect):
    """Follows no redirects: what is forwarded is for the subgraph that the operator named."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def _closing() -> Exception:
    return Lost("the connection is being closed")


def _read(message: str | bytes) -> Any:
    if isinstance(message, bytes):
        raise _Garbage("a binary message")
    try:
        return loads(message)
    except InvalidJSON:
        raise _Garbage("a message that is not JSON") from None
