"""Idempotency keys: one effect and one answer, however often and however simultaneously it is asked for."""

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.errors import BadUserInput, IdempotencyKeyReused
from resolvers.stores.engine import Store
from resolvers.stores.idempotency import once, purge_keys
from resolvers.stores.journal import last_seq, record


async def change(connection: AsyncConnection) -> dict[str, int]:
    """An effect that can be counted; the answer tells the effects so far."""
    event = await record(connection, tenant="t", channel="effects", kind="Changed", at=1, payload={})
    return {"effects": event.seq}


async def ask(store: Store, key: str | None, told: object, *, tenant: str = "t", operation: str = "ingest") -> dict[str, int]:
    answer: dict[str, int] = await once(store, tenant=tenant, operation=operation, key=key, told=told, now=7, change=change)
    return answer


async def test_key_when_used_twice_with_the_same_input_then_the_first_answer_again(store: Store) -> None:
    first = await ask(store, "k", {"a": 1, "b": [2]})

    assert await ask(store, "k", {"b": [2], "a": 1}) == first == {"effects": 1}
    assert await last_seq(store, "t", "effects") == 1


async def test_key_when_used_with_other_input_then_refused_and_nothing_done(store: Store) -> None:
    await ask(store, "k", {"a": 1})

    with pytest.raises(IdempotencyKeyReused, match="'k' was used for ingest before"):
        await ask(store, "k", {"a": 2})

    assert await last_seq(store, "t", "effects") == 1


async def test_key_when_used_by_another_tenant_or_operation_then_it_is_another_key(store: Store) -> None:
    await ask(store, "k", 1)

    assert await ask(store, "k", 1, tenant="u") == {"effects": 2}
    assert await ask(store, "k", 1, operation="upsert") == {"effects": 3}


async def test_key_when_used_by_many_at_once_then_one_effect(store: Store) -> None:
    answers = await asyncio.gather(*(ask(store, "k", 1) for _ in range(12)))

    assert answers == [{"effects": 1}] * 12


async def test_key_when_its_change_fails_then_it_is_free_again(store: Store) -> None:
    async def fail(connection: AsyncConnection) -> None:
        await connection.execute(sa.text("SELECT 1"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await once(store, tenant="t", operation="ingest", key="k", told=1, now=7, change=fail)

    assert await ask(store, "k", 1) == {"effects": 1}


async def test_key_when_absent_then_each_call_has_its_effect(store: Store) -> None:
    assert [await ask(store, None, 1), await ask(store, None, 1)] == [{"effects": 1}, {"effects": 2}]


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_key_when_of_a_wrong_length_then_bad_user_input(store: Store, key: str) -> None:
    with pytest.raises(BadUserInput, match="expected 1 to 255"):
        await ask(store, key, 1)


async def test_keys_when_purged_then_forgotten(store: Store) -> None:
    await ask(store, "k", 1)

    assert await purge_keys(store, 8) == 1
    assert await ask(store, "k", 2) == {"effects": 2}
