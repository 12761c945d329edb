"""`citygraph rights --page`: the table goes between the marks of a page, and nothing else of the page changes."""

from pathlib import Path

import pytest

from graph.commands import rights
from graph.composing import composed
from graph.config import ConfigError
from graph.contracts import SubgraphSDL

SDL = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@requiresScopes"])
type Query { open: Int models: Int @requiresScopes(scopes: [["models:read"]]) }
type Mutation { write: Int @requiresScopes(scopes: [["models:write"], ["backups:manage"]]) }
"""


@pytest.fixture(autouse=True)
def _small_city(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "city_supergraph", lambda: composed([SubgraphSDL("one", None, SDL)]))


def test_page_when_it_has_the_marks_then_the_table_stands_between_them_however_often_it_is_written(tmp_path: Path) -> None:
    page = tmp_path / "rights.md"
    page.write_text("# Rights\n\n<!-- citygraph rights -->old<!-- end -->\n\nafter\n")

    rights.run(page)
    once = page.read_text()
    rights.run(page)

    assert page.read_text() == once
    lines = once.splitlines()
    assert (lines[0], lines[-1]) == ("# Rights", "after")
    assert [line for line in lines if line.startswith("| `")] == [
        "| `Query.models` |  |  |  |  | yes |  |  |  |",
        "| `Query.open` | yes | yes | yes | yes | yes | yes | yes | yes |",
        "| `Mutation.write` |  |  |  |  |  | yes |  | yes |",
    ]


def test_page_when_it_has_no_marks_then_it_is_left_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "rights.md"
    page.write_text("# Rights\n")

    with pytest.raises(ConfigError, match="has no place for the table"):
        rights.run(page)

    assert page.read_text() == "# Rights\n"
