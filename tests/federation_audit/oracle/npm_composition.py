"""Composition by npm's `@theguild/federation-composition` (MIT): what another implementation makes of the same subgraphs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from graph.composition import SubgraphSDL
from tests.fakes.node import node_with, run

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class NpmComposed:
    """`errors` begin with their code; with satisfiability errors alone there is a supergraph too."""

    supergraph_sdl: str | None
    errors: tuple[str, ...]


def compose_by_npm(sets: Mapping[str, Sequence[SubgraphSDL]]) -> dict[str, NpmComposed]:
    """All sets by one Node process. Skips the test where there is no Node, or no way to install the package."""
    node = node_with(HERE)
    text = json.dumps({name: [{"name": one.name, "url": one.url, "sdl": one.sdl} for one in one_set] for name, one_set in sets.items()})
    done = run([node, str(HERE / "compose.mjs")], text)
    assert done.returncode == 0, done.stderr
    return {
        name: NpmComposed(result.get("supergraph"), tuple(f"{one['code']}: {one['message']}" for one in result["errors"]))
        for name, result in json.loads(done.stdout).items()
    }
