"""Operations of a schema: as hypothesis-graphql writes them, and the same rewritten into what clients write besides.

Rewritten are: aliases (one alias for different fields of different types too), `__typename`, fields selected twice with parts of their
selections, inline fragments on every type that may apply, named fragments that are spread in several places, `@skip` and `@include`
with literals and variables, variables for arguments and for parts of input objects, with defaults, given or left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    ListValueNode,
    NameNode,
    NullValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    is_abstract_type,
    parse,
    print_ast,
    validate,
    value_from_ast_untyped,
)
from graphql.validation import NoFragmentCyclesRule, OverlappingFieldsCanBeMergedRule, PossibleFragmentSpreadsRule
from hypothesis import strategies as st
from hypothesis_graphql import from_schema

from tests.oracle.selected import Document, Selected, Variable, composite_types, input_type, read, selection_sets

ALIASES = ("a", "b", "c", "id", "name")
FRAGMENTS = 4
REWRITTEN = 3
"""How often each operation is rewritten: that costs less than to generate another."""
BREAKABLE = (NoFragmentCyclesRule, OverlappingFieldsCanBeMergedRule, PossibleFragmentSpreadsRule)
"""The rules of validation that rewriting may break."""
TRIES = (frozenset({"aliases", "fragments"}), frozenset({"fragments"}), frozenset({"aliases"}), frozenset[str]())
"""What is done besides that may break rules, the most first."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A valid document with one operation, and the values to send with it."""

    text: str
    variables: dict[str, Any]
    document: DocumentNode = field(repr=False, compare=False)

    @classmethod
    def of(cls, text: str, variables: dict[str, Any]) -> "Operation":
        return cls(text, variables, parse(text))


Drawn = tuple[DocumentNode, int]
"""A document, and a seed for its rewriting."""


def documents(schema: GraphQLSchema) -> st.SearchStrategy[Drawn]:
    return st.tuples(from_schema(schema, print_ast=lambda node: node), st.integers(0, 2**32))


def operations(schema: GraphQLSchema, drawn: Drawn) -> Iterator[Operation]:
    """The operation of the document as it is, and rewritten in several ways."""
    document, seed = drawn
    random = Random(seed)
    yield Operation.of(print_ast(document), {})
    for _ in range(REWRITTEN):
        yield _rewritten(schema, document, random)


def _rewritten(schema: GraphQLSchema, document: DocumentNode, random: Random) -> Operation:
    rewriter = _Rewriter(schema, random)
    for extras in TRIES:
        operation = rewriter.rewrite(read(schema, document), extras)
        if not validate(schema, operation.document, BREAKABLE, max_errors=1):
            return operation
    return Operation.of(print_ast(document), {})


class _Rewriter:
    def __init__(self, schema: GraphQLSchema, random: Random) -> None:
        self._schema, self._random = schema, random
        self._possible = {name: self._possible_types(name) for name in composite_types(schema)}

    def rewrite(self, document: Document, extras: frozenset[str]) -> Operation:
        for selected, scope in list(selection_sets(document.selected, document.root, self._schema)):
            if "aliases" in extras:
                self._name(selected)
            if document.kind == "query" or scope != document.root:
                self._split(selected)
            self._ask_for_type(selected, scope)
            self._wrap(selected, scope)
        for one in [one for selected, _ in selection_sets(document.selected, document.root, self._schema) for one in selected]:
            self._condition(document, one)
            self._extract_variables(document, one)
        if "fragments" in extras:
            self._name_fragments(document)
        return Operation.of(document.text(), document.values)

    def _possible_types(self, name: str) -> frozenset[str]:
        of_type = self._schema.type_map[name]
        if is_abstract_type(of_type):
            return frozenset(one.name for one in self._schema.get_possible_types(of_type))
        return frozenset({name})

    def _chance(self, one_in: int) -> bool:
        return self._random.randrange(one_in) == 0

    def _name(self, selected: list[Selected]) -> None:
        """Aliases from a small stock, so that they clash; not twice within a selection set."""
        free = list(ALIASES)
        self._random.shuffle(free)
        for one in selected:
            if one.name is not None and free and self._chance(4):
                one.alias = free.pop()

    def _split(self, selected: list[Selected]) -> None:
        """Selects an object twice, with parts of its selections."""
        for one in list(selected):
            if one.name is None or len(one.below) < 2 or not self._chance(4):
                continue
            at = self._random.randrange(1, len(one.below))
            again = one.copied(one.below[at - 1 :])
            one.below = one.below[:at]
            selected.insert(self._random.randint(0, len(selected)), again)

    def _ask_for_type(self, selected: list[Selected], scope: str) -> None:
        if self._chance(4):
            alias = self._random.choice([None, "type", "kind"])
            selected.insert(self._random.randint(0, len(selected)), Selected(scope, "__typename", alias))

    def _wrap(self, selected: list[Selected], scope: str) -> None:
        """Puts some of the selections into a fragment, on a type that may narrow them or not; there may be some left outside."""
        if not selected or not self._chance(3):
            return
        first = self._random.randrange(len(selected))
        last = self._random.randint(first + 1, len(selected))
        inside = selected[first:last]
        on = self._random.choice([None, scope, *self._wider(scope)])
        wrapped = Selected(scope, on=on, below=inside)
        if is_abstract_type(self._schema.type_map[scope]) and self._chance(2):
            narrow = self._random.choice(sorted(name for name, types in self._possible.items() if types & self._possible[scope]))
            wrapped = Selected(scope, on=narrow, below=[Selected(narrow, on=scope, below=inside)])
        selected[first:last] = [wrapped]

    def _wider(self, scope: str) -> list[str]:
        """The abstract types that take in all of this one, but whose fields may be fewer: selections go back to the type inside."""
        return [name for name, types in self._possible.items() if types >= self._possible[scope] and self._has_fields_of(name, scope)]

    def _has_fields_of(self, name: str, scope: str) -> bool:
        mine = getattr(self._schema.type_map[name], "fields", {}).keys()
        return mine >= getattr(self._schema.type_map[scope], "fields", {}).keys()

    def _condition(self, document: Document, one: Selected) -> None:
        if not self._chance(6):
            return
        for directive in self._random.choice((["skip"], ["include"], ["include"], ["skip", "include"])):
            value = self._random.choice(("$on", "$off", "$some", "$on", "true", "false"))
            one.directives.append(f"@{directive}(if: {value})")
            if value.startswith("$") and value[1:] not in {known.name for known in document.variables}:
                default = "true" if value == "$some" else None
                document.variables.append(Variable(value[1:], "Boolean!", default))
                if value != "$some" or self._chance(2):
                    document.values[value[1:]] = value == "$on"

    def _extract_variables(self, document: Document, one: Selected) -> None:
        for name, value in one.arguments.items():
            if isinstance(value, ValueNode):
                one.arguments[name] = self._extract(document, value, input_type(self._schema, one, name))

    def _extract(self, document: Document, value: ValueNode, of_type: GraphQLInputType) -> ValueNode | str:
        """A variable in place of a value, or of parts of it."""
        if self._chance(3):
            return "$" + self._variable(document, value, of_type)
        inner = of_type.of_type if isinstance(of_type, GraphQLNonNull) else of_type
        if isinstance(value, ObjectValueNode) and isinstance(inner, GraphQLInputObjectType):
            fields = [
                ObjectFieldNode(name=one.name, value=_node(self._extract(document, one.value, inner.fields[one.name.value].type)))
                for one in value.fields
            ]
            return ObjectValueNode(fields=tuple(fields))
        if isinstance(value, ListValueNode) and isinstance(inner, GraphQLList):
            return ListValueNode(values=tuple(_node(self._extract(document, one, inner.of_type)) for one in value.values))
        return value

    def _variable(self, document: Document, value: ValueNode, of_type: GraphQLInputType) -> str:
        name = f"v{len(document.variables)}"
        variable = Variable(name, str(of_type))
        document.variables.append(variable)
        nullable = not isinstance(of_type, GraphQLNonNull)
        match self._random.randrange(4):
            case 0 if not isinstance(value, NullValueNode):
                variable.default = print_ast(value)
            case 1 if nullable:
                pass
            case _:
                document.values[name] = value_from_ast_untyped(value)
        return name

    def _name_fragments(self, document: Document) -> None:
        """Makes some inline fragments named ones, and spreads some of those elsewhere too."""
        for selected, scope in list(selection_sets(document.selected, document.root, self._schema)):
            for index, one in enumerate(selected):
                if one.name is not None or len(document.fragments) >= FRAGMENTS or not self._chance(2):
                    continue
                name = f"F{len(document.fragments)}"
                document.fragments[name] = (one.on or scope, one.below)
                selected[index] = Selected(scope, spread=name, directives=one.directives)
            fitting = [name for name, (on, _) in document.fragments.items() if self._possible[on] & self._possible[scope]]
            if fitting and document.kind == "query" and self._chance(4):
                selected.append(Selected(scope, spread=self._random.choice(fitting)))


def _node(value: ValueNode | str) -> ValueNode:
    return VariableNode(name=NameNode(value=value[1:])) if isinstance(value, str) else value
