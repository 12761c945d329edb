"""An operation as a tree that can be rewritten: hypothesis-graphql's documents come in, other documents of the same schema go out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLField,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    get_named_type,
    is_composite_type,
    print_ast,
)


@dataclass(slots=True)
class Selected:
    """A field, or a fragment (`name` None) on a type or, without one, on its own. `scope` is the type that it is selected from."""

    scope: str
    name: str | None = None
    alias: str | None = None
    on: str | None = None
    spread: str | None = None
    """The name of the fragment to spread here; its selections are in `below`, too."""
    arguments: dict[str, ValueNode | str] = field(default_factory=dict)
    directives: list[str] = field(default_factory=list)
    below: list["Selected"] = field(default_factory=list)

    def copied(self, below: list["Selected"]) -> "Selected":
        """The same, with copies of these selections."""
        inside = [one.copied(one.below) for one in below]
        return Selected(self.scope, self.name, self.alias, self.on, self.spread, dict(self.arguments), list(self.directives), inside)


@dataclass(slots=True)
class Variable:
    name: str
    type: str
    default: str | None = None


@dataclass(slots=True)
class Document:
    """`variables` are the definitions, `values` what is sent with them."""

    kind: str
    root: str
    selected: list[Selected]
    variables: list[Variable] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    fragments: dict[str, tuple[str, list[Selected]]] = field(default_factory=dict)

    def text(self) -> str:
        definitions = ", ".join(f"${one.name}: {one.type}" + (f" = {one.default}" if one.default else "") for one in self.variables)
        head = f"{self.kind}({definitions})" if definitions else self.kind
        fragments = [f"fragment {name} on {on} {_print(selected)}" for name, (on, selected) in self.fragments.items()]
        return "\n".join([f"{head} {_print(self.selected)}", *fragments])


def read(schema: GraphQLSchema, document: DocumentNode) -> Document:
    """A document with one operation, without named fragments, variables and directives."""
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    root = schema.get_root_type(operation.operation)
    assert root is not None
    return Document(operation.operation.value, root.name, _read(schema, operation.selection_set, root.name))


def _read(schema: GraphQLSchema, selections: SelectionSetNode | None, scope: str) -> list[Selected]:
    found: list[Selected] = []
    for node in selections.selections if selections else ():
        if isinstance(node, InlineFragmentNode):
            on = node.type_condition.name.value if node.type_condition else None
            found.append(Selected(scope, on=on, below=_read(schema, node.selection_set, on or scope)))
            continue
        assert isinstance(node, FieldNode)
        name = node.name.value
        below = _read(schema, node.selection_set, type_below(schema, scope, name)) if node.selection_set else []
        arguments: dict[str, ValueNode | str] = {one.name.value: one.value for one in node.arguments or ()}
        found.append(Selected(scope, name, node.alias.value if node.alias else None, arguments=arguments, below=below))
    return found


def field_of(schema: GraphQLSchema, scope: str, name: str) -> GraphQLField:
    of_type = schema.type_map[scope]
    assert isinstance(of_type, GraphQLObjectType | GraphQLInterfaceType)
    found: GraphQLField = of_type.fields[name]
    return found


def type_below(schema: GraphQLSchema, scope: str, name: str) -> str:
    return get_named_type(field_of(schema, scope, name).type).name


def input_type(schema: GraphQLSchema, one: Selected, argument: str) -> GraphQLInputType:
    assert one.name is not None
    return field_of(schema, one.scope, one.name).args[argument].type


def composite_types(schema: GraphQLSchema) -> list[str]:
    return sorted(name for name, one in schema.type_map.items() if is_composite_type(one) and not name.startswith("__"))


def selection_sets(selected: list[Selected], scope: str, schema: GraphQLSchema) -> Iterator[tuple[list[Selected], str]]:
    """Every selection set with the type that it selects from, the outermost first."""
    yield selected, scope
    for one in list(selected):
        if one.below:
            inner = (one.on or scope) if one.name is None else type_below(schema, one.scope, one.name)
            yield from selection_sets(one.below, inner, schema)


def _print(selected: Sequence[Selected]) -> str:
    return "{ " + " ".join(map(_print_one, selected)) + " }"


def _print_one(one: Selected) -> str:
    directives = "".join(f" {directive}" for directive in one.directives)
    if one.spread is not None:
        return f"...{one.spread}{directives}"
    if one.name is None:
        return f"...{f' on {one.on}' if one.on else ''}{directives} {_print(one.below)}"
    head = f"{one.alias}: {one.name}" if one.alias else one.name
    if one.arguments:
        values = ((name, value if isinstance(value, str) else print_ast(value)) for name, value in one.arguments.items())
        head += f"({', '.join(f'{name}: {value}' for name, value in values)})"
    return f"{head}{directives}{f' {_print(one.below)}' if one.below else ''}"
