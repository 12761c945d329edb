"""Decides for each request which labels of `@override(label:)` hold: progressive override (Federation 2.7).

`percent(12.5)` holds for that share of requests, at random. What another label means only its authors know: they bring a function.
"""

import re
from collections.abc import Callable
from random import random

from graph.contracts import RequestContext
from graph.supergraph import Supergraph

PERCENT = re.compile(r"percent\((\d{1,2}(?:\.\d{1,8})?|100)\)")
Decide = Callable[[str, RequestContext], bool]


def never(label: str, context: RequestContext) -> bool:
    """The decision for labels that nobody has brought a function for: the old subgraph keeps the field."""
    return False


class OverrideLabels:
    """The labels of a supergraph, and what they depend on."""

    def __init__(self, supergraph: Supergraph, decide: Decide = never, roll: Callable[[], float] = random) -> None:
        labels = sorted(override_labels(supergraph))
        self._shares = {label: float(match[1]) / 100 for label in labels if (match := PERCENT.fullmatch(label))}
        self._others = [label for label in labels if label not in self._shares]
        self._decide, self._roll = decide, roll

    def active(self, context: RequestContext) -> frozenset[str]:
        """The labels that hold for one request; all draws of it are independent."""
        if not self._shares and not self._others:
            return frozenset()
        active = [label for label, share in self._shares.items() if self._roll() < share]
        return frozenset(active + [label for label in self._others if self._decide(label, context)])


def override_labels(supergraph: Supergraph) -> set[str]:
    """Every label that some field's override has."""
    sources = (s for info in supergraph.types.values() for field in info.fields.values() for s in field.sources.values())
    return {source.override_label for source in sources if source.override_label is not None}
