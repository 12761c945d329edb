"""The normalised operation: named fragments are gone, every field knows its key, conditions are explicit."""

from dataclasses import dataclass

from graphql import VariableDefinitionNode

from graph.contracts import OperationKind
from graph.query_graph.selections import DEFER, NO_CONDITIONS, Condition, Field, Fragment, Selection

__all__ = ["DEFER", "NO_CONDITIONS", "Condition", "Deferral", "Field", "Fragment", "Operation", "Selection"]


@dataclass(frozen=True, slots=True)
class Deferral:
    """A `@defer`: its fields carry `condition`; `variable` is that of its `if`, None where it has none."""

    condition: Condition
    label: str | None
    variable: str | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document, by itself. `variables` are the definitions, for coercion and for printing."""

    kind: OperationKind
    name: str | None
    selections: tuple[Selection, ...]
    variables: tuple[VariableDefinitionNode, ...] = ()
    deferrals: tuple[Deferral, ...] = ()
