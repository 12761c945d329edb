"""On small random federations the plan is as short as brute force finds: sequential steps first, then requests.

Brute force knows nothing of the planner: it lists every way to every leaf (at each object, any number of hops between subgraphs, by any
key that is at hand) and tries all combinations.
"""

from collections.abc import Iterator
from itertools import product
from math import prod
from random import Random

import pytest
from graphql import parse

from graph.composition import Failed, SubgraphSDL, compose
from graph.planner import Planner
from graph.supergraph import read_supergraph
from tests.soak import scaled

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])\n'
SUBGRAPHS = ("a", "b", "c", "d")
LEAVES = ("p", "q", "r")
MAX_COMBINATIONS = 10_000
FEDERATIONS = scaled(suite=100, soak=3_000)
Steps = frozenset[tuple[int, str]]
Federation = dict[str, dict[str, set[str]]]


def _federation(random: Random) -> Federation:
    """Subgraph → type → fields. T0 is at the root; Tn.next is T(n+1); keys are `id` and `alt`, in some subgraphs both."""
    depth = random.randint(1, 2)
    names = SUBGRAPHS[: random.randint(2, 4)]
    subgraphs: Federation = {name: {} for name in names}
    for level in range(depth + 1):
        for types in subgraphs.values():
            fields = set(random.sample(LEAVES, random.randint(0, 2)))
            if level < depth and random.random() < 0.5:
                fields.add("next")
            keys = random.choice([{"id"}, {"alt"}, {"id", "alt"}])
            if fields or random.random() < 0.5:
                types[f"T{level}"] = fields | keys
        if level < depth and not any("next" in types.get(f"T{level}", ()) for types in subgraphs.values()):
            subgraphs[random.choice(names)].setdefault(f"T{level}", {"id"}).add("next")
    for name in random.sample(names, random.randint(1, len(names))):
        subgraphs[name].setdefault("T0", {"id"})
        subgraphs[name]["Query"] = {"start"}
    for types in subgraphs.values():
        for level in range(depth):
            if "next" in types.get(f"T{level}", ()):
                types.setdefault(f"T{level + 1}", {"id"})
    return subgraphs


def _sdl(types: dict[str, set[str]]) -> str:
    parts = []
    for type_name, fields in sorted(types.items()):
        if type_name == "Query":
            parts.append("type Query { start: T0 @shareable }")
            continue
        keys = " ".join(f'@key(fields: "{k}")' for k in ("id", "alt") if k in fields)
        below = f"T{int(type_name[1:]) + 1}"
        body = " ".join(f"{f}: {below if f == 'next' else 'ID'} @shareable" for f in sorted(fields))
        parts.append(f"type {type_name} {keys} {{ {body} }}")
    return LINK + "\n".join(parts)


def _ways(federation: Federation, path: tuple[str, ...]) -> Iterator[Steps]:
    """Every way to a leaf, as the requests that it needs."""

    def stand(subgraph: str, level: int, steps: Steps, at: int) -> Iterator[Steps]:
        fields = federation[subgraph][f"T{at}"]
        if path[at] in fields:
            if at == len(path) - 1:
                yield steps
            else:
                yield from arrive(subgraph, level, steps, at + 1)

    def arrive(subgraph: str, level: int, steps: Steps, at: int, been: frozenset[str] = frozenset()) -> Iterator[Steps]:
        yield from stand(subgraph, level, steps, at)
        here = federation[subgraph][f"T{at}"]
        for other in sorted(set(federation) - been - {subgraph}):
            there = federation[other].get(f"T{at}", set())
            if there & here & {"id", "alt"}:
                yield from arrive(other, level + 1, steps | {(level + 1, other)}, at, been | {subgraph})

    for name, types in sorted(federation.items()):
        if "Query" in types:
            yield from arrive(name, 0, frozenset({(0, name)}), 0)


def _cost(steps: Steps) -> tuple[int, int]:
    return max(level for level, _ in steps), len(steps)


def _shortest(options: list[list[Steps]]) -> tuple[int, int]:
    return min(_cost(frozenset().union(*combination)) for combination in product(*options))


def _paths(random: Random, federation: Federation) -> dict[tuple[str, ...], list[Steps]]:
    """Up to four leaves to ask for, with all ways to each."""
    depth = max(int(t[1:]) for types in federation.values() for t in types if t != "Query")
    leaves = [("next",) * d + (leaf,) for d in range(depth + 1) for leaf in LEAVES]
    known = [path for path in leaves if any(path[-1] in t.get(f"T{len(path) - 1}", ()) for t in federation.values())]
    ways = {path: sorted(set(_ways(federation, path)), key=sorted) for path in known}
    reachable = [path for path in known if ways[path]]
    return {path: ways[path] for path in random.sample(reachable, min(len(reachable), random.randint(1, 4)))}


@pytest.mark.soak
@pytest.mark.parametrize("first", range(0, FEDERATIONS, 20))
def test_plan_of_random_federations_is_as_short_as_brute_force_finds(first: int) -> None:
    for seed in range(first, first + 20):
        random = Random(seed)
        federation = _federation(random)
        composed = compose([SubgraphSDL(name, f"http://{name}", _sdl(types)) for name, types in federation.items()])
        if isinstance(composed, Failed):
            assert {e.code for e in composed.errors} == {"SATISFIABILITY_ERROR"}
            continue
        ways = _paths(random, federation)
        if not ways or prod(len(options) for options in ways.values()) > MAX_COMBINATIONS:
            continue

        plan = Planner(read_supergraph(composed.supergraph_sdl)).plan(parse(f"{{ start {_selection(list(ways))} }}"))

        levels: list[int] = []
        for fetch in plan.fetches:
            levels.append(1 + max((levels[i] for i in fetch.depends_on), default=-1))
        assert (max(levels), len(plan.fetches)) <= _shortest(list(ways.values())), f"seed {seed}"


def _selection(paths: list[tuple[str, ...]]) -> str:
    leaves = [path[0] for path in paths if len(path) == 1]
    below = [path[1:] for path in paths if len(path) > 1]
    return f"{{ {' '.join(leaves)} {'next ' + _selection(below) if below else ''} }}"
