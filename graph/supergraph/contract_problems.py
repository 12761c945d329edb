"""Why a contract's API would not be GraphQL: something visible needs what is hidden."""

from collections.abc import Iterator
from typing import Any

from graphql import ConstValueNode, EnumValueNode, ListValueNode, NonNullTypeNode, ObjectValueNode

from graph.supergraph.api_schema import named_type
from graph.supergraph.contract_elements import Elements


def problems(elements: Elements, hidden: frozenset[str]) -> Iterator[str]:
    """One sentence for each, with what to do; nothing where the contract can be kept."""
    query = elements.roots.get("query", "Query")
    if query in hidden:
        yield f"nothing is left to ask for: no field of {query} remains; tag one that the contract includes, or exclude less"
        return
    for name in sorted(elements.types.keys() - hidden):
        for coordinate, child in elements.children(name):
            if coordinate in hidden:
                yield from _hidden_child(elements, hidden, name, coordinate, child)
            elif hasattr(child, "type"):
                yield from _references(elements, hidden, coordinate, child)
                yield from _arguments(elements, hidden, name, coordinate, child)


def _hidden_child(elements: Elements, hidden: frozenset[str], type_name: str, coordinate: str, child: Any) -> Iterator[str]:
    if elements.is_output(type_name):
        for interface in _requiring(elements, hidden, type_name, child.name.value):
            yield f"{coordinate} is hidden, but implements {interface}, which is not: hide both or none"
    elif hasattr(child, "type") and _is_required(child):
        yield f"{coordinate} is hidden, but whoever gives a {type_name} must give it: let it be null, give it a default, or show it"


def _requiring(elements: Elements, hidden: frozenset[str], type_name: str, field_name: str) -> Iterator[str]:
    """The visible fields of visible interfaces that a field of a type implements."""
    for interface in elements.interfaces(type_name):
        coordinate = f"{interface}.{field_name}"
        if interface not in hidden and coordinate not in hidden and any(c == coordinate for c, _ in elements.children(interface)):
            yield coordinate


def _references(elements: Elements, hidden: frozenset[str], coordinate: str, element: Any) -> Iterator[str]:
    target = named_type(element.type)
    if target in hidden:
        yield f"{coordinate} is of the type {target}, of which nothing is left: tag both alike"
        return
    default = getattr(element, "default_value", None)
    for used in _hidden_in(elements, hidden, target, default) if default is not None else ():
        yield f"{coordinate} has a default that uses {used}, which is hidden: choose another default, or show it"


def _arguments(elements: Elements, hidden: frozenset[str], type_name: str, coordinate: str, field: Any) -> Iterator[str]:
    for inner, argument in elements.arguments(coordinate, field):
        if inner not in hidden:
            yield from _references(elements, hidden, inner, argument)
            continue
        if _is_required(argument):
            yield f"{inner} is hidden, but whoever asks for {coordinate} must give it: let it be null, give it a default, or show it"
        suffix = inner.removeprefix(coordinate)
        for interface in _requiring(elements, hidden, type_name, field.name.value):
            wanted = dict(elements.children(interface.split(".")[0]))[interface]
            if any(c == f"{interface}{suffix}" and c not in hidden for c, _ in elements.arguments(interface, wanted)):
                yield f"{inner} is hidden, but {interface}{suffix}, which it implements, is not: hide both or none"


def _is_required(value: Any) -> bool:
    return isinstance(value.type, NonNullTypeNode) and value.default_value is None


def _hidden_in(elements: Elements, hidden: frozenset[str], type_name: str, value: ConstValueNode) -> Iterator[str]:
    """Hidden enum values and input fields that a default names."""
    if isinstance(value, ListValueNode):
        for item in value.values:
            yield from _hidden_in(elements, hidden, type_name, item)
    elif isinstance(value, EnumValueNode):
        if f"{type_name}.{value.value}" in hidden:
            yield f"{type_name}.{value.value}"
    elif isinstance(value, ObjectValueNode) and type_name in elements.types:
        fields = dict(elements.children(type_name))
        for part in value.fields:
            coordinate = f"{type_name}.{part.name.value}"
            if coordinate in hidden:
                yield coordinate
            elif coordinate in fields:
                yield from _hidden_in(elements, hidden, named_type(fields[coordinate].type), part.value)
