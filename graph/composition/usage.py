"""How the supergraph uses each enum: as input, as output, as both. It decides whether values are united or intersected."""

from collections.abc import Iterator
from enum import Flag, auto

from graph.composition.gathered import Gathered
from graph.composition.merge.context_arguments import is_contextual
from graph.composition.subgraph import Kind, Subgraph
from graph.composition.type_ref import named


class Usage(Flag):
    NONE = 0
    INPUT = auto()
    OUTPUT = auto()
    BOTH = INPUT | OUTPUT


def usage_of_enums(gathered: Gathered) -> dict[str, Usage]:
    """Enums that nothing uses are missing."""
    enums = set(gathered.of_kind(Kind.ENUM))
    found: dict[str, Usage] = {}
    for member in gathered.members:
        for name, usage in _uses(member.subgraph):
            if name in enums:
                found[name] = found.get(name, Usage.NONE) | usage
    return found


def _uses(subgraph: Subgraph) -> Iterator[tuple[str, Usage]]:
    for owner in subgraph.types.values():
        for value in owner.inputs.values():
            yield named(value.type), Usage.INPUT
        for field in owner.fields.values():
            yield named(field.type), Usage.OUTPUT
            for argument in field.arguments.values():
                if not is_contextual(argument):
                    yield named(argument.type), Usage.INPUT
