"""Definitions of directives that differ: clients get the common part, schemas all of it."""

from collections.abc import Sequence

from graph.composition.executable import common_locations, executable_directives, executable_locations
from graph.composition.findings import Findings
from graph.composition.gathered import DirectiveSource, Gathered
from graph.composition.rules.composed import linked_identity


def hint_definitions(gathered: Gathered, findings: Findings) -> None:
    """INCONSISTENT_EXECUTABLE_DIRECTIVE_*, NO_EXECUTABLE_DIRECTIVE_INTERSECTION, INCONSISTENT_TYPE_SYSTEM_DIRECTIVE_*,
    DIRECTIVE_COMPOSITION_WARN, DIRECTIVE_COMPOSITION_INFO."""
    for name, sources in executable_directives(gathered):
        _hint_executable(gathered, name, sources, findings)
    for name in sorted({name for names in gathered.composed_directives.values() for name in names}):
        _hint_composed(gathered, name, findings)


def _hint_executable(gathered: Gathered, name: str, sources: Sequence[DirectiveSource], findings: Findings) -> None:
    places = [source.place for source in sources]
    without = sorted({member.name for member in gathered.members} - {source.member.name for source in sources})
    if without:
        message = f'"@{name}" is not in the supergraph, because {", ".join(without)} does not define it.'
        findings.hint("INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE", message, places)
    elif not common_locations(sources):
        message = f'"@{name}" is not in the supergraph, because there is no place where all subgraphs allow it.'
        findings.hint("NO_EXECUTABLE_DIRECTIVE_INTERSECTION", message, places)
    else:
        _hint_shape(name, sources, "INCONSISTENT_EXECUTABLE_DIRECTIVE", "only what all subgraphs allow", findings)


def _hint_shape(name: str, sources: Sequence[DirectiveSource], code: str, taken: str, findings: Findings) -> None:
    places = [source.place for source in sources]
    executable = code == "INCONSISTENT_EXECUTABLE_DIRECTIVE"
    if len({source.directive.repeatable for source in sources}) > 1:
        findings.hint(f"{code}_REPEATABLE", f'"@{name}" is repeatable in some subgraphs only: the supergraph has {taken}.', places)
    if len({executable_locations(s.directive) if executable else s.directive.locations for s in sources}) > 1:
        findings.hint(f"{code}_LOCATIONS", f'"@{name}" may stand in different places: the supergraph has {taken}.', places)


def _hint_composed(gathered: Gathered, name: str, findings: Findings) -> None:
    composing = [s for s in gathered.directive_sources(name) if name in gathered.composed_directives[s.member.name]]
    _hint_shape(name, composing, "INCONSISTENT_TYPE_SYSTEM_DIRECTIVE", "what any of them allows", findings)
    others = [s for s in gathered.directive_sources(name) if name not in gathered.composed_directives[s.member.name]]
    if others:
        findings.hint(
            "DIRECTIVE_COMPOSITION_WARN",
            f'"@{name}" is composed, but not from {", ".join(s.member.name for s in others)}: add @composeDirective there if it is meant.',
            [source.place for source in others],
        )
    versions: dict[str, list[DirectiveSource]] = {}
    for source in composing:
        identity = linked_identity(source.member.subgraph, name)
        link = next((link for link in source.member.subgraph.links if link.identity == identity), None)
        if link is not None:
            versions.setdefault(link.url, []).append(source)
    if len(versions) > 1:
        described = "; ".join(f"{url} in {', '.join(s.member.name for s in found)}" for url, found in sorted(versions.items()))
        findings.hint(
            "DIRECTIVE_COMPOSITION_INFO",
            f'"@{name}" is linked in different versions, of which the supergraph has the newest: {described}.',
            [source.place for source in composing],
        )
