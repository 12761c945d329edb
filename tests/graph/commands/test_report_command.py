"""`citygraph report …` as somebody types it: what it prints, and with which status it ends. FC-09."""

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from graph.cli import app
from graph.config import ConfigError
from resolvers.stores.objects import PIECE

AUDIT = ("--title", "Circularity 2025", "--standard", "ISO 59020:2024")


@pytest.fixture
def folder(tmp_path: Path, migrated_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A city's data folder, with a report to put in it."""
    (tmp_path / "citygraph.db").write_bytes(migrated_file.read_bytes())
    (tmp_path / "audit.pdf").write_bytes(b"%PDF-1.7")
    for name in ("DATABASE_URL", "CITYGRAPH_ARTEFACTS_URL", "CITY_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    return tmp_path


def run(*arguments: str | Path) -> tuple[int, str, str]:
    """Status, stdout and stderr; a wrong setting is status 2, as the command itself makes it."""
    done = CliRunner().invoke(app, ["report", *map(str, arguments)])
    if isinstance(done.exception, ConfigError):
        return 2, done.stdout, str(done.exception)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def stored(folder: Path, table: str, columns: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "citygraph.db") as store:
        return store.execute(f"SELECT {columns} FROM {table}").fetchall()


def test_report_when_added_then_listed_and_verified(folder: Path) -> None:
    status, id, _ = run(
        "add", folder / "audit.pdf", *AUDIT, "--status", "draft", "--period-start", "2025-01-01", "--period-end", "1767225600000"
    )

    assert (status, id[:19]) == (0, "FI-HELSINKI/report/")
    assert stored(folder, "compliance_report", "tenant, status, period_start, period_end, issued_at, artefact_media_type") == [
        ("FI-HELSINKI", "DRAFT", 1_735_689_600_000, 1_767_225_600_000, None, "application/pdf")
    ]
    assert run("list") == (0, f"{id.strip()}\tDRAFT\tCircularity 2025\taudit.pdf\t8\n", "")
    assert run("list", "--tenant", "another") == (0, "", "")
    assert run("verify") == (0, "", "1 files are as they were stored\n")


def test_long_report_when_added_then_its_progress_is_said(folder: Path) -> None:
    (folder / "audit.pdf").write_bytes(bytes(2 * PIECE))

    status, _, said = run("add", folder / "audit.pdf", *AUDIT)

    assert (status, said) == (0, "kilobytes stored: 16777\n")


def test_dataset_when_added_then_its_measurements_are_counted_and_stored(folder: Path) -> None:
    rows = [{"characteristic": "flatness", "value": 0.1, "unit": "mm", "measuredAt": 5}] * 3
    (folder / "run.json").write_text(json.dumps(rows))

    status, id, said = run("add-dataset", folder / "run.json", "--name", "Run 1", "--description", "Line 4")

    assert (status, id[:20], said) == (0, "FI-HELSINKI/dataset/", "measurements stored: 3\n")
    assert stored(folder, "quality_dataset", "name, description, measurements, artefact_media_type") == [
        ("Run 1", "Line 4", 3, "application/json")
    ]
    assert stored(folder, "quality_measurement", "number, value") == [(0, 0.1), (1, 0.1), (2, 0.1)]


def test_file_when_damaged_or_gone_then_verify_names_it_and_fails(folder: Path) -> None:
    _, altered, _ = run("add", folder / "audit.pdf", *AUDIT)
    _, gone, _ = run("add", folder / "audit.pdf", *AUDIT)
    run("add", folder / "audit.pdf", *AUDIT)
    files = folder / "artefacts" / "compliance" / "FI-HELSINKI" / "FI-HELSINKI" / "report"
    (files / altered.strip().rpartition("/")[2]).write_bytes(b"%PDF-1.8")
    (files / gone.strip().rpartition("/")[2]).unlink()

    status, told, said = run("verify")

    assert (status, sorted(told.split())) == (1, sorted([altered.strip(), gone.strip()]))
    assert "2 of 3 files are damaged" in said


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (("--model", "x"), "--model: 'x' is not a UUID"),
        (("--model", "EE-TALLINN/model/2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a"), "is of another city than FI-HELSINKI"),
        (("--period-start", "2025-01-01"), "--period-start and --period-end: give both, or neither"),
        (("--issued-at", "yesterday"), "--issued-at: 'yesterday' is not a Timestamp"),
        (("--period-start", "2", "--period-end", "1"), "The period ends at 1, before its start at 2"),
        (("--media-type", "pdf"), "'pdf' is not a media type"),
        (("--title", ""), "The title has 0 characters"),
        (("--status", "LOST"), ""),
    ],
)
def test_flag_when_wrong_then_status_2_and_why(folder: Path, flags: tuple[str, ...], reason: str) -> None:
    status, printed, said = run("add", folder / "audit.pdf", *AUDIT, *flags)

    assert (status, printed) == (2, "")
    assert reason in said
    assert stored(folder, "compliance_report", "uuid") == []


def test_file_when_missing_or_wrong_then_status_2(folder: Path) -> None:
    (folder / "run.csv").write_text("characteristic,value,unit,measuredAt\na,x,mm,0\n")

    assert run("add", folder / "nothing.pdf", *AUDIT) == (2, "", f"{folder}/nothing.pdf cannot be read: No such file or directory")
    assert run("add", folder, *AUDIT) == (2, "", f"{folder} is not a file")
    status, _, said = run("add-dataset", folder / "run.csv", "--name", "Run")
    assert (status, said) == (2, f"{folder}/run.csv, line 2: value is 'x': expected a finite number with a decimal point")


def test_model_when_there_is_none_then_status_1(folder: Path) -> None:
    status, _, said = run("add", folder / "audit.pdf", *AUDIT, "--model", "2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a")

    assert (status, said) == (1, "citygraph: There is no model 2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a\n")


def test_store_when_not_migrated_or_object_store_unknown_then_status_2(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "citygraph.db").unlink()
    status, _, said = run("add", folder / "audit.pdf", *AUDIT)
    assert (status, said) == (2, "the store has no tables yet: run `citygraph migrate`")

    monkeypatch.setenv("CITYGRAPH_ARTEFACTS_URL", "ftp://somewhere")
    status, _, said = run("list")
    assert (status, said) == (2, "CITYGRAPH_ARTEFACTS_URL: 'ftp' is no object store: expected file, s3, az or gs")
