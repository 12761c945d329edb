"""`citygraph backup …` and `citygraph retention run`, as somebody types them, down to a lost database."""

import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from graph.cli import main


@dataclass(frozen=True, slots=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def citygraph(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """The command in this process: one of its own takes a second or two to load."""
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["citygraph", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return run


def test_backup_when_the_database_is_lost_then_found_verified_and_restored(citygraph: Callable[..., Done], tmp_path: Path) -> None:
    """FC-08, TC-09"""
    with closing(sqlite3.connect(tmp_path / "city.db")) as city:
        city.execute("INSERT INTO city (tenant, id, name) VALUES ('t', 'FI-HELSINKI', 'Helsinki')")
        city.commit()

    made = citygraph("backup", "run")
    id = made.stdout.strip()
    verified = citygraph("backup", "verify", id)
    listed = citygraph("backup", "list").stdout.split("\t")
    for file in tmp_path.glob("city.db*"):
        file.unlink()
    lost = citygraph("backup", "list").stdout.split("\t")
    missing = not (tmp_path / "city.db").exists()
    restored = citygraph("backup", "restore", id, "--to", f"sqlite:///{tmp_path / 'city.db'}")
    again = citygraph("backup", "restore", id, "--to", f"sqlite:///{tmp_path / 'city.db'}")

    assert (made.returncode, verified.returncode, restored.returncode) == (0, 0, 0), made.stderr + verified.stderr + restored.stderr
    assert (id.rpartition("/")[0], listed[0], listed[1], lost[0]) == ("FI-HELSINKI/backup", id, "SUCCEEDED", id)
    assert listed[4].strip().endswith("Z")
    assert missing
    assert (again.returncode, "is a store with tables: --force puts the backup in their place" in again.stderr) == (1, True)
    with closing(sqlite3.connect(tmp_path / "city.db")) as city:
        assert city.execute("SELECT name FROM city").fetchall() == [("Helsinki",)]


def test_backup_when_altered_then_status_one_and_the_reason(citygraph: Callable[..., Done], tmp_path: Path) -> None:
    id = citygraph("backup", "run").stdout.strip()
    archive = tmp_path / "data" / "backups" / id.replace("/backup/", "/") / "archive"
    manifest = json.loads(archive.with_name("manifest.json").read_text())
    archive.write_bytes(archive.read_bytes()[:-1])

    verified = citygraph("backup", "verify", id)
    restored = citygraph("backup", "restore", id, "--to", f"sqlite:///{tmp_path / 'other.db'}")

    wrong = f"damaged: the archive has {manifest['archive_size'] - 1:,} bytes, where its manifest says {manifest['archive_size']:,}"
    assert (verified.returncode, wrong in verified.stderr) == (1, True)
    assert (restored.returncode, wrong in restored.stderr) == (1, True)
    assert not (tmp_path / "other.db").exists()
    assert citygraph("backup", "list").stdout.split("\t")[1] == "FAILED"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("verify", "nonsense"), 2, "'nonsense' is not a UUID"),
        (("verify", "SE-UMEA/backup/2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a"), 2, "is a backup of another city than FI-HELSINKI"),
        (("verify", "2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a"), 1, "there is no such backup"),
        (("restore", "2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a", "--to", "nonsense"), 2, "--to: expected a database's address"),
    ],
)
def test_backup_when_named_wrongly_then_the_message_says_what_is_expected(
    citygraph: Callable[..., Done], arguments: tuple[str, ...], status: int, message: str
) -> None:
    done = citygraph("backup", *arguments)

    assert (done.returncode, message in done.stderr, "Traceback" in done.stderr) == (status, True, False), done.stderr


def test_retention_when_run_then_every_kind_is_counted(citygraph: Callable[..., Done]) -> None:
    """ICD §6.3"""
    done = citygraph("retention", "run")

    kinds = ("telemetry", "scenarios", "models", "annotations", "audit", "events", "keys")
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == sorted(f"{kind}\t0" for kind in kinds)
