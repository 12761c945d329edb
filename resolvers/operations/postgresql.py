"""Backing up and restoring a PostgreSQL store, by its own `pg_dump` and `pg_restore`.

Counts, hashes and dump are of one snapshot, which the hashing transaction exports to `pg_dump`. Tables are hashed inside the server:
no row travels. Addresses and passwords reach the programs by their environment, never by their command line.
"""

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg  # type: ignore[import-untyped]
import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.errors import CityGraphError, Conflict, Unavailable
from resolvers.operations.archive import ArchiveDamagedError, Progress
from resolvers.operations.records import Content, TableContent
from resolvers.stores.engine import Store

__all__ = ["PostgreSQLStore"]

ENGINE = "postgresql"
_PIECE = 1_048_576
_SAID = 2_000
_SSL_MODES = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
_LIBPQ = {"PGSERVICE", "PGOPTIONS", "PGHOSTADDR", "PGDATABASE", "PGHOST", "PGPORT", "PGUSER", "PGPASSWORD"}

_TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2
"""
# The sum of hashes is the same in whatever order the rows are read. `sum` of bigint is numeric, which does not overflow.
_TABLE = """
SELECT count(*), coalesce(sum(('x' || encode(substr(hash, 1, 8), 'hex'))::bit(64)::bigint), 0)::text,
       coalesce(sum(('x' || encode(substr(hash, 9, 8), 'hex'))::bit(64)::bigint), 0)::text
FROM (SELECT sha256(convert_to(citygraph_row::text, 'UTF8')) AS hash FROM {table} AS citygraph_row) AS hashed
"""
# How values are printed, so that a row has one text whatever the server's or the role's settings are.
_PRINTING = (
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    "SET LOCAL extra_float_digits = 1",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL DateStyle = 'ISO, YMD'",
    "SET LOCAL IntervalStyle = 'postgres'",
    "SET LOCAL TimeZone = 'UTC'",
)
_SCRATCH = """
SELECT format('CREATE DATABASE %I TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L',
              CAST(:name AS text), pg_encoding_to_char(encoding), datcollate, datctype)
FROM pg_database WHERE datname = current_database()
"""


@dataclass(frozen=True, slots=True)
class PostgreSQLStore:
    """The store in a database. Verifying needs a role that may create databases, and PostGIS in them."""

    address: URL
    engine = ENGINE

    @asynccontextmanager
    async def snapshot(self, progress: Progress) -> AsyncIterator[tuple[Content, AsyncIterator[bytes]]]:
        """What the store holds at one moment, and its archive in pieces."""
        async with _opened(self.address) as store, store.read() as connection:
            exported = (await connection.execute(sa.text("SELECT pg_export_snapshot()"))).scalar_one()
            dump = await _program("pg_dump", await _server_version(connection))
            content = await _content(connection, progress)
            arguments = ("--format=custom", "--no-owner", "--no-privileges", f"--snapshot={exported}", "--lock-wait-timeout=60000")
            async with aclosing(_output(dump, arguments, _environment(self.address), content.size, progress)) as archive:
                yield content, archive

    async def check(self, archive: Path, progress: Progress) -> Content:
        """What a store holds that is made of the archive; it is gone when this returns. Raises `ArchiveDamagedError`."""
        async with self._scratch_database() as (scratch, version):
            try:
                await _restore(archive, scratch, version, progress)
            except _ProgramFailedError as error:
                raise ArchiveDamagedError(f"the archive cannot be restored: {error}") from None
            async with _opened(scratch) as store, store.read() as connection:
                return await _content(connection, progress)

    async def restore(self, archive: Path, progress: Progress, *, force: bool) -> Content:
        """Puts the archive's content in place of this store's, in one transaction."""
        async with _opened(self.address) as store:
            async with store.read() as connection:
                version = await _server_version(connection)
                filled = (await connection.execute(sa.text(_TABLES))).first() is not None
            if filled and not force:
                raise Conflict(f"the database {self.address.database!r} has tables: --force puts the backup in their place")
            try:
                await _restore(archive, self.address, version, progress, replacing=filled)
            except _ProgramFailedError as error:
                raise Unavailable(f"the backup cannot be restored: {error}") from None
            async with store.read() as connection:
                return await _content(connection, progress)

    @asynccontextmanager
    async def _scratch_database(self) -> AsyncIterator[tuple[URL, int]]:
        """A database beside the store's that is dropped at the block's end, with what a killed process left of its own."""
        async with _opened(self.address) as store:
            async with store.engine.connect() as plain:
                connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
                family = f"citygraph_verify_{blake2b(str(self.address.database).encode(), digest_size=6).hexdigest()}"
                left = await connection.execute(
                    sa.text("SELECT datname FROM pg_database WHERE starts_with(datname, :family)"), {"family": family}
                )
                for name in left.scalars().all():
                    await _drop(connection, name)
                name = f"{family}_{uuid4().hex[:8]}"
                version = await _server_version(connection)
                await _create(connection, name)
            try:
                yield self.address.set(database=name), version
            finally:
                async with store.engine.connect() as plain:
                    await _drop(await plain.execution_options(isolation_level="AUTOCOMMIT"), name)


class _ProgramFailedError(Exception):
    """A program of PostgreSQL's ended with an error; the message is its last words."""


@asynccontextmanager
async def _opened(address: URL) -> AsyncIterator[Store]:
    """Connections of the backup's own: it takes none of the requests', and its statements may take long. Raises `Unavailable`."""
    store = Store(address.render_as_string(hide_password=False), command_timeout=None)
    try:
        await _check_reachable(store, address)
        yield store
    finally:
        await store.close()


async def _check_reachable(store: Store, address: URL) -> None:
    try:
        async with store.read() as connection:
            await connection.execute(sa.text("SELECT 1"))
    except (CityGraphError, sa.exc.SQLAlchemyError, asyncpg.PostgresError, OSError) as error:
        raise Unavailable(f"the database {address.database!r} cannot be used: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """The server's own words, without the statement and its parameters."""
    told = str(getattr(error, "orig", None) or error)
    return (told.splitlines() or [type(error).__name__])[0].rpartition(">: ")[2][:300]


async def _create(connection: AsyncConnection, name: str) -> None:
    statement = (await connection.execute(sa.text(_SCRATCH), {"name": name})).scalar_one()
    try:
        await connection.execute(sa.text(statement))
    except sa.exc.ProgrammingError as error:
        raise Unavailable(f"a backup is verified in a database of its own, which cannot be made: {_reason(error)}") from None


async def _drop(connection: AsyncConnection, name: str) -> None:
    await connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


async def _content(connection: AsyncConnection, progress: Progress) -> Content:
    for setting in _PRINTING:
        await connection.execute(sa.text(setting))
    names = (await connection.execute(sa.text(_TABLES))).all()
    tables = {}
    for place, (schema, name) in enumerate(names):
        quoted = ".".join('"' + part.replace('"', '""') + '"' for part in (schema, name))
        # As it is: a colon in a name is none of SQLAlchemy's parameters.
        found: Sequence[Any] = (await connection.exec_driver_sql(_TABLE.format(table=quoted))).one()
        digest = f"{int(found[1]) % 2**64:016x}{int(found[2]) % 2**64:016x}"
        tables[name if schema == "public" else f"{schema}.{name}"] = TableContent(found[0], digest)
        progress(place + 1, len(names), "hashing")
    revision = (await connection.execute(sa.text("SELECT version_num FROM alembic_version"))).scalar_one()
    size = (await connection.execute(sa.text("SELECT pg_database_size(current_database())"))).scalar_one()
    return Content(revision, size, tables)


async def _server_version(connection: AsyncConnection) -> int:
    """The major version, e.g. 15."""
    number = (await connection.execute(sa.text("SELECT current_setting('server_version_num')::int"))).scalar_one()
    return int(number) // 10_000


async def _program(name: str, server: int) -> Path:
    """The oldest that knows this server's version; raises `Unavailable` where there is none."""
    versions = await asyncio.to_thread(_installed, name)
    fitting = sorted(version for version in versions if version >= server)
    if not fitting:
        found = f"only of version {max(versions)}" if versions else "not installed"
        raise Unavailable(f"{name} is {found}: PostgreSQL's client programs of version {server} or newer are needed")
    return versions[fitting[0]]


def _installed(name: str) -> dict[int, Path]:
    """The program by its major version; the one that the shell would take first where there are several."""
    on_path = shutil.which(name)
    found = [path for root in ("/usr/lib/postgresql", "/usr") for path in Path(root).glob(f"*/bin/{name}")]
    return {_program_version(path): path for path in [*found, *([Path(on_path)] if on_path else [])]}


def _program_version(path: Path) -> int:
    """From its folder's name, or else as the program itself says; 0 where neither tells."""
    folder = re.search(r"(\d+)/bin/", str(path.resolve()))
    if folder:
        return int(folder[1])
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=10).stdout
    number = re.search(r"\) (\d+)", told)
    return int(number[1]) if number else 0


def _environment(address: URL) -> Mapping[str, str]:
    """What libpq reads. Certificates and the like stay as the process has them."""
    told = {
        "PGHOST": address.host or str(address.query.get("host", "")),
        "PGPORT": str(address.port or ""),
        "PGUSER": address.username or "",
        "PGDATABASE": address.database or "",
        "PGPASSWORD": str(address.password or ""),
        "PGAPPNAME": "citygraph backup",
    }
    mode = str(address.query.get("sslmode") or address.query.get("ssl") or "")
    if mode in _SSL_MODES:
        told["PGSSLMODE"] = mode
    elif mode == "true":
        told["PGSSLMODE"] = "require"
    inherited = {name: value for name, value in os.environ.items() if name not in _LIBPQ}
    return {**inherited, **{name: value for name, value in told.items() if value}, "LC_MESSAGES": "C"}


async def _output(
    program: Path, arguments: tuple[str, ...], environment: Mapping[str, str], total: int, progress: Progress
) -> AsyncGenerator[bytes]:
    """What the program prints, piece by piece; raises `Unavailable` where it fails, after the last piece.

    How much that will be is not known: `total` is what it is less than, being compressed.
    """
    async with _running(program, "--no-password", *arguments, env=environment, stdin=DEVNULL, stdout=PIPE) as (process, says):
        assert process.stdout is not None
        done = 0
        while piece := await process.stdout.read(_PIECE):
            yield piece
            done += len(piece)
            progress(min(done, total - 1), total, "dumping")
        if await process.wait() != 0:
            raise Unavailable(f"pg_dump failed: {await says}")
        progress(total, total, "dumping")


async def _restore(archive: Path, address: URL, version: int, progress: Progress, *, replacing: bool = False) -> None:
    """In one transaction; `replacing` drops first what stands in the schema `public`. Raises `_ProgramFailedError`."""
    restore, psql = await _program("pg_restore", version), await _program("psql", version)
    script = ("--no-owner", "--no-privileges", "--no-comments", "--file=-", str(archive))
    first = ("--command=DROP SCHEMA public CASCADE; CREATE SCHEMA public",) if replacing else ()
    options = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", "--no-password", *first, "--file=-")
    async with (
        _running(restore, *script, stdin=DEVNULL, stdout=PIPE) as (reader, reader_says),
        _running(psql, *options, stdin=PIPE, stdout=DEVNULL, env=_environment(address)) as (writer, writer_says),
    ):
        progress(0, 1, "restoring")
        assert reader.stdout is not None and writer.stdin is not None
        with contextlib.suppress(ConnectionError):  # its last words say why it does not read on
            while piece := await reader.stdout.read(_PIECE):
                writer.stdin.write(piece)
                await writer.stdin.drain()
        # The end of its input has psql commit, so half a script must not come to an end: at the block's end psql is killed.
        if writer.returncode is None and not writer.stdin.is_closing() and await reader.wait() != 0:
            raise _ProgramFailedError(await reader_says)
        writer.stdin.close()
        if await writer.wait() != 0:
            raise _ProgramFailedError(await writer_says)
        progress(1, 1, "restoring")


@asynccontextmanager
async def _running(program: Path, *arguments: str, **options: Any) -> AsyncIterator[tuple[Process, "asyncio.Task[str]"]]:
    """The program, killed at the block's end where it still runs, and the last words that it says."""
    process = await asyncio.create_subprocess_exec(program, *arguments, stderr=PIPE, limit=_PIECE, **options)
    saying = asyncio.create_task(_last_words(process))
    try:
        yield process, saying
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await asyncio.gather(saying, return_exceptions=True)


async def _last_words(process: Process) -> str:
    """The end of what it says; all is read, or it would wait for a reader."""
    assert process.stderr is not None
    said = b""
    while piece := await process.stderr.read(_PIECE):
        said = (said + piece)[-_SAID:]
    return " ".join(said.decode("utf-8", "replace").split()) or "it gave no reason"
