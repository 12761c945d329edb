"""Participants of all processes together, in Redis: each process says who is there with it, and that it still lives.

Joining and leaving change this process's own knowledge at once, and Redis soon after: what Redis missed is said again. A process that
is gone is not heard any more, and after a while those who were there with it are not either: the processes that live tell the models'
subscribers, each of some models. A process that others took for gone takes another name, and those on its models are told as well.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from uuid import uuid4

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from graph.gateway_subgraph.participants import Participants, Presence, in_order
from graph.gateway_subgraph.process_lives import KEPT_SECONDS, LOT, ProcessLives, written
from graph.json_codec import InvalidJSON, dumps, loads
from graph.redis_client import FAULTS

BEAT_SECONDS = 5.0
GONE_SECONDS = 20.0
"""After so long without a beat a process, and who was there with it, is gone."""
RENEWAL_SECONDS = KEPT_SECONDS / 3
"""What holds is said anew so often, for Redis forgets it after a while."""
ANSWER_SECONDS = 2
"""Whoever asks who is there waits no longer for the other processes' part."""
MAX_CHANGES = 100_000
"""Changes that wait for Redis. Beyond them the process takes another name, and says all anew under that."""

logger = logging.getLogger(__name__)

Change = tuple[str, str, str]
"""Tenant, model, user: what holds of them is looked up when it is said."""


class SharedParticipants(Participants):
    """`prefix` is what this city's keys begin with; `beat` and `gone` in seconds. To be started and closed."""

    def __init__(self, redis: Redis, prefix: str, *, beat: float = BEAT_SECONDS, gone: float = GONE_SECONDS) -> None:
        super().__init__()
        self._redis, self._prefix, self._beat_seconds = redis, prefix, beat
        self._lives = ProcessLives(redis, prefix, gone)
        self._process, self._begun, self._renamed = new_name(), False, False
        self._changes: dict[Change, None] = {}
        self._changed = asyncio.Event()
        self._saying = asyncio.Lock()
        self._next_beat = 0.0
        self._beating: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._beating = asyncio.create_task(self._beat())

    async def close(self) -> None:
        """Says that nobody is here any more."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
        with suppress(*FAULTS):
            await self._lives.end(self._process)

    def join(self, tenant: str, model: str, presence: Presence) -> bool:
        new = super().join(tenant, model, presence)
        if new:
            self._note((tenant, model, presence.user))
        return new

    def leave(self, tenant: str, model: str, user: str) -> bool:
        last = super().leave(tenant, model, user)
        if last:
            self._note((tenant, model, user))
        return last

    async def of_many(self, tenant: str, models: Sequence[str]) -> list[list[Presence]]:
        """Where Redis is away, those of this process."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._say()
                elsewhere = await self._elsewhere(tenant, models)
        except FAULTS:
            elsewhere = [[] for _ in models]
        return [once_each([*self._here(tenant, model), *others]) for model, others in zip(models, elsewhere, strict=True)]

    def _note(self, change: Change) -> None:
        self._changes[change] = None
        if len(self._changes) > MAX_CHANGES:
            self._rename()
        self._changed.set()

    def _rename(self) -> None:
        """What was said under the old name, and what waits to be, holds no more."""
        self._process, self._begun, self._renamed, self._next_beat = new_name(), False, True, 0.0
        self._changes.clear()
        self._note_all()

    def _note_all(self) -> None:
        self._changes |= {(tenant, model, user): None for (tenant, model), there in self._open.items() for user in there}

    async def _beat(self) -> None:
        """Says what has changed as soon as it has, and once in a while that the process lives, or all anew."""
        clock = asyncio.get_running_loop().time
        next_renewal = clock() + RENEWAL_SECONDS
        while True:
            try:
                if clock() >= self._next_beat:
                    await self._stay()
                    self._next_beat = clock() + self._beat_seconds
                    await self._inherit()
                if clock() >= next_renewal:
                    next_renewal = clock() + RENEWAL_SECONDS
                    self._note_all()
                self._changed.clear()
                await self._say()
                self._tell_of_return()
            except FAULTS as error:
                logger.info("participants cannot be told to other processes: %s", f"{type(error).__name__}: {error}"[:300])
                await asyncio.sleep(1)
            with suppress(TimeoutError):
                # `wait_for` of Python 3.11 loses a cancellation that comes together with what is waited for.
                async with asyncio.timeout(max(0.05, self._next_beat - clock())):
                    await self._changed.wait()

    async def _stay(self) -> None:
        """Alive, as all others know."""
        if self._begun and not await self._lives.go_on(self._process):
            self._rename()
        while not self._begun:
            process = self._process
            await self._lives.begin(process)
            self._begun = process == self._process

    async def _inherit(self) -> None:
        async for tenant, model in self._lives.left_behind():
            self.on_change(tenant, model)

    def _tell_of_return(self) -> None:
        """Those who follow the models of a process that came back may have been told that nobody was there."""
        if self._renamed and self._begun:
            self._renamed = False
            for tenant, model in self._open:
                self.on_change(tenant, model)

    async def _say(self) -> None:
        """Nothing before the process has begun: what one says who does not live is soon forgotten."""
        async with self._saying:
            while self._begun and self._changes:
                lot = list(islice(self._changes, LOT))
                pipeline = self._redis.pipeline(transaction=False)
                for change in lot:
                    self._put(pipeline, change)
                pipeline.expire(self._lives.on(self._process), KEPT_SECONDS)
                for change in lot:
                    self._changes.pop(change, None)
                try:
                    await pipeline.execute()
                except BaseException:
                    self._changes |= dict.fromkeys(lot)
                    raise

    def _put(self, pipeline: Pipeline, change: Change) -> None:
        tenant, model, user = change
        key, name, on = self._key(tenant, model), f"{self._process}:{user}", self._lives.on(self._process)
        presence = self._presence(tenant, model, user)
        if presence is None:
            pipeline.hdel(key, name)
        else:
            pipeline.hset(key, name, dumps([presence.name, presence.joined_at]).decode())
            pipeline.expire(key, KEPT_SECONDS)
        (pipeline.sadd if (tenant, model) in self._open else pipeline.srem)(on, written((tenant, model)))

    async def _elsewhere(self, tenant: str, models: Sequence[str]) -> list[list[Presence]]:
        """In two round trips; in three where a process has died."""
        pipeline = self._redis.pipeline(transaction=False)
        keys = [self._key(tenant, model) for model in models]
        for key in keys:
            pipeline.hgetall(key)
        kept: list[dict[str, str]] = await pipeline.execute()
        dead = await self._lives.dead({process_of(name) for fields in kept for name in fields} - {self._process})
        if dead:
            await self._forget(dead, dict(zip(keys, kept, strict=True)))
        ignored = {self._process, *dead}
        return [
            [
                presence
                for name, text in fields.items()
                if process_of(name) not in ignored and (presence := _read(name.partition(":")[2], text)) is not None
            ]
            for fields in kept
        ]

    async def _forget(self, dead: Collection[str], kept: Mapping[str, Mapping[str, str]]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for key, fields in kept.items():
            if left := [name for name in fields if process_of(name) in dead]:
                pipeline.hdel(key, *left)
        await pipeline.execute()

    def _key(self, tenant: str, model: str) -> str:
        return f"{self._prefix}:participants:{tenant}:{model}"


def new_name() -> str:
    return uuid4().hex[:12]


def process_of(name: str) -> str:
    """A field of a model's hash is named after process and user."""
    return name.partition(":")[0]


def once_each(there: Iterable[Presence]) -> list[Presence]:
    """Each person since the first of its presences."""
    found: dict[str, Presence] = {}
    for one in there:
        if one.user not in found or one.joined_at < found[one.user].joined_at:
            found[one.user] = one
    return in_order(found.values())


def _read(user: str, text: str) -> Presence | None:
    """None for what another version has written."""
    try:
        [name, joined_at] = loads(text)
        return Presence(user, name, int(joined_at))
    except (InvalidJSON, TypeError, ValueError):
        return None
