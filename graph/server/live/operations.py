"""The operations that one connection has running, whatever protocol carries them: opened, heard, completed, and within bounds.

A subscription costs no task: it is a sink of a shared execution, and what it delivers is written at once. A query or a mutation is
answered, and gone.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from graph.contracts import OperationKind
from graph.errors import BadRequest, CityGraphError, Forbidden, InternalError, RateLimited, ResyncRequired, Unavailable
from graph.server.in_service import InService, Lease
from graph.server.live.admission import Caller, Topics
from graph.server.live.limits import LiveLimits, Quota
from graph.server.messages import Answer, GraphQLRequest
from graph.server.preparation import Prepared
from graph.server.problems import graphql_error, new_trace
from graph.subscriptions.sharing import Attachment, Payload

KEPT_FRAMES = 64
"""Frames of one payload that are kept for others with the same identifier. Clients that number theirs have few; made-up ones never meet."""

logger = logging.getLogger(__name__)


class Voice(Protocol):
    """How a protocol says things; none of it waits."""

    def head(self, id: str) -> str:
        """What comes before an event's payload in its frame."""
        ...

    def frame(self, head: str, text: str) -> bytes: ...

    def write(self, frame: bytes) -> bool:
        """False where the client is too far behind to be written to."""
        ...

    @property
    def behind(self) -> bool:
        """Whether the client is on its way to that."""
        ...

    def say_complete(self, id: str) -> None: ...

    def say_errors(self, id: str, errors: list[dict[str, Any]]) -> None:
        """The last word on an operation that was refused or broke off."""
        ...

    def lags(self) -> None:
        """The client has to be cut off, since there is no other way of telling it what it missed."""
        ...

    def emptied(self) -> None:
        """An operation has ended by itself; there may be others."""
        ...


class Surroundings(Protocol):
    """What all connections share."""

    in_service: InService
    limits: LiveLimits
    topics: Topics | None
    draining: bool


class _SoundError(Exception):
    """Nothing keeps an operation from running, but it is not to run yet."""


class Operation:
    """One running operation; where it is a subscription, the sink of its events."""

    __slots__ = ("_all", "attachment", "caller", "head", "id", "lease", "read_only", "request", "resumable", "task", "topic", "trace")

    def __init__(self, operations: "Operations", id: str, request: GraphQLRequest, caller: Caller) -> None:
        self._all, self.id, self.request, self.caller = operations, id, request, caller
        self.head = operations.voice.head(id)
        self.trace = new_trace()
        self.attachment: Attachment | None = None
        self.lease: Lease | None = None
        self.task: asyncio.Task[None] | None = None
        self.topic: str | None = None
        self.resumable = self.read_only = False

    @property
    def behind(self) -> bool:
        return self._all.voice.behind

    def deliver(self, payload: Payload) -> None:
        frames = payload.frames
        frame = frames.get(self.head)
        if not isinstance(frame, bytes):
            frame = self._all.voice.frame(self.head, payload.text)
            if len(frames) < KEPT_FRAMES:
                frames[self.head] = frame
        if not self._all.voice.write(frame):
            self._all.fell_behind(self)

    def end(self, error: CityGraphError | None) -> None:
        self._all.ended(self, error)

    def inspect(self, prepared: Prepared, variables: Mapping[str, Any]) -> None:
        """Raises `Forbidden` for what a ticket is not for, `BadRequest` for what a safe method may not do."""
        if self.read_only and prepared.kind is OperationKind.MUTATION:
            raise BadRequest("a mutation cannot be sent by GET: use POST")
        topics = self._all.live.topics
        self.resumable = prepared.resumable
        if self.request.query == prepared.text:  # kept once, however many have sent it
            self.request = replace(self.request, query=prepared.text)
        self.topic = topics.of(prepared.plan.operation, variables) if topics is not None else None
        if self.caller.topic is not None and self.caller.topic != self.topic:
            raise Forbidden(f"the connection's ticket is for {self.caller.topic!r} alone")


class Operations:
    """`voice` speaks for the connection; `quota` is its principal's."""

    __slots__ = ("_running", "live", "quota", "voice")

    def __init__(self, live: Surroundings, voice: Voice, quota: Quota) -> None:
        self.live, self.voice, self.quota = live, voice, quota
        self._running: dict[str, Operation] = {}

    def __contains__(self, id: str) -> bool:
        return id in self._running

    @property
    def answering(self) -> bool:
        """Whether anything is under way that will end by itself soon."""
        return any(one.attachment is None for one in self._running.values())

    def reserve(self, id: str, request: GraphQLRequest, caller: Caller) -> Operation:
        """The operation, not started yet. Raises `RateLimited`, and `Unavailable` while the server stops."""
        if self.live.draining:
            raise Unavailable("the server is stopping: connect anew")
        if len(self._running) >= self.live.limits.operations_per_connection:
            raise RateLimited(f"{len(self._running):,} operations run on this connection: complete some of them, or open another")
        self.quota.take_operation()
        operation = self._running[id] = Operation(self, id, request, caller)
        return operation

    async def run(self, operation: Operation) -> Answer | None:
        """What answers the operation, which then is over; None where it goes on as a subscription. Never raises."""
        lease = self.live.in_service.current
        try:
            with lease as pipeline:
                context = operation.caller.context(operation.trace.request_id)
                opened = await pipeline.open(operation.request, context, operation.trace, operation, operation.inspect)
                if isinstance(opened, Attachment):
                    lease.hold()
        except Exception:
            opened = _failed(operation)
        if isinstance(opened, Answer):
            self._forget(operation)
            return opened
        operation.attachment, operation.lease, operation.task = opened, lease, None
        if operation.topic is not None and self.live.topics is not None:
            self.live.topics.joined(operation.caller.principal, operation.topic)
        return None

    async def check(self, request: GraphQLRequest, caller: Caller) -> Answer | None:
        """What refuses the operation, which does not run yet; None where nothing does. Never raises."""
        operation = Operation(self, "", request, caller)

        def inspect(prepared: Prepared, variables: Mapping[str, Any]) -> None:
            operation.inspect(prepared, variables)
            raise _SoundError

        try:
            with self.live.in_service.current as pipeline:
                context = caller.context(operation.trace.request_id)
                refusal = await pipeline.open(request, context, operation.trace, operation, inspect)
        except _SoundError:
            return None
        except Exception:
            refusal = _failed(operation)
        assert isinstance(refusal, Answer)
        return refusal

    def stop(self, id: str) -> None:
        """The client wants no more of it. Unknown ones may have ended just now."""
        operation = self._running.get(id)
        if operation is None:
            return
        if operation.attachment is not None:
            operation.attachment.detach()
        elif operation.task is not None:
            operation.task.cancel()
        self._forget(operation)

    def close(self) -> None:
        """The connection is gone."""
        for id in list(self._running):
            self.stop(id)

    def ended(self, operation: Operation, error: CityGraphError | None) -> None:
        """The stream came to its end."""
        self._forget(operation)
        if error is None:
            self.voice.say_complete(operation.id)
        else:
            self.voice.say_errors(operation.id, [graphql_error(error, operation.trace)])
        self.voice.emptied()

    def break_off(self, operation: Operation, error: CityGraphError) -> None:
        """Ends a subscription that could go on."""
        if operation.attachment is not None:
            operation.attachment.detach()
        self.ended(operation, error)

    def break_off_all(self, error: CityGraphError) -> None:
        """What has not been answered yet is told the same."""
        for operation in list(self._running.values()):
            if operation.task is not None:
                operation.task.cancel()
            self.break_off(operation, error)

    def fell_behind(self, operation: Operation) -> None:
        if operation.resumable:
            self.break_off(operation, ResyncRequired("the client does not read as fast as events come: read anew, then subscribe anew"))
        else:
            self.voice.lags()

    def leave_replaced(self) -> None:
        """Subscriptions of a schema that was replaced end, so that it can be forgotten."""
        for operation in list(self._running.values()):
            if operation.lease is not None and operation.lease.retired:
                self.break_off(operation, ResyncRequired("the server's schema has changed: read anew, then subscribe anew"))

    async def renew(self, after: Caller) -> None:
        """Ends what the caller may not go on with."""
        for operation in list(self._running.values()):
            if operation.lease is None:
                continue
            pipeline, before = operation.lease.version.pipeline, operation.caller
            id = operation.trace.request_id
            unchanged = await pipeline.same_rights(operation.request, before.context(id), after.context(id))
            if self._running.get(operation.id) is not operation:
                continue
            if unchanged:
                operation.caller = after
            else:
                self.break_off(operation, Forbidden("the caller's rights have changed: what is left of them is not enough"))

    def _forget(self, operation: Operation) -> None:
        if self._running.get(operation.id) is not operation:
            return
        del self._running[operation.id]
        self.quota.give_operation()
        if operation.lease is not None:
            operation.lease.release()
            if operation.topic is not None and self.live.topics is not None:
                self.live.topics.left(operation.caller.principal, operation.topic)


def _failed(operation: Operation) -> Answer:
    """To be called where an exception of ours is handled."""
    logger.exception("a live operation failed")
    fault = InternalError("the server failed; its log has the reason under this request's identifier")
    return Answer({"errors": [graphql_error(fault, operation.trace)]}, fault.status)
