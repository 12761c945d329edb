"""Fields that subgraphs define differently: their types, and whether they are there."""

from graph.composition.findings import Findings
from graph.composition.gathered import Gathered
from graph.composition.rules.field_types import describe_types
from graph.composition.subgraph import ROOTS, Kind

_VALUE_TYPE_CODES = {Kind.OBJECT: "INCONSISTENT_OBJECT_VALUE_TYPE_FIELD", Kind.INTERFACE: "INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD"}


def hint_fields(gathered: Gathered, findings: Findings) -> None:
    """INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE, INCONSISTENT_OBJECT_VALUE_TYPE_FIELD, INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD."""
    for type_name in gathered.of_kind(Kind.OBJECT, Kind.INTERFACE):
        is_value = type_name not in ROOTS and not any(source.type.has("key") for source in gathered.types[type_name])
        for field_name in gathered.field_names(type_name):
            _hint_type(gathered, type_name, field_name, findings)
            if is_value:
                _hint_presence(gathered, type_name, field_name, findings)


def _hint_type(gathered: Gathered, type_name: str, field_name: str, findings: Findings) -> None:
    sources = [source for source in gathered.field_sources(type_name, field_name) if not source.is_external]
    if len({source.field.type for source in sources}) > 1:
        findings.hint(
            "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE",
            f'"{type_name}.{field_name}" has different types that fit each other: {describe_types(sources)}.',
            [source.place for source in sources],
        )


def _hint_presence(gathered: Gathered, type_name: str, field_name: str, findings: Findings) -> None:
    having = gathered.field_sources(type_name, field_name)
    without = [source.member.name for source in gathered.types[type_name] if field_name not in source.type.fields]
    if without:
        findings.hint(
            _VALUE_TYPE_CODES[gathered.kind(type_name)],
            f'"{type_name}.{field_name}" is in the supergraph, though {", ".join(without)} does not define it.',
            [source.place for source in having],
        )
