"""Queries for every field under a list of the public API, made of its schema: they grow by themselves as the schema does."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
    is_interface_type,
    is_required_argument,
)

Composite = GraphQLObjectType | GraphQLInterfaceType

SAMPLES: Mapping[str, str] = {
    "radiusMetres": "500",
    "keys": '["level"]',
    "startTs": "0",
    "endTs": "100000",
    "version": "1",
    "from": "1",
    "to": "1",
    "elementId": '"n1"',
}
"""What a required argument of that name is given."""


@dataclass(frozen=True, slots=True)
class Path:
    """How to come from a root to a type: `fields` are printed selections, from the root's to the one that has the type."""

    fields: tuple[str, ...]
    kind: Composite

    def query(self, selection: str) -> str:
        root, *inner = self.fields
        nested = " { ".join([*inner, selection]) + " }" * len(inner)
        # The list itself is always asked for, so that one sees how many there are.
        return f"query ($count: Int!) {{ {root} {{ listed: nodes {{ __typename }} {nested} }} }}"


class MissingSample(AssertionError):
    """A field has a required argument of which this module knows no example."""


def paths(schema: GraphQLSchema, narrowed: Mapping[str, str]) -> dict[str, Path]:
    """To each type that a list of a chosen length leads to, a shortest way. `narrowed` are more arguments of some roots."""
    found: dict[str, Path] = {}
    waiting: deque[Path] = deque()
    for name, field in sorted(_query(schema).fields.items()):
        if "first" in field.args and not any(is_required_argument(argument) for argument in field.args.values()):
            arguments = ", ".join(["first: $count", *([narrowed[name]] if name in narrowed else [])])
            waiting.append(Path((f"{name}({arguments})",), _composite(field)))
    while waiting:
        path = waiting.popleft()
        if path.kind.name in found:
            continue
        found[path.kind.name] = path
        for name, field in sorted(path.kind.fields.items()):
            if is_composite_type(get_named_type(field.type)):
                waiting.append(Path((*path.fields, selected(path.kind, name, field)), _composite(field)))
        for possible in _implementations(schema, path.kind):
            waiting.append(Path((*path.fields, f"... on {possible.name}"), possible))
    return found


def selected(kind: Composite, name: str, field: GraphQLField) -> str:
    """The field with what arguments it needs; of a list inside a list, three."""
    given = []
    for argument, definition in field.args.items():
        if argument == "first":
            given.append("first: 3")
        elif is_required_argument(definition):
            if argument not in SAMPLES:
                raise MissingSample(f"{kind.name}.{name} needs `{argument}`: give SAMPLES an example of it")
            given.append(f"{argument}: {SAMPLES[argument]}")
    return name + (f"({', '.join(given)})" if given else "")


def selections(schema: GraphQLSchema, kind: Composite) -> Iterator[tuple[str, str]]:
    """Each of the type's fields by its name, printed with what is asked of it: the fields of its type that lead nowhere."""
    for name, field in sorted(kind.fields.items()):
        inner = get_named_type(field.type)
        printed = selected(kind, name, field)
        yield name, f"{printed} {{ {_leaves(schema, _composite(field))} }}" if is_composite_type(inner) else printed


def _leaves(schema: GraphQLSchema, kind: Composite) -> str:
    names = [selected(kind, name, field) for name, field in kind.fields.items() if not is_composite_type(get_named_type(field.type))]
    if {"nodes", "pageInfo"} <= set(kind.fields):
        names.append(f"nodes {{ {_leaves(schema, _composite(kind.fields['nodes']))} }}")
    return " ".join(["__typename", *names])


def _composite(field: GraphQLField) -> Composite:
    kind = get_named_type(field.type)
    assert isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)), f"{kind.name} is a union: teach the walk to go through it"
    return kind


def _implementations(schema: GraphQLSchema, kind: Composite) -> list[GraphQLObjectType]:
    # Node is whatever has an identifier: each of those is come to by a list of its own.
    if not is_interface_type(kind) or kind.name == "Node":
        return []
    return sorted(schema.get_possible_types(kind), key=lambda possible: possible.name)


def _query(schema: GraphQLSchema) -> GraphQLObjectType:
    assert schema.query_type is not None
    return schema.query_type
