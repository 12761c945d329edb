"""Enums: values that every subgraph must know where the enum is both given and answered."""

from graph.composition.findings import Findings
from graph.composition.gathered import Gathered
from graph.composition.merge.types import merged_enum_values
from graph.composition.subgraph import Kind
from graph.composition.usage import Usage, usage_of_enums


def check_enums(gathered: Gathered, findings: Findings) -> None:
    """ENUM_VALUE_MISMATCH, EMPTY_MERGED_ENUM_TYPE."""
    usages = usage_of_enums(gathered)
    for type_name in gathered.of_kind(Kind.ENUM):
        usage = usages.get(type_name, Usage.NONE)
        if not merged_enum_values(gathered, type_name, usage):
            findings.error(
                "EMPTY_MERGED_ENUM_TYPE",
                f'"{type_name}" is used as input only and has no value that all of its subgraphs define'
                f" ({', '.join(s.member.name for s in gathered.types[type_name])}).",
                [source.place for source in gathered.types[type_name]],
            )
        if usage == Usage.BOTH:
            _check_same_values(gathered, type_name, findings)


def _check_same_values(gathered: Gathered, type_name: str, findings: Findings) -> None:
    sources = gathered.types[type_name]
    for value in dict.fromkeys(value for source in sources for value in source.type.values):
        having = [source for source in sources if value in source.type.values]
        # What clients cannot see, they can neither give nor be surprised by.
        if len(having) == len(sources) or any(source.type.values[value].has("inaccessible") for source in having):
            continue
        missing = [source.member.name for source in sources if source not in having]
        findings.error(
            "ENUM_VALUE_MISMATCH",
            f'"{type_name}" is used both as input and as output, so all subgraphs must have the same values: "{value}" is not'
            f" defined in {', '.join(missing)}.",
            [source.member.subgraph.place(source.type.values[value].node) for source in having],
        )
