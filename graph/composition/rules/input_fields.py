"""Input objects: clients get what all subgraphs understand, which must be something and include what any requires."""

from graph.composition.findings import Findings
from graph.composition.gathered import Gathered
from graph.composition.rules.field_arguments import check_types_and_defaults
from graph.composition.subgraph import Kind


def check_inputs(gathered: Gathered, findings: Findings) -> None:
    """REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH, EMPTY_MERGED_INPUT_TYPE, FIELD_TYPE_MISMATCH, INPUT_FIELD_DEFAULT_MISMATCH."""
    for type_name in gathered.of_kind(Kind.INPUT):
        sources = gathered.types[type_name]
        names = dict.fromkeys(name for source in sources for name in source.type.inputs)
        common = [name for name in names if all(name in source.type.inputs for source in sources)]
        if not common:
            findings.error(
                "EMPTY_MERGED_INPUT_TYPE",
                f'"{type_name}" has no field that all of {", ".join(s.member.name for s in sources)} define: clients could give nothing.',
                [source.place for source in sources],
            )
        for name in names:
            _check_field(gathered, type_name, name, findings)


def _check_field(gathered: Gathered, type_name: str, name: str, findings: Findings) -> None:
    found = gathered.input_sources(type_name, name)
    missing = [s.member.name for s in gathered.types[type_name] if name not in s.type.inputs]
    required = [source.member.name for source in found if source.value.required]
    places = [source.place for source in found]
    if missing and required:
        findings.error(
            "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH",
            f'"{type_name}.{name}" is required in {", ".join(required)} and does not exist in {", ".join(missing)}: make it'
            " optional, or define it everywhere.",
            places,
        )
    elif missing:
        findings.hint(
            "INCONSISTENT_INPUT_OBJECT_FIELD",
            f'"{type_name}.{name}" is not in the supergraph, because {", ".join(missing)} does not define it.',
            places,
        )
    if not missing:
        check_types_and_defaults(f"{type_name}.{name}", found, ("FIELD_TYPE_MISMATCH", "INPUT_FIELD_DEFAULT_MISMATCH"), findings)
