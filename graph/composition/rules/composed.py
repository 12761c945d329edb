"""`@composeDirective`: the directive exists, comes from a linked specification, and means the same in all subgraphs."""

from graph.composition.findings import Findings, Place
from graph.composition.gathered import Gathered
from graph.composition.rules.linked_names import MERGED_DIRECTIVES
from graph.composition.specs import KNOWN_SPECS
from graph.composition.subgraph import Subgraph

_CODE = "DIRECTIVE_COMPOSITION_ERROR"


def check_compose_directives(subgraph: Subgraph, findings: Findings) -> None:
    """DIRECTIVE_COMPOSITION_ERROR within one subgraph."""
    for applied in subgraph.schema_directives:
        if applied.name != "composeDirective":
            continue
        written = applied.string("name") or ""
        problem = _problem(subgraph, written)
        if problem is not None:
            findings.error(_CODE, f'[{subgraph.name}] @composeDirective(name: "{written}"): {problem}.', [subgraph.place(applied.node)])


def _problem(subgraph: Subgraph, written: str) -> str | None:
    name = written.removeprefix("@")
    if not written.startswith("@"):
        return f'the name must start with "@": "@{written}"' if written else "the name is empty"
    if name == "link" or name.startswith("join__"):
        return f'"{written}" is a name that every supergraph needs itself: import the directive under another name'
    if name not in subgraph.directives:
        return f'"{written}" is not defined in this subgraph, or is federation\'s own'
    identity = linked_identity(subgraph, name)
    if identity is None:
        return f'"{written}" comes from no linked specification: @link one that has it among its imports'
    if identity in KNOWN_SPECS:
        return f'"{written}" is of {identity}, which is composed without being asked'
    return None


def linked_identity(subgraph: Subgraph, name: str) -> str | None:
    """The specification that a directive is of, if it is of any."""
    for link in subgraph.links:
        if name in {i.alias.removeprefix("@") for i in link.imports} or name == link.namespace:
            return link.identity
        if name.startswith(f"{link.namespace}__"):
            return link.identity
    return None


def check_composed_across(gathered: Gathered, findings: Findings) -> None:
    """DIRECTIVE_COMPOSITION_ERROR where subgraphs mean different specifications by one name, or different major versions of one."""
    by_name: dict[str, dict[str, list[Place]]] = {}
    majors: dict[str, dict[int, list[Place]]] = {}
    for member in gathered.members:
        for name in gathered.composed_directives[member.name]:
            identity = linked_identity(member.subgraph, name)
            if identity is None:
                continue
            link = next(found for found in member.subgraph.links if found.identity == identity)
            place = member.subgraph.place(link.node)
            by_name.setdefault(name, {}).setdefault(identity, []).append(place)
            major = link.version[0] if link.version else 0
            majors.setdefault(identity, {}).setdefault(major, []).append(place)
    _check_clashes(gathered, findings)
    for name, identities in sorted(by_name.items()):
        if len(identities) > 1:
            findings.error(
                _CODE,
                f'"@{name}" is of different specifications: {_described(identities)}. Import one of them under another name.',
                [place for places in identities.values() for place in places],
            )
    for identity, versions in sorted(majors.items()):
        if len(versions) > 1:
            findings.error(
                _CODE,
                f"{identity} is linked in different major versions: {_described(versions)}. Agree on one.",
                [place for places in versions.values() for place in places],
            )


def _check_clashes(gathered: Gathered, findings: Findings) -> None:
    """What federation merges of itself (`@tag`, say) keeps its name in the supergraph, however a subgraph calls it."""
    merged: dict[str, list[Place]] = {}
    for member in gathered.members:
        for link in member.subgraph.links:
            for imported in link.imports if link.identity in KNOWN_SPECS else ():
                name = imported.element.removeprefix("@")
                if name in MERGED_DIRECTIVES:
                    for known_as in {name, imported.alias.removeprefix("@")}:
                        merged.setdefault(known_as, []).append(member.subgraph.place(link.node))
    for member in gathered.members:
        for name in gathered.composed_directives[member.name]:
            if name in merged:
                findings.error(
                    _CODE,
                    f'[{member.name}] "@{name}" cannot be composed: federation\'s own directive of that name is merged from'
                    f" {', '.join(place.subgraph for place in merged[name])}. Import yours under another name.",
                    merged[name],
                )


def _described(grouped: dict[str, list[Place]] | dict[int, list[Place]]) -> str:
    return "; ".join(f"{key} in {', '.join(place.subgraph for place in places)}" for key, places in grouped.items())
