"""The planner of one supergraph, and what it keeps between operations."""

from dataclasses import dataclass, replace

from graphql import DocumentNode

from graph.planner.normalize import Normalizer, shape_conflicts
from graph.planner.normalize.operation import Operation
from graph.planner.permitted import permitted
from graph.planner.plan import Plan
from graph.planner.planning import Planning
from graph.query_graph import QueryGraph
from graph.query_graph.keys import KeyAllocator
from graph.query_graph.requirements import RequirementReader
from graph.query_graph.search import Search
from graph.supergraph import Supergraph
from graph.supergraph.demands import Denied

MAX_GRAPHS = 64
"""Combinations of override labels whose query graphs are kept."""


@dataclass(frozen=True, slots=True)
class Normalized:
    """An operation before it is planned; `keys` are those that its fields have taken, for one plan to go on with."""

    operation: Operation
    keys: KeyAllocator


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
        return self.planning(document, operation_name, active_labels).plan()

    def plan_for(self, normalized: Normalized, denied: Denied, active_labels: frozenset[str] = frozenset()) -> Plan:
        """The plan for callers to whom something is denied. Raises as `plan` does, but for what normalising has raised already."""
        wanted = permitted(normalized.operation, self.supergraph, denied) if denied else normalized.operation
        plan = self._planning(wanted, normalized.keys, active_labels).plan()
        return plan if wanted is normalized.operation else replace(plan, operation=normalized.operation, denied=denied)

    def normalized(self, document: DocumentNode, operation_name: str | None) -> Normalized:
        """The operation by itself, with all that a plan for it is made of. Raises as `plan` does."""
        keys = KeyAllocator()
        return Normalized(self._normalizer.normalize(document, operation_name, keys), keys)

    def planning(self, document: DocumentNode, operation_name: str | None, active_labels: frozenset[str] = frozenset()) -> Planning:
        """The same, stage by stage; for whoever wants to look at the stages."""
        normalized = self.normalized(document, operation_name)
        return self._planning(normalized.operation, normalized.keys, active_labels)

    def _planning(self, operation: Operation, keys: KeyAllocator, active_labels: frozenset[str]) -> Planning:
        search = Search(self._graph(active_labels), RequirementReader(self.supergraph, self._conflicts, keys))
        return Planning(self.supergraph, search, operation, keys)

    def _graph(self, active_labels: frozenset[str]) -> QueryGraph:
        graph = self._graphs.get(active_labels)
        if graph is None:
            while len(self._graphs) >= MAX_GRAPHS:
                del self._graphs[next(iter(self._graphs))]
            graph = self._graphs[active_labels] = QueryGraph(self.supergraph, active_labels)
        return graph
