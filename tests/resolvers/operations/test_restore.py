"""Putting a backup back: into an empty store, in place of another, and never by mistake; on both stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from graph.contracts import AuditOutcome
from graph.errors import Conflict, Unavailable
from resolvers.cities.commands import ensure_city
from resolvers.cities.queries import cities_by_id
from resolvers.operations import postgresql, queries
from resolvers.operations.archive import nobody_watches
from resolvers.operations.backups import note_restored, restore_archive
from resolvers.operations.records import AuditFilter, BackupState
from resolvers.operations.sqlite import SQLiteStore
from resolvers.stores.engine import Store, async_url
from resolvers.stores.paging import Window
from resolvers.stores.revision import newest_revision, stored_revision
from tests.fakes.postgresql import PostgreSQL
from tests.resolvers.operations.conftest import CITY, NOW, TENANT, Site, dumped_of


@pytest.fixture
def empty_url(store_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database of the same engine that holds nothing."""
    if async_url(store_url).get_backend_name() == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'city.db'}"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    name = server.create()
    yield server.url(name)
    server.drop(name)


async def restore(site: Site, url: str, *, force: bool = False) -> None:
    (newest, *_) = await site.archives.manifests()
    await restore_archive(site.archives, newest, dumped_of(url, site.scratch), site.scratch, nobody_watches, force=force)


async def name_of(url: str) -> str:
    store = Store(url)
    try:
        assert await stored_revision(store) == newest_revision()
        return (await cities_by_id(store, TENANT, [CITY]))[CITY].name
    finally:
        await store.close()


async def test_backup_when_restored_into_an_empty_store_then_it_is_the_same(site: Site, empty_url: str) -> None:
    """FC-08"""
    await ensure_city(site.store, tenant=TENANT, id=CITY, name="Helsinki")
    made = await site.make()
    await ensure_city(site.store, tenant=TENANT, id=CITY, name="Helsingfors")

    await restore(site, empty_url)

    assert await name_of(empty_url) == "Helsinki"
    restored = Store(empty_url)
    await note_restored(restored, await site.archives.manifest(made.uuid), NOW + 7)
    (known,), success, _ = await queries.backup_history(restored, TENANT, CITY)
    (entry,) = (await queries.audit_log(restored, TENANT, AuditFilter(), Window(10))).items
    assert (known.uuid, known.state, known.sha256, success) == (made.uuid, BackupState.SUCCEEDED, made.sha256, NOW + 7)
    assert (entry.operation, entry.target, entry.outcome) == ("backup.restore", f"{CITY}/backup/{made.uuid}", AuditOutcome.ALLOWED)
    await restored.close()


async def test_backup_when_the_store_has_tables_then_refused_unless_forced(site: Site, store_url: str) -> None:
    """FC-08"""
    await ensure_city(site.store, tenant=TENANT, id=CITY, name="Helsinki")
    await site.make()
    await ensure_city(site.store, tenant=TENANT, id=CITY, name="Helsingfors")
    async with site.store.write() as connection:
        await connection.execute(sa.text("CREATE TABLE of_a_newer_version (x integer)"))

    with pytest.raises(Conflict, match="--force puts the backup in"):
        await restore(site, store_url)
    assert await name_of(store_url) == "Helsingfors"

    await restore(site, store_url, force=True)
    assert await name_of(store_url) == "Helsinki"
    async with site.store.read() as connection:
        assert "of_a_newer_version" not in await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())


async def test_store_when_in_use_then_it_sees_the_restored_state(site: Site, store_url: str) -> None:
    await ensure_city(site.store, tenant=TENANT, id=CITY, name="Helsinki")
    made = await site.make()
    await ensure_city(site.store, tenant=TENANT, id=CITY, name="Helsingfors")

    await restore(site, store_url, force=True)
    await note_restored(site.store, await site.archives.manifest(made.uuid), NOW)

    assert (await cities_by_id(site.store, TENANT, [CITY]))[CITY].name == "Helsinki"
    await ensure_city(site.store, tenant=TENANT, id=CITY, name="Stadi")
    assert (await site.make()).state is BackupState.SUCCEEDED


async def test_backup_when_of_another_engine_then_refused(site: Site, sqlite_url: str, tmp_path: Path) -> None:
    made = await site.make()
    manifest = await site.archives.manifest(made.uuid)
    other = dumped_of("postgresql://nobody@127.0.0.1:1/nothing" if manifest.engine == "sqlite" else sqlite_url, tmp_path)

    with pytest.raises(Conflict, match=f"the backup is of a {manifest.engine} store and cannot become one of {other.engine}"):
        await restore_archive(site.archives, manifest, other, site.scratch, nobody_watches, force=True)


async def test_file_when_it_is_no_store_then_it_stays(site: Site, tmp_path: Path) -> None:
    if site.store.dialect != "sqlite":
        pytest.skip("a file is an SQLite store")
    await site.make()
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Ada, " * 1_000)

    with pytest.raises(Conflict, match="is no SQLite store"):
        await restore(site, f"sqlite:///{letter}")
    assert letter.read_text().startswith("Dear Ada, Dear Ada")


async def test_store_when_in_memory_then_unavailable_says_why(site: Site) -> None:
    there = dumped_of("sqlite://", site.scratch)
    assert isinstance(there, SQLiteStore)

    with pytest.raises(Unavailable, match="a store in memory cannot be backed up"):
        _ = there.file


async def test_database_when_it_cannot_be_reached_then_unavailable_without_its_password(site: Site) -> None:
    there = dumped_of("postgresql://ada:geheim@127.0.0.1:1/city", site.scratch)

    with pytest.raises(Unavailable) as raised:
        async with there.snapshot(nobody_watches):
            pass

    assert raised.value.detail == "the database 'city' cannot be used: The store cannot be reached: try again later"
    assert "geheim" not in repr(there) + str(raised.value)


async def test_database_when_there_is_none_then_unavailable_says_so(postgresql_url: str, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="the database 'nowhere' cannot be used: database \"nowhere\" does not exist"):
        await dumped_of(postgresql_url.rpartition("/")[0] + "/nowhere", tmp_path).restore(tmp_path, nobody_watches, force=True)


async def test_program_when_missing_then_unavailable_names_it(
    postgresql_store: Store, postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "_installed", lambda name: {})
    with pytest.raises(Unavailable, match="pg_dump is not installed: PostgreSQL's client programs of version 15 or newer are needed"):
        async with dumped_of(postgresql_url, tmp_path).snapshot(nobody_watches):
            pass

    monkeypatch.setattr(postgresql, "_installed", lambda name: {13: Path("/pg/13"), 14: Path("/pg/14")})
    with pytest.raises(Unavailable, match="pg_dump is only of version 14"):
        async with dumped_of(postgresql_url, tmp_path).snapshot(nobody_watches):
            pass
