"""Streams that are reserved, by their tokens: who may open one, and start and stop operations on it.

Here are those of this process. Where several processes serve, `shared_reservations` finds the others'.
"""

import secrets
from collections.abc import Callable
from functools import partial
from typing import Protocol

from graph.errors import Conflict, Forbidden, NotFound
from graph.server.live.admission import Caller
from graph.server.live.connections import Live
from graph.server.live.event_stream import EventStream, Submitted
from graph.server.messages import Answer

TOKEN_CHARACTERS = 43


class Reservations(Protocol):
    """All but `reserve` raise `NotFound` where there is no such stream, `Forbidden` where it is somebody else's."""

    async def reserve(self, caller: Caller) -> str:
        """The token. Raises `Unavailable` and `RateLimited`."""
        ...

    async def open(self, token: str, by: Caller | None) -> EventStream:
        """To be run at once. `by` is None where the token alone has to do. Raises `Conflict` where it is open already."""
        ...

    async def start(self, token: str, submitted: Submitted) -> Answer | None:
        """As `EventStream.start`."""
        ...

    async def stop(self, token: str, caller: Caller, id: str) -> None: ...


class LocalReservations:
    """Those of this process: as many as there may be connections. `on_gone` is told the tokens of those that are over."""

    def __init__(self, live: Live, on_gone: Callable[[str], None] = lambda token: None) -> None:
        self._live, self._on_gone = live, on_gone
        self._streams: dict[str, EventStream] = {}

    async def reserve(self, caller: Caller) -> str:
        token = new_token()
        self.add(token, caller)
        return token

    async def open(self, token: str, by: Caller | None) -> EventStream:
        stream = self._known(token)
        check_closed(stream, by)
        stream.hold()
        return stream

    async def start(self, token: str, submitted: Submitted) -> Answer | None:
        stream = self._known(token)
        check_person(stream, submitted.caller)
        return await stream.start(submitted)

    async def stop(self, token: str, caller: Caller, id: str) -> None:
        stream = self._known(token)
        check_person(stream, caller)
        stream.stop(id)

    def find(self, token: str) -> EventStream | None:
        return self._streams.get(token)

    def add(self, token: str, caller: Caller) -> EventStream:
        """Raises `Unavailable` and `RateLimited`."""
        stream = self._streams[token] = EventStream(self._live, caller, single=True, on_gone=partial(self._forget, token))
        return stream

    def _forget(self, token: str) -> None:
        del self._streams[token]
        self._on_gone(token)

    def _known(self, token: str) -> EventStream:
        stream = self.find(token)
        if stream is None:
            raise no_such_stream()
        return stream


def new_token() -> str:
    """256 random bits in base64url."""
    return secrets.token_urlsafe(32)


def no_such_stream() -> NotFound:
    return NotFound("there is no such stream: reserve one by PUT")


def check_person(stream: EventStream, caller: Caller) -> None:
    """Raises `Forbidden`."""
    if not stream.caller.same_person(caller):
        raise Forbidden("the stream is somebody else's")


def check_closed(stream: EventStream, by: Caller | None) -> None:
    """Raises `Forbidden`, and `Conflict` where nobody else can open the stream."""
    if by is not None:
        check_person(stream, by)
    if stream.opened:
        raise Conflict("the stream is open already: reserve another")
