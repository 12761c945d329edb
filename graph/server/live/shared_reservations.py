"""Reserved streams of all processes behind one port: a client's next request may come to any of them.

A stream is where it was reserved, and moves once, to where it is opened; whoever has it listens to its name, and is asked by the
others. All who listen to a name hear its questions in one order, so what was asked before a stream moved is answered by who had it,
and what is asked after by who has it then.
"""

import asyncio
from collections.abc import Awaitable
from functools import partial

from cryptography.fernet import Fernet

from graph.auth.sealing import known_by, sealed_by
from graph.errors import CityGraphError, Conflict, Unavailable
from graph.server.live.admission import Caller
from graph.server.live.connections import Live
from graph.server.live.event_stream import EventStream, Submitted
from graph.server.live.reservations import TOKEN_CHARACTERS, LocalReservations, check_closed, check_person, new_token, no_such_stream
from graph.server.live.stream_messages import (
    Asked,
    Done,
    Release,
    Released,
    Start,
    Stop,
    Told,
    UnreadableError,
    read_answer,
    read_question,
    write_answer,
    write_question,
)
from graph.server.messages import Answer
from graph.subscriptions.peers import NobodyListensError, Peers, Question

PURPOSE = "what is asked about a stream"


class _Opening:
    """A stream that this process has asked for. `asked` once its question was heard: what is heard after it may be for this process."""

    __slots__ = ("asked", "over")

    def __init__(self) -> None:
        self.asked = False
        self.over = asyncio.Event()


class SharedReservations:
    """Implements `graph.server.live.reservations.Reservations`. Redis is told a token's hash, not the token."""

    def __init__(self, live: Live, peers: Peers) -> None:
        self._live, self._peers = live, peers
        self._local = LocalReservations(live, self._leave)
        self._opening: dict[str, _Opening] = {}

    async def reserve(self, caller: Caller) -> str:
        token = new_token()
        stream = self._local.add(token, caller)
        try:
            await self._listen(token)
        except BaseException:
            stream.gone()
            raise
        return token

    async def open(self, token: str, by: Caller | None) -> EventStream:
        if self._local.find(token) is not None:
            return await self._local.open(token, by)
        if token in self._opening:
            raise Conflict("the stream is being opened already: reserve another")
        check_token(token)
        self._live.check_room()
        opening = self._opening[token] = _Opening()
        try:
            await self._listen(token)
            released = await self._ask(token, Release(by))
            assert isinstance(released, Released)
            stream = self._local.add(token, released.caller)
            stream.waiting.update((one.id, one) for one in released.waiting)
            stream.hold()
            return stream
        finally:
            del self._opening[token]
            opening.over.set()
            if self._local.find(token) is None:
                self._leave(token)

    async def start(self, token: str, submitted: Submitted) -> Answer | None:
        if self._local.find(token) is not None:
            return await self._local.start(token, submitted)
        done = await self._ask(token, Start(submitted))
        assert isinstance(done, Done)
        return done.refusal

    async def stop(self, token: str, caller: Caller, id: str) -> None:
        if self._local.find(token) is not None:
            await self._local.stop(token, caller, id)
        else:
            await self._ask(token, Stop(caller, id))

    async def _listen(self, token: str) -> None:
        await self._peers.listen(known_by(token), partial(self._hear, token, sealed_by(token, PURPOSE)))

    def _leave(self, token: str) -> None:
        self._peers.leave(known_by(token))

    async def _ask(self, token: str, asked: Asked) -> Released | Done:
        """Raises what was raised where the stream is, `NotFound` where it is nowhere, and `Unavailable`."""
        check_token(token)
        seal = sealed_by(token, PURPOSE)
        try:
            told = read_answer(await self._peers.ask(known_by(token), write_question(asked, seal)), seal)
        except NobodyListensError:
            raise no_such_stream() from None
        except UnreadableError:
            raise Unavailable("the stream is at a process of another version: reserve another") from None
        if isinstance(told, CityGraphError):
            raise told
        return told

    def _hear(self, token: str, seal: Fernet, question: Question) -> Awaitable[str] | None:
        try:
            asked = read_question(question.body, seal)
        except UnreadableError:
            return None
        stream, opening = self._local.find(token), self._opening.get(token)
        if stream is not None:
            return _said(_released(stream, asked), seal) if isinstance(asked, Release) else self._answer(token, stream, asked, seal)
        if opening is None:
            return None
        if opening.asked:
            return self._answer_later(token, opening, asked, seal)
        opening.asked = question.own and isinstance(asked, Release)
        return None

    async def _answer(self, token: str, stream: EventStream, asked: Start | Stop, seal: Fernet) -> str:
        if stream.closed:
            # It has moved since the question was heard, or is gone.
            answer: str = await self._peers.ask(known_by(token), write_question(asked, seal))
            return answer
        return write_answer(await _done(stream, asked), seal)

    async def _answer_later(self, token: str, opening: _Opening, asked: Asked, seal: Fernet) -> str:
        await opening.over.wait()
        stream = self._local.find(token)
        if stream is None:
            raise NobodyListensError
        return write_answer(_released(stream, asked) if isinstance(asked, Release) else await _done(stream, asked), seal)


async def _said(told: Told, seal: Fernet) -> str:
    return write_answer(told, seal)


def _released(stream: EventStream, asked: Release) -> Told:
    """Decided at once: of two who ask, the first has it."""
    try:
        check_closed(stream, asked.by)
    except CityGraphError as error:
        return error
    return Released(stream.caller, stream.release())


async def _done(stream: EventStream, asked: Start | Stop) -> Told:
    try:
        if isinstance(asked, Start):
            check_person(stream, asked.operation.caller)
            return Done(await stream.start(asked.operation))
        check_person(stream, asked.caller)
        stream.stop(asked.id)
    except CityGraphError as error:
        return error
    return Done()


def check_token(token: str) -> None:
    """What is no token need not be looked for. Raises `NotFound`."""
    if len(token) != TOKEN_CHARACTERS:
        raise no_such_stream()
