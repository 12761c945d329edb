"""How planning and composition grow: with the number of subgraphs, the width of interfaces, the depth, the choices.

    python benchmarks/planner.py [--quick]

Each row is one federation made for the purpose, planned in a process of its own so that its peak memory is its own. Beside the plan's time
stands that of graphql-core's validation of the same operation against the same API, the unavoidable part that every gateway in Python pays.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from graphql import parse, validate

from graph.composition import Composed, SubgraphSDL, compose
from graph.planner import Planner

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external", "@requires"])\n'
Federation = tuple[list[str], str]


def subgraphs(count: int, _: int) -> Federation:
    """One entity, a field of it in each subgraph; all fields are asked for."""
    sdls = [f'type T @key(fields: "id") {{ id: ID! f{i}: Int }}' for i in range(count)]
    sdls[0] += " type Query { t: [T] }"
    return sdls, f"{{ t {{ {' '.join(f'f{i}' for i in range(count))} }} }}"


def depth(count: int, levels: int) -> Federation:
    """A chain of entities, each link in another subgraph."""
    sdls = [f'type T @key(fields: "id") {{ id: ID! f{i}: Int n{i}: T }}' for i in range(count)]
    sdls[0] += " type Query { t: [T] }"
    query = "id"
    for level in range(levels):
        query = f"n{level % count} {{ f{(level + 1) % count} {query} }}"
    return sdls, f"{{ t {{ {query} }} }}"


def width(count: int, types: int) -> Federation:
    """An interface of many types, all of them spread over the subgraphs."""
    sdls = []
    for i in range(count):
        body = "interface I { id: ID! x: Int } " + ("type Query { i: [I] } " if i == 0 else "")
        fields = "id: ID! x: Int @shareable z: I @shareable"
        body += " ".join(f'type T{k} implements I @key(fields: "id") {{ {fields} y{k}_{i}: Int }}' for k in range(types))
        sdls.append(body)
    return sdls, "{ i { x " + " ".join(f"... on T{k} {{ y{k}_{k % count} z {{ x }} }}" for k in range(types)) + " } }"


def shareable(count: int, levels: int) -> Federation:
    """Everything can be had everywhere but one field each: the number of possible plans explodes."""
    sdls = [
        f'type Query {{ t: T @shareable }} type T @key(fields: "id") {{ id: ID! a: Int @shareable n: T @shareable f{i}: Int }}'
        for i in range(count)
    ]
    query = "a " + " ".join(f"f{i}" for i in range(count))
    for level in range(levels):
        query = f"a n {{ {query} }} f{level % count}"
    return sdls, f"{{ t {{ {query} }} }}"


def requirements(count: int, _: int) -> Federation:
    """A chain of `@requires`, each link in another subgraph."""
    sdls = ['type Query { t: [T] } type T @key(fields: "id") { id: ID! f0: Int }']
    for i in range(1, count):
        fields = f'f{i - 1}: Int @external f{i}: Int @requires(fields: "f{i - 1}")'
        sdls.append(f'type T @key(fields: "id") {{ id: ID! {fields} }}')
    return sdls, f"{{ t {{ f{count - 1} }} }}"


FAMILIES: dict[str, tuple[Callable[[int, int], Federation], list[tuple[int, int]]]] = {
    "subgraphs": (subgraphs, [(2, 0), (4, 0), (8, 0), (16, 0), (32, 0), (64, 0)]),
    "depth": (depth, [(8, 2), (8, 8), (8, 16), (8, 24), (64, 24)]),
    "width": (width, [(4, 2), (4, 8), (4, 16), (4, 32), (4, 64), (16, 64)]),
    "shareable": (shareable, [(2, 2), (4, 4), (8, 8), (8, 24), (16, 8), (32, 4), (64, 2)]),
    "requirements": (requirements, [(2, 0), (4, 0), (8, 0), (16, 0), (32, 0)]),
}


def measure(family: str, size: tuple[int, int]) -> dict[str, float]:
    """One federation, in this process: milliseconds of CPU, and the peak of resident memory in MB."""
    sdls, query = FAMILIES[family][0](*size)
    started = time.process_time()
    composed = compose([SubgraphSDL(f"s{i}", f"http://s{i}", LINK + sdl) for i, sdl in enumerate(sdls)])
    assert isinstance(composed, Composed), composed
    compose_ms = (time.process_time() - started) * 1e3
    document = parse(query)
    started = time.process_time()
    assert validate(composed.supergraph.api_schema, document) == []
    validate_ms = (time.process_time() - started) * 1e3
    planner = Planner(composed.supergraph)
    before = _peak_mb()
    started = time.process_time()
    plan = planner.plan(document)
    first_ms = (time.process_time() - started) * 1e3
    started = time.process_time()
    planner.plan(document)
    again_ms = (time.process_time() - started) * 1e3
    levels: list[int] = []
    for fetch in plan.fetches:
        levels.append(1 + max((levels[i] for i in fetch.depends_on), default=0))
    return {
        "compose_ms": compose_ms,
        "validate_ms": validate_ms,
        "plan_ms": first_ms,
        "again_ms": again_ms,
        "fetches": len(plan.fetches),
        "levels": max(levels),
        "plan_mb": _peak_mb() - before,
        "peak_mb": _peak_mb(),
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _rows(quick: bool) -> Iterator[tuple[str, tuple[int, int], dict[str, float]]]:
    for family, (_, sizes) in FAMILIES.items():
        for size in sizes[:2] if quick else sizes:
            run = subprocess.run([sys.executable, __file__, "--one", family, *map(str, size)], check=True, capture_output=True, text=True)
            yield family, size, json.loads(run.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the two smallest of each family only")
    parser.add_argument("--one", nargs=3, metavar=("FAMILY", "N", "M"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        family, n, m = arguments.one
        print(json.dumps(measure(family, (int(n), int(m)))))
        return
    columns = ("compose_ms", "plan_ms", "again_ms", "validate_ms", "fetches", "levels", "plan_mb", "peak_mb")
    print(f"{'federation':22}" + "".join(f"{c:>12}" for c in columns) + f"{'plan/validate':>15}")
    for family, size, row in _rows(arguments.quick):
        ratio = row["plan_ms"] / max(row["validate_ms"], 0.01)
        print(f"{family + ' ' + '×'.join(map(str, size)):22}" + "".join(f"{row[c]:12.1f}" for c in columns) + f"{ratio:15.1f}", flush=True)


if __name__ == "__main__":
    main()
