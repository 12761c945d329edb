"""Processes that share a bus, as a test sees them: each is a bus with a carrier of its own, in one event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from graph.config import Settings
from graph.contracts import Event
from graph.subscriptions.bus import EventBus
from graph.subscriptions.opening import open_bus


def told(n: int, channel: str = "c", tenant: str = "t") -> Event:
    return Event(tenant, channel, "Told", n, {"n": n})


@asynccontextmanager
async def process(url: str, **settings: object) -> AsyncIterator[EventBus]:
    bus = open_bus(Settings.model_validate({"bus_url": url, **settings})).bus
    await bus.start()
    try:
        yield bus
    finally:
        await bus.close()


async def heard(events: AsyncIterator[Event], most: int, seconds: float = 10) -> list[Event]:
    found: list[Event] = []
    async with asyncio.timeout(seconds):
        while len(found) < most:
            found.append(await anext(events))
    return found


def numbers(events: list[Event]) -> list[int]:
    return [event.payload["n"] for event in events]
