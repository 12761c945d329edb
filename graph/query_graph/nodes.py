"""A node of the query graph: an object of some type, as one subgraph sees it."""

from dataclasses import dataclass

from graph.supergraph.field_sets import FieldSet, SelectedField, SelectedFragment


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """`provided` is what `@provides` on the way here lets this subgraph answer although it is external.

    The query graph makes one node of each kind, so that nodes compare, and hash, by identity.
    """

    subgraph: str
    type_name: str
    provided: FieldSet = ()


def provided_field(provided: FieldSet, name: str, types: frozenset[str]) -> FieldSet | None:
    """The selections provided below the field, `()` for a leaf; None where the field is not provided.

    `types` are the type that has the field and the abstract types that it belongs to: fragments on these apply.
    """
    found: FieldSet | None = None
    for selection in provided:
        match selection:
            case SelectedField():
                inner = selection.selections if selection.name == name else None
            case SelectedFragment():
                applies = selection.type_condition in types
                inner = provided_field(selection.selections, name, types) if applies else None
        if inner is not None:
            found = (found or ()) + inner
    return found
