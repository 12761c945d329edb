"""The planning of one operation: find the paths to its leaves, choose among them, lay them over each other, print the requests."""

from dataclasses import dataclass, replace

from graph.contracts import OperationKind
from graph.planner.choose import Choice, choose
from graph.planner.fetch_graph import FetchGraph, delay_to_merge, to_fetches
from graph.planner.fetch_graph.steps import Step
from graph.planner.normalize.operation import Field, Fragment, Operation, Selection
from graph.planner.plan import Fetch, Plan
from graph.query_graph import Node
from graph.query_graph.keys import KeyAllocator
from graph.query_graph.search import Leaf, Search
from graph.supergraph import Supergraph


@dataclass(frozen=True, slots=True)
class Route:
    """Some root fields that are fetched together: the leaves below them, and the paths chosen to these."""

    leaves: list[Leaf]
    choice: Choice

    @property
    def cost(self) -> tuple[int, int]:
        steps = frozenset().union(*(p.steps for p in self.choice.paths))
        return max((level for level, _ in steps), default=-1), len(steps)


class Planning:
    """What becomes of an operation, stage by stage; `routes` and `steps` are kept for whoever wants to see them."""

    def __init__(self, supergraph: Supergraph, search: Search, operation: Operation, keys: KeyAllocator) -> None:
        self.operation = operation
        self.graph = search.graph
        self.routes: list[Route] = []
        self.steps: list[list[Step]] = []
        self._search = search
        self._keys = keys
        self._root_type = supergraph.root_types[operation.kind]

    def plan(self) -> Plan:
        """Raises `search.Unreachable` where the supergraph does not say how to reach a field."""
        if self.operation.kind is OperationKind.QUERY:
            self._lay(self._route(self.operation.selections))
        else:
            for root, selections in self._runs():
                self._lay(self._route(tuple(selections), [root]))
        return Plan(self.operation, tuple(self._fetches()), _response_keys(self.operation, self._keys))

    def _route(self, selections: tuple[Selection, ...], roots: list[Node] | None = None) -> Route:
        leaves = self._search.leaves(selections, self._root_type, self.graph.roots(self._root_type) if roots is None else roots)
        return Route(leaves, choose(leaves))

    def _lay(self, route: Route) -> None:
        fetch_graph = FetchGraph(self.graph)
        for leaf, path in zip(route.leaves, route.choice.paths, strict=True):
            fetch_graph.add(path, leaf.conditions)
        self.routes.append(route)
        self.steps.append(delay_to_merge(fetch_graph.steps.values()))

    def _fetches(self) -> list[Fetch]:
        """The fetches of all routes, each route's after those of the route before."""
        fetches: list[Fetch] = []
        before: tuple[int, ...] = ()
        for steps in self.steps:
            first = len(fetches)
            new = to_fetches(steps, self.operation.kind, self.operation.variables, self.graph, first)
            fetches += [replace(f, depends_on=before) if before and not f.depends_on else f for f in new]
            before = tuple(range(first, len(fetches)))
        return fetches

    def _runs(self) -> list[tuple[Node, list[Selection]]]:
        """Root fields with effects, in their order: neighbours of one subgraph share a request."""
        runs: list[tuple[Node, list[Selection]]] = []
        for selection in self.operation.selections:
            assert isinstance(selection, Field)
            if selection.name.startswith("__"):
                continue
            root = self._only_root(selection)
            if runs and runs[-1][0] is root:
                runs[-1][1].append(selection)
            else:
                runs.append((root, [selection]))
        return runs

    def _only_root(self, field: Field) -> Node:
        """The subgraph in which a field with effects runs: one, even where several offer it."""
        roots = self.graph.roots(self._root_type)
        offering = [n for n in roots if self.graph.field(n, field.name)]
        if len(offering) <= 1:
            return offering[0] if offering else roots[0]
        return min(offering, key=lambda n: (self._route((field,), [n]).cost, n.subgraph))


def _response_keys(operation: Operation, keys: KeyAllocator) -> dict[str, str]:
    """What the client calls each key where that differs: another name, or "" for keys that only the planner uses."""
    client: dict[str, str] = {}

    def walk(selections: tuple[Selection, ...]) -> None:
        for selection in selections:
            if isinstance(selection, Field):
                client.setdefault(selection.key, selection.response_key)
            assert isinstance(selection, Field | Fragment)
            walk(selection.selections)

    walk(operation.selections)
    return {key: client.get(key, "") for key in keys.used() if client.get(key, "") != key}
