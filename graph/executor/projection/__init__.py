"""Turns the response tree into the client's answer: its selection, order and response keys, null where a value is not right.

The API schema says what is right; a null in a non-null place passes upwards to the nearest nullable one.
"""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import GraphQLSchema, OperationType

from graph.contracts import OperationKind
from graph.executor.faults import Faults, PathKey
from graph.executor.projection.completion import Completion, Hidden
from graph.executor.projection.deferred import Found
from graph.executor.projection.selection import ALWAYS, all_conditions
from graph.executor.projection.writer import ProjectionWriter
from graph.executor.shape import JSONObject
from graph.planner.normalize.operation import Operation
from graph.supergraph.demands import NOTHING_DENIED, Denied

_ROOT_OPERATIONS = {
    OperationKind.QUERY: OperationType.QUERY,
    OperationKind.MUTATION: OperationType.MUTATION,
    OperationKind.SUBSCRIPTION: OperationType.SUBSCRIPTION,
}


class Projection:
    """The projection of one operation."""

    def __init__(self, schema: GraphQLSchema, operation: Operation, hidden: Hidden, denied: Denied = NOTHING_DENIED) -> None:
        root = schema.get_root_type(_ROOT_OPERATIONS[operation.kind])
        if root is None:
            raise ValueError(f"the API schema has no {operation.kind} type")
        self._conditions = all_conditions(operation.selections)
        self._hidden = hidden
        writer = ProjectionWriter(schema, self._conditions, hidden, denied)
        self._project = writer.projection(root.name, ((operation.selections, ALWAYS),))

    def run(
        self,
        tree: JSONObject,
        variables: Mapping[str, Any],
        faults: Faults,
        service_of: Callable[[list[PathKey]], str | None],
    ) -> JSONObject | None:
        """The answer's data; what is wrong with it is added to `faults`."""
        return self._project(tree, None, self.completion(variables, faults, service_of))

    def run_partly(self, tree: JSONObject, run: Completion) -> JSONObject | None:
        """The data without what is deferred and does not hold in this run."""
        return self._project(tree, None, run)

    def completion(
        self,
        variables: Mapping[str, Any],
        faults: Faults,
        service_of: Callable[[list[PathKey]], str | None],
        later: list[Found] | None = None,
    ) -> Completion:
        """A run of the projection, or of one of the parts that an earlier run has put into its `later`."""
        on = tuple(variables.get(one.variable) is one.expected for one in self._conditions)
        return Completion(faults, on, self._hidden, service_of, later)
