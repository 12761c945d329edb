"""Definitions of directives in the supergraph: executable ones that all subgraphs know, and those of `@composeDirective`."""

from collections.abc import Iterator
from dataclasses import replace

from graphql import (
    DirectiveDefinitionNode,
    DirectiveLocation,
    InputValueDefinitionNode,
    NameNode,
    print_ast,
)

from graph.composition.composed_directives import composed_directives, links_of_composed
from graph.composition.gathered import Gathered
from graph.composition.merged import Use
from graph.composition.strings import quoted

EXECUTABLE = frozenset(
    location.name
    for location in (
        DirectiveLocation.QUERY,
        DirectiveLocation.MUTATION,
        DirectiveLocation.SUBSCRIPTION,
        DirectiveLocation.FIELD,
        DirectiveLocation.FRAGMENT_DEFINITION,
        DirectiveLocation.FRAGMENT_SPREAD,
        DirectiveLocation.INLINE_FRAGMENT,
        DirectiveLocation.VARIABLE_DEFINITION,
    )
)


def executable_definitions(gathered: Gathered) -> Iterator[str]:
    """A client may use in operations only what every subgraph understands, where every subgraph understands it."""
    composed = {name for names in composed_directives(gathered.members).values() for name in names}
    defined = [member.subgraph.directives for member in gathered.members]
    for name in sorted(set.intersection(*(set(each) for each in defined)) - composed):
        definitions = [each[name] for each in defined]
        locations = set.intersection(*({n.value for n in d.locations} for d in definitions)) & EXECUTABLE
        if locations:
            yield _print(definitions, sorted(locations))


def composed_definitions(gathered: Gathered) -> Iterator[str]:
    """Locations and arguments that any subgraph has: uses of all of them are in the supergraph."""
    by_subgraph = composed_directives(gathered.members)
    names = sorted({name for composed in by_subgraph.values() for name in composed})
    for name in names:
        definitions = [
            member.subgraph.directives[name]
            for member in gathered.members
            if name in by_subgraph.get(member.name, ()) and name in member.subgraph.directives
        ]
        if definitions:
            yield _print(definitions, sorted({n.value for d in definitions for n in d.locations}))


def composed_links(gathered: Gathered) -> Iterator[Use]:
    """The specifications that the composed directives are of."""
    for url, names in sorted(links_of_composed(gathered.members).items()):
        imports = ", ".join(quoted(f"@{name}") for name in sorted(names))
        yield Use("link", (("url", quoted(url)), ("import", f"[{imports}]")))


def _print(definitions: list[DirectiveDefinitionNode], locations: list[str]) -> str:
    arguments: dict[str, InputValueDefinitionNode] = {}
    for definition in definitions:
        for argument in definition.arguments or ():
            arguments.setdefault(argument.name.value, replace(argument, description=None, directives=()))
    common = replace(
        definitions[0],
        description=None,
        arguments=tuple(arguments.values()),
        repeatable=any(definition.repeatable for definition in definitions),
        locations=tuple(NameNode(value=location) for location in locations),
    )
    return print_ast(common)
