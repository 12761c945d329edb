"""The subgraphs' types of one field must have one among them that is right for all."""

from collections.abc import Sequence

from graph.composition.findings import Findings
from graph.composition.gathered import FieldSource, Gathered
from graph.composition.subgraph import Kind
from graph.composition.type_ref import most_general


def check_field_types(gathered: Gathered, findings: Findings) -> None:
    """FIELD_TYPE_MISMATCH, EXTERNAL_TYPE_MISMATCH."""
    for type_name in gathered.of_kind(Kind.OBJECT, Kind.INTERFACE):
        for field_name in gathered.field_names(type_name):
            sources = gathered.field_sources(type_name, field_name)
            resolving = [source for source in sources if not source.is_external]
            if not _compatible(gathered, resolving, findings):
                continue
            _check_external(gathered, sources, resolving, findings)


def _compatible(gathered: Gathered, sources: Sequence[FieldSource], findings: Findings) -> bool:
    refs = [source.field.type for source in sources]
    if not refs or most_general(refs, gathered.is_named_subtype) is not None:
        return True
    findings.error(
        "FIELD_TYPE_MISMATCH",
        f'"{sources[0].coordinate}" has types that don\'t fit each other: {describe_types(sources)}.',
        [source.place for source in sources],
    )
    return False


def _check_external(gathered: Gathered, sources: Sequence[FieldSource], resolving: list[FieldSource], findings: Findings) -> None:
    """An external declaration may be more general, or more specific, than what it stands for; it must not contradict it."""
    for source in sources:
        refs = [source.field.type, *(found.field.type for found in resolving)]
        if source.is_external and most_general(refs, gathered.is_named_subtype) is None:
            findings.error(
                "EXTERNAL_TYPE_MISMATCH",
                f'[{source.member.name}] "{source.coordinate}" is declared @external as "{source.field.type}", which does not fit'
                f" where it is answered: {describe_types(resolving)}.",
                [source.place, *(found.place for found in resolving)],
            )


def describe_types(sources: Sequence[FieldSource]) -> str:
    grouped: dict[str, list[str]] = {}
    for source in sources:
        grouped.setdefault(str(source.field.type), []).append(source.member.name)
    return "; ".join(f'"{text}" in {", ".join(names)}' for text, names in grouped.items())
