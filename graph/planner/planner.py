"""Plans an operation: normalise it, find the paths to its leaves, choose among them, lay them over each other, print the requests."""

from dataclasses import dataclass

from graphql import DocumentNode

from graph.contracts import OperationKind
from graph.planner.choose import Choice, choose
from graph.planner.fetch_graph import FetchGraph, delay_to_merge, to_fetches
from graph.planner.fetch_graph.steps import Step
from graph.planner.normalize import KeyAllocator, Normalizer, shape_conflicts
from graph.planner.normalize.operation import Field, Fragment, Operation, Selection
from graph.planner.plan import Fetch, Plan
from graph.query_graph import Node, QueryGraph
from graph.query_graph.requirements import RequirementReader
from graph.query_graph.search import Leaf, Search
from graph.supergraph import Supergraph

MAX_GRAPHS = 64
"""Combinations of override labels whose query graphs are kept."""


@dataclass(frozen=True, slots=True)
class _Route:
    """The leaves of some root fields and the paths chosen to them."""

    leaves: list[Leaf]
    choice: Choice

    @property
    def cost(self) -> tuple[int, int]:
        steps = frozenset().union(*(p.steps for p in self.choice.paths))
        return max((level for level, _ in steps), default=-1), len(steps)


class Planner:
    """Plans operations of one supergraph."""

    def __init__(self, supergraph: Supergraph) -> None:
        self.supergraph = supergraph
        self._conflicts = shape_conflicts(supergraph)
        self._normalizer = Normalizer(supergraph, self._conflicts)
        self._graphs: dict[frozenset[str], QueryGraph] = {}

    def plan(self, document: DocumentNode, operation_name: str | None = None, active_labels: frozenset[str] = frozenset()) -> Plan:
        """The plan of one operation of a document that is valid for the API schema.

        `active_labels` are those of `@override(label:)` that hold for this request. Raises `BadUserInput` where the name picks no
        operation, `GraphQLValidationFailed` where the operation is too large, and `search.Unreachable` where the supergraph does not
        say how to reach a field.
        """
        keys = KeyAllocator()
        operation = self._normalizer.normalize(document, operation_name, keys)
        search = Search(self._graph(active_labels), RequirementReader(self.supergraph, self._conflicts, keys))
        planning = _Planning(self.supergraph, search, operation)
        fetches = planning.fetches() if operation.kind is OperationKind.QUERY else planning.serial_fetches()
        return Plan(operation, tuple(fetches), _response_keys(operation, keys))

    def _graph(self, active_labels: frozenset[str]) -> QueryGraph:
        graph = self._graphs.get(active_labels)
        if graph is None:
            while len(self._graphs) >= MAX_GRAPHS:
                del self._graphs[next(iter(self._graphs))]
            graph = self._graphs[active_labels] = QueryGraph(self.supergraph, active_labels)
        return graph


class _Planning:
    """The planning of one operation."""

    def __init__(self, supergraph: Supergraph, search: Search, operation: Operation) -> None:
        self.operation = operation
        self.search = search
        self.graph = search.graph
        self.root_type = supergraph.root_types[operation.kind]

    def fetches(self) -> list[Fetch]:
        """Of a query: all root fields at once."""
        return self._printed(self._steps(self._route(self.operation.selections)), first=0)

    def _route(self, selections: tuple[Selection, ...], roots: list[Node] | None = None) -> _Route:
        leaves = self.search.leaves(selections, self.root_type, roots if roots is not None else self.graph.roots(self.root_type))
        return _Route(leaves, choose(leaves))

    def _steps(self, route: _Route) -> list[Step]:
        fetch_graph = FetchGraph(self.graph)
        for leaf, path in zip(route.leaves, route.choice.paths, strict=True):
            fetch_graph.add(path, leaf.conditions)
        return delay_to_merge(fetch_graph.steps.values())

    def _printed(self, steps: list[Step], first: int) -> list[Fetch]:
        return to_fetches(steps, self.operation.kind, self.operation.variables, self.graph, first)

    def serial_fetches(self) -> list[Fetch]:
        """Root fields one after the other, each with all that hangs on it; neighbours of one subgraph share their requests."""
        runs: list[tuple[Node, list[Selection]]] = []
        for selection in self.operation.selections:
            assert isinstance(selection, Field)
            if selection.name.startswith("__"):
                continue
            root = self._only_root(selection)
            if runs and runs[-1][0] == root:
                runs[-1][1].append(selection)
            else:
                runs.append((root, [selection]))
        fetches: list[Fetch] = []
        before: tuple[int, ...] = ()
        for root, selections in runs:
            new = self._printed(self._steps(self._route(tuple(selections), [root])), first=len(fetches))
            new = [f if f.depends_on or not before else _after(f, before) for f in new]
            before = tuple(range(len(fetches), len(fetches) + len(new)))
            fetches.extend(new)
        return fetches

    def _only_root(self, field: Field) -> Node:
        """The subgraph in which a field with effects runs: one, even where several offer it."""
        roots = self.graph.roots(self.root_type)
        offering = [n for n in roots if self.graph.field(n, field.name)]
        if len(offering) <= 1:
            return offering[0] if offering else roots[0]
        return min(offering, key=lambda n: (self._route((field,), [n]).cost, n.subgraph))


def _after(fetch: Fetch, before: tuple[int, ...]) -> Fetch:
    return Fetch(fetch.subgraph, fetch.document, fetch.kind, fetch.variables, fetch.calls, before, fetch.conditions)


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
