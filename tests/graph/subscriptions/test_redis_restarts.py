"""TC-06: Redis is killed and started again and again, while 200 subscribers in two processes listen to what both of them write.

Every round, everybody hears of something that happened after the restart within 5 seconds; in the end nobody has missed anything or heard
it twice: neither what the journal keeps, nor what only the bus has carried. Three rounds; twenty by `make soak`.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from functools import partial

import pytest
from carrying import process, told

from graph.contracts import Bus
from graph.subscriptions.bus import EventBus
from resolvers.stores.engine import Store, announce
from resolvers.stores.feed import journal_feed
from resolvers.stores.journal import record
from tests.fakes.redis import running_redis
from tests.soak import scaled

ROUNDS = scaled(suite=3, soak=20)
CHANNELS, SUBSCRIBERS, LISTENERS = 20, 200, 10
SECONDS = 5.0


@dataclass
class Process:
    """One server: its bus, and its own way to the store that all share. `said` counts what it told without the journal."""

    name: str
    bus: EventBus
    store: Store
    said: int = 0

    async def write(self, channel: int) -> None:
        async with self.store.write() as connection:
            await record(connection, tenant="t", channel=f"c{channel}", kind="Told", at=0, payload={"by": self.name})
            self.said += 1
            announce(connection, told(self.said, f"from {self.name}"))


@dataclass
class Heard:
    numbers: list[int] = field(default_factory=list)

    async def follow_journal(self, store: Store, bus: Bus, channel: int) -> None:
        async with aclosing(journal_feed(store, bus, "t", f"c{channel}", after=0)) as events:
            async for event in events:
                self.numbers.append(event.seq)

    async def follow_bus(self, bus: Bus, name: str) -> None:
        async with bus.listen("t", [f"from {name}"]) as events:
            async for event in events:
                self.numbers.append(event.payload["n"])


async def until(condition: Callable[[], bool], seconds: float) -> None:
    """Fails where it takes longer."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "somebody hears nothing"
        await asyncio.sleep(0.02)


@pytest.mark.soak
@pytest.mark.timeout(scaled(suite=120, soak=600))
@pytest.mark.parametrize("durable", [False, True], ids=["empty after a crash", "durable"])
async def test_subscribers_when_redis_is_killed_again_and_again_then_each_hears_all_once(
    redis_installed: None, sqlite_url: str, durable: bool
) -> None:
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(running_redis(durable=durable))
        processes: list[Process] = []
        for name in ("one", "two"):
            bus = await stack.enter_async_context(process(redis.url))
            store = Store(sqlite_url, publish=bus.publish)
            stack.push_async_callback(store.close)
            processes.append(Process(name, bus, store))
        journaled = [[Heard() for _ in range(SUBSCRIBERS // CHANNELS)] for _ in range(CHANNELS)]
        carried = {one.name: [Heard() for _ in range(LISTENERS)] for one in processes}
        following: list[Awaitable[None]] = []
        for channel, subscribers in enumerate(journaled):
            for number, subscriber in enumerate(subscribers):
                at = processes[number % 2]
                following.append(subscriber.follow_journal(at.store, at.bus, channel))
        for name, listeners in carried.items():
            following += [listener.follow_bus(processes[number % 2].bus, name) for number, listener in enumerate(listeners)]
        tasks = [asyncio.ensure_future(one) for one in following]
        written = [0] * CHANNELS
        stopping = asyncio.Event()

        async def write_on() -> None:
            while not stopping.is_set():
                channel = random.randrange(CHANNELS)
                await random.choice(processes).write(channel)
                written[channel] += 1
                await asyncio.sleep(0.005)

        await until(lambda: all(len(at.bus._listeners) == CHANNELS + 2 for at in processes), 30)
        writing = asyncio.create_task(write_on())
        took: list[float] = []

        def reached(goals: list[int]) -> bool:
            return all(len(one.numbers) >= goal for goal, of in zip(goals, journaled, strict=True) for one in of)

        for _ in range(ROUNDS):
            await asyncio.sleep(random.uniform(0.1, 0.4))
            redis.kill()
            await asyncio.sleep(random.uniform(0.0, 0.5))
            await asyncio.to_thread(redis.start)
            back = time.monotonic()
            before = [len(one[0].numbers) for one in journaled]
            for channel in range(CHANNELS):
                await random.choice(processes).write(channel)
                written[channel] += 1
            assert before != written
            await until(partial(reached, written.copy()), SECONDS)
            took.append(time.monotonic() - back)
        stopping.set()
        await writing
        await until(partial(reached, written), SECONDS)
        await until(lambda: all(len(one.numbers) >= at.said for at in processes for one in carried[at.name]), SECONDS)

        print(f"{ROUNDS} rounds, {sum(written)} events, all delivering again within {max(took):.2f} s")
        assert max(took) < SECONDS
        assert all(one.numbers == list(range(1, goal + 1)) for goal, of in zip(written, journaled, strict=True) for one in of)
        assert all(one.numbers == list(range(1, at.said + 1)) for at in processes for one in carried[at.name])
        assert [task for task in tasks if task.done()] == []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
