"""A model's events for one who follows it, from any place in its history: what was missed first, then what happens, each once.

What was missed is read from the journal. Where that does not reach back to a version any more, the model's own versions say what
has changed since; what became of annotations and notes in that time, nobody can tell.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.contracts import Bus, Event
from graph.errors import NotFound, ResyncRequired
from resolvers.models import queries
from resolvers.models import store as sql
from resolvers.models.events import DELETED, PATCHED, channel_of, patched
from resolvers.models.records import Model, ModelKey
from resolvers.stores.engine import Store
from resolvers.stores.feed import journal_feed
from resolvers.stores.journal import first_event_in, last_seq_in
from resolvers.stores.rows import rows_parameter

__all__ = ["AfterEvent", "AfterVersion", "Place", "model_events"]

MAX_MISSED = 10_000
"""Versions that a subscriber may have missed: for more, to read the model anew is less."""
_LOT = 100


@dataclass(frozen=True, slots=True)
class AfterEvent:
    """The place after the event of that number, on the model's channel."""

    seq: int


@dataclass(frozen=True, slots=True)
class AfterVersion:
    """The place after what made that version of the model."""

    version: int


Place = AfterEvent | AfterVersion


@dataclass(frozen=True, slots=True)
class _Start:
    """The versions of `model` from `low` to `high` come first, then what followed the event `seq`."""

    seq: int
    model: Model | None = None
    low: int = 1
    high: int = 0


async def model_events(
    store: Store, bus: Bus, tenant: str, key: ModelKey, after: Place | None = None
) -> AsyncGenerator[tuple[Place, Event], None]:
    """The model's events from now on, or from that place; with each the place that a listener has reached who has heard it.

    It ends after the model's deletion. The patch of a version that the journal has not any more is null in its event, as a long one
    is, and its name and description are those that the model has now. Raises `NotFound`; and `ResyncRequired` where the place is too
    far back, or none that the model has had.
    """
    channel = channel_of(key[1])
    async with store.read() as connection:
        start = await _start(connection, tenant, key, channel, after)
    async with aclosing(_versions(store, tenant, start)) as missed:
        async for event in missed:
            yield AfterVersion(event.payload["newVersion"]), event
    async with aclosing(journal_feed(store, bus, tenant, channel, start.seq)) as events:
        async for event in events:
            yield AfterEvent(event.seq), event
            if event.kind == DELETED:
                return


async def _start(connection: AsyncConnection, tenant: str, key: ModelKey, channel: str, after: Place | None) -> _Start:
    """As one look at the store has it: the model's version and the newest event belong together."""
    newest = await last_seq_in(connection, tenant, channel)
    row = (await connection.execute(sql.by_keys(tenant), {"keys": rows_parameter([key])})).first()
    if row is None:
        # Who followed it until it was deleted hears of that.
        if isinstance(after, AfterEvent) and after.seq < newest:
            return _Start(after.seq)
        raise NotFound(f"There is no model {key[0]}/model/{key[1]}")
    match after:
        case None:
            return _Start(newest)
        case AfterEvent(seq):
            return _Start(seq)
        case AfterVersion(version):
            return await _after_version(connection, tenant, queries.record(row), version, newest)


async def _after_version(connection: AsyncConnection, tenant: str, model: Model, version: int, newest: int) -> _Start:
    if version > model.version:
        raise ResyncRequired(f"the model is at version {model.version:,}: there is no version {version:,} yet")
    if model.version - version > MAX_MISSED:
        raise ResyncRequired(f"the model is {model.version - version:,} versions ahead of {version:,}: at most {MAX_MISSED:,} are told")
    channel = channel_of(model.uuid)
    oldest = await first_event_in(connection, tenant, channel)
    if version == 1 and (newest == 0 or (oldest is not None and oldest.seq == 1)):
        return _Start(0)
    seq = await _seq_of(connection, tenant, model, version)
    if seq is not None:
        return _Start(seq)
    first = await first_event_in(connection, tenant, channel, kind=PATCHED)
    if oldest is None or (first is not None and first.payload["newVersion"] <= version):
        return _Start(newest, model, version + 1, model.version)
    high = model.version if first is None else first.payload["newVersion"] - 1
    return _Start(oldest.seq - 1, model, version + 1, high)


async def _seq_of(connection: AsyncConnection, tenant: str, model: Model, version: int) -> int | None:
    """The number of the event that told of the version; None where the journal has it not any more."""
    v, channel = sql.version_table.c, channel_of(model.uuid)
    made = sa.select(v.created_at).where(v.tenant == tenant, v.model == model.uuid, v.version == version)
    at = (await connection.execute(made)).scalar_one()
    # A version and its event bear the same time, and others may bear it too.
    told = await first_event_in(connection, tenant, channel, kind=PATCHED, at=at)
    while told is not None and told.payload["newVersion"] < version:
        told = await first_event_in(connection, tenant, channel, kind=PATCHED, at=at, after=told.seq)
    return told.seq if told is not None and told.payload["newVersion"] == version else None


async def _versions(store: Store, tenant: str, start: _Start) -> AsyncGenerator[Event, None]:
    model = start.model
    if model is None:
        return
    for low in range(start.low, start.high + 1, _LOT):
        [found] = await queries.versions(store, tenant, [(model.uuid, low, min(low + _LOT - 1, start.high))])
        for version in reversed(found):
            payload = patched(version.version, version.etag, None, model.name, model.description, version.created_by)
            yield Event(tenant, channel_of(model.uuid), PATCHED, version.created_at, payload)
