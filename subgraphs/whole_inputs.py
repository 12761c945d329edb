"""Inputs that their resolvers read themselves, because GraphQL's coercion of each of 100,000 numbers costs more than storing them.

The gateway has coerced every variable against these types already, so a slice in its process need not do it a second time. A
literal in the document is coerced as ever, and so is everything where a slice is served alone. Resolvers get the request's own
objects, not copies: they neither change nor keep them.
"""

from collections.abc import Iterable
from typing import Any

from graphql import GraphQLNamedType, GraphQLScalarType, GraphQLSchema

from graph.contracts import UNCHANGED
from graph.errors import BadUserInput


class _VariablesTakenWhole(GraphQLSchema):
    """Differs in the type that a variable's declaration is looked up to have, and in nothing else."""

    whole: dict[str, GraphQLNamedType]

    def get_type(self, name: str) -> GraphQLNamedType | None:
        return self.whole.get(name) or super().get_type(name)


def taking_whole(schema: GraphQLSchema, names: Iterable[str]) -> GraphQLSchema:
    """The schema with the variables of these input types taken as they come; for valid documents with coerced variables."""
    copy = object.__new__(_VariablesTakenWhole)
    copy.__dict__.update(schema.__dict__)
    copy.whole = {name: GraphQLScalarType(name, coerce_input_value=_an_object, extensions={UNCHANGED: True}) for name in names}
    return copy


def _an_object(value: Any) -> Any:
    if not isinstance(value, dict):
        raise BadUserInput(f"{str(value)[:64]!r} is not an input object")
    return value
