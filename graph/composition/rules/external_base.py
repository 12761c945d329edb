"""What one subgraph declares external, another one must answer, with the same arguments."""

from graphql import print_ast

from graph.composition.findings import Findings
from graph.composition.gathered import FieldSource, Gathered
from graph.composition.subgraph import Kind
from graph.composition.type_ref import is_subtype

_MERGED = ("tag", "inaccessible", "authenticated", "requiresScopes", "policy", "cost", "listSize")


def check_external_bases(gathered: Gathered, findings: Findings) -> None:
    """EXTERNAL_MISSING_ON_BASE, EXTERNAL_ARGUMENT_*, MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL."""
    for type_name in gathered.of_kind(Kind.OBJECT, Kind.INTERFACE):
        for field_name in gathered.field_names(type_name):
            sources = gathered.field_sources(type_name, field_name)
            external = [source for source in sources if source.is_external]
            base = [source for source in sources if not source.is_external]
            if not external:
                continue
            if not base and not _answered_by_interface_object(gathered, type_name, field_name):
                findings.error(
                    "EXTERNAL_MISSING_ON_BASE",
                    f'"{type_name}.{field_name}" is @external in every subgraph that has it'
                    f" ({', '.join(s.member.name for s in external)}): one must answer it.",
                    [source.place for source in external],
                )
            for source in external:
                _check_directives(source, findings)
                if base:
                    _check_arguments(source, base, findings)


def _answered_by_interface_object(gathered: Gathered, type_name: str, field_name: str) -> bool:
    return any(source.resolves for source in gathered.interface_object_sources(type_name, field_name))


def _check_directives(source: FieldSource, findings: Findings) -> None:
    for applied in source.field.directives:
        if applied.name in _MERGED and source.field.has("external"):
            findings.error(
                "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL",
                f'[{source.member.name}] "{source.coordinate}" is @external, so @{applied.name} on it says nothing: put it where the'
                " field is answered.",
                [source.place],
            )


def _check_arguments(source: FieldSource, base: list[FieldSource], findings: Findings) -> None:
    names = dict.fromkeys(name for found in base for name in found.field.arguments)
    for name in names:
        expected = [found for found in base if name in found.field.arguments]
        if len(expected) < len(base):
            continue
        own, other = source.field.arguments.get(name), expected[0].field.arguments[name]
        coordinate, places = f"{source.coordinate}({name}:)", [source.place, *(found.place for found in expected)]
        if own is None:
            code, problem = "EXTERNAL_ARGUMENT_MISSING", "is missing"
        elif not is_subtype(other.type, own.type, lambda sub, sup: False):
            code, problem = "EXTERNAL_ARGUMENT_TYPE_MISMATCH", f'is a "{own.type}" instead of a "{other.type}"'
        elif (print_ast(own.default) if own.default else None) != (print_ast(other.default) if other.default else None):
            code, problem = "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH", "has another default"
        else:
            continue
        findings.error(
            code,
            f'[{source.member.name}] "{coordinate}" of the @external field {problem}: declare it as'
            f" {', '.join(found.member.name for found in expected)} does.",
            places,
        )
