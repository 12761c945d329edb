"""Leases: one holder, whoever asks, whatever it was doing meanwhile; on both stores."""

import asyncio

import pytest

from resolvers.operations.leases import Lease, LeaseLostError
from resolvers.stores.engine import Store


async def confirmed(lease: Lease) -> bool:
    async with lease.store.write() as connection:
        try:
            await lease.confirm(connection)
        except LeaseLostError:
            return False
        return True


async def test_lease_when_many_ask_at_once_then_one_holds_it(store: Store) -> None:
    leases = [Lease(store, "work") for _ in range(8)]

    answers = await asyncio.gather(*(lease.acquire() for lease in leases))

    assert sorted(answers) == [False] * 7 + [True]
    assert [await confirmed(lease) for lease in leases] == answers


async def test_lease_when_renewed_or_of_another_name_then_granted(store: Store) -> None:
    lease = Lease(store, "work")

    assert [await lease.acquire(), await lease.acquire(), await Lease(store, "play").acquire()] == [True, True, True]


async def test_lease_when_released_then_another_takes_it_at_once(store: Store) -> None:
    first, second = Lease(store, "work"), Lease(store, "work")
    assert await first.acquire()

    await first.release()

    assert await second.acquire()
    assert not await first.acquire()


async def test_lease_when_its_holder_paused_past_the_end_then_it_has_no_effect_any_more(store: Store) -> None:
    paused, other = Lease(store, "work", seconds=0.1), Lease(store, "work")
    assert await paused.acquire()
    assert await paused.claim(1)

    await asyncio.sleep(0.2)

    assert not await confirmed(paused)
    assert not await paused.claim(2)
    assert await other.acquire()
    assert await confirmed(other)
    assert not await confirmed(paused)


async def test_lease_when_kept_then_it_outlasts_its_seconds_and_is_free_afterwards(store: Store) -> None:
    keeper, other = Lease(store, "work", seconds=0.6), Lease(store, "work")
    assert await keeper.acquire()

    async with keeper.kept():
        await asyncio.sleep(0.9)
        held = await other.acquire()

    assert not held
    assert await other.acquire()


async def test_tick_when_claimed_then_it_and_earlier_ones_are_gone_for_everybody(store: Store) -> None:
    first, second = Lease(store, "work"), Lease(store, "work")
    assert await first.acquire()
    assert [await first.claim(5), await first.claim(5), await first.claim(4)] == [True, False, False]
    await first.release()
    assert await second.acquire()

    assert [await second.claim(5), await second.claim(6), await first.claim(7)] == [False, True, False]


@pytest.mark.parametrize("tick", [1, 2])
async def test_tick_when_nobody_holds_the_lease_then_it_cannot_be_claimed(store: Store, tick: int) -> None:
    assert not await Lease(store, "work").claim(tick)
