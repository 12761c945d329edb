"""What a subgraph's SDL says about federation: its entities and their keys, and which fields it answers under which condition."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphql import (
    ConstDirectiveNode,
    DocumentNode,
    FieldDefinitionNode,
    FieldNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    SelectionSetNode,
    value_from_ast_untyped,
)

from tests.federation_audit.selections import parse_field_set

Composite = ObjectTypeDefinitionNode | ObjectTypeExtensionNode | InterfaceTypeDefinitionNode | InterfaceTypeExtensionNode


@dataclass(frozen=True, slots=True)
class Facts:
    """Fields are named by coordinates, `Type.field`. `keys` are the resolvable ones; a type without any cannot be entered.

    `external` leaves out the fields that are part of a key: federation 1 marks those in every extension, and they are answered.
    """

    keys: Mapping[str, Sequence[SelectionSetNode]]
    external: frozenset[str]
    requires: Mapping[str, SelectionSetNode]
    provides: Mapping[str, SelectionSetNode]
    overrides: frozenset[tuple[str, str]]
    """(name of the subgraph that lost it, coordinate)."""


def read_facts(document: DocumentNode) -> Facts:
    keys: dict[str, list[SelectionSetNode]] = defaultdict(list)
    key_fields: set[str] = set()
    external: set[str] = set()
    requires: dict[str, SelectionSetNode] = {}
    provides: dict[str, SelectionSetNode] = {}
    overrides: set[tuple[str, str]] = set()
    types = list(_composites(document))
    field_types = {f"{t.name.value}.{f.name.value}": _named(f) for t in types for f in t.fields or ()}
    for definition in types:
        name = definition.name.value
        for key in _arguments(definition.directives, "key"):
            selections = parse_field_set(str(key["fields"]))
            key_fields.update(_coordinates(name, selections, field_types))
            if key.get("resolvable", True):
                keys[name].append(selections)
        whole = any(True for _ in _arguments(definition.directives, "external"))
        for field in definition.fields or ():
            coordinate = f"{name}.{field.name.value}"
            if whole or any(True for _ in _arguments(field.directives, "external")):
                external.add(coordinate)
            requires.update((coordinate, parse_field_set(str(a["fields"]))) for a in _arguments(field.directives, "requires"))
            provides.update((coordinate, parse_field_set(str(a["fields"]))) for a in _arguments(field.directives, "provides"))
            overrides.update((str(a["from"]), coordinate) for a in _arguments(field.directives, "override"))
    return Facts(keys, frozenset(external - key_fields), requires, provides, frozenset(overrides))


def _composites(document: DocumentNode) -> Iterator[Composite]:
    return (d for d in document.definitions if isinstance(d, Composite))


def _arguments(directives: Sequence[ConstDirectiveNode] | None, name: str) -> Iterator[dict[str, object]]:
    for directive in directives or ():
        if directive.name.value == name:
            yield {a.name.value: value_from_ast_untyped(a.value) for a in directive.arguments or ()}


def _coordinates(typename: str, selections: SelectionSetNode, field_types: Mapping[str, str]) -> Iterator[str]:
    for field in selections.selections:
        assert isinstance(field, FieldNode)
        coordinate = f"{typename}.{field.name.value}"
        yield coordinate
        if field.selection_set is not None:
            yield from _coordinates(field_types[coordinate], field.selection_set, field_types)


def _named(field: FieldDefinitionNode) -> str:
    node = field.type
    while hasattr(node, "type"):
        node = node.type
    return str(node.name.value)  # type: ignore[attr-defined]
