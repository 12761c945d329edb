"""Retention: what is too old goes, once it is too old, and the audit log counts it."""

from datetime import UTC, datetime

import pytest

from graph.contracts import AuditEntry, AuditOutcome
from graph.errors import Unavailable
from resolvers.operations import queries, retention
from resolvers.operations.audit import AuditLog
from resolvers.operations.records import SYSTEM, AuditFilter
from resolvers.operations.retention import Rule, enforce
from resolvers.stores.engine import Store
from resolvers.stores.idempotency import purge_keys
from resolvers.stores.journal import purge_events, record
from resolvers.stores.paging import Window
from tests.resolvers.operations.conftest import CITY, DAY, NOW, TENANT


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "months", "days", "before"),
    [
        ("2025-11-24T16:00", 24, 0, "2023-11-24T16:00"),
        ("2025-11-24T16:00", 12, 0, "2024-11-24T16:00"),
        ("2025-01-31T00:00", 2, 0, "2024-11-30T00:00"),
        ("2024-02-29T12:00", 12, 0, "2023-02-28T12:00"),
        ("2025-11-24T16:00", 84, 0, "2018-11-24T16:00"),
        ("2025-11-24T16:00", 0, 7, "2025-11-17T16:00"),
    ],
)
def test_rule_when_asked_then_calendar_months_and_days_before(now: str, months: int, days: int, before: str) -> None:
    assert Rule("x", purge_keys, months=months, days=days).before(at(now)) == at(before)


async def test_rules_when_enforced_then_rows_go_and_the_audit_log_counts_them(store: Store) -> None:
    """ICD §6.3"""
    log = AuditLog(store, CITY)
    for moment in (NOW - 400 * DAY, NOW - 300 * DAY, NOW):
        await log.write([AuditEntry(TENANT, moment, "ada", "Mutation.createModel", None, AuditOutcome.ALLOWED, None, None)])
        async with store.write() as connection:
            await record(connection, tenant=TENANT, channel="c", kind="K", at=moment, payload={})

    async def fail(_store: Store, _before: int) -> int:
        raise Unavailable("not now")

    rules = (Rule("models", fail, months=36), Rule("audit", retention.purge, months=12), Rule("events", purge_events, days=7))
    gone = await enforce(rules, store, log, NOW)

    assert gone == {"models": None, "audit": 1, "events": 2}
    page = await queries.audit_log(store, TENANT, AuditFilter(subject="system"), Window(10))
    assert {(entry.operation, entry.target, entry.outcome, entry.at) for entry in page.items} == {
        ("retention.models", None, AuditOutcome.FAILED, NOW),
        ("retention.audit", "1 rows", AuditOutcome.ALLOWED, NOW),
        ("retention.events", "2 rows", AuditOutcome.ALLOWED, NOW),
    }
    assert await queries.count_entries(store, TENANT, AuditFilter(subject="ada")) == 2
    await log.close()


async def test_audit_log_when_more_is_old_than_goes_at_once_then_all_of_it_goes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_LOT", 10)
    log = AuditLog(store, CITY)
    entries = [
        AuditEntry(tenant, NOW, "ada", "op", None, AuditOutcome.DENIED, None, None) for tenant in (TENANT, SYSTEM) for _ in range(15)
    ]
    await log.write(entries)

    assert await retention.purge(store, NOW) == 0
    assert await retention.purge(store, NOW + 1) == 30
    await log.close()
