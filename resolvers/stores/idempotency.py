"""Idempotency keys: a change that is asked for twice under one key is made once, and answered alike both times.

The key is claimed first thing in the change's own transaction, so of two at once the second waits for the first one's end.
"""

import json
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.errors import BadUserInput, IdempotencyKeyReused
from resolvers.stores.engine import Store
from resolvers.stores.metadata import code_point_text, json_document, metadata
from resolvers.stores.upsert import upsert_into

__all__ = ["MAX_KEY", "once", "purge_keys"]

MAX_KEY = 255

key_table = sa.Table(
    "idempotency_key",
    metadata,
    sa.Column("tenant", code_point_text(), primary_key=True),
    sa.Column("operation", sa.Text, primary_key=True),
    sa.Column("key", code_point_text(), primary_key=True),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("answer", json_document(), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Index("ix_idempotency_key_at", "at"),
)
_c = key_table.c


async def once(
    store: Store,
    *,
    tenant: str,
    operation: str,
    key: str | None,
    told: object,
    now: int,
    change: Callable[[AsyncConnection], Awaitable[Any]],
) -> Any:
    """Runs `change` in one write transaction and returns its answer, a JSON value; without a `key`, that is all.

    Where the tenant has used the key for this operation, the first answer is returned and nothing is changed. `told` is the
    input (anything that JSON can print); with another one the key is refused by `IdempotencyKeyReused`. A change that raises
    does not use its key up.
    """
    if key is None:
        async with store.write() as connection:
            return await change(connection)
    if not 1 <= len(key) <= MAX_KEY:
        raise BadUserInput(f"idempotencyKey has {len(key)} characters: expected 1 to {MAX_KEY}")
    fingerprint = _fingerprint(told)
    mine = (_c.tenant == tenant, _c.operation == operation, _c.key == key)
    row = {"tenant": tenant, "operation": operation, "key": key, "fingerprint": fingerprint, "answer": None, "at": now}
    async with store.write() as connection:
        claim = upsert_into(key_table, store.dialect).values(row).on_conflict_do_nothing().returning(_c.at)
        if (await connection.execute(claim)).first() is None:
            known = (await connection.execute(sa.select(_c.fingerprint, _c.answer).where(*mine))).one()
            if known.fingerprint != fingerprint:
                raise IdempotencyKeyReused(f"idempotencyKey {key!r} was used for {operation} before, with another input")
            return known.answer
        answer = await change(connection)
        await connection.execute(sa.update(key_table).where(*mine).values(answer=answer))
        return answer


def _fingerprint(told: object) -> bytes:
    """The same for inputs that mean the same: whatever the order of their members."""
    text = json.dumps(told, sort_keys=True, allow_nan=False, separators=(",", ":"), default=str)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32).digest()


async def purge_keys(store: Store, before: int) -> int:
    """Forgets keys that were used before that time. Returns how many."""
    async with store.write() as connection:
        return (await connection.execute(sa.delete(key_table).where(_c.at < before))).rowcount
