"""The subgraph `operations`: the city's backups, and its audit log, which can be read and not changed."""

from functools import cache, partial

import strawberry
from strawberry import UNSET

from graph.errors import BadUserInput, NotFound
from resolvers.operations import commands, queries, records
from resolvers.operations.commands import Operations
from resolvers.operations.records import AuditFilter
from subgraphs.arguments import given
from subgraphs.connections import Cursors, Listing, window
from subgraphs.context import Port, SliceContext
from subgraphs.federation import FederationSchema
from subgraphs.operations import types
from subgraphs.operations.types import (
    AUDIT,
    MANAGE,
    AuditLogConnection,
    AuditLogEntry,
    Backup,
    BackupPayload,
    BackupStatus,
    Info,
    audit_entry,
    backup_key,
)
from subgraphs.values import TimeRangeInput, read_range

OPERATIONS: Port[Operations] = Port("operations.operations")
"""To be connected to the city's backups, which the settings describe."""

MAX_CITIES = 1_000
MAX_TEXT = 512


@strawberry.input
class AuditLogFilter:
    subject: str | None = UNSET
    operation: str | None = UNSET
    range: TimeRangeInput | None = UNSET


@strawberry.input
class RunBackupInput:
    city: strawberry.ID | None = UNSET


@strawberry.input
class VerifyBackupInput:
    id: strawberry.ID


async def _backup_status(info: Info, city: strawberry.ID | None = UNSET) -> BackupStatus | None:
    context = info.context
    if not _is_home(context, given(city)):
        return None
    return types.backup_status(await commands.backup_status(context.service(OPERATIONS), context.tenant, context.now()))


async def _audit_log(
    info: Info,
    cities: list[strawberry.ID] | None = UNSET,
    filter: AuditLogFilter | None = UNSET,
    first: int | None = UNSET,
    after: str | None = UNSET,
    last: int | None = UNSET,
    before: str | None = UNSET,
) -> AuditLogConnection | None:
    context = info.context
    wanted = _read_filter(given(filter), given(cities))
    cursors = Cursors.under("auditLog", "AT_DESC", queries.NEWEST_FIRST, wanted)
    asked = window(cursors, first=given(first), after=given(after), last=given(last), before=given(before))
    page = await queries.audit_log(context.store, context.tenant, wanted, asked)
    count = partial(queries.count_entries, context.store, context.tenant, wanted)
    return AuditLogConnection(listing=Listing(page, cursors, queries.position_of, audit_entry, count))


@strawberry.type
class Query:
    backup_status: BackupStatus | None = strawberry.federation.field(resolver=_backup_status, requires_scopes=MANAGE)
    audit_log: AuditLogConnection | None = strawberry.federation.field(
        resolver=_audit_log, requires_scopes=AUDIT, description="Newest first. Role `admin`."
    )


async def _run_backup(info: Info, input: RunBackupInput) -> BackupPayload | None:
    context, city = info.context, given(input.city)
    if not _is_home(context, city):
        raise NotFound(f"There is no city {city!r} here")
    return _payload(context, await commands.run_backup(context.service(OPERATIONS), context.tenant))


async def _verify_backup(info: Info, input: VerifyBackupInput) -> BackupPayload | None:
    context = info.context
    city, uuid = backup_key(input.id, context.home_city)
    if city != context.home_city:
        raise NotFound(f"There is no backup {input.id!r} here")
    return _payload(context, await commands.verify_backup(context.service(OPERATIONS), context.tenant, uuid))


@strawberry.type
class Mutation:
    run_backup: BackupPayload | None = strawberry.federation.field(
        resolver=_run_backup, requires_scopes=MANAGE, description="Role `admin`."
    )
    verify_backup: BackupPayload | None = strawberry.federation.field(
        resolver=_verify_backup,
        requires_scopes=MANAGE,
        description="Restores the backup into a scratch store, compares it with its manifest, and throws the scratch store away."
        " Role `admin`.",
    )


def _is_home(context: SliceContext, city: str | None) -> bool:
    return city is None or city == context.home_city


def _payload(context: SliceContext, made: records.Backup) -> BackupPayload:
    """What an earlier field of the request has loaded is older than this."""
    context.loaders.pop("operations.backups", None)
    return BackupPayload(backup=types.backup(made))


def _read_filter(sent: AuditLogFilter | None, cities: list[strawberry.ID] | None) -> AuditFilter:
    if cities is not None and len(cities) > MAX_CITIES:
        raise BadUserInput(f"`cities` names {len(cities):,} cities: expected at most {MAX_CITIES:,}")
    named = None if cities is None else tuple(sorted(set(cities)))
    if sent is None:
        return AuditFilter(named)
    within = given(sent.range)
    return AuditFilter(
        cities=named,
        subject=_text("subject", given(sent.subject)),
        operation=_text("operation", given(sent.operation)),
        range=None if within is None else read_range("filter.range", within),
    )


def _text(name: str, value: str | None) -> str | None:
    if value is not None and (len(value) > MAX_TEXT or "\0" in value):
        raise BadUserInput(f"`filter.{name}` has {len(value):,} characters: expected at most {MAX_TEXT}, and no NUL among them")
    return value


@cache
def build() -> FederationSchema:
    return FederationSchema(Query, mutation=Mutation, types=[Backup, AuditLogEntry])
