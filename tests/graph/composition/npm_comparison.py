"""`docs/composition.md` as tests read it, and what we and npm's `@theguild/federation-composition` make of the same subgraphs.

The document's tables are the one place that lists codes, and differences with their reasons.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import ndiff
from pathlib import Path
from typing import NamedTuple

from graphql import lexicographic_sort_schema, print_schema

from graph.composition import Composed, SubgraphSDL, compose
from graph.supergraph import Supergraph, read_supergraph
from tests.federation_audit.oracle.npm_composition import NpmComposed

DOCUMENT = Path(__file__).parents[3] / "docs" / "composition.md"
_SECTION = "## Where another composition differs"
_ROW = re.compile(r"^\| (?P<case>.+?) \| (?P<ours>.+?) \| (?P<theirs>.+?) \| (?P<why>.+?) \|$")

_CODE = re.compile(r"`([A-Z][A-Z_]+)`")


class Difference(NamedTuple):
    """Each side: `composes`, error codes, or the lines of the public API that only this side has."""

    ours: str
    theirs: str


def difference(subgraphs: Sequence[SubgraphSDL], npm: NpmComposed) -> Difference | None:
    outcome = compose(subgraphs)
    ours = set() if isinstance(outcome, Composed) else {error.code for error in outcome.errors}
    theirs = {error.split(":")[0] for error in npm.errors}
    if ours != theirs:
        return Difference(_verdict(ours), _verdict(theirs))
    if not isinstance(outcome, Composed):
        return None
    assert npm.supergraph_sdl is not None
    return _api_difference(_api(outcome.supergraph), _api(read_supergraph(npm.supergraph_sdl)))


def documented_differences() -> Mapping[str, Difference]:
    """By case; every row must give its reason."""
    section = DOCUMENT.read_text(encoding="utf-8").split(_SECTION)[1].split("\n## ")[0]
    rows = [match for line in section.splitlines() if (match := _ROW.match(line))][1:]
    return {row["case"]: Difference(row["ours"], row["theirs"]) for row in rows if row["why"].strip("- ")}


def codes_of(heading: str) -> list[str]:
    """The codes in the first column of a section's table."""
    section = DOCUMENT.read_text(encoding="utf-8").split(f"{heading}\n")[1].split("\n#")[0]
    return [code for line in section.splitlines() if line.startswith("| `") for code in _CODE.findall(line.split(" | ")[0])]


def _verdict(codes: set[str]) -> str:
    named = sorted("no code" if code == "None" else f"`{code}`" for code in codes)
    return ", ".join(named) or "composes"


def _api(supergraph: Supergraph) -> list[str]:
    return print_schema(lexicographic_sort_schema(supergraph.api_schema)).splitlines()


def _api_difference(ours: list[str], theirs: list[str]) -> Difference | None:
    lines = list(ndiff(ours, theirs))
    sides = [", ".join(f"`{line[2:].strip()}`" for line in lines if line.startswith(sign)) for sign in "-+"]
    return Difference(sides[0] or "nothing", sides[1] or "nothing") if any(sides) else None
