"""The `@join__…` directives by which the supergraph remembers what came from which subgraph (join specification, v0.5)."""

from collections.abc import Iterable, Iterator, Sequence

from graph.composition.field_sets import print_field_set
from graph.composition.gathered import FieldSource, Gathered, InputSource, TypeSource
from graph.composition.merge.context_arguments import context_arguments
from graph.composition.merged import Use
from graph.composition.strings import quoted

Arguments = list[tuple[str, str]]


def join_types(gathered: Gathered, type_name: str) -> Iterator[Use]:
    """One for each key of each subgraph that has the type, or one for the subgraph where there is no key."""
    sources = {source.member.name: source for source in gathered.types[type_name]}
    for member in gathered.members_with(type_name):
        graph: Arguments = [("graph", member.subgraph.graph)]
        source = sources.get(member.name)
        if source is None:
            yield Use("join__type", tuple(graph))
            continue
        ending: Arguments = [("isInterfaceObject", "true")] if source.type.is_interface_object else []
        keys = list(source.type.uses("key"))
        if not keys:
            yield Use("join__type", (*graph, *ending))
        for key in keys:
            arguments = [*graph, ("key", quoted(print_field_set(key.string("fields") or "")))]
            if key.on_extension or source.type.has("extends"):
                arguments.append(("extension", "true"))
            if not key.boolean("resolvable", True):
                arguments.append(("resolvable", "false"))
            yield Use("join__type", (*arguments, *ending))


def join_implements(sources: Iterable[TypeSource]) -> Iterator[Use]:
    for source in sources:
        for interface in source.type.interfaces:
            graph = source.member.subgraph.graph
            yield Use("join__implements", (("graph", graph), ("interface", quoted(interface))))


def join_members(sources: Iterable[TypeSource]) -> Iterator[Use]:
    for source in sources:
        for member in source.type.members:
            yield Use("join__unionMember", (("graph", source.member.subgraph.graph), ("member", quoted(member))))


def join_enum_values(sources: Iterable[TypeSource], value: str) -> Iterator[Use]:
    for source in sources:
        if value in source.type.values:
            yield Use("join__enumValue", (("graph", source.member.subgraph.graph),))


def join_fields(gathered: Gathered, type_name: str, sources: Sequence[FieldSource]) -> Iterator[Use]:
    """Nothing where every subgraph that has the type has the field, the same way and without conditions."""
    kept = [source for source in sources if not gathered.overrides.is_gone(source)]
    same_type = len({source.field.type for source in sources}) == 1
    special = [_special(gathered, source) for source in kept]
    if same_type and not any(special) and len(kept) == len(gathered.members_with(type_name)):
        return
    for source, arguments in zip(kept, special, strict=True):
        typed: Arguments = [] if same_type else [("type", quoted(str(source.field.type)))]
        graph = ("graph", source.member.subgraph.graph)
        yield Use("join__field", tuple(sorted((graph, *arguments, *typed), key=_order)))


def join_inputs(sources: Sequence[InputSource]) -> Iterator[Use]:
    """Subgraphs agree on an input object's fields; where they differ in nullability, each needs its own type."""
    if len({source.value.type for source in sources}) == 1:
        return
    for source in sources:
        graph, own_type = source.member.subgraph.graph, str(source.value.type)
        yield Use("join__field", (("graph", graph), ("type", quoted(own_type))))


_ORDER = (
    "graph",
    "requires",
    "provides",
    "type",
    "external",
    "override",
    "usedOverridden",
    "overrideLabel",
    "contextArguments",
)


def _order(argument: tuple[str, str]) -> int:
    return _ORDER.index(argument[0])


def _special(gathered: Gathered, source: FieldSource) -> Arguments:
    """What makes this subgraph's field more than a field."""
    arguments: Arguments = []
    for name in ("requires", "provides"):
        applied = source.field.use(name)
        if applied is not None:
            arguments.append((name, quoted(print_field_set(applied.string("fields") or ""))))
    if source.is_external:
        arguments.append(("external", "true"))
    override = source.field.use("override")
    label = override.string("label") if override else None
    if override is not None:
        arguments.append(("override", quoted(override.string("from") or "")))
    overridden = gathered.overrides.of(source)
    if overridden is not None:
        label = label or overridden.label
        if overridden.label is None:
            arguments.append(("usedOverridden", "true"))
    if label is not None:
        arguments.append(("overrideLabel", quoted(label)))
    contextual = context_arguments(source)
    if contextual is not None:
        arguments.append(("contextArguments", contextual))
    return arguments
