"""One connection of the `graphql-transport-ws` protocol: what a client's message brings about. Knows no socket.

The protocol: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md. Beyond it, a `ping` may carry a fresh access token.
"""

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import replace
from enum import IntEnum
from typing import Any, Protocol

from graph import json_codec
from graph.contracts import Principal
from graph.errors import BadRequest, CityGraphError, Forbidden, RateLimited, Unauthenticated, Unavailable
from graph.server.graphql_request import read_request
from graph.server.live.admission import Admission, Caller
from graph.server.live.frames import close_reason, text_frame
from graph.server.live.limits import Quotas, Rate
from graph.server.live.operations import Operation, Operations, Surroundings
from graph.server.live.wheel import Wheel
from graph.server.messages import Answer
from graph.server.problems import graphql_error, new_trace

PROTOCOL = "graphql-transport-ws"
MAX_ID_CHARACTERS = 256
RETRY_SECONDS = (1, 5)
"""A client that is sent away is told a time between these to come back after, so that not all come at once."""

ACK = text_frame(b'{"type":"connection_ack"}')
PING = text_frame(b'{"type":"ping"}')
PONG = text_frame(b'{"type":"pong"}')


class Code(IntEnum):
    """Why a socket is closed: RFC 6455 §7.4.1 and IANA's register, and from 4400 on the protocol's own."""

    GOING_AWAY = 1001
    POLICY_VIOLATION = 1008
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    INITIALISATION_TIMEOUT = 4408
    SUBSCRIBER_EXISTS = 4409
    TOO_MANY_INITIALISATIONS = 4429


class Socket(Protocol):
    """The way to the client; nothing of it waits."""

    def write(self, data: bytes) -> bool:
        """False where the client is too far behind, and nothing was written."""
        ...

    def push(self, data: bytes) -> bool:
        """The same for what is said last, or of the protocol's own: it may go further."""
        ...

    @property
    def behind(self) -> bool:
        """Whether the client is on its way to that."""
        ...

    def close(self, code: int, reason: str) -> None: ...


class Shared(Surroundings, Protocol):
    """What all sessions share."""

    admission: Admission
    quotas: Quotas
    wheel: Wheel


class Session:
    """To be given each message (`receive`), and told when the socket is gone (`gone`)."""

    __slots__ = (
        "_expires",
        "_headers",
        "_heard",
        "_init_by",
        "_keep_alive_at",
        "_live",
        "_operations",
        "_pinged",
        "_rate",
        "_socket",
        "caller",
        "closed",
        "slot",
    )

    def __init__(self, live: Shared, socket: Socket, headers: Mapping[str, str], now: float) -> None:
        self._live, self._socket, self._headers = live, socket, headers
        self._rate = Rate(live.limits.messages_per_second, now)
        self._init_by: float | None = now + live.limits.init_timeout
        self._keep_alive_at = now + live.limits.keep_alive * random.uniform(0.5, 1)
        self._expires: float | None = None
        self.caller: Caller | None = None
        self._operations: Operations | None = None
        self._heard = self._pinged = self.closed = False
        self.slot: int | None = None
        self._schedule()

    @property
    def answering(self) -> bool:
        """Whether an operation is under way that will end by itself soon."""
        return self._operations is not None and self._operations.answering

    async def receive(self, text: str | None) -> None:
        """A message; None where it was not text. Never raises."""
        if self.closed:
            return None
        self._heard, self._pinged = True, False
        if not self._rate.takes(asyncio.get_running_loop().time()):
            return self.close(Code.POLICY_VIOLATION, f"more than {self._live.limits.messages_per_second:g} messages a second")
        try:
            message = read_message(text)
            await self._take(message["type"], message)
        except BadRequest as error:
            self.close(Code.BAD_REQUEST, error.detail)

    def close(self, code: int, reason: str) -> None:
        """Ends all that runs, and the socket."""
        if self.closed:
            return
        self.gone()
        self._socket.close(code, close_reason(reason))

    def gone(self) -> None:
        """The socket is closed, by whomever."""
        self.closed = True
        self.slot = None
        if self._operations is not None:
            self._operations.close()
            self._operations.quota.give_connection()
            self._operations = None

    def send_away(self) -> None:
        """The server stops."""
        self.close(Code.SERVICE_RESTART, f"the server restarts: retry after {random.randint(*RETRY_SECONDS)} s")

    def revoke(self) -> None:
        self.close(Code.UNAUTHORIZED, "the access token has been revoked")

    async def narrow(self, principal: Principal) -> None:
        if self.caller is not None:
            await self._renewed(replace(self.caller, principal=principal))

    def due(self, now: float) -> float | None:
        if self.closed:
            return None
        if self._init_by is not None and now >= self._init_by:
            self.close(Code.INITIALISATION_TIMEOUT, "Connection initialisation timeout")
        elif self._expires is not None and now >= self._expires:
            self.close(Code.UNAUTHORIZED, "the access token has expired")
        elif now >= self._keep_alive_at:
            self._keep_alive(now)
        return None if self.closed else self._next_due()

    # What `Operations` says through a session.

    def head(self, id: str) -> str:
        return f'{{"id":{json_codec.dumps(id).decode()},"type":"next","payload":'

    def frame(self, head: str, text: str) -> bytes:
        return text_frame(f"{head}{text}}}".encode())

    def write(self, frame: bytes) -> bool:
        return self._socket.write(frame)

    @property
    def behind(self) -> bool:
        return self._socket.behind

    def say_complete(self, id: str) -> None:
        self._say({"id": id, "type": "complete"})

    def say_errors(self, id: str, errors: list[dict[str, Any]]) -> None:
        self._say({"id": id, "type": "error", "payload": errors})

    def lags(self) -> None:
        self.close(Code.TRY_AGAIN_LATER, f"more than {self._live.limits.backlog} bytes are waiting to be read")

    def emptied(self) -> None:
        return None

    # What messages bring about.

    async def _take(self, kind: str, message: Mapping[str, Any]) -> None:
        match kind:
            case "subscribe":
                self._subscribe(message)
            case "complete":
                self._complete(message)
            case "connection_init":
                await self._initialise(read_payload(message))
            case "ping":
                await self._ping(read_payload(message))
            case "pong":
                read_payload(message)
            case _:
                raise BadRequest(f"a message of type {kind[:40]!r} is not one that a client sends")

    async def _initialise(self, payload: Mapping[str, Any]) -> None:
        if self._init_by is None:
            return self.close(Code.TOO_MANY_INITIALISATIONS, "Too many initialisation requests")
        self._init_by = None
        caller = await self._told(self._live.admission.admit(payload, self._headers))
        if caller is None or self.closed:
            return None
        try:
            quota = self._live.quotas.take_connection(caller.principal)
        except RateLimited as error:
            return self.close(Code.TRY_AGAIN_LATER, error.detail)
        self._headers = caller.headers
        self._operations = Operations(self._live, self, quota)
        self._become(caller)
        self._push(ACK)
        return None

    async def _ping(self, payload: Mapping[str, Any]) -> None:
        if self.caller is not None and payload:
            before = self.caller
            caller = await self._told(self._live.admission.renew(payload, before))
            if self.closed:
                return
            if caller is not None:
                await self._renewed(caller)
        self._push(PONG)

    async def _told(self, asked: Any) -> Caller | None:
        """Who calls, or a closed socket."""
        try:
            caller: Caller | None = await asked
        except Unauthenticated as error:
            self.close(Code.UNAUTHORIZED, error.detail)
        except Forbidden as error:
            self.close(Code.FORBIDDEN, error.detail)
        except CityGraphError as error:
            self.close(Code.TRY_AGAIN_LATER, error.detail)
        else:
            return caller
        return None

    async def _renewed(self, caller: Caller) -> None:
        self._become(caller)
        if self._operations is not None:
            await self._operations.renew(caller)

    def _become(self, caller: Caller) -> None:
        self.caller = caller
        self._expires = None
        if caller.principal.expires_at is not None:
            self._expires = asyncio.get_running_loop().time() + caller.principal.expires_at - time.time()
        self._schedule()

    def _subscribe(self, message: Mapping[str, Any]) -> None:
        id, request = read_id(message), read_request(read_payload(message))
        if self._operations is None or self.caller is None:
            return self.close(Code.UNAUTHORIZED, "Unauthorized")
        if id in self._operations:
            return self.close(Code.SUBSCRIBER_EXISTS, f"Subscriber for {id} already exists")
        try:
            operation = self._operations.reserve(id, request, self.caller)
        except (RateLimited, Unavailable) as error:
            return self.say_errors(id, [graphql_error(error, new_trace())])
        operation.task = asyncio.create_task(self._run(self._operations, operation))
        return None

    async def _run(self, operations: Operations, operation: Operation) -> None:
        answer = await operations.run(operation)
        if answer is None or self.closed:
            return None
        if is_result(answer):
            if not self.write(text_frame(json_codec.dumps({"id": operation.id, "type": "next", "payload": answer.body}))):
                return self.lags()
            self.say_complete(operation.id)
        else:
            self.say_errors(operation.id, answer.body["errors"])
        if self._live.draining and not self.answering:
            self.send_away()
        return None

    def _complete(self, message: Mapping[str, Any]) -> None:
        id = read_id(message)
        if self._operations is not None:
            self._operations.stop(id)

    # Time.

    def _keep_alive(self, now: float) -> None:
        """A client that has said nothing since it was last asked is asked, and then has gone."""
        if self._pinged:
            return self.close(Code.GOING_AWAY, f"no pong within {self._live.limits.keep_alive:g} s")
        if not self._heard:
            self._push(PING)
            self._pinged = True
        self._heard = False
        self._keep_alive_at = now + self._live.limits.keep_alive
        if self._operations is not None:
            self._operations.leave_replaced()
        return None

    def _next_due(self) -> float:
        return min(at for at in (self._keep_alive_at, self._init_by, self._expires) if at is not None)

    def _schedule(self) -> None:
        self._live.wheel.put(self, self._next_due())

    def _say(self, message: Mapping[str, Any]) -> None:
        self._push(text_frame(json_codec.dumps(message)))

    def _push(self, frame: bytes) -> None:
        if not self.closed and not self._socket.push(frame):
            self.lags()


def is_result(answer: Answer) -> bool:
    """Whether the operation was executed: what was refused before is an error in every protocol."""
    return answer.executed and not answer.forbidden


def read_message(text: str | None) -> dict[str, Any]:
    """Raises `BadRequest`."""
    if text is None:
        raise BadRequest("a message is JSON text: this one is binary")
    try:
        message = json_codec.loads(text)
    except ValueError as error:
        raise BadRequest(f"the message is not JSON: {error}") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise BadRequest("a message is a JSON object with a string `type`")
    return message


def read_payload(message: Mapping[str, Any]) -> Mapping[str, Any]:
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise BadRequest(f"the payload of {message['type'][:40]!r} is no object")
    return payload or {}


def read_id(message: Mapping[str, Any]) -> str:
    id = message.get("id")
    if not isinstance(id, str) or not 0 < len(id) <= MAX_ID_CHARACTERS:
        raise BadRequest(f"the `id` of {message['type']!r} is a string of 1 to {MAX_ID_CHARACTERS} characters")
    return id
