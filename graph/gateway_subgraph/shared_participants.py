"""Participants of all processes together, in Redis: each process says who is there with it, and that it still lives.

Joining and leaving change this process's own knowledge at once, and Redis soon after: what Redis missed is said again. A process that
is gone is not heard any more, and after a while those who were there with it are not either.
"""

import asyncio
import logging
from contextlib import suppress
from itertools import islice
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from graph.gateway_subgraph.participants import Participants, Presence
from graph.json_codec import InvalidJSON, dumps, loads
from graph.redis_client import FAULTS

BEAT_SECONDS = 5.0
GONE_SECONDS = 20.0
"""After so long without a beat a process, and who was there with it, is gone."""
KEPT_SECONDS = 3 * 3_600
"""A model's key goes after so long without a change; what holds is said anew three times as often."""
MAX_CHANGES = 100_000
"""Changes that wait for Redis. Beyond them the process takes another name, and says all anew under that."""
LOT = 500

logger = logging.getLogger(__name__)

Change = tuple[str, str, str]
"""Tenant, model, user: what holds of them is looked up when it is said."""


class SharedParticipants(Participants):
    """`prefix` is what this city's keys begin with. To be started and closed."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        super().__init__()
        self._redis, self._prefix = redis, prefix
        self._process = uuid4().hex[:12]
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
            await self._redis.delete(self._life(self._process))

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

    async def of(self, tenant: str, model: str) -> list[Presence]:
        """Where Redis is away, those of this process."""
        found = {one.user: one for one in self._here(tenant, model)}
        try:
            async with asyncio.timeout(2):
                await self._say()
                others = await self._elsewhere(tenant, model)
        except FAULTS:
            others = []
        for one in others:
            if one.user not in found or one.joined_at < found[one.user].joined_at:
                found[one.user] = one
        return sorted(found.values(), key=lambda one: (one.joined_at, one.user))

    def _note(self, change: Change) -> None:
        self._changes[change] = None
        if len(self._changes) > MAX_CHANGES:
            self._process, self._next_beat = uuid4().hex[:12], 0.0
            self._note_all()
        self._changed.set()

    def _note_all(self) -> None:
        self._changes = {(tenant, model, user): None for (tenant, model), there in self._open.items() for user in there}

    async def _beat(self) -> None:
        """Says what has changed as soon as it has, and once in a while that the process lives, or all anew."""
        clock = asyncio.get_running_loop().time
        next_renewal = clock() + KEPT_SECONDS / 3
        while True:
            try:
                if clock() >= self._next_beat:
                    self._next_beat = clock() + BEAT_SECONDS
                    if clock() >= next_renewal or not await self._say_alive():
                        next_renewal = clock() + KEPT_SECONDS / 3
                        self._note_all()
                self._changed.clear()
                await self._say()
            except FAULTS as error:
                logger.info("participants cannot be told to other processes: %s", f"{type(error).__name__}: {error}"[:300])
                await asyncio.sleep(1)
            with suppress(TimeoutError):
                # `wait_for` of Python 3.11 loses a cancellation that comes together with what is waited for.
                async with asyncio.timeout(max(0.05, self._next_beat - clock())):
                    await self._changed.wait()

    async def _say_alive(self) -> bool:
        """False where nobody knew any more that it did."""
        return await self._redis.set(self._life(self._process), "1", px=int(GONE_SECONDS * 1_000), get=True) is not None

    async def _say(self) -> None:
        async with self._saying:
            while self._changes:
                lot = list(islice(self._changes, LOT))
                process = self._process
                pipeline = self._redis.pipeline(transaction=False)
                for tenant, model, user in lot:
                    key, name = self._key(tenant, model), f"{process}:{user}"
                    presence = self._presence(tenant, model, user)
                    if presence is None:
                        pipeline.hdel(key, name)
                    else:
                        pipeline.hset(key, name, dumps([presence.name, presence.joined_at]).decode())
                        pipeline.expire(key, KEPT_SECONDS)
                for change in lot:
                    self._changes.pop(change, None)
                try:
                    await pipeline.execute()
                except BaseException:
                    self._changes |= dict.fromkeys(lot)
                    raise

    async def _elsewhere(self, tenant: str, model: str) -> list[Presence]:
        key = self._key(tenant, model)
        fields: Any = await self._redis.hgetall(key)
        processes = sorted({name.partition(":")[0] for name in fields} - {self._process})
        if not processes:
            return []
        lives: Any = await self._redis.mget([self._life(process) for process in processes])
        gone = {process for process, life in zip(processes, lives, strict=True) if life is None}
        if left := [name for name in fields if name.partition(":")[0] in gone]:
            await self._redis.hdel(key, *left)
        others = [(name.partition(":")[2], text) for name, text in fields.items() if name.partition(":")[0] not in {self._process, *gone}]
        return [presence for user, text in others if (presence := _read(user, text)) is not None]

    def _key(self, tenant: str, model: str) -> str:
        return f"{self._prefix}:participants:{tenant}:{model}"

    def _life(self, process: str) -> str:
        return f"{self._prefix}:process:{process}"


def _read(user: str, text: str) -> Presence | None:
    """None for what another version has written."""
    try:
        [name, joined_at] = loads(text)
        return Presence(user, name, int(joined_at))
    except (InvalidJSON, TypeError, ValueError):
        return None
