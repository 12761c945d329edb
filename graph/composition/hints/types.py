"""Types that subgraphs define differently: keys, members, values."""

from graph.composition.findings import Findings
from graph.composition.gathered import Gathered
from graph.composition.subgraph import ROOTS, Kind
from graph.composition.usage import Usage, usage_of_enums


def hint_types(gathered: Gathered, findings: Findings) -> None:
    """INCONSISTENT_ENTITY, INCONSISTENT_UNION_MEMBER, INCONSISTENT_ENUM_VALUE_FOR_*, UNUSED_ENUM_TYPE."""
    _hint_entities(gathered, findings)
    _hint_unions(gathered, findings)
    usages = usage_of_enums(gathered)
    for name in gathered.of_kind(Kind.ENUM):
        _hint_enum(gathered, name, usages.get(name, Usage.NONE), findings)


def _hint_entities(gathered: Gathered, findings: Findings) -> None:
    for name in gathered.of_kind(Kind.OBJECT):
        sources = gathered.types[name]
        without = [source for source in sources if not source.type.has("key")]
        if name not in ROOTS and without and len(without) < len(sources):
            findings.hint(
                "INCONSISTENT_ENTITY",
                f'"{name}" has a @key in some subgraphs, but none in {", ".join(s.member.name for s in without)}.',
                [source.place for source in without],
            )


def _hint_unions(gathered: Gathered, findings: Findings) -> None:
    for name, members in gathered.members_of.items():
        for member in sorted(members):
            without = [source for source in gathered.types[name] if member not in source.type.members]
            if without:
                findings.hint(
                    "INCONSISTENT_UNION_MEMBER",
                    f'"{member}" is a member of "{name}" in the supergraph, but not in {", ".join(s.member.name for s in without)}.',
                    [source.place for source in without],
                )


def _hint_enum(gathered: Gathered, name: str, usage: Usage, findings: Findings) -> None:
    sources = gathered.types[name]
    if usage is Usage.NONE:
        findings.hint("UNUSED_ENUM_TYPE", f'Nothing is of the type "{name}".', [source.place for source in sources])
    for value in dict.fromkeys(value for source in sources for value in source.type.values):
        without = [source.member.name for source in sources if value not in source.type.values]
        places = [s.member.subgraph.place(s.type.values[value].node) for s in sources if value in s.type.values]
        if without and usage is Usage.INPUT:
            message = f'"{name}.{value}" is not in the supergraph, because {", ".join(without)} does not define it.'
            findings.hint("INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM", message, places)
        elif without and usage is not Usage.BOTH:
            message = f'"{name}.{value}" is in the supergraph, though {", ".join(without)} does not define it.'
            findings.hint("INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM", message, places)
