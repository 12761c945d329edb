"""A channel's events for a subscriber: what it missed from the journal, then what happens, each once and without a gap.

The bus says quickly that something has happened; the journal says what. A subscriber first joins the bus, then reads the journal, then
drops what it has seen already; wherever the bus has left something out, the journal fills it in.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace

from graph.contracts import Bus, Event
from graph.errors import ResyncRequired
from resolvers.stores.engine import Store
from resolvers.stores.journal import events_after, last_seq

__all__ = ["journal_feed"]

_LOT = 500


async def journal_feed(store: Store, bus: Bus, tenant: str, channel: str, after: int | None = None) -> AsyncGenerator[Event, None]:
    """The channel's events from now on, or those that followed number `after`.

    What the journal does not keep is passed on as it comes, with the number of the last event that it kept.
    Raises `ResyncRequired` where the journal does not hold them all any more, and where `after` is no number that the channel has had.
    """
    while True:
        try:
            async with bus.listen(tenant, [channel]) as heard:
                newest = await last_seq(store, tenant, channel)
                seen = newest if after is None else after
                if seen > newest:
                    raise ResyncRequired(f"the channel has had {newest:,} events: there is no number {seen:,} among them")
                async with aclosing(_followed(store, heard, tenant, channel, seen)) as events:
                    async for event in events:
                        after = event.seq
                        yield event
        except _BehindError as behind:
            # The journal has what the bus could not keep for us.
            after = behind.seen


class _BehindError(Exception):
    """The bus has dropped events; `seen` is the last that was passed on."""

    def __init__(self, seen: int) -> None:
        super().__init__()
        self.seen = seen


async def _followed(store: Store, heard: AsyncIterator[Event], tenant: str, channel: str, seen: int) -> AsyncGenerator[Event, None]:
    async with aclosing(_from_journal(store, tenant, channel, seen)) as missed:
        async for event in missed:
            seen = event.seq
            yield event
    while True:
        try:
            event = await anext(heard)
        except ResyncRequired:
            raise _BehindError(seen) from None
        if event.seq == 0:
            yield replace(event, seq=seen)
            continue
        if event.seq <= seen:
            continue
        if event.seq > seen + 1:
            async with aclosing(_from_journal(store, tenant, channel, seen)) as missed:
                async for filling in missed:
                    seen = filling.seq
                    yield filling
        else:
            seen = event.seq
            yield event


async def _from_journal(store: Store, tenant: str, channel: str, seen: int) -> AsyncGenerator[Event, None]:
    """Raises `ResyncRequired` where the next number is gone."""
    while True:
        # In this order: an event that comes between the two looks is among those that are read.
        newest = await last_seq(store, tenant, channel)
        events = await events_after(store, tenant, channel, seen, _LOT)
        if not events and seen < newest:
            raise ResyncRequired(f"what followed number {seen:,} is older than events are kept")
        for event in events:
            if event.seq != seen + 1:
                raise ResyncRequired(f"what followed number {seen:,} is older than events are kept")
            seen = event.seq
            yield event
        if len(events) < _LOT:
            return
