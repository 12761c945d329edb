"""How backups and the audit log look in GraphQL."""

from typing import TypeAlias
from uuid import UUID

import strawberry

from graph.contracts import AuditOutcome, GlobalId
from graph.rights import Scope, any_of
from resolvers.operations import records
from resolvers.operations.loaders import BackupLoader, EntryLoader
from resolvers.operations.records import BackupState
from subgraphs.connections import Connection
from subgraphs.context import SliceContext
from subgraphs.directives import PersonalData
from subgraphs.node import Node
from subgraphs.scalars import Long, Timestamp

Info: TypeAlias = strawberry.Info[SliceContext, None]

strawberry.enum(BackupState)
strawberry.enum(AuditOutcome)

MANAGE = any_of(Scope.BACKUPS_MANAGE)
AUDIT = any_of(Scope.AUDIT_READ)


@strawberry.federation.type(keys=["id"], requires_scopes=MANAGE)
class Backup(Node):
    id: strawberry.ID
    state: BackupState
    started_at: Timestamp
    finished_at: Timestamp | None
    size: Long | None = strawberry.field(description="Bytes.")
    sha256: str | None
    verified_at: Timestamp | None
    failure: str | None

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Backup | None":
        context = info.context
        key = backup_key(id, context.home_city)
        found = await context.loader("operations.backups", lambda: BackupLoader(context.store, context.tenant)).load(key)
        return None if found is None else backup(found)


@strawberry.federation.type(requires_scopes=MANAGE)
class BackupPayload:
    backup: Backup


@strawberry.federation.type(requires_scopes=MANAGE)
class BackupPolicy:
    schedule: str = strawberry.field(description="A cron expression, UTC.")
    retention_days: int
    location: str


@strawberry.federation.type(requires_scopes=MANAGE)
class BackupStatus:
    last_successful_backup: Timestamp | None
    last_verified_restore: Timestamp | None
    next_backup: Timestamp | None
    policy: BackupPolicy
    recent: list[Backup] = strawberry.field(description="Newest first, at most 30.")


@strawberry.federation.type(keys=["id"], requires_scopes=AUDIT)
class AuditLogEntry(Node):
    id: strawberry.ID
    at: Timestamp
    subject: str = strawberry.federation.field(directives=[PersonalData(pseudonymous=True)])
    operation: str
    target: strawberry.ID | None
    outcome: AuditOutcome
    request_id: str | None
    trace_id: str | None

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "AuditLogEntry | None":
        context = info.context
        entry = GlobalId.parse(id, kind="audit", home_city=context.home_city)
        loader = context.loader("operations.entries", lambda: EntryLoader(context.store, context.tenant))
        found = await loader.load((entry.city, entry.uuid))
        return None if found is None else audit_entry(found)


@strawberry.federation.type(requires_scopes=AUDIT)
class AuditLogEdge:
    cursor: str
    node: AuditLogEntry


def _edges(root: "AuditLogConnection") -> list[AuditLogEdge]:
    listing = root.listing
    return [AuditLogEdge(cursor=listing.cursor(item), node=listing.node(item)) for item in listing.page.items]


def _nodes(root: "AuditLogConnection") -> list[AuditLogEntry]:
    return root.listing.nodes()


@strawberry.federation.type(requires_scopes=AUDIT)
class AuditLogConnection(Connection):
    edges: list[AuditLogEdge] = strawberry.field(resolver=_edges)
    nodes: list[AuditLogEntry] = strawberry.field(resolver=_nodes)


def backup_key(id: str, home_city: str) -> tuple[str, UUID]:
    found = GlobalId.parse(id, kind="backup", home_city=home_city)
    return found.city, found.uuid


def backup(found: records.Backup) -> Backup:
    return Backup(
        id=strawberry.ID(str(GlobalId(found.city, "backup", found.uuid))),
        state=found.state,
        started_at=Timestamp(found.started_at),
        finished_at=_timestamp(found.finished_at),
        size=None if found.size is None else Long(found.size),
        sha256=found.sha256,
        verified_at=_timestamp(found.verified_at),
        failure=found.failure,
    )


def backup_status(found: records.BackupStatus) -> BackupStatus:
    return BackupStatus(
        last_successful_backup=_timestamp(found.last_success),
        last_verified_restore=_timestamp(found.last_verified),
        next_backup=_timestamp(found.next),
        policy=BackupPolicy(schedule=found.policy.schedule, retention_days=found.policy.retention_days, location=found.policy.location),
        recent=[backup(made) for made in found.recent],
    )


def audit_entry(found: records.LoggedEntry) -> AuditLogEntry:
    return AuditLogEntry(
        id=strawberry.ID(str(GlobalId(found.city, "audit", found.uuid))),
        at=Timestamp(found.at),
        subject=found.subject,
        operation=found.operation,
        target=None if found.target is None else strawberry.ID(found.target),
        outcome=found.outcome,
        request_id=found.request_id,
        trace_id=found.trace_id,
    )


def _timestamp(moment: int | None) -> Timestamp | None:
    return None if moment is None else Timestamp(moment)
