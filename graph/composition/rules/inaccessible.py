"""`@inaccessible` elements vanish from the public API: what stays must not refer to them, need them, or be left empty."""

from collections.abc import Iterator

from graphql import ConstValueNode, EnumValueNode, ListValueNode, ObjectValueNode, parse_const_value

from graph.composition.findings import Findings, Place
from graph.composition.gathered import Gathered
from graph.composition.merged import Merged, MergedElement, MergedField, MergedInput, MergedType
from graph.composition.specs import BUILT_IN_SCALARS
from graph.composition.subgraph import ROOTS
from graph.composition.type_ref import named


def check_inaccessible(merged: Merged, gathered: Gathered, findings: Findings) -> None:
    """QUERY_ROOT_TYPE_INACCESSIBLE, ONLY_INACCESSIBLE_CHILDREN, REFERENCED_INACCESSIBLE, REQUIRED_INACCESSIBLE,
    IMPLEMENTED_BY_INACCESSIBLE, DEFAULT_VALUE_USES_INACCESSIBLE."""
    if not any(use.name == "inaccessible" for found in merged.types.values() for use in found.all_uses()):
        return
    for found in merged.types.values():
        places = [source.place for source in gathered.types[found.name]]
        if found.inaccessible:
            if found.name == ROOTS[0]:
                findings.error(
                    "QUERY_ROOT_TYPE_INACCESSIBLE",
                    f'"{found.name}" is @inaccessible, but a public API must have a query: remove the directive.',
                    places,
                )
            continue
        if _children(found) and all(child.inaccessible for child in _children(found)):
            findings.error(
                "ONLY_INACCESSIBLE_CHILDREN",
                f'"{found.name}" is in the public API, but all that it has is @inaccessible: hide it too, or show something of it.',
                places,
            )
        _check_fields(merged, found, places, findings)
        for name, value in found.inputs.items():
            if not value.inaccessible:
                _check_input(merged, f"{found.name}.{name}", value, places, findings)
            elif value.required:
                _required(f"{found.name}.{name}", found.name, places, findings)


def _children(found: MergedType) -> list[MergedElement]:
    return [*found.fields.values(), *found.inputs.values(), *found.values.values()]


def _check_fields(merged: Merged, found: MergedType, places: list[Place], findings: Findings) -> None:
    for field in found.fields.values():
        coordinate = f"{found.name}.{field.name}"
        if field.inaccessible:
            _check_implemented(merged, found, field, places, findings)
            continue
        if _is_hidden(merged, named(field.type)):
            _referenced(coordinate, named(field.type), places, findings)
        for argument in field.arguments.values():
            if not argument.inaccessible:
                _check_input(merged, f"{coordinate}({argument.name}:)", argument, places, findings)
            elif argument.required:
                _required(f"{coordinate}({argument.name}:)", coordinate, places, findings)
            _check_implemented_argument(merged, found, field, argument, places, findings)


def _check_implemented(merged: Merged, found: MergedType, field: MergedField, places: list[Place], findings: Findings) -> None:
    for interface in found.interfaces:
        of = merged.types[interface]
        wanted = of.fields.get(field.name)
        if wanted is not None and not of.inaccessible and not wanted.inaccessible:
            findings.error(
                "IMPLEMENTED_BY_INACCESSIBLE",
                f'"{found.name}.{field.name}" is @inaccessible, but implements "{interface}.{field.name}", which is in the public'
                " API: hide both or none.",
                places,
            )


def _check_implemented_argument(
    merged: Merged, found: MergedType, field: MergedField, argument: MergedInput, places: list[Place], findings: Findings
) -> None:
    if not argument.inaccessible:
        return
    for interface in found.interfaces:
        of = merged.types[interface]
        wanted = of.fields.get(field.name)
        if wanted is None or of.inaccessible or wanted.inaccessible:
            continue
        other = wanted.arguments.get(argument.name)
        if other is not None and not other.inaccessible:
            findings.error(
                "IMPLEMENTED_BY_INACCESSIBLE",
                f'"{found.name}.{field.name}({argument.name}:)" is @inaccessible, but the interface\'s'
                f' "{interface}.{field.name}({argument.name}:)" is in the public API: hide both or none.',
                places,
            )


def _check_input(merged: Merged, coordinate: str, value: MergedInput, places: list[Place], findings: Findings) -> None:
    if _is_hidden(merged, named(value.type)):
        _referenced(coordinate, named(value.type), places, findings)
    elif value.default is not None:
        for hidden in _hidden_in(merged, named(value.type), parse_const_value(value.default)):
            findings.error(
                "DEFAULT_VALUE_USES_INACCESSIBLE",
                f'"{coordinate}" has the default {value.default}, and "{hidden}" in it is @inaccessible: choose another default.',
                places,
            )


def _hidden_in(merged: Merged, type_name: str, value: ConstValueNode) -> Iterator[str]:
    """Inaccessible enum values and input fields that a default names."""
    found = merged.types.get(type_name)
    if isinstance(value, ListValueNode):
        for item in value.values:
            yield from _hidden_in(merged, type_name, item)
    elif isinstance(value, EnumValueNode) and found is not None:
        named_value = found.values.get(value.value)
        if named_value is not None and named_value.inaccessible:
            yield f"{type_name}.{value.value}"
    elif isinstance(value, ObjectValueNode) and found is not None:
        for part in value.fields:
            field = found.inputs.get(part.name.value)
            if field is None:
                continue
            if field.inaccessible:
                yield f"{type_name}.{field.name}"
            yield from _hidden_in(merged, named(field.type), part.value)


def _is_hidden(merged: Merged, type_name: str) -> bool:
    return type_name not in BUILT_IN_SCALARS and merged.types[type_name].inaccessible


def _referenced(coordinate: str, type_name: str, places: list[Place], findings: Findings) -> None:
    findings.error(
        "REFERENCED_INACCESSIBLE",
        f'"{type_name}" is @inaccessible, but "{coordinate}", which is in the public API, is of that type: hide both or none.',
        places,
    )


def _required(coordinate: str, parent: str, places: list[Place], findings: Findings) -> None:
    findings.error(
        "REQUIRED_INACCESSIBLE",
        f'"{coordinate}" is @inaccessible, but required by "{parent}", which is in the public API: give it a default, make it'
        " nullable, or show it.",
        places,
    )
