"""The subgraphs' arguments of one field: same types but for nullability, same defaults, none required that another lacks."""

from collections.abc import Sequence

from graphql import print_ast

from graph.composition.findings import Findings
from graph.composition.gathered import FieldSource, Gathered, InputSource
from graph.composition.merge.context_arguments import is_contextual
from graph.composition.merge.fields import argument_names
from graph.composition.subgraph import Kind
from graph.composition.type_ref import most_specific


def check_arguments(gathered: Gathered, findings: Findings) -> None:
    """FIELD_ARGUMENT_TYPE_MISMATCH, FIELD_ARGUMENT_DEFAULT_MISMATCH, REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH."""
    for type_name in gathered.of_kind(Kind.OBJECT, Kind.INTERFACE):
        for field_name in gathered.field_names(type_name):
            sources = [s for s in gathered.field_sources(type_name, field_name) if not s.is_external]
            for argument in argument_names(sources):
                _check_argument(gathered, sources, argument, findings)


def _check_argument(gathered: Gathered, sources: Sequence[FieldSource], argument: str, findings: Findings) -> None:
    found = gathered.argument_sources(sources, argument)
    if any(is_contextual(source.value) for source in found):
        # Filled from a context here, asked of clients there: `rules.contexts` has a code of its own for that.
        return
    missing = [source.member.name for source in sources if argument not in source.field.arguments]
    check_argument(f"{sources[0].coordinate}({argument}:)", found, missing, findings)


def check_argument(coordinate: str, found: Sequence[InputSource], missing: Sequence[str], findings: Findings) -> None:
    """An argument of a field or of a directive; `missing` are the subgraphs that have no such argument."""
    places = [source.place for source in found]
    required = [source.member.name for source in found if source.value.required]
    if missing and required:
        findings.error(
            "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH",
            f'"{coordinate}" is required in {", ".join(required)} and does not exist in {", ".join(missing)}: make it optional,'
            " or define it everywhere.",
            places,
        )
    elif missing:
        findings.hint(
            "INCONSISTENT_ARGUMENT_PRESENCE",
            f'"{coordinate}" is not in the supergraph, because {", ".join(missing)} does not define it.',
            places,
        )
    check_types_and_defaults(coordinate, found, ("FIELD_ARGUMENT_TYPE_MISMATCH", "FIELD_ARGUMENT_DEFAULT_MISMATCH"), findings)


def check_types_and_defaults(coordinate: str, sources: Sequence[InputSource], codes: tuple[str, str], findings: Findings) -> None:
    """`codes`: for types that don't fit, and for different defaults."""
    places = [source.place for source in sources]
    described = "; ".join(f'"{source.value.type}" in {source.member.name}' for source in sources)
    if len({source.value.type for source in sources}) > 1 and most_specific([source.value.type for source in sources]) is not None:
        message = f'"{coordinate}" has different types that fit each other: {described}. The supergraph has the strictest.'
        findings.hint("INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE", message, places)
    elif len({source.value.type for source in sources}) > 1:
        findings.error(codes[0], f'"{coordinate}" has types that don\'t fit each other: {described}.', places)
    defaults = {print_ast(source.value.default) for source in sources if source.value.default is not None}
    if len(defaults) > 1:
        described = "; ".join(
            f"{print_ast(source.value.default)} in {source.member.name}" for source in sources if source.value.default is not None
        )
        findings.error(codes[1], f'"{coordinate}" has different defaults: {described}. Agree on one.', places)
    elif defaults and any(source.value.default is None for source in sources):
        findings.hint(
            "INCONSISTENT_DEFAULT_VALUE_PRESENCE",
            f'"{coordinate}" has a default in some subgraphs only, and therefore none in the supergraph.',
            places,
        )
