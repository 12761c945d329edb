"""`@composeDirective`: which custom directives each subgraph wants to see in the supergraph."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from graph.composition.subgraph import Subgraph


class HasSubgraph(Protocol):
    @property
    def subgraph(self) -> Subgraph: ...


def composed_directives(members: Iterable[HasSubgraph]) -> Mapping[str, tuple[str, ...]]:
    """Names, without `@`, by subgraph."""
    return {
        member.subgraph.name: tuple(
            (applied.string("name") or "").removeprefix("@")
            for applied in member.subgraph.schema_directives
            if applied.name == "composeDirective"
        )
        for member in members
    }


def links_of_composed(members: Iterable[HasSubgraph]) -> Mapping[str, set[str]]:
    """URLs of the linked specifications that composed directives belong to (the newest version of each), with their directives."""
    newest: dict[str, tuple[tuple[int, int], str]] = {}
    names: dict[str, set[str]] = {}
    listed = list(members)
    composed = composed_directives(listed)
    for member in listed:
        for link in member.subgraph.links:
            own = {i.alias.removeprefix("@") for i in link.imports if i.element.startswith("@")} | {link.name}
            found = own.intersection(composed[member.subgraph.name])
            if not found:
                continue
            names.setdefault(link.identity, set()).update(found)
            version = link.version or (0, 0)
            if link.identity not in newest or version > newest[link.identity][0]:
                newest[link.identity] = (version, link.url)
    return {newest[identity][1]: found for identity, found in names.items()}
