"""A backend for `broadcaster` on one Redis stream, which outlives Redis: it connects again and goes on after the last entry it read.

`broadcaster`'s own backends for Redis do neither (see docs/decisions/0008). A stream that has become another, because Redis came back
without what it had, is read from its beginning, and `on_loss` is called: who counts messages knows what is missing.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import broadcaster

from graph.redis_client import FAULTS, SOCKET_SECONDS, redis_client

KEPT_ENTRIES = 10_000
"""So many entries are kept for who comes back; Redis drops the oldest, a whole block of them at a time."""
MAX_READ = 100
MAX_SINCE = 10_000
"""Entries that are read for one who comes back."""
READERS = 4
BLOCK_SECONDS = SOCKET_SECONDS / 5
"""Well below what a socket waits, or a stream on which nothing happens would look like a dead one."""
RETRY_SECONDS = (0.05, 0.5)
BEGINNING = "0-0"

APPEND = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return false end
return redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'm', ARGV[3])
"""
"""Appends only to the stream that the process knows. Connections are made anew without a word; to append to what Redis came back with
would put a message before others that went with the old stream."""

logger = logging.getLogger(__name__)


class Entry(broadcaster.Event):
    """A message, and its place in the stream."""

    def __init__(self, channel: str, message: str, place: str) -> None:
        super().__init__(channel, message)
        self.place = place


class NewStream(Exception):
    """What was appended before may be gone, and is to be appended again."""


class RedisStreams(broadcaster.BroadcastBackend):
    """One stream, named after the channel that is subscribed to. `on_loss` is called where entries may be gone that were not read."""

    def __init__(self, url: str) -> None:
        self._client = redis_client(url)
        self._append = self._client.register_script(APPEND)
        self._life: str | None = None
        """Which stream of that name the process appends to; a new one has another."""
        self._channel = ""
        self._subscribed = asyncio.Event()
        self._last: str | None = None
        """The entry that was read last; None before the stream was first reached."""
        self._sure = False
        """Whether the stream is known to be the one in which `_last` is."""
        self._read: deque[Entry] = deque()
        self._pause = RETRY_SECONDS[0]
        self._searching = asyncio.Semaphore(READERS)
        self.on_loss: Callable[[], None] = lambda: None

    async def connect(self) -> None:
        """Nothing is to be done: the first command connects."""

    async def disconnect(self) -> None:
        await self._client.aclose()

    async def subscribe(self, group: str) -> None:
        """From now on nothing is missed, unless Redis cannot be reached: then from when it can."""
        self._channel = group
        try:
            await self._join()
        except FAULTS as error:
            self._fault(error)
        self._subscribed.set()

    async def unsubscribe(self, group: str) -> None:
        self._subscribed.clear()

    async def publish(self, channel: str, message: Any) -> None:
        """Raises what the client raises, and `NewStream` where what was appended before may be gone."""
        life = self._life or await self._find_life(channel)
        if await self._append(keys=[channel, _life_key(channel)], args=[life, KEPT_ENTRIES, message]) is None:
            self._life = None
            raise NewStream(f"{channel} is not the stream that it was")
        self._life = life

    async def next_published(self) -> broadcaster.Event:
        """Never raises for what becomes of Redis: `broadcaster` would stop for good."""
        while not self._read:
            await self._subscribed.wait()
            try:
                await self._read_on()
                self._pause = RETRY_SECONDS[0]
            except Exception as error:
                self._fault(error)
                await asyncio.sleep(self._pause * random.uniform(0.5, 1.0))
                self._pause = min(2 * self._pause, RETRY_SECONDS[1])
        return self._read.popleft()

    async def since(self, place: str) -> AsyncIterator[tuple[str, str]]:
        """The entries from a place on, its own first; nothing where that is gone, or where they are too many, or Redis is away."""
        found: list[tuple[str, str]] = []
        async with self._searching:
            try:
                start = place
                while len(found) <= MAX_SINCE:
                    entries: Any = await self._client.xrange(self._channel, min=start, count=MAX_READ)
                    found += [(entry, fields.get("m", "")) for entry, fields in entries]
                    if len(entries) < MAX_READ:
                        break
                    start = f"({found[-1][0]}"
            except FAULTS:
                return
        if found and found[0][0] == place and len(found) <= MAX_SINCE:
            for entry in found:
                yield entry

    async def _find_life(self, channel: str) -> str:
        """Gives the stream one where it is new."""
        key = _life_key(channel)
        await self._client.set(key, uuid4().hex, nx=True)
        found: Any = await self._client.get(key)
        return str(found)

    async def _join(self) -> None:
        """At the stream's end. Where that comes late, something may have been missed."""
        newest: Any = await self._client.xrevrange(self._channel, count=1)
        self._last = newest[0][0] if newest else BEGINNING
        self._sure = True

    async def _read_on(self) -> None:
        if self._last is None:
            await self._join()
            self.on_loss()
        if not self._sure:
            await self._find_place(self._last or BEGINNING)
        last = self._last or BEGINNING
        found: Any = await self._client.xread({self._channel: last}, count=MAX_READ, block=int(BLOCK_SECONDS * 1_000))
        for _, entries in found:
            for place, fields in entries:
                self._read.append(Entry(self._channel, fields.get("m", ""), place))
                self._last = place

    async def _find_place(self, last: str) -> None:
        """After a fault: is what was read last still there?"""
        found: Any = await self._client.xrange(self._channel, min=last, max=last, count=1)
        if not found:
            # Where nothing had been read yet, there is nothing to be found either.
            if last != BEGINNING:
                logger.warning("Redis came back without the stream that it had: it is read from its beginning")
            self._last = BEGINNING
            self.on_loss()
        self._sure = True

    def _fault(self, error: Exception) -> None:
        if not isinstance(error, FAULTS):
            logger.error("the stream cannot be read", exc_info=error)
        elif self._sure or self._last is None:
            logger.warning("Redis cannot be reached, and is tried again: %s", f"{type(error).__name__}: {error}"[:300])
        self._sure = False


def _life_key(channel: str) -> str:
    return f"{channel}.life"
