"""A field has one subgraph that answers it, unless all who do say that they share it."""

from graph.composition.findings import Findings
from graph.composition.gathered import FieldSource, Gathered
from graph.composition.subgraph import Kind


def check_field_sharing(gathered: Gathered, findings: Findings) -> None:
    """INVALID_FIELD_SHARING."""
    for type_name in gathered.of_kind(Kind.OBJECT):
        for field_name in gathered.field_names(type_name):
            _check(type_name, field_name, answering(gathered, type_name, field_name), findings)
    for type_name in gathered.of_kind(Kind.INTERFACE):
        for field_name in gathered.field_names(type_name):
            sources = [s for s in gathered.field_sources(type_name, field_name) if s.owner.is_interface_object]
            _check(type_name, field_name, [s for s in sources if s.resolves], findings)


def answering(gathered: Gathered, type_name: str, field_name: str) -> list[FieldSource]:
    """Who answers the field on this type: also subgraphs with an interface object for one of its interfaces."""
    sources = [
        *gathered.field_sources(type_name, field_name),
        *gathered.interface_object_sources(type_name, field_name),
    ]
    return [source for source in sources if source.resolves and gathered.overrides.of(source) is None]


def _check(type_name: str, field_name: str, sources: list[FieldSource], findings: Findings) -> None:
    alone = [source for source in sources if not source.is_shareable]
    if not alone or len(sources) == 1:
        return
    names = ", ".join(source.member.name for source in sources)
    findings.error(
        "INVALID_FIELD_SHARING",
        f'"{type_name}.{field_name}" is answered by several subgraphs ({names}), but not @shareable in'
        f" {', '.join(source.member.name for source in alone)}: mark it @shareable in all of them, or @external where it is not answered.",
        [source.place for source in sources],
    )
