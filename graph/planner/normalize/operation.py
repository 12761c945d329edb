"""The normalised operation: named fragments are gone, every field knows its key, conditions are explicit."""

from dataclasses import dataclass

from graphql import VariableDefinitionNode

from graph.contracts import OperationKind
from graph.query_graph.selections import NO_CONDITIONS, Condition, Field, Fragment, Selection

__all__ = ["NO_CONDITIONS", "Condition", "Field", "Fragment", "Operation", "Selection"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document, by itself. `variables` are the definitions, for coercion and for printing."""

    kind: OperationKind
    name: str | None
    selections: tuple[Selection, ...]
    variables: tuple[VariableDefinitionNode, ...] = ()
