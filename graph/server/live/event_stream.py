"""One stream of GraphQL over server-sent events: what runs and is said on it, and when it ends. Its HTTP is in `sse`.

The protocol: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md. A stream has one operation ("distinct connections"), or many
that have identifiers ("single connection"). Those that are submitted before a reserved stream is open are checked, and begin when it opens:
until then the stream may move to another process, and what has not begun misses nothing by it.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from starlette.types import Receive, Send

from graph import json_codec
from graph.contracts import Principal
from graph.errors import CityGraphError, Conflict, PayloadTooLarge, RateLimited, ResyncRequired, Unauthenticated
from graph.server.exchange import ByteTransport
from graph.server.live.admission import Caller
from graph.server.live.connections import Live
from graph.server.live.line import Line
from graph.server.live.operations import Operations
from graph.server.live.session import RETRY_SECONDS, is_result
from graph.server.messages import Answer, GraphQLRequest
from graph.server.problems import graphql_error, new_trace

COMMENT = ":\n\n"
"""Keeps a connection alive, and opens one: some browsers wait for a first byte."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """An operation for a stream that has many. `size` in bytes, of the request as JSON."""

    id: str
    request: GraphQLRequest
    caller: Caller
    size: int


class EventStream:
    """To be run by the exchange that opens it. What is said before waits; `on_gone` is called when nothing can be said any more."""

    __slots__ = (
        "_expires",
        "_keep_alive_at",
        "_line",
        "_live",
        "_on_gone",
        "_open_by",
        "_send",
        "_single",
        "caller",
        "closed",
        "operations",
        "slot",
        "waiting",
    )

    def __init__(self, live: Live, caller: Caller, *, single: bool, on_gone: Callable[[], None] | None = None) -> None:
        """Raises `Unavailable` and `RateLimited`."""
        live.check_room()
        now = asyncio.get_running_loop().time()
        self._live, self._single = live, single
        self._line = Line(live.limits.backlog)
        self._send: Send | None = None
        self._on_gone = on_gone
        self.waiting: dict[str, Submitted] = {}
        self.operations = Operations(live, self, live.quotas.take_connection(caller.principal))
        self.closed = False
        self.slot: int | None = None
        self._open_by: float | None = now + live.limits.init_timeout
        self._keep_alive_at = now + live.limits.keep_alive * random.uniform(0.5, 1)
        self.become(caller)
        live.enter(self)

    @property
    def opened(self) -> bool:
        return self._open_by is None

    @property
    def answering(self) -> bool:
        return self.operations.answering

    def become(self, caller: Caller) -> None:
        """The same person with a token that may hold for longer."""
        self.caller = caller
        expires = caller.principal.expires_at
        self._expires = None if expires is None else asyncio.get_running_loop().time() + expires - time.time()
        self._live.wheel.put(self, self._next_due())

    def hold(self) -> None:
        """An exchange is about to run it: nobody else can, and it is not given up any more."""
        self._open_by = None

    async def run(self, transport: ByteTransport, receive: Receive, send: Send) -> None:
        """Until the client goes, or the stream ends."""
        self.hold()
        self._line.connect(transport)
        try:
            if self.closed:
                await send({"type": "http.response.body", "body": b""})
                return
            self._send = send
            self._line.write(chunk(COMMENT))
            for submitted in self.waiting.values():
                self._live.keep(asyncio.create_task(self._begin(submitted)))
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self.gone()

    async def start(self, submitted: Submitted) -> Answer | None:
        """What refuses an operation; None where it is accepted, and its results come on the stream.

        Raises `Conflict` where the identifier is in use, `RateLimited`, `PayloadTooLarge`, and `Unavailable` while the server stops.
        """
        if submitted.id in self.operations or submitted.id in self.waiting:
            raise Conflict(f"the operation {submitted.id!r} runs already")
        if (submitted.caller.principal.expires_at or 0) > (self.caller.principal.expires_at or 0):
            self.become(submitted.caller)
        return await (self._run(submitted) if self.opened else self._wait(submitted))

    def stop(self, id: str) -> None:
        """An operation that is not known may have ended just now."""
        self.waiting.pop(id, None)
        self.operations.stop(id)

    def release(self) -> tuple[Submitted, ...]:
        """What waits for a stream that is not open; it is another's from now on."""
        waiting = tuple(self.waiting.values())
        self.gone()
        return waiting

    def answer(self, id: str, answer: Answer) -> None:
        """The whole answer of an operation, whatever became of it."""
        if not self._line.write(self.frame(self.head(id), json_codec.dumps(answer.body).decode())):
            return self.lags()
        self.say_complete(id)
        return self.emptied()

    def end(self) -> None:
        """The last that was said is the last."""
        if self.closed:
            return
        self.gone()
        if self._send is not None:
            self._line.open = False
            self._live.keep(asyncio.create_task(self._finish(self._send)))
            self._line.abort_later()

    def gone(self) -> None:
        if self.closed:
            return
        self.closed = True
        self.slot = None
        self.waiting.clear()
        self.operations.close()
        self.operations.quota.give_connection()
        self._live.leave(self)
        if self._on_gone is not None:
            self._on_gone()

    def send_away(self) -> None:
        self._line.push(chunk(f"retry: {1_000 * random.randint(*RETRY_SECONDS)}\n: the server restarts\n\n"))
        self.end()

    def revoke(self) -> None:
        self.operations.break_off_all(Unauthenticated("the access token has been revoked"))
        self.end()

    async def narrow(self, principal: Principal) -> None:
        self.become(replace(self.caller, principal=principal))
        await self.operations.renew(self.caller)

    def due(self, now: float) -> float | None:
        if self.closed:
            return None
        if self._open_by is not None and now >= self._open_by:
            self.end()
        elif self._expires is not None and now >= self._expires:
            self.operations.break_off_all(Unauthenticated("the access token has expired"))
            self.end()
        elif now >= self._keep_alive_at:
            self._keep_alive_at = now + self._live.limits.keep_alive
            self.operations.leave_replaced()
            if self.opened and not self._line.push(chunk(COMMENT)):
                self.lags()
        return None if self.closed else self._next_due()

    # What `Operations` says through a stream.

    def head(self, id: str) -> str:
        return f'event: next\ndata: {{"id":{json_codec.dumps(id).decode()},"payload":' if self._single else "event: next\ndata: "

    def frame(self, head: str, text: str) -> bytes:
        return chunk(f"{head}{text}}}\n\n" if self._single else f"{head}{text}\n\n")

    def write(self, frame: bytes) -> bool:
        return self._line.write(frame)

    @property
    def behind(self) -> bool:
        return self._line.behind

    def say_complete(self, id: str) -> None:
        told = json_codec.dumps({"id": id}).decode() if self._single else ""
        self._push(chunk(f"event: complete\ndata: {told}\n\n"))

    def say_errors(self, id: str, errors: list[dict[str, Any]]) -> None:
        self._push(self.frame(self.head(id), json_codec.dumps({"errors": errors}).decode()))
        self.say_complete(id)

    def lags(self) -> None:
        self.operations.break_off_all(ResyncRequired("the client does not read as fast as events come: read anew, then subscribe anew"))
        self.end()

    def emptied(self) -> None:
        if not self._single:
            self.end()

    def _push(self, frame: bytes) -> None:
        if not self._line.push(frame):
            self.end()

    async def _run(self, submitted: Submitted) -> Answer | None:
        operation = self.operations.reserve(submitted.id, submitted.request, submitted.caller)
        answer = await self.operations.run(operation)
        if answer is None or not is_result(answer):
            return answer
        self.answer(submitted.id, answer)
        return None

    async def _wait(self, submitted: Submitted) -> Answer | None:
        """It has its place before it is checked: the stream may be opened meanwhile."""
        limits = self._live.limits
        if len(self.waiting) >= limits.operations_per_connection:
            raise RateLimited(f"{len(self.waiting):,} operations wait for this stream: open it")
        if sum(one.size for one in self.waiting.values()) + submitted.size > limits.message:
            raise PayloadTooLarge(f"the operations that wait for this stream are together larger than {limits.message} bytes: open it")
        self.waiting[submitted.id] = submitted
        refusal = await self.operations.check(submitted.request, submitted.caller)
        if refusal is not None and self.waiting.get(submitted.id) is submitted:
            del self.waiting[submitted.id]
        return refusal

    async def _begin(self, submitted: Submitted) -> None:
        """Its caller has had an answer already, so what is wrong now is said on the stream."""
        if self.waiting.pop(submitted.id, None) is None:
            return
        try:
            refusal = await self._run(submitted)
        except CityGraphError as error:
            self.say_errors(submitted.id, [graphql_error(error, new_trace())])
        else:
            if refusal is not None:
                self.answer(submitted.id, refusal)

    async def _finish(self, send: Send) -> None:
        await send({"type": "http.response.body", "body": b""})

    def _next_due(self) -> float:
        return min(at for at in (self._keep_alive_at, self._open_by, self._expires) if at is not None)


def chunk(text: str) -> bytes:
    """RFC 9112 §7.1: the stream has no length, so it is chunked."""
    data = text.encode()
    return b"%x\r\n%b\r\n" % (len(data), data)
