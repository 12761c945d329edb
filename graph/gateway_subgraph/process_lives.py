"""Which processes of a city live, as Redis knows: each says so again and again, and is dead once it has not for long enough.

Redis measures that by its own clock, so those of the processes need not agree. What a process was on is kept beside its life. When it is
dead, those that live take that over: each part goes to one of them.
"""

from collections.abc import AsyncIterator, Collection
from typing import Any

from redis.asyncio import Redis

from graph.json_codec import InvalidJSON, dumps, loads

KEPT_SECONDS = 3 * 3_600
"""What nobody says anew goes after so long, also where no process is left that would see to it."""
LOT = 500

On = tuple[str, str]
"""What a process can be on: a tenant's model."""


class ProcessLives:
    """`prefix` is what this city's keys begin with; `gone` is in seconds."""

    def __init__(self, redis: Redis, prefix: str, gone: float) -> None:
        self._redis, self._prefix, self._gone = redis, prefix, int(gone * 1_000)
        self._known = f"{prefix}:processes"

    async def begin(self, process: str) -> None:
        """A name that no process has had."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.set(self._life(process), "1", px=self._gone)
        pipeline.sadd(self._known, process)
        pipeline.expire(self._known, KEPT_SECONDS)
        await pipeline.execute()

    async def go_on(self, process: str) -> bool:
        """False where it has been silent for so long that others take it for dead, or Redis came back empty: it needs another name."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.pexpire(self._life(process), self._gone)
        pipeline.expire(self._known, KEPT_SECONDS)
        lives, _ = await pipeline.execute()
        return bool(lives)

    async def end(self, process: str) -> None:
        """Others take over what it was on, as if it had died long ago."""
        await self._redis.delete(self._life(process))

    async def dead(self, processes: Collection[str]) -> set[str]:
        """Those of them that are, in one round trip."""
        if not processes:
            return set()
        names = sorted(processes)
        lives: Any = await self._redis.mget([self._life(name) for name in names])
        return {name for name, life in zip(names, lives, strict=True) if life is None}

    async def left_behind(self) -> AsyncIterator[On]:
        """What the dead were on. Nobody else is given what was given once."""
        known: Any = await self._redis.srandmember(self._known, LOT)
        for process in sorted(await self.dead(known)):
            while lot := await self._taken(process):
                for on in lot:
                    yield on
            await self._redis.srem(self._known, process)

    def on(self, process: str) -> str:
        """The key of the set of what a process is on; its members are `written`."""
        return f"{self._life(process)}:on"

    async def _taken(self, process: str) -> list[On]:
        taken: Any = await self._redis.spop(self.on(process), LOT)
        return [on for text in taken or () if (on := _read(text)) is not None]

    def _life(self, process: str) -> str:
        return f"{self._prefix}:process:{process}"


def written(on: On) -> str:
    return dumps(on).decode()


def _read(text: str) -> On | None:
    """None for what another version has written."""
    try:
        tenant, model = loads(text)
    except (InvalidJSON, TypeError, ValueError):
        return None
    return str(tenant), str(model)
