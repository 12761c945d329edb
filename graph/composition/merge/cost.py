"""`@cost` and `@listSize`: estimates, merged so that none is too low."""

from collections.abc import Iterator, Sequence

from graph.composition.merged import Use
from graph.composition.strings import quoted
from graph.composition.subgraph import Applied


def merge_cost(uses: Sequence[Applied]) -> Iterator[Use]:
    weights = [weight for applied in uses if (weight := applied.integer("weight")) is not None]
    if weights:
        yield Use("cost", (("weight", str(max(weights))),))


def merge_list_size(uses: Sequence[Applied], arguments: frozenset[str]) -> Iterator[Use]:
    """`arguments`: what the field has in the supergraph, of which alone it can be sliced."""
    if not uses:
        return
    merged: list[tuple[str, str]] = []
    sizes = [size for applied in uses if (size := applied.integer("assumedSize")) is not None]
    if sizes:
        merged.append(("assumedSize", str(max(sizes))))
    for name in ("slicingArguments", "sizedFields"):
        lists = [found for applied in uses if (found := applied.strings(name)) is not None]
        if lists:
            names = dict.fromkeys(item for found in lists for item in found if name == "sizedFields" or item in arguments)
            merged.append((name, f"[{', '.join(quoted(item) for item in names)}]"))
    if not all(applied.boolean("requireOneSlicingArgument", True) for applied in uses):
        merged.append(("requireOneSlicingArgument", "false"))
    yield Use("listSize", tuple(merged))
