"""Peers that meet in Redis: a name is a channel of its publish/subscribe, which forgets what it has told, and who is gone.

Nothing is to be cleaned up after a process that died, and nothing is lost with a Redis that comes back empty: who listens says so
again. Every process that a question reaches answers it, if only that it is not its own to answer; so whoever asks knows when nobody is
left who could, without waiting for it.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable
from contextlib import suppress
from itertools import count
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from graph.errors import Unavailable
from graph.json_codec import InvalidJSON, dumps, loads
from graph.redis_client import FAULTS, SOCKET_SECONDS
from graph.subscriptions.peers import Hear, NobodyListensError, Question

PATIENCE_SECONDS = 2.0
"""How long whoever asks hears nothing before it gives up."""
WORKING_SECONDS = 0.5
"""How often a process says that it is still at an answer."""
TICK_SECONDS = 1.0
RETRY_SECONDS = (0.05, 0.5)
RETURN_SECONDS = 3.0
"""So long after Redis has come back, others may not listen again yet: that nobody listens says nothing."""
MAX_ASKED = 1_000
MAX_ANSWERING = 1_000
"""Questions beyond them are refused, and not heard."""

MINE, NOT_MINE, WORKING = "mine", "not mine", "working"

logger = logging.getLogger(__name__)


class _Asked:
    """A question that waits; `result` says whether anybody had an answer, and which."""

    __slots__ = ("_receivers", "_refusals", "patience", "result")

    def __init__(self, patience: asyncio.Timeout) -> None:
        self.patience = patience
        self.result: asyncio.Future[tuple[bool, Any]] = asyncio.get_running_loop().create_future()
        self._refusals = 0
        self._receivers: int | None = None

    def reached(self, receivers: int) -> None:
        """The first of them may have answered before."""
        self._receivers = receivers
        self._settle_if_none()

    def hear(self, kind: str, body: Any) -> None:
        if kind == MINE and not self.result.done():
            self.result.set_result((True, body))
        elif kind == WORKING:
            self.patience.reschedule(asyncio.get_running_loop().time() + PATIENCE_SECONDS)
        elif kind == NOT_MINE:
            self._refusals += 1
            self._settle_if_none()

    def _settle_if_none(self) -> None:
        if self._receivers is not None and self._refusals >= self._receivers and not self.result.done():
            self.result.set_result((False, None))


class RedisPeers:
    """Implements `graph.subscriptions.peers.Peers`; `prefix` is what this city's channels begin with. Connects with its first use."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis, self._prefix = redis, prefix
        self._process = uuid4().hex[:12]
        self._listeners: dict[str, Hear] = {}
        self._left: set[str] = set()
        """Channels that Redis is soon told to forget."""
        self._confirmations: dict[str, asyncio.Event] = {}
        self._asked: dict[int, _Asked] = {}
        self._numbers = count(1)
        self._answering: set[asyncio.Task[None]] = set()
        self._reading: asyncio.Task[None] | None = None
        self._pubsub: PubSub | None = None
        self._connected = asyncio.Event()
        self._sure_from: float | None = None
        """From when on all that live have to listen again; None before Redis was first reached."""

    async def close(self) -> None:
        tasks = [*self._answering, *([] if self._reading is None else [self._reading])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._redis.aclose()

    async def listen(self, name: str, hear: Hear) -> None:
        channel = self._channel(name)
        self._listeners[channel] = hear
        self._left.discard(channel)
        confirmed = self._confirmations[channel] = asyncio.Event()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await (await self._connection()).subscribe(channel)
                await confirmed.wait()
        except BaseException as error:
            self.leave(name)
            if isinstance(error, FAULTS):
                raise Unavailable("Redis, by which the processes of this server know of each other, does not answer: try again") from error
            raise
        finally:
            self._confirmations.pop(channel, None)

    def leave(self, name: str) -> None:
        channel = self._channel(name)
        if self._listeners.pop(channel, None) is not None:
            self._left.add(channel)

    async def ask(self, name: str, body: Any) -> Any:
        if len(self._asked) >= MAX_ASKED:
            raise Unavailable(f"{MAX_ASKED:,} questions wait for other processes of this server: try again")
        number = next(self._numbers)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS) as patience:
                asked = self._asked[number] = _Asked(patience)
                await self._connection()
                asked.reached(await self._redis.publish(self._channel(name), dumps([self._process, number, body])))
                found, answer = await asked.result
        except FAULTS as error:
            raise Unavailable("the process of this server that was asked, or Redis, does not answer: try again") from error
        finally:
            self._asked.pop(number, None)
        if found:
            return answer
        if self._sure_from is not None and asyncio.get_running_loop().time() < self._sure_from:
            raise Unavailable("Redis has just come back, and not all processes of this server with it: try again")
        raise NobodyListensError

    async def _connection(self) -> PubSub:
        """What is listened on. Waits for Redis."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        await self._connected.wait()
        assert self._pubsub is not None
        return self._pubsub

    async def _read(self) -> None:
        """Hears questions and answers; connects again whenever that ends."""
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    self._left.clear()
                    # They are confirmed in this order: with the last, all are listened to.
                    await pubsub.subscribe(*self._listeners, self._answers_to(self._process))
                    self._pubsub = pubsub
                    await self._follow(pubsub)
            except FAULTS as error:
                logger.info("other processes cannot be heard: %s", f"{type(error).__name__}: {error}"[:300])
            except Exception:
                logger.exception("other processes cannot be heard")
            self._connected.clear()
            self._pubsub = None
            await asyncio.sleep(random.uniform(*RETRY_SECONDS))

    async def _follow(self, pubsub: PubSub) -> None:
        """Raises one of `FAULTS` when the connection is no more, or nothing comes through it."""
        clock = asyncio.get_running_loop().time
        heard_at = next_tick = clock()
        while True:
            message = await pubsub.get_message(timeout=TICK_SECONDS)
            now = clock()
            if message is not None:
                heard_at = now
                self._take(message["type"], message["channel"], message["data"])
                # What is buffered already is read without waiting, and others want their turn.
                await asyncio.sleep(0)
            if now < next_tick:
                continue
            if now - heard_at > SOCKET_SECONDS:
                raise TimeoutError(f"Redis has said nothing for {SOCKET_SECONDS:g} s")
            next_tick = now + TICK_SECONDS
            await pubsub.ping()
            if self._left:
                left, self._left = self._left, set()
                await pubsub.unsubscribe(*left)

    def _take(self, kind: str, channel: str, data: Any) -> None:
        own = self._answers_to(self._process)
        if kind == "subscribe" and channel == own:
            self._sure_from = 0.0 if self._sure_from is None else asyncio.get_running_loop().time() + RETURN_SECONDS
            self._connected.set()
        elif kind == "subscribe" and channel in self._confirmations:
            self._confirmations[channel].set()
        elif kind == "message":
            # What another version of ours says otherwise is passed over.
            with suppress(InvalidJSON, TypeError, ValueError):
                first, second, body = loads(data, exact_integers=True)
                if channel != own:
                    self._hear(channel, str(first), int(second), body)
                elif (asked := self._asked.get(first)) is not None:
                    asked.hear(second, body)

    def _hear(self, channel: str, process: str, number: int, body: Any) -> None:
        if len(self._answering) >= MAX_ANSWERING:
            return
        hear, answer = self._listeners.get(channel), None
        if hear is not None:
            try:
                answer = hear(Question(body, process == self._process))
            except Exception:
                logger.exception("a question of another process could not be heard")
        task = asyncio.create_task(self._answer(process, number, answer))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, process: str, number: int, answer: Awaitable[Any] | None) -> None:
        if answer is None:
            return await self._say(process, [number, NOT_MINE, None])
        working = asyncio.ensure_future(answer)
        try:
            while not (await asyncio.wait({working}, timeout=WORKING_SECONDS))[0]:
                await self._say(process, [number, WORKING, None])
            await self._say(process, [number, MINE, working.result()])
        except NobodyListensError:
            await self._say(process, [number, NOT_MINE, None])
        except Exception:
            logger.exception("a question of another process was not answered")
        finally:
            working.cancel()

    async def _say(self, process: str, answer: list[Any]) -> None:
        try:
            await self._redis.publish(self._answers_to(process), dumps(answer))
        except FAULTS as error:
            logger.info("another process cannot be answered: %s", f"{type(error).__name__}: {error}"[:300])

    def _channel(self, name: str) -> str:
        return f"{self._prefix}:questions:{name}"

    def _answers_to(self, process: str) -> str:
        return f"{self._prefix}:answers:{process}"
