"""Authorisation stands on objects and their fields; interfaces inherit it, and whoever requires protected data is protected too."""

from collections.abc import Iterator

from graphql import FieldNode, InlineFragmentNode, SelectionSetNode

from graph.composition.facts import fields_of
from graph.composition.field_sets import field_set_of
from graph.composition.findings import Findings
from graph.composition.gathered import FieldSource, Gathered, Member
from graph.composition.merge.authorisation import implies, requirement_of
from graph.composition.subgraph import Applied, Element, Kind, Subgraph
from graph.composition.type_ref import named

DIRECTIVES = {"authenticated": "", "requiresScopes": "scopes", "policy": "policies"}


def check_authorisation(subgraph: Subgraph, findings: Findings) -> None:
    """AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE."""
    elements: list[tuple[str, Element]] = [
        (owner.name, owner) for owner in subgraph.types.values() if owner.kind_in_supergraph is Kind.INTERFACE
    ]
    elements += [(f"{owner.name}.{field.name}", field) for owner, field in fields_of(subgraph) if owner.kind is Kind.INTERFACE]
    for coordinate, element in elements:
        for name in DIRECTIVES:
            for applied in element.uses(name):
                findings.error(
                    "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE",
                    f'[{subgraph.name}] @{name} cannot stand on "{coordinate}", an interface, an interface\'s field or an interface'
                    " object: put it on the implementations or on the interface object's fields.",
                    [subgraph.place(applied.node)],
                )


def check_transitive(gathered: Gathered, findings: Findings) -> None:
    """MISSING_TRANSITIVE_AUTH_REQUIREMENTS: `@requires` must not be a way around the protection of what it requires."""
    for type_name in gathered.of_kind(Kind.OBJECT, Kind.INTERFACE):
        for field_name in gathered.field_names(type_name):
            for source in gathered.field_sources(type_name, field_name):
                for applied in source.field.uses("requires"):
                    _check_required(gathered, source, applied, findings)


def _check_required(gathered: Gathered, source: FieldSource, applied: Applied, findings: Findings) -> None:
    selection = field_set_of(applied)
    if selection is None:
        return
    type_name, field_name = source.owner.name, source.field.name
    given = [element for _, element in _declared(gathered, type_name, field_name)]
    for coordinate, element in _selected(gathered, source.member, type_name, selection):
        missing = [name for name in DIRECTIVES if not _has(given, element, name)]
        if missing:
            findings.error(
                "MISSING_TRANSITIVE_AUTH_REQUIREMENTS",
                f'[{source.member.name}] "{source.coordinate}" requires "{coordinate}", which is protected by'
                f" {', '.join('@' + name for name in missing)}: put the same on the requiring field.",
                [source.member.subgraph.place(applied.node)],
            )


def _has(given: list[Element], needed: Element, directive: str) -> bool:
    for use in needed.uses(directive):
        argument = DIRECTIVES[directive]
        own = [found for element in given for found in element.uses(directive)]
        if not argument:
            if not own:
                return False
        elif not any(implies(requirement_of(found, argument), requirement_of(use, argument)) for found in own):
            return False
    return True


def _declared(gathered: Gathered, type_name: str, field_name: str) -> Iterator[tuple[str, Element]]:
    for source in gathered.field_sources(type_name, field_name):
        yield str(source.coordinate), source.field
    for owner in gathered.types.get(type_name, ()):
        yield type_name, owner.type


def _selected(gathered: Gathered, member: Member, type_name: str, selection: SelectionSetNode) -> Iterator[tuple[str, Element]]:
    """Everything protected that the selection touches: fields, their types, and those of implementations."""
    for node in selection.selections:
        if isinstance(node, InlineFragmentNode):
            condition = node.type_condition.name.value if node.type_condition else type_name
            yield from ((condition, found.type) for found in gathered.types.get(condition, ()))
            yield from _selected(gathered, member, condition, node.selection_set)
        elif isinstance(node, FieldNode):
            owners = [type_name]
            if gathered.kind(type_name) is Kind.INTERFACE:
                owners += gathered.implementations_of.get(type_name, ())
            for owner in owners:
                for source in gathered.field_sources(owner, node.name.value):
                    yield str(source.coordinate), source.field
            found_type = member.subgraph.types[type_name].fields.get(node.name.value)
            if found_type is None:
                continue
            target = named(found_type.type)
            yield from ((target, found.type) for found in gathered.types.get(target, ()))
            if node.selection_set is not None:
                yield from _selected(gathered, member, target, node.selection_set)
