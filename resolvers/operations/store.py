"""The tables of backups, leases and the audit log, and their SQL; every statement holds the tenant's condition."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from resolvers.operations.records import SYSTEM, AuditFilter, Backup, BackupState
from resolvers.stores.joins import look_up
from resolvers.stores.metadata import code_point_text, metadata
from resolvers.stores.paging import SortKey, Window, ordering, window_of
from resolvers.stores.rows import json_rows

backup = sa.Table(
    "backup",
    metadata,
    sa.Column("tenant", code_point_text(), primary_key=True),
    sa.Column("city", code_point_text(), primary_key=True),
    sa.Column("uuid", sa.Uuid, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("finished_at", sa.BigInteger),
    sa.Column("size", sa.BigInteger),
    sa.Column("sha256", sa.Text),
    sa.Column("verified_at", sa.BigInteger),
    sa.Column("failure", sa.Text),
    sa.Index("ix_backup_started_at", "tenant", "city", "started_at", "uuid"),
)

lease = sa.Table(
    "lease",
    metadata,
    sa.Column("tenant", code_point_text(), primary_key=True),
    sa.Column("name", code_point_text(), primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("tick", sa.BigInteger, nullable=False),
)

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("tenant", code_point_text(), primary_key=True),
    sa.Column("city", code_point_text(), primary_key=True),
    sa.Column("uuid", sa.Uuid, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("subject", code_point_text(), nullable=False),
    sa.Column("operation", code_point_text(), nullable=False),
    sa.Column("target", sa.Text),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("request_id", sa.Text),
    sa.Column("trace_id", sa.Text),
    sa.Index("ix_audit_log_at", "tenant", "at", "city", "uuid"),
    sa.Index("ix_audit_log_subject", "tenant", "subject", "at", "city", "uuid"),
    sa.Index("ix_audit_log_operation", "tenant", "operation", "at", "city", "uuid"),
    sa.Index("ix_audit_log_purge", "at"),
)

_b, _a = backup.c, audit_log.c

BACKUP = (_b.city, _b.uuid, _b.state, _b.started_at, _b.finished_at, _b.size, _b.sha256, _b.verified_at, _b.failure)
ENTRY = (_a.city, _a.uuid, _a.at, _a.subject, _a.operation, _a.target, _a.outcome, _a.request_id, _a.trace_id)


def seen_by(column: ColumnElement[str], tenant: str) -> ColumnElement[bool]:
    """The tenant's own rows, and those of the city itself."""
    return column.in_(_seen(tenant))


def recent_backups(tenant: str, city: str, limit: int) -> sa.Select[Any]:
    mine = (seen_by(_b.tenant, tenant), _b.city == city)
    return sa.select(*BACKUP).where(*mine).order_by(_b.started_at.desc(), _b.uuid.desc()).limit(limit)


def last_times(tenant: str, city: str) -> sa.Select[Any]:
    """When the last success ended, and when a backup was verified last; null where never."""
    success = sa.func.max(sa.case((_b.state == BackupState.SUCCEEDED.value, _b.finished_at)))
    return sa.select(success, sa.func.max(_b.verified_at)).where(seen_by(_b.tenant, tenant), _b.city == city)


def backups_by_keys(tenant: str) -> sa.Select[Any]:
    """The records of the rows (city, uuid) in the parameter `keys`."""
    keys = json_rows("keys", "keys", city=sa.Text, uuid=sa.Uuid)
    same = sa.and_(seen_by(_b.tenant, tenant), _b.city == keys.c.city, _b.uuid == keys.c.uuid)
    return sa.select(*BACKUP).select_from(look_up(keys, backup, same))


def entries_by_keys(tenant: str) -> sa.Select[Any]:
    """The records of the rows (city, uuid) in the parameter `keys`."""
    keys = json_rows("keys", "keys", city=sa.Text, uuid=sa.Uuid)
    same = sa.and_(seen_by(_a.tenant, tenant), _a.city == keys.c.city, _a.uuid == keys.c.uuid)
    return sa.select(*ENTRY).select_from(look_up(keys, audit_log, same))


def last_success_begun(city: str) -> sa.Select[Any]:
    """Of every tenant: one archive holds what all of them have."""
    return sa.select(sa.func.max(_b.started_at)).where(_b.city == city, _b.state == BackupState.SUCCEEDED.value)


def expired_backups(city: str, before: int) -> sa.Select[Any]:
    """Tenant and UUID of what was made before that time, of every tenant."""
    ended = _b.state != BackupState.RUNNING.value
    return sa.select(_b.tenant, _b.uuid).where(_b.city == city, _b.started_at < before, ended).order_by(_b.started_at)


def add_backup(tenant: str, made: Backup) -> sa.Insert:
    return sa.insert(backup).values(tenant=tenant, **_values(made))


def change_backup(tenant: str, made: Backup) -> sa.Update:
    return sa.update(backup).where(seen_by(_b.tenant, tenant), _b.city == made.city, _b.uuid == made.uuid).values(**_values(made))


def fail_running(city: str, at: int, failure: str) -> sa.Update:
    """Of every tenant; for whoever holds the lease, and so knows that nobody makes them any more."""
    running = (_b.city == city, _b.state == BackupState.RUNNING.value)
    return sa.update(backup).where(*running).values(state=BackupState.FAILED.value, finished_at=at, failure=failure)


def settle_backup(city: str, uuid: UUID, made: Mapping[str, Any]) -> sa.Update:
    """Whoever's it is: the store comes from its archive, in which it was not made yet."""
    return sa.update(backup).where(_b.city == city, _b.uuid == uuid).values(**made)


def end_leases() -> sa.Update:
    """For a store that was just restored: whoever held them did so in the store that was backed up."""
    return sa.update(lease).where(lease.c.tenant == SYSTEM).values(until=0)


def forget_backup(city: str, uuid: UUID) -> sa.Delete:
    """Whoever's it is: its archive is gone."""
    return sa.delete(backup).where(_b.city == city, _b.uuid == uuid)


def _values(made: Backup) -> dict[str, Any]:
    return {column.name: getattr(made, column.name) for column in BACKUP} | {"state": made.state.value}


NEWEST_FIRST = ("at", "city", "uuid")


def audit_page(tenant: str, wanted: AuditFilter, window: Window) -> sa.Select[Any]:
    """Each of the two tenants' rows by its own walk through an index: asked for at once they would all be read, and sorted."""
    order = [SortKey(_a[name], descending=True) for name in NEWEST_FIRST]
    walks = [window_of(sa.select(*ENTRY).where(*_audit_conditions(owner, wanted)), order, window) for owner in _seen(tenant)]
    both = sa.union_all(*[sa.select(walk.subquery(f"walk_{place}")) for place, walk in enumerate(walks)]).subquery("both")
    found = [SortKey(both.c[name], descending=True) for name in NEWEST_FIRST]
    return sa.select(both).order_by(*ordering(found, backward=window.backward)).limit(window.limit + 1)


def audit_count(tenant: str, wanted: AuditFilter) -> sa.Select[Any]:
    counts = [sa.select(sa.func.count()).where(*_audit_conditions(owner, wanted)).scalar_subquery() for owner in _seen(tenant)]
    return sa.select(sum(counts[1:], counts[0]))


def _seen(tenant: str) -> tuple[str, ...]:
    return tuple(sorted({SYSTEM, tenant}))


def _audit_conditions(owner: str, wanted: AuditFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [_a.tenant == owner]
    if wanted.cities is not None:
        found.append(_a.city.in_(wanted.cities))
    if wanted.subject is not None:
        found.append(_a.subject == wanted.subject)
    if wanted.operation is not None:
        found.append(_a.operation == wanted.operation)
    if wanted.range is not None:
        found += [_a.at >= wanted.range[0], _a.at < wanted.range[1]]
    return found
