"""A world: one graph, the subgraphs that it is split over, and the data and functions behind both."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graph.composition import SubgraphSDL
from tests.federation_audit.selections import Record
from tests.federation_audit.subgraph import Behaviour

GRAPHS = Path(__file__).parent / "worlds" / "graphs"
FEDERATION = (
    "@key",
    "@shareable",
    "@external",
    "@requires",
    "@provides",
    "@interfaceObject",
    "@override",
    "@inaccessible",
)
LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [{}])\n'.format(
    ", ".join(f'"{directive}"' for directive in FEDERATION)
)


@dataclass(frozen=True, slots=True)
class World:
    """`subgraphs` is the SDL of each part by name; the whole as one schema stands in `worlds/graphs/`.

    Resolvers are called by monolith and subgraphs alike. They read `source[name]`; where a field `@requires`, the inputs, and nothing
    else, stand in `source.inputs`. `begin` puts state back to the beginning, before each operation.
    """

    name: str
    subgraphs: Mapping[str, str]
    behaviour: Behaviour
    begin: Callable[[], None] = lambda: None

    @property
    def graph(self) -> str:
        return (GRAPHS / f"{self.name}.graphql").read_text(encoding="utf-8")

    def sdls(self) -> tuple[SubgraphSDL, ...]:
        return tuple(SubgraphSDL(name, None, LINK + sdl) for name, sdl in sorted(self.subgraphs.items()))


def records(**types: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Records by type, each told its type."""
    return {name: [{"__typename": name, **one} for one in found] for name, found in types.items()}


def having(found: Mapping[str, Sequence[Record]], **abstract: str) -> dict[str, Sequence[Record]]:
    """The records, and those of abstract types: `having(found, Pet="Cat Dog")`."""
    return {**found, **{name: [one for member in members.split() for one in found[member]] for name, members in abstract.items()}}
