"""A PostgreSQL server of the tests' own, with PostGIS: its own folder, a free port, and databases that are copies of one."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
    "timezone": "UTC",
}


def binaries() -> Path | None:
    """The folder of the newest server that is installed with PostGIS; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    usable = [path.parent for path in found if Path(f"/usr/share/postgresql/{path.parts[-3]}/extension/postgis.control").exists()]
    return usable[-1] if usable else None


@dataclass
class PostgreSQL:
    """A running server. `durable` ones keep what they acknowledged through a crash, as a city's does."""

    bin: Path
    folder: Path
    port: int
    durable: bool = False
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        settings = {**_SETTINGS, "port": str(self.port)}
        if self.durable:
            settings |= {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        self._run("pg_ctl", "-D", self.folder / "data", "-l", self.folder / "log", "-o", options, "-w", "-t", "60", "start")

    def stop(self, mode: str = "immediate") -> None:
        """`fast` ends connections and writes a checkpoint, `immediate` is a crash."""
        self._run("pg_ctl", "-D", self.folder / "data", "-m", mode, "-w", "-t", "60", "stop")

    def create(self, database: str | None = None, template: str | None = None) -> str:
        """A new database, a copy of `template`; returns its name."""
        name = database or f"t{next(self._numbers)}"
        self.sql(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
        return name

    def drop(self, database: str) -> None:
        self.sql(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Runs one statement and returns what psql prints, without decoration."""
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database)
        return self._run("psql", *where, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement).stdout.strip()

    def _run(self, program: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [self.bin / program, *arguments],
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            # pg_ctl leaves its output to the server, which would keep a pipe open for as long as it runs.
            stdout=subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE,
            stderr=subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE,
            cwd=self.folder,
            **_unprivileged(),
        )
        if done.returncode != 0:
            log = self.folder / "log"
            raise RuntimeError(f"{program} failed: {done.stderr or (log.read_text()[-2000:] if log.exists() else '')}")
        return done


def _unprivileged() -> dict[str, str | list[str]]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    try:
        name = pwd.getpwnam("postgres").pw_name
    except KeyError:
        name = "nobody"
    return {"user": name, "extra_groups": []}


@contextmanager
def running_postgresql(*, durable: bool = False) -> Iterator[PostgreSQL]:
    """A server that lives as long as the block. Raises FileNotFoundError where none is installed."""
    bin = binaries()
    if bin is None:
        raise FileNotFoundError("no PostgreSQL with PostGIS is installed: on Debian, 'apt-get install postgresql-15-postgis-3'")
    # Not below pytest's own folder, which only its owner may enter.
    folder = Path(mkdtemp(prefix="citygraph-postgresql-"))
    server = PostgreSQL(bin, folder, _free_port(), durable)
    if user := _unprivileged().get("user"):
        shutil.chown(folder, str(user))
    try:
        server._run("initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
