"""Backups that are made and verified, on both stores."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from graph.contracts import AuditOutcome
from graph.errors import Conflict, NotFound
from resolvers.cities.commands import ensure_city
from resolvers.operations import queries
from resolvers.operations.leases import Lease
from resolvers.operations.records import SYSTEM, BackupState
from resolvers.stores.revision import newest_revision
from tests.resolvers.operations.conftest import CITY, NOW, TENANT, Site


async def test_backup_when_made_and_verified_then_it_holds_what_the_store_held(site: Site) -> None:
    """FC-08, TC-09"""
    await ensure_city(site.store, tenant=TENANT, id=CITY, name="Helsinki")
    made = await site.make()
    site.at = NOW + 1_000

    verified = await site.verify(made.uuid)

    manifest = await site.archives.manifest(made.uuid)
    assert (made.state, made.failure, made.started_at, made.finished_at) == (BackupState.SUCCEEDED, None, NOW, NOW)
    assert (made.size, made.sha256) == (site.archive(made.uuid).stat().st_size, manifest.archive_sha256)
    assert verified.verified_at == NOW + 1_000
    assert await site.row(made.uuid) == verified
    assert (manifest.engine, manifest.revision, manifest.city) == (site.store.dialect, newest_revision(), CITY)
    assert [manifest.tables[name].rows for name in ("city", "backup", "alembic_version", "audit_log")] == [1, 1, 1, 0]


async def test_manifest_when_a_row_differs_then_its_table_alone_has_another_hash(site: Site) -> None:
    await ensure_city(site.store, tenant=TENANT, id=CITY, name="Helsinki")
    before = await site.archives.manifest((await site.make()).uuid)
    await ensure_city(site.store, tenant=TENANT, id=CITY, name="Helsinkj")
    after = await site.archives.manifest((await site.make()).uuid)

    changed = {name for name, content in before.tables.items() if after.tables[name] != content}

    assert changed == {"city", "backup", "lease"}
    assert after.tables["city"].rows == before.tables["city"].rows == 1


async def test_manifest_when_tables_are_counted_then_none_of_the_store_is_missing(site: Site) -> None:
    manifest = await site.archives.manifest((await site.make()).uuid)

    async with site.store.read() as connection:
        names = await connection.run_sync(lambda sync: set(sa.inspect(sync).get_table_names()))

    missing = names - set(manifest.tables)
    # PostGIS's own table, and the parts of tables: an R*Tree's, and those of a month's telemetry.
    assert {
        name for name in missing if name != "spatial_ref_sys" and not name.startswith(("city_object_geometry_rt_", "telemetry_point_"))
    } == set()


def cut(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-100])


def alter(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)


def remove(archive: Path) -> None:
    archive.unlink()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [(cut, "bytes, where its manifest says"), (alter, "the archive's SHA-256 is"), (remove, "the archive is missing")],
)
async def test_verification_when_the_archive_is_damaged_then_refused_and_the_backup_failed(
    site: Site, damage: Callable[[Path], None], reason: str
) -> None:
    """FC-08"""
    made = await site.make()
    whole = site.archive(made.uuid).read_bytes()
    damage(site.archive(made.uuid))

    with pytest.raises(Conflict, match=reason) as raised:
        await site.verify(made.uuid)

    assert raised.value.extensions == {"backup": f"{CITY}/backup/{made.uuid}"}
    row = await site.row(made.uuid)
    assert (row.state, row.verified_at) == (BackupState.FAILED, None)
    assert row.failure is not None and reason in row.failure

    site.archive(made.uuid).write_bytes(whole)
    assert (await site.verify(made.uuid)).state is BackupState.SUCCEEDED
    assert (await site.row(made.uuid)).failure is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rows": 7}, "the table city has 1 rows, where the manifest says 7"),
        ({"hash": "0" * 64}, "the rows of the table city are not those of the manifest"),
    ],
)
async def test_verification_when_a_table_is_not_that_of_the_manifest_then_refused(site: Site, change: dict[str, Any], reason: str) -> None:
    """FC-08"""
    await ensure_city(site.store, tenant=TENANT, id=CITY, name="Helsinki")
    made = await site.make()
    path = site.archive(made.uuid).with_name("manifest.json")
    told = json.loads(path.read_text())
    told["tables"]["city"] |= change
    path.write_text(json.dumps(told))

    with pytest.raises(Conflict, match=reason):
        await site.verify(made.uuid)


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2}', '{"format": 1}', "{" * 5_000])
async def test_verification_when_the_manifest_cannot_be_read_then_refused(site: Site, text: str) -> None:
    made = await site.make()
    site.archive(made.uuid).with_name("manifest.json").write_text(text)

    with pytest.raises(Conflict, match="the manifest cannot be read"):
        await site.verify(made.uuid)


async def test_verification_when_done_then_nothing_is_left_of_the_scratch_store(site: Site) -> None:
    await site.verify((await site.make()).uuid)

    assert list(site.scratch.iterdir()) == []
    if site.store.dialect == "postgresql":
        async with site.store.read() as connection:
            names = await connection.execute(sa.text("SELECT datname FROM pg_database WHERE starts_with(datname, 'citygraph_verify')"))
            assert names.all() == []


async def test_verification_when_the_backup_is_unknown_or_anothers_then_not_found(site: Site) -> None:
    made = await site.make()

    with pytest.raises(NotFound):
        await site.verify(uuid4())
    with pytest.raises(NotFound):
        await site.verify(made.uuid, tenant="espoo")
    assert (await site.verify((await site.make(SYSTEM)).uuid, tenant="espoo")).verified_at == NOW


async def test_backup_when_another_is_being_made_then_conflict_names_it(site: Site) -> None:
    backups = site.backups()
    uuid, task = await backups.begin(TENANT)

    with pytest.raises(Conflict, match="one at a time") as raised:
        await backups.begin(TENANT)
    with pytest.raises(Conflict, match="one at a time"):
        await site.backups().begin(TENANT)

    assert raised.value.extensions == {"backup": f"{CITY}/backup/{uuid}", "startedAt": NOW}
    assert (await task).state is BackupState.SUCCEEDED
    assert (await site.make()).state is BackupState.SUCCEEDED


async def test_backup_when_its_process_died_then_the_next_one_says_so(site: Site) -> None:
    died = Lease(site.store, "backup", seconds=0.2)
    dead = site.backups()
    uuid, task = await dead.begin(TENANT)
    await task
    async with site.store.write() as connection:
        await connection.execute(sa.text("UPDATE backup SET state = 'RUNNING', finished_at = NULL"))
    assert await died.acquire()

    await site.backups().settle()
    assert (await site.row(uuid)).state is BackupState.RUNNING

    await asyncio.sleep(0.3)
    await site.backups().settle()
    row = await site.row(uuid)
    assert (row.state, row.finished_at) == (BackupState.FAILED, NOW)
    assert row.failure == "the process that made it ended before it was done"


async def test_backup_when_its_process_is_stopped_then_failed_and_nothing_is_left(site: Site) -> None:
    backups = site.backups()
    uuid, _ = await backups.begin(TENANT)
    await asyncio.sleep(0)

    await backups.close()

    row = await site.row(uuid)
    assert (row.state, row.failure) == (BackupState.FAILED, "it was ended with its process")
    assert not site.archive(uuid).exists()
    assert not site.scratch.exists() or list(site.scratch.iterdir()) == []
    assert (await site.make()).state is BackupState.SUCCEEDED


async def test_backup_when_asked_by_nobody_then_the_audit_log_has_it(site: Site) -> None:
    made = await site.make(SYSTEM)
    await site.make(TENANT)

    (entry,) = site.audit.entries
    assert (entry.tenant, entry.subject, entry.operation) == (SYSTEM, "system", "backup.run")
    assert (entry.target, entry.outcome) == (f"{CITY}/backup/{made.uuid}", AuditOutcome.ALLOWED)


async def test_history_when_backups_of_others_are_there_then_own_and_the_citys_are_seen(site: Site) -> None:
    for tenant in (TENANT, SYSTEM, "espoo"):
        site.at += 1_000
        await site.make(tenant)

    recent, success, verified = await queries.backup_history(site.store, TENANT, CITY)

    assert [backup.started_at for backup in recent] == [NOW + 2_000, NOW + 1_000]
    assert (success, verified) == (NOW + 2_000, None)
