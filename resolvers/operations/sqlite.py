"""Backing up and restoring an SQLite store, by SQLite's own backup interface.

The copy is made inside one read transaction: in WAL mode it sees one state of the store and hinders no writer, and no writer makes it
start again, as it would between two steps of a copy without one. Counts and hashes are those of the finished copy.
All of it runs in threads, which stop where the task that waits for them is cancelled.
"""

import asyncio
import hashlib
import shutil
import sqlite3
import tempfile
import threading
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import URL

from graph.errors import Conflict, Unavailable
from resolvers.operations.archive import ArchiveDamagedError, Progress
from resolvers.operations.records import Content, TableContent

__all__ = ["SQLiteStore"]

ENGINE = "sqlite"
_PAGES = 1_024
_ROWS = 200
_PIECE = 1_048_576
_BUSY_MS = 30_000

Result = TypeVar("Result")


class _StoppedError(Exception):
    """Nobody waits for the result any more."""


@dataclass(frozen=True, slots=True)
class SQLiteStore:
    """The store in a file. `scratch` is a folder with room for as much again."""

    address: URL
    scratch: Path
    engine = ENGINE

    @property
    def file(self) -> Path:
        """Raises `Unavailable` where the store is in memory."""
        name = self.address.database
        if not name or name == ":memory:" or "mode=memory" in name:
            raise Unavailable("a store in memory cannot be backed up: it has no file")
        return Path(name)

    @asynccontextmanager
    async def snapshot(self, progress: Progress) -> AsyncIterator[tuple[Content, AsyncIterator[bytes]]]:
        """What the store holds at one moment, and its archive in pieces."""
        with _folder(self.scratch) as folder:
            copy = folder / "copy.db"
            await _in_thread(lambda stop: _copy(self.file, copy, _told(progress, "copying"), stop))
            content = await _in_thread(lambda stop: _content(copy, progress, stop))
            async with aclosing(_compressed(copy, content.size, progress)) as archive:
                yield content, archive

    async def check(self, archive: Path, progress: Progress) -> Content:
        """What a store holds that is made of the archive; it is gone when this returns. Raises `ArchiveDamagedError`."""
        with _folder(self.scratch) as folder:
            restored = folder / "restored.db"
            await _in_thread(lambda stop: _decompress(archive, restored, stop))
            return await _in_thread(lambda stop: _checked(restored, progress, stop))

    async def restore(self, archive: Path, progress: Progress, *, force: bool) -> Content:
        """Puts the archive's content in place of this store's, which readers see at once or not at all."""
        if await asyncio.to_thread(_has_tables, self.file) and not force:
            raise Conflict(f"{self.file} is a store with tables: --force puts the backup in their place")
        with _folder(self.scratch) as folder:
            restored = folder / "restored.db"
            await _in_thread(lambda stop: _decompress(archive, restored, stop))
            content = await _in_thread(lambda stop: _checked(restored, progress, stop))
            await asyncio.to_thread(self.file.parent.mkdir, parents=True, exist_ok=True)
            await _in_thread(lambda stop: _copy(restored, self.file, _told(progress, "restoring"), stop))
            return content


@dataclass(frozen=True, slots=True)
class _Folder:
    path: Path

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def _folder(parent: Path) -> _Folder:
    parent.mkdir(parents=True, exist_ok=True)
    return _Folder(Path(tempfile.mkdtemp(prefix="backup-", dir=parent)))


async def _in_thread(work: Callable[[threading.Event], Result]) -> Result:
    """Waits for the thread's end even where this is cancelled: files that it uses may be removed after that."""
    stop = threading.Event()
    running = asyncio.ensure_future(asyncio.to_thread(work, stop))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.gather(running, return_exceptions=True)
        raise


def _told(progress: Progress, stage: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(done, total, stage)


def _copy(source: Path, target: Path, progress: Callable[[int, int], None], stop: threading.Event) -> None:
    """All of `target` is replaced, in one transaction of its own."""

    def told(_status: int, remaining: int, total: int) -> None:
        if stop.is_set():
            raise _StoppedError
        progress(total - remaining, total)

    with closing(_connect(source)) as live, closing(_connect(target)) as copy:
        live.execute("BEGIN")
        live.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # from here on the transaction sees one state
        live.backup(copy, pages=_PAGES, progress=told)


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    return connection


def _checked(file: Path, progress: Progress, stop: threading.Event) -> Content:
    try:
        with closing(_unchanging(file)) as connection:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != b"ok":
            raise ArchiveDamagedError(f"the restored store is not sound: {found.decode('utf-8', 'replace')}")
        return _content(file, progress, stop)
    except sqlite3.DatabaseError as error:
        raise ArchiveDamagedError(f"the archive holds no store: {error}") from None


def _content(file: Path, progress: Progress, stop: threading.Event) -> Content:
    with closing(_unchanging(file)) as connection:
        listed = connection.execute("SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual')")
        kinds = {name.decode(): kind for name, kind in listed if not name.startswith(b"sqlite_")}
        tables = {}
        for place, name in enumerate(sorted(kinds)):
            tables[name] = _table(connection, name, kinds[name] == b"virtual", stop)
            progress(place + 1, len(kinds), "hashing")
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0].decode()
    return Content(revision, file.stat().st_size, tables)


def _table(connection: sqlite3.Connection, name: str, virtual: bool, stop: threading.Event) -> TableContent:
    """Rows in the order in which the table keeps them, whatever indexes it has."""
    quoted = name.replace('"', '""')
    cursor = connection.execute(f'SELECT * FROM "{quoted}"' + ("" if virtual else " NOT INDEXED"))
    digest, rows = hashlib.sha256(), 0
    # Few at a time: the thread holds the interpreter for as long as it prints them.
    while lot := cursor.fetchmany(_ROWS):
        if stop.is_set():
            raise _StoppedError
        digest.update(repr(lot).encode())
        rows += len(lot)
    return TableContent(rows, digest.hexdigest())


def _unchanging(file: Path) -> sqlite3.Connection:
    """A store that nobody writes: SQLite then needs no files beside it. Text comes as bytes, which cannot be misread."""
    connection = sqlite3.connect(f"{file.resolve().as_uri()}?immutable=1", uri=True, isolation_level=None)
    connection.text_factory = bytes
    return connection


def _has_tables(file: Path) -> bool:
    if not file.exists() or file.stat().st_size == 0:
        return False
    try:
        with closing(_connect(file)) as connection:
            return bool(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])
    except sqlite3.DatabaseError:
        raise Conflict(f"{file} is there and is no SQLite store") from None


async def _compressed(file: Path, total: int, progress: Progress) -> AsyncGenerator[bytes]:
    """The file as gzip, the same bytes for the same file."""
    packer, done = zlib.compressobj(6, wbits=31), 0
    with file.open("rb") as source:
        while piece := await asyncio.to_thread(source.read, _PIECE):
            if packed := await asyncio.to_thread(packer.compress, piece):
                yield packed
            done += len(piece)
            progress(done, total, "compressing")
    yield packer.flush()


def _decompress(archive: Path, target: Path, stop: threading.Event) -> None:
    with target.open("wb") as file:
        for piece in _unpacked(archive):
            if stop.is_set():
                raise _StoppedError
            file.write(piece)


def _unpacked(archive: Path) -> Iterator[bytes]:
    """Raises `ArchiveDamagedError` where the file is not one whole gzip stream."""
    unpacker = zlib.decompressobj(wbits=31)
    with archive.open("rb") as source:
        while packed := source.read(_PIECE):
            while packed and not unpacker.eof:
                try:
                    yield unpacker.decompress(packed, _PIECE)
                except zlib.error:
                    raise ArchiveDamagedError("the archive is no gzip stream") from None
                packed = unpacker.unconsumed_tail
    if not unpacker.eof:
        raise ArchiveDamagedError("the archive ends too early")
