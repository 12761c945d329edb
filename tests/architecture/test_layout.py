"""The house keeps its shape: layers, sizes, and files that a linter knows better than we do."""

import subprocess
import sys
from pathlib import Path

import pytest

from subgraphs.catalog import SLICES

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
MAX_LINES = 600
SLICE_FILES = {"__init__", "records", "queries", "commands", "loaders", "store", "events", "errors", "directory", "retention", "live"}
OWN_FILES = {
    "city_objects": {"drafts", "ancestry"},
    "telemetry": {"units", "batches", "ingestion", "comparison", "partitions", "bulk"},
    "models": {"patches", "differences", "elements", "content"},
    "compliance": {"artefacts"},
    "operations": {"backups", "schedule", "audit", "archive", "leases", "sqlite", "postgresql"},
}
"""What one slice has and no other could have."""


def _sources() -> list[Path]:
    packages = ("graph", "resolvers", "subgraphs", "tests", "migrations")
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)


def test_layers_when_checked_by_import_linter_then_all_contracts_are_kept() -> None:
    done = _run(BIN / "lint-imports", "--no-cache")

    assert done.returncode == 0, done.stdout


def test_files_when_counted_then_none_is_longer_than_600_lines() -> None:
    too_long = {
        str(path.relative_to(ROOT)): n for path in _sources() if (n := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }

    assert too_long == {}


@pytest.mark.parametrize("package", ["graph", "resolvers", "subgraphs"])
def test_modules_when_they_hold_code_then_they_say_why_they_exist(package: str) -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / package).rglob("*.py"))
        if (text := path.read_text(encoding="utf-8").strip()) and not text.startswith(('"""', 'r"""'))
    ]

    assert silent == []


@pytest.mark.parametrize("slice_name", [entry.name for entry in SLICES])
def test_slice_when_listed_then_it_has_no_file_outside_the_named_set(slice_name: str) -> None:
    found = {path.stem for path in (ROOT / "resolvers" / slice_name).rglob("*.py")}

    assert found <= SLICE_FILES | OWN_FILES.get(slice_name, set())


def test_dockerfile_when_linted_then_clean() -> None:
    done = _run(BIN / "hadolint", "Dockerfile")

    assert done.returncode == 0, done.stdout


def test_names_when_read_then_no_module_is_a_grab_bag() -> None:
    grab_bags = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}

    assert [str(path) for path in _sources() if path.stem in grab_bags] == []
