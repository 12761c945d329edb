"""SQLite on a full disk: the error says so, nothing is half done, and all goes on once there is room."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from graph.errors import Unavailable
from resolvers.stores.engine import Store
from resolvers.telemetry.store import point_table
from tests.conftest import REQUIRE_SERVICES
from tests.resolvers.telemetry.series import measured, store_points

LOT = 500


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        assert not (REQUIRE_SERVICES and os.geteuid() == 0), mounted.stderr
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


async def test_disk_when_it_is_full_then_points_are_refused_whole_and_taken_again_once_there_is_room(
    small_disk: Path, migrated_file: Path
) -> None:
    await asyncio.to_thread(shutil.copy, migrated_file, small_disk / "city.db")
    store = Store(f"sqlite:///{small_disk / 'city.db'}")
    try:
        stored = await _fill(store)
        count = await _count(store)
        await asyncio.to_thread(subprocess.run, ["mount", "-o", "remount,size=8m", small_disk], check=True)
        afterwards = await store_points(store, measured(range(LOT), range(LOT), key="afterwards"))

        assert count == stored
        assert afterwards == LOT
        assert await _count(store) == stored + LOT
    finally:
        await store.close()


async def test_file_when_it_may_not_grow_then_points_are_refused_whole_and_it_can_be_read(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    pages = 200

    @event.listens_for(store.engine.sync_engine, "begin")
    def limit(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    try:
        stored = await _fill(store)
        count = await _count(store)
        pages = 100_000
        afterwards = await store_points(store, measured(range(LOT), range(LOT), key="afterwards"))

        assert count == stored
        assert afterwards == LOT
    finally:
        await store.close()


async def _fill(store: Store) -> int:
    """Stores points until there is no room; returns how many were acknowledged."""
    stored = 0
    with pytest.raises(Unavailable, match="The disk is full"):
        while stored < 1_000_000:
            times = range(stored, stored + LOT)
            stored += await store_points(store, measured(times, times))
    return stored


async def _count(store: Store) -> int:
    async with store.read() as connection:
        return (await connection.execute(sa.select(sa.func.count()).select_from(point_table))).scalar_one()
