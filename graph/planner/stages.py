"""Shows the planner's stages: the query graph, the paths that were found and chosen, the fetch graph, the plan."""

from collections.abc import Iterator
from enum import StrEnum

from graph.planner.explain import plan_to_text
from graph.planner.fetch_graph.steps import Step
from graph.planner.planning import Planning, Route
from graph.query_graph import QueryGraph
from graph.query_graph.paths import Cast, Enter, Hop, Path, Select
from graph.supergraph.field_sets import print_field_set


class Stage(StrEnum):
    GRAPH = "graph"
    PATHS = "paths"
    FETCHES = "fetches"
    PLAN = "plan"


def describe(planning: Planning, stage: Stage) -> str:
    """The stage as text; the later ones plan the operation."""
    if stage is Stage.GRAPH:
        return "\n".join(_graph(planning.graph)) + "\n"
    plan = planning.plan()
    match stage:
        case Stage.PATHS:
            return "\n".join(line for route in planning.routes for line in _route(route)) + "\n"
        case Stage.FETCHES:
            return "\n".join(line for steps in planning.steps for line in _steps(steps)) + "\n"
        case Stage.PLAN:
            return plan_to_text(plan)


def _graph(graph: QueryGraph) -> Iterator[str]:
    """Every node, with the fields that its subgraph resolves and the ways into other subgraphs."""
    for name, info in graph.types.items():
        for subgraph in info.subgraphs:
            node = graph.node(subgraph, name)
            blind = " (interface object)" if graph.is_interface_object(node) else ""
            yield f"{subgraph}: {name}{blind}"
            for field in info.fields:
                if move := graph.field(node, field):
                    requires = f" requires {{ {print_field_set(move.requires)} }}" if move.requires else ""
                    yield f"  .{field} → {move.type}{requires}"
            for entry in graph.entity_moves(node):
                if entry.tail is not node:
                    yield f"  ⇒ {entry.tail.subgraph}: {entry.tail.type_name} by {{ {print_field_set(entry.key)} }}"


def _route(route: Route) -> Iterator[str]:
    """Every leaf with its options; the chosen one is marked."""
    for leaf, chosen in zip(route.leaves, route.choice.paths, strict=True):
        conditions = "".join(f" {'if' if c.expected else 'unless'} ${c.variable}" for c in sorted(leaf.conditions))
        yield f"{leaf.field.name if leaf.field else '(the object)'}{conditions}"
        for option in leaf.options:
            yield f"  {'*' if option is chosen else '-'} {_path(option)}  [{_requests(option)}]"
    if not route.choice.exhaustive:
        yield "(the budget ran out: a shorter plan may exist)"


def _path(path: Path) -> str:
    before = _path(path.parent) if path.parent is not None else ""
    match path.move:
        case Enter():
            return path.tail.subgraph
        case Select():
            return f"{before}.{path.move.field.key}"
        case Cast():
            return f"{before}|{path.tail.type_name}"
        case Hop():
            at = ".".join(s.key for s in path.move.place.segments)
            return f"{before} ⇒ {path.tail.subgraph}({at})"


def _requests(path: Path) -> str:
    return ", ".join(f"{level}:{subgraph}" for level, subgraph in sorted(path.steps))


def _steps(steps: list[Step]) -> Iterator[str]:
    numbers = {step: i for i, step in enumerate(steps)}
    for step, number in numbers.items():
        needs = ", ".join(str(numbers[s]) for s in sorted(step.depends_on, key=numbers.__getitem__))
        what = "root" if step.root is not None else "; ".join(".".join(s.key for s in call.segments) for call in step.calls)
        yield f"{number}: {step.subgraph}, level {step.level}, {what}" + (f", after {needs}" if needs else "")
