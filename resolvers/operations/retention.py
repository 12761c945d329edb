"""Letting go of what is older than it may be kept (ICD §6.3), and saying so in the audit log.

Each slice knows how its own rows go; a rule names them and their time. The audit log is this slice's own.
"""

import logging
from calendar import monthrange
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from graph.contracts import AuditEntry, AuditOutcome, AuditSink
from graph.errors import CityGraphError
from resolvers.operations.audit import system_entry
from resolvers.operations.store import audit_log
from resolvers.stores.engine import Store

__all__ = ["Purge", "Rule", "enforce", "purge"]

_LOT = 5_000

Purge = Callable[[Store, int], Awaitable[int]]
"""Deletes what is older than that time, of every tenant; returns how many rows are gone. Safe to be done twice."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rule:
    """How long things of that name are kept: calendar months, and days besides."""

    name: str
    purge: Purge
    months: int = 0
    days: int = 0

    def before(self, now: int) -> int:
        """What is older than this has been kept long enough; epoch milliseconds."""
        moment = datetime.fromtimestamp(now / 1000, UTC) - timedelta(days=self.days)
        years, month = divmod(moment.year * 12 + moment.month - 1 - self.months, 12)
        day = min(moment.day, monthrange(years, month + 1)[1])
        return int(moment.replace(year=years, month=month + 1, day=day).timestamp() * 1000)


async def enforce(rules: Sequence[Rule], store: Store, audit: AuditSink, now: int) -> dict[str, int | None]:
    """How many rows of each name are gone; None where a rule failed, which keeps no other from its turn."""
    gone: dict[str, int | None] = {}
    for rule in rules:
        try:
            gone[rule.name] = await rule.purge(store, rule.before(now))
        except (CityGraphError, sa.exc.SQLAlchemyError, OSError) as error:
            logger.exception("what is too old of %s could not be purged: %s", rule.name, type(error).__name__)
            gone[rule.name] = None
    await audit.write([_entry(now, name, count) for name, count in gone.items()])
    return gone


def _entry(now: int, name: str, count: int | None) -> AuditEntry:
    """The log has no other place for a number than the target."""
    outcome = AuditOutcome.FAILED if count is None else AuditOutcome.ALLOWED
    return system_entry(now, f"retention.{name}", None if count is None else f"{count} rows", outcome)


async def purge(store: Store, before: int) -> int:
    """Deletes audit entries, some at a time; nothing else ever deletes one."""
    oldest = sa.select(audit_log.c.tenant, audit_log.c.city, audit_log.c.uuid).where(audit_log.c.at < before).limit(_LOT)
    key = sa.tuple_(audit_log.c.tenant, audit_log.c.city, audit_log.c.uuid)
    gone = 0
    while True:
        async with store.write() as connection:
            lot = (await connection.execute(sa.delete(audit_log).where(key.in_(oldest)))).rowcount
        gone += lot
        if lot < _LOT:
            return gone
