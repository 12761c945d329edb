"""Whether an operation's answer is its caller's alone, or everybody's who has the same rights."""

from collections.abc import Sequence

from graph.planner.normalize.operation import Fragment, Operation, Selection
from graph.supergraph import Supergraph

__all__ = ["per_caller"]


def per_caller(operation: Operation, supergraph: Supergraph) -> bool:
    """Whether anything selected tells callers apart."""
    return bool(supergraph.per_caller) and _touched(operation.selections, supergraph.root_types[operation.kind], supergraph)


def _touched(selections: Sequence[Selection], on: str, supergraph: Supergraph) -> bool:
    info = supergraph.types.get(on)
    if info is None:
        return False
    for one in selections:
        if isinstance(one, Fragment):
            told = _touched(one.selections, one.type_condition, supergraph)
        else:
            known = info.fields.get(one.name)
            told = any((name, one.name) in supergraph.per_caller for name in info.possible_types) or (
                known is not None and _touched(one.selections, known.type_name, supergraph)
            )
        if told:
            return True
    return False
