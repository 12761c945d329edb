"""Assembly of what a city does for itself: backups, retention, and the audit log, as its settings have them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from graph.config import ConfigError, Settings
from resolvers.annotations import retention as annotations
from resolvers.annotations.directory import ModelAnnotations
from resolvers.models import retention as models
from resolvers.operations import retention as audit_log
from resolvers.operations.archive import Archives
from resolvers.operations.audit import AuditLog
from resolvers.operations.backups import Backups, DumpedStore, epoch_ms
from resolvers.operations.commands import Operations, backup_job, retention_job
from resolvers.operations.postgresql import PostgreSQLStore
from resolvers.operations.records import BackupPolicy
from resolvers.operations.retention import Rule
from resolvers.operations.schedule import NEVER, Cron, Scheduler
from resolvers.operations.sqlite import SQLiteStore
from resolvers.scenarios import retention as scenarios
from resolvers.stores.engine import Store, async_url
from resolvers.stores.idempotency import purge_keys
from resolvers.stores.journal import purge_events
from resolvers.stores.objects import ObjectStore, ObjectStoreUrlError
from resolvers.telemetry import retention as telemetry
from resolvers.telemetry.directory import TelemetryOwners


@dataclass(frozen=True, slots=True)
class CityOperations:
    """Started where a city serves; closed before its store is."""

    audit: AuditLog
    operations: Operations
    scheduler: Scheduler

    async def start(self) -> None:
        await self.operations.backups.settle()
        self.scheduler.start()

    async def close(self) -> None:
        await self.scheduler.stop()
        await self.operations.backups.close()
        await self.audit.close()


def build_operations(settings: Settings, store: Store) -> CityOperations:
    """Raises `ConfigError` for a schedule or a location that cannot be used."""
    audit = AuditLog(store, settings.city_id)
    archives = open_archives(settings)
    backups = Backups(
        store,
        dumped_store(settings.store_url, scratch_folder(settings)),
        archives,
        audit,
        retention_days=settings.backup_retention_days,
        scratch=scratch_folder(settings),
    )
    cron = read_schedule("CITYGRAPH_BACKUP_SCHEDULE", settings.backup_schedule)
    policy = BackupPolicy("" if cron is None else cron.expression, settings.backup_retention_days, shown_location(settings))
    operations = Operations(store, backups, policy, cron)
    jobs = [] if cron is None else [backup_job(operations, cron)]
    daily = read_schedule("CITYGRAPH_RETENTION_SCHEDULE", settings.retention_schedule)
    if daily is not None:
        jobs.append(retention_job(store, retention_rules(settings), audit, daily, epoch_ms))
    return CityOperations(audit, operations, Scheduler(store, jobs, now=epoch_ms))


def retention_rules(settings: Settings) -> Sequence[Rule]:
    """What goes in which order: a scenario takes its points with it, a model what was said of it."""
    return (
        Rule("telemetry", telemetry.purge, months=settings.retention_telemetry_months),
        Rule("scenarios", partial(_scenarios_before, TelemetryOwners()), months=settings.retention_scenarios_months),
        Rule("models", partial(_models_before, ModelAnnotations(settings.city_id)), months=settings.retention_models_months),
        Rule("annotations", annotations.purge, months=settings.retention_annotations_months),
        Rule("audit", audit_log.purge, months=settings.retention_audit_months),
        Rule("events", purge_events, days=settings.retention_events_days),
        Rule("keys", purge_keys, days=settings.retention_keys_days),
    )


async def _scenarios_before(points: TelemetryOwners, store: Store, before: int) -> int:
    return await scenarios.purge(store, points, before)


async def _models_before(dependants: ModelAnnotations, store: Store, before: int) -> int:
    return await models.purge(store, before, dependants)


def open_archives(settings: Settings) -> Archives:
    """Raises `ConfigError` where the location is none."""
    try:
        return Archives(ObjectStore.open(settings.backup_location), settings.city_id)
    except ObjectStoreUrlError as error:
        raise ConfigError(f"CITYGRAPH_BACKUP_URL: {error}") from None


def dumped_store(url: str, scratch: Path) -> DumpedStore:
    """The store at that address. `scratch` is a folder with room for a store."""
    address = make_url(url)
    if async_url(url).get_backend_name() == "postgresql":
        return PostgreSQLStore(address)
    return SQLiteStore(address, scratch)


def scratch_folder(settings: Settings) -> Path:
    return settings.data_dir / "scratch"


def read_schedule(variable: str, expression: str) -> Cron | None:
    try:
        return Cron.parse(expression)
    except ValueError as error:
        raise ConfigError(f"{variable}: {error}, e.g. `0 2 * * *`, or `{NEVER}`") from None


def shown_location(settings: Settings) -> str:
    """Where backups are kept, without options."""
    parts = urlsplit(settings.backup_location)
    return parts._replace(query="", fragment="").geturl() if parts.scheme else settings.backup_location
