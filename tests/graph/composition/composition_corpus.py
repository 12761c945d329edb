"""Reads the corpus: a file a code, with cases that must be refused with that code alone and cases that must compose.

A case starts with `# refused: …` or `# accepted: …`, each of its subgraphs with `# subgraph <name>`. Subgraphs that link nothing are
given all of federation v2.9, unless they say `(federation 1)`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from graph.composition import Composed, SubgraphSDL, compose

FOLDER = Path(__file__).parent / "corpus"
_DIRECTIVES = (
    *("key", "requires", "provides", "external", "shareable", "override", "tag", "inaccessible", "composeDirective"),
    *("interfaceObject", "authenticated", "requiresScopes", "policy", "context", "fromContext", "cost", "listSize"),
)
_IMPORTS = ", ".join(f'"@{name}"' for name in _DIRECTIVES)
LINK = f'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [{_IMPORTS}])\n'
_HEADING = re.compile(r"^# (refused|accepted): (.+)$", re.MULTILINE)
_SUBGRAPH = re.compile(r"^# subgraph (\w+)( \(federation 1\))?\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Case:
    code: str
    title: str
    refused: bool
    subgraphs: tuple[SubgraphSDL, ...]

    def __str__(self) -> str:
        return f"{self.code}: {self.title}"


def cases() -> list[Case]:
    return [case for path in sorted(FOLDER.glob("*.graphql")) for case in _read(path)]


def subgraphs_of(text: str) -> tuple[SubgraphSDL, ...]:
    """Subgraphs written one after the other, each under its heading."""
    parts = _SUBGRAPH.split(text)[1:]
    found = []
    for name, old, sdl in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        linked = sdl if old or "@link" in sdl else LINK + sdl
        found.append(SubgraphSDL(name, f"http://{name}/graphql", linked))
    return tuple(found)


def _read(path: Path) -> list[Case]:
    parts = _HEADING.split(path.read_text())[1:]
    return [
        Case(path.stem, title, verdict == "refused", subgraphs_of(text))
        for verdict, title, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]


def composed(text: str) -> str:
    """The supergraph of subgraphs written one after the other; fails the test where they don't compose."""
    outcome = compose(subgraphs_of(text))
    assert isinstance(outcome, Composed), outcome
    return outcome.supergraph_sdl


def block(sdl: str, start: str) -> str:
    """The definition that starts with `start`, as it is printed."""
    return next(part for part in sdl.split("\n\n") if part.startswith((f"{start} ", f"{start}\n"))).strip()
