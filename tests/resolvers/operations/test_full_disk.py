"""A backup onto a full disk, which is a real one: a file system of one megabyte in memory."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from resolvers.operations.records import BackupState
from resolvers.stores.engine import Store
from tests.conftest import REQUIRE_SERVICES
from tests.resolvers.operations.conftest import DAY, NOW, Site, dumped_of


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = os.geteuid() == 0 and shutil.which("mount") is not None
    if mounted:
        mounted = (
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False, capture_output=True).returncode == 0
        )
    if not mounted:
        if REQUIRE_SERVICES:
            pytest.fail("a file system of one megabyte can be mounted by root only")
        pytest.skip("only root can mount a file system of one megabyte")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def fill(site: Site, rows: int) -> None:
    """Rows that cannot be compressed to less than 1,500 bytes each."""
    async with site.store.write() as connection:
        await connection.execute(sa.text("CREATE TABLE IF NOT EXISTS noise (tenant text, bytes text)"))
        await connection.execute(
            sa.text("INSERT INTO noise VALUES ('t', :bytes)"), [{"bytes": os.urandom(1_500).hex()} for _ in range(rows)]
        )


async def test_backup_when_the_disk_is_full_then_failed_says_so_and_the_old_one_stays(site: Site, small_disk: Path) -> None:
    """FC-08"""
    there = replace(site, folder=small_disk / "backups")
    old = await there.make()
    await fill(site, 1_000)
    there.at = NOW + 40 * DAY

    failed = await there.make()

    assert failed.state is BackupState.FAILED
    assert failed.failure is not None and failed.failure.startswith("the disk is full: ")
    assert [manifest.uuid for manifest in await there.archives.manifests()] == [old.uuid]
    assert files(small_disk) == ["archive", "manifest.json"]
    assert (await there.verify(old.uuid)).verified_at == there.at


async def test_copy_when_the_disk_is_full_then_failed_says_so_and_nothing_is_left(
    sqlite_store: Store, sqlite_url: str, small_disk: Path, tmp_path: Path
) -> None:
    """SQLite copies its file first."""
    site = Site(sqlite_store, dumped_of(sqlite_url, small_disk / "scratch"), tmp_path / "backups", small_disk / "scratch")
    await fill(site, 1_000)

    failed = await site.make()

    assert (failed.state, failed.failure) == (BackupState.FAILED, "the disk is full: database or disk is full")
    assert files(small_disk) == []
