"""A backup while the store is written to without a pause: one moment's state, and nobody waits for it; on both stores."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa

from resolvers.operations import sqlite
from resolvers.operations.archive import nobody_watches
from resolvers.operations.backups import restore_archive
from resolvers.operations.records import BackupState
from resolvers.stores.engine import Store
from tests.resolvers.operations.conftest import TENANT, Site, dumped_of
from tests.resolvers.operations.test_restore import empty_url

__all__ = ["empty_url"]

ACCOUNTS = 40
WRITERS = 8
TOTAL = ACCOUNTS * 100


async def open_accounts(store: Store) -> None:
    async with store.write() as connection:
        await connection.execute(sa.text("CREATE TABLE account (tenant text, id integer PRIMARY KEY, balance integer NOT NULL)"))
        await connection.execute(sa.text("CREATE TABLE transfer (tenant text, source integer, target integer, amount integer)"))
        rows = [{"id": number} for number in range(ACCOUNTS)]
        await connection.execute(sa.text("INSERT INTO account VALUES ('t', :id, 100)"), rows)


@asynccontextmanager
async def writing(store: Store) -> AsyncIterator[list[int]]:
    """Eight writers who move money about; the list holds an item for each transfer that was acknowledged."""
    done: list[int] = []

    async def move(seed: int) -> None:
        chosen = random.Random(seed)
        while True:
            # Locks in one order, or two transfers would wait for each other.
            first, second = sorted(chosen.sample(range(ACCOUNTS), 2))
            amount = chosen.randint(-20, 20)
            async with store.write() as connection:
                await connection.execute(sa.text("UPDATE account SET balance = balance - :a WHERE id = :id"), {"a": amount, "id": first})
                await connection.execute(sa.text("UPDATE account SET balance = balance + :a WHERE id = :id"), {"a": amount, "id": second})
                moved = {"source": first, "target": second, "amount": amount}
                await connection.execute(sa.text("INSERT INTO transfer VALUES ('t', :source, :target, :amount)"), moved)
            done.append(seed)

    writers = [asyncio.create_task(move(seed)) for seed in range(WRITERS)]
    try:
        yield done
    finally:
        for writer in writers:
            writer.cancel()
        await asyncio.gather(*writers, return_exceptions=True)


def slowly(_done: int, _total: int, stage: str) -> None:
    """A copy by single pages that takes as long as that of a large store, and would not end if each write had it begin anew."""
    if stage == "copying":
        time.sleep(0.01)


async def test_backup_when_eight_writers_write_then_it_is_a_state_the_store_had(
    site: Site, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FC-08: online, and consistent while writes go on."""
    monkeypatch.setattr(sqlite, "_PAGES", 1)
    await open_accounts(site.store)

    async with writing(site.store) as done:
        await asyncio.sleep(0.2)
        before = len(done)
        async with asyncio.timeout(60):
            made = await (await site.backups().begin(TENANT, slowly))[1]
        during = len(done) - before

    manifest = await site.archives.manifest(made.uuid)
    await restore_archive(site.archives, manifest, dumped_of(empty_url, site.scratch), site.scratch, nobody_watches, force=False)
    restored = Store(empty_url)
    async with restored.read() as connection:
        balances = dict(iter(await connection.execute(sa.text("SELECT id, balance FROM account"))))
        transfers = (await connection.execute(sa.text("SELECT source, target, amount FROM transfer"))).all()
    await restored.close()

    expected = dict.fromkeys(range(ACCOUNTS), 100)
    for source, target, amount in transfers:
        expected[source] -= amount
        expected[target] += amount
    assert made.state is BackupState.SUCCEEDED
    assert sum(balances.values()) == TOTAL
    assert balances == expected
    assert before <= len(transfers) <= before + during
    assert during > 0
    assert (await site.verify(made.uuid)).state is BackupState.SUCCEEDED
