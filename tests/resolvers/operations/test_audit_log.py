"""The audit log's keeper: many callers, few transactions, nothing lost without a word."""

import asyncio
import logging
from pathlib import Path

import pytest

from graph.contracts import AuditEntry, AuditOutcome
from graph.errors import Unavailable
from resolvers.operations import queries
from resolvers.operations.audit import MAX_TEXT, AuditLog
from resolvers.operations.records import AuditFilter, LoggedEntry
from resolvers.stores.engine import Store
from resolvers.stores.paging import Window
from tests.fakes.statements import count_statements
from tests.resolvers.operations.conftest import CITY, NOW, TENANT

ALL = Window(1_000)


def entry(number: int, subject: str = "ada", **given: str) -> AuditEntry:
    told: dict[str, str | None] = {"target": f"{CITY}/model/{number}", "request_id": f"r{number}", "trace_id": None, **given}
    return AuditEntry(
        TENANT, NOW + number, subject, "Mutation.createModel", told["target"], AuditOutcome.ALLOWED, told["request_id"], told["trace_id"]
    )


async def logged(store: Store, wanted: AuditFilter | None = None) -> list[LoggedEntry]:
    return list((await queries.audit_log(store, TENANT, wanted or AuditFilter(), ALL)).items)


async def test_write_when_it_returns_then_the_entries_are_committed_and_complete(store: Store) -> None:
    log = AuditLog(store, CITY)

    await log.write([entry(1, trace_id="t1"), entry(2)])

    newest, oldest = await logged(store)
    assert (oldest.city, oldest.at, oldest.subject, oldest.operation) == (CITY, NOW + 1, "ada", "Mutation.createModel")
    assert (oldest.target, oldest.outcome, oldest.request_id, oldest.trace_id) == (f"{CITY}/model/1", AuditOutcome.ALLOWED, "r1", "t1")
    assert (newest.at, newest.trace_id) == (NOW + 2, None)
    await log.close()


async def test_write_when_many_call_at_once_then_they_share_transactions(store: Store) -> None:
    log = AuditLog(store, CITY)
    await log.write([entry(0)])

    with count_statements(store) as statements:
        await asyncio.gather(*(log.write([entry(number)]) for number in range(1, 201)))

    assert len(await logged(store)) == 201
    assert len([statement for statement in statements if statement.startswith("INSERT")]) <= 3
    await log.close()


async def test_write_when_there_are_more_entries_than_a_transaction_takes_then_all_are_kept(sqlite_store: Store) -> None:
    log = AuditLog(sqlite_store, CITY, capacity=10)

    await asyncio.gather(*(log.write([entry(number) for number in range(700)]) for _ in range(4)))

    assert await queries.count_entries(sqlite_store, TENANT, AuditFilter()) == 2_800
    await log.close()


async def test_note_when_nothing_else_happens_then_written_within_a_second(store: Store) -> None:
    log = AuditLog(store, CITY)
    log.note(entry(1))

    await asyncio.sleep(1)

    assert [found.at for found in await logged(store)] == [NOW + 1]
    await log.close()


async def test_note_when_the_log_is_closed_then_written_first(store: Store) -> None:
    log = AuditLog(store, CITY)
    for number in range(50):
        log.note(entry(number))

    await log.close()

    assert len(await logged(store)) == 50


async def test_note_when_the_queue_is_full_then_the_process_log_has_the_entry(
    sqlite_store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    log = AuditLog(sqlite_store, CITY, capacity=3)

    for number in range(5):
        log.note(entry(number))

    with caplog.at_level(logging.ERROR):
        await log.close()
    assert sorted(found.at for found in await logged(sqlite_store)) == [NOW, NOW + 1, NOW + 2]
    assert [f"'at': {NOW + lost}" in record.getMessage() for lost, record in zip((3, 4), caplog.records, strict=True)] == [True, True]


async def test_write_when_the_store_does_not_take_it_then_unavailable_and_notes_are_said_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(f"sqlite:///{tmp_path / 'empty.db'}")
    log = AuditLog(store, CITY)
    log.note(entry(1))

    with pytest.raises(Unavailable, match="The audit log cannot be written"):
        await log.write([entry(2)])
    await log.close()

    assert [f"'at': {NOW + 1}" in record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [True]
    await store.close()


async def test_entry_when_it_holds_what_no_store_takes_then_that_is_replaced(store: Store) -> None:
    log = AuditLog(store, CITY)

    await log.write([entry(1, "a\0b\ud800c" + "x" * 1_000)])

    (found,) = await logged(store)
    assert found.subject == "a\ufffdb?c" + "x" * (MAX_TEXT - 5)
    await log.close()


async def test_list_when_filtered_then_each_condition_holds(store: Store) -> None:
    log = AuditLog(store, CITY)
    await log.write([entry(number, subject) for number, subject in enumerate(("ada", "bob", "ada", "eve"))])

    async def times(wanted: AuditFilter) -> list[int]:
        return [found.at - NOW for found in await logged(store, wanted)]

    assert await times(AuditFilter()) == [3, 2, 1, 0]
    assert await times(AuditFilter(subject="ada")) == [2, 0]
    assert await times(AuditFilter(operation="Mutation.createModel")) == [3, 2, 1, 0]
    assert await times(AuditFilter(operation="Mutation.create")) == []
    assert await times(AuditFilter(range=(NOW + 1, NOW + 3))) == [2, 1]
    assert await times(AuditFilter(cities=("SE-UMEA",))) == []
    await log.close()
