"""Fields of objects and interfaces, and their arguments."""

from collections.abc import Iterable, Sequence

from graphql import print_ast

from graph.composition.gathered import FieldSource, Gathered, InputSource
from graph.composition.merge.applied import merge_applied
from graph.composition.merge.authorisation import inherited_by_field
from graph.composition.merge.context_arguments import is_contextual
from graph.composition.merge.descriptions import merge_descriptions
from graph.composition.merge.join import join_fields, join_inputs
from graph.composition.merged import MergedField, MergedInput, Use
from graph.composition.subgraph import Kind
from graph.composition.type_ref import most_general, most_specific


def merge_fields(gathered: Gathered, type_name: str) -> dict[str, MergedField]:
    """The type's own fields, then those that interface objects add to it."""
    fields = {name: _merge_field(gathered, type_name, name) for name in gathered.field_names(type_name)}
    if gathered.kind(type_name) is Kind.OBJECT:
        for interface in sorted(gathered.interfaces_of.get(type_name, ())):
            for name in _from_interface_objects(gathered, interface):
                if name not in fields:
                    added = _merge_field(gathered, interface, name)
                    # Apollo's form: the field is there, and no subgraph answers it on this very type.
                    others = tuple(use for use in added.uses if use.name != "join__field")
                    fields[name] = MergedField(name, added.description, (Use("join__field"), *others), added.type, added.arguments)
    return fields


def _from_interface_objects(gathered: Gathered, interface: str) -> list[str]:
    return [
        name
        for name in gathered.field_names(interface)
        if any(s.owner.is_interface_object and s.resolves for s in gathered.field_sources(interface, name))
    ]


def _merge_field(gathered: Gathered, type_name: str, field_name: str) -> MergedField:
    sources = gathered.field_sources(type_name, field_name)
    resolving = [source for source in sources if not source.is_external] or sources
    refs = [source.field.type for source in sources]
    inherited = inherited_by_field(gathered, type_name, field_name)
    return MergedField(
        name=field_name,
        description=merge_descriptions(source.field.description for source in resolving),
        uses=(
            *join_fields(gathered, type_name, sources),
            *merge_applied(gathered, [(source.member, source.field) for source in resolving], inherited),
        ),
        type=most_general(refs, gathered.is_named_subtype) or refs[0],
        arguments=_merge_arguments(gathered, resolving),
    )


def _merge_arguments(gathered: Gathered, sources: Sequence[FieldSource]) -> dict[str, MergedInput]:
    """Only what every subgraph understands; an argument that is filled from a context is not for clients."""
    merged: dict[str, MergedInput] = {}
    for name in argument_names(sources):
        found = gathered.argument_sources(sources, name)
        if len(found) == len(sources):
            merged[name] = merge_input(gathered, name, found)
    return merged


def argument_names(sources: Iterable[FieldSource]) -> list[str]:
    return list(
        dict.fromkeys(argument.name for source in sources for argument in source.field.arguments.values() if not is_contextual(argument))
    )


def merge_input(gathered: Gathered, name: str, sources: Sequence[InputSource], *, of_object: bool = False) -> MergedInput:
    """An argument, or a field of an input object; only the latter can say that subgraphs differ in its type."""
    refs = [source.value.type for source in sources]
    defaults = {print_ast(source.value.default) if source.value.default else None for source in sources}
    applied = merge_applied(gathered, [(source.member, source.value) for source in sources])
    return MergedInput(
        name=name,
        description=merge_descriptions(source.value.description for source in sources),
        uses=(*(join_inputs(sources) if of_object else ()), *applied),
        type=most_specific(refs) or refs[0],
        default=defaults.pop() if len(defaults) == 1 else None,
    )
