"""What is written for users says what the code does: no setting, variable or error code is missing there, and none is invented."""

import re
from pathlib import Path

import resolvers.integrations.report  # noqa: F401  brings in the errors that slices and integrations derive
import subgraphs.catalog  # noqa: F401
from graph.config import Settings, environment_names
from graph.federation_config import Contract, HeaderRule, Insert, Propagate, Remove, SubgraphSource, Subscriptions
from graph.server.problems import error_classes

ROOT = Path(__file__).parents[2]


def _rows(page: str) -> list[list[str]]:
    lines = (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]


def test_settings_page_when_held_against_the_code_then_names_exactly_its_settings() -> None:
    documented = {(row[0].strip("`"), row[1].strip("`")) for row in _rows("settings.md")}

    names = environment_names()

    assert documented == {(variable, name) for name, variable in names.items()}
    assert set(Settings.model_fields) - set(names) == {"subgraphs", "headers", "contract"}


def test_settings_page_when_it_gives_a_number_then_it_is_the_default() -> None:
    defaults = {row[1].strip("`"): row[2] for row in _rows("settings.md")}

    for name, field in Settings.model_fields.items():
        if isinstance(field.default, int | float) and not isinstance(field.default, bool):
            assert f"`{field.default}`" in defaults[name], name


def test_federation_settings_when_held_against_the_gateway_page_then_it_shows_each() -> None:
    page = (ROOT / "docs" / "gateway.md").read_text(encoding="utf-8")
    models = (SubgraphSource, Subscriptions, Contract, HeaderRule, Propagate, Insert, Remove)

    names = {"headers", "contract"} | {field.alias or name for model in models for name, field in model.model_fields.items()}

    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", page)] == []


def test_settings_when_declared_then_the_program_reads_each() -> None:
    sources = [path for path in (ROOT / "graph").rglob("*.py") if path.name != "config.py"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    own = (ROOT / "graph" / "config.py").read_text(encoding="utf-8")

    unread = [name for name in Settings.model_fields if f".{name}" not in text and f"self.{name}" not in own]

    assert unread == []


def test_errors_page_when_held_against_the_code_then_names_exactly_its_codes_and_statuses() -> None:
    documented = {row[0].strip("`"): int(row[1]) for row in _rows("errors.md")}

    assert documented == {code: kind.status for code, kind in error_classes().items()}


def test_error_codes_when_used_as_text_then_each_is_one_of_the_tree() -> None:
    known = set(error_classes())
    used: set[str] = set()
    for package in ("graph/server", "graph/executor", "subgraphs", "resolvers"):
        for path in (ROOT / package).rglob("*.py"):
            used |= set(re.findall(r'code="([A-Z_]+)"', path.read_text(encoding="utf-8")))

    assert used <= known
