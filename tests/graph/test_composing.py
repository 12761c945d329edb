"""What was composed is remembered, and composed anew as soon as anything differs."""

import sys
from pathlib import Path

import pytest

from graph.composing import FILE, CompositionFailedError, composed
from graph.contracts import SubgraphSDL
from graph.federation_config import Contract

A = SubgraphSDL("a", None, "type Query { a: Int }")
B = SubgraphSDL("b", None, "type Query { b: Int }")


def test_supergraph_when_composed_again_then_is_read_from_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = composed([A, B], tmp_path)
    monkeypatch.setitem(sys.modules, "graph.composition", None)  # composing would fail now

    again = composed([B, A], tmp_path)

    assert sorted(again.api_schema.query_type.fields) == ["a", "b"]
    assert sorted(first.types) == sorted(again.types)


@pytest.mark.parametrize("stale", ["# another fingerprint\ntype Query { old: Int }", "", "\0"])
def test_remembered_supergraph_when_it_is_of_something_else_then_is_replaced(tmp_path: Path, stale: str) -> None:
    (tmp_path / FILE).write_text(stale)

    supergraph = composed([A], tmp_path)

    assert sorted(supergraph.api_schema.query_type.fields) == ["a"]
    assert "a: Int" in (tmp_path / FILE).read_text()


def test_supergraph_when_the_folder_cannot_be_written_then_is_composed_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")

    supergraph = composed([A], file)

    assert sorted(supergraph.api_schema.query_type.fields) == ["a"]
    assert "cannot be remembered" in caplog.text


def test_subgraphs_when_they_do_not_compose_then_nothing_is_remembered(tmp_path: Path) -> None:
    with pytest.raises(CompositionFailedError, match=r"FIELD_TYPE_MISMATCH|INVALID_FIELD_SHARING"):
        composed([A, SubgraphSDL("c", None, "type Query { a: String }")], tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_supergraph_when_its_contract_changes_then_is_composed_anew(tmp_path: Path) -> None:
    tagged = """
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@tag"])
    type Query { open: Int  closed: Int @tag(name: "internal") }
    """
    subgraphs = [SubgraphSDL("a", None, tagged)]

    fields = [
        sorted(composed(subgraphs, tmp_path, contract).api_schema.query_type.fields)
        for contract in (None, Contract(exclude=("internal",)), Contract(exclude=("internal",)), None)
    ]

    assert fields == [["closed", "open"], ["open"], ["open"], ["closed", "open"]]
