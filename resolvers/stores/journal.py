"""The journal: events written in the transaction that they tell of, so that none is lost and none tells of what did not happen.

Each channel of a tenant counts its events from 1 without a gap, so a listener knows what it has missed and reads it here.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.contracts import Event
from resolvers.stores.engine import Store, announce
from resolvers.stores.metadata import code_point_text, json_document, metadata
from resolvers.stores.upsert import upsert_into

__all__ = ["events_after", "first_event_in", "last_seq", "last_seq_in", "purge_events", "record"]

channel_table = sa.Table(
    "event_channel",
    metadata,
    sa.Column("tenant", code_point_text(), primary_key=True),
    sa.Column("channel", code_point_text(), primary_key=True),
    sa.Column("last_seq", sa.BigInteger, nullable=False),
)

journal_table = sa.Table(
    "event_journal",
    metadata,
    sa.Column("tenant", code_point_text(), primary_key=True),
    sa.Column("channel", code_point_text(), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("payload", json_document(), nullable=False),
    sa.Index("ix_event_journal_at", "at"),
)


async def record(connection: AsyncConnection, *, tenant: str, channel: str, kind: str, at: int, payload: Mapping[str, Any]) -> Event:
    """Writes an event into the journal, and has it published at the commit.

    Who records on a channel holds it until the transaction ends, so that numbers are committed in their order.
    """
    insert = upsert_into(channel_table, connection.dialect.name).values(tenant=tenant, channel=channel, last_seq=1)
    count = insert.on_conflict_do_update(index_elements=["tenant", "channel"], set_={"last_seq": channel_table.c.last_seq + 1}).returning(
        channel_table.c.last_seq
    )
    seq = (await connection.execute(count)).scalar_one()
    event = Event(tenant, channel, kind, at, dict(payload), seq)
    row = {"tenant": tenant, "channel": channel, "seq": seq, "kind": kind, "at": at, "payload": event.payload}
    await connection.execute(sa.insert(journal_table), row)
    announce(connection, event)
    return event


async def events_after(store: Store, tenant: str, channel: str, seq: int, limit: int) -> list[Event]:
    """The events of a channel that follow `seq`, oldest first; some may be purged, which shows as a gap in their numbers."""
    c = journal_table.c
    statement = (
        sa.select(c.kind, c.at, c.payload, c.seq).where(c.tenant == tenant, c.channel == channel, c.seq > seq).order_by(c.seq).limit(limit)
    )
    async with store.read() as connection:
        rows = await connection.execute(statement)
        return [Event(tenant, channel, kind, at, payload, number) for kind, at, payload, number in rows]


async def last_seq(store: Store, tenant: str, channel: str) -> int:
    """The number of the channel's newest event; 0 where there was none."""
    async with store.read() as connection:
        return await last_seq_in(connection, tenant, channel)


async def last_seq_in(connection: AsyncConnection, tenant: str, channel: str) -> int:
    """The same as the transaction sees it, together with what else it reads."""
    c = channel_table.c
    found = await connection.execute(sa.select(c.last_seq).where(c.tenant == tenant, c.channel == channel))
    return found.scalar_one_or_none() or 0


async def first_event_in(
    connection: AsyncConnection, tenant: str, channel: str, *, kind: str | None = None, at: int | None = None, after: int = 0
) -> Event | None:
    """The oldest event after that number that the channel still has, of that kind and of that time where they are given."""
    c = journal_table.c
    conditions = [c.tenant == tenant, c.channel == channel, c.seq > after]
    conditions += [] if kind is None else [c.kind == kind]
    conditions += [] if at is None else [c.at == at]
    rows = await connection.execute(sa.select(c.kind, c.at, c.payload, c.seq).where(*conditions).order_by(c.seq).limit(1))
    row = rows.first()
    return None if row is None else Event(tenant, channel, *row)


async def purge_events(store: Store, before: int) -> int:
    """Deletes what happened before that time; the channels go on counting. Returns how many events are gone."""
    async with store.write() as connection:
        return (await connection.execute(sa.delete(journal_table).where(journal_table.c.at < before))).rowcount
