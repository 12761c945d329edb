"""Which fetches each `@defer` of a plan waits for, the variables being what they are; and which `@defer` need not be deferred at all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graph.planner.normalize.operation import Condition
from graph.planner.plan import Fetch, Plan

Deferrals = frozenset[Condition]


@dataclass(frozen=True, slots=True)
class Needs:
    """For each fetch the smallest sets of deferrals that want it: an empty one where it is wanted at once, no set where it is skipped."""

    fetches: tuple[frozenset[Deferrals], ...]

    def of(self, deferrals: Deferrals) -> frozenset[int]:
        """The fetches that are wanted where these deferrals are told."""
        return frozenset(index for index, sets in enumerate(self.fetches) if any(one <= deferrals for one in sets))

    @property
    def waited_for(self) -> Deferrals:
        """The deferrals that have to wait for something."""
        return frozenset().union(*(one for sets in self.fetches for one in sets))


def needs(plan: Plan, variables: Mapping[str, Any]) -> Needs:
    """A deferral whose `if` is false is none."""
    told = frozenset(
        one.condition for one in plan.operation.deferrals if one.variable is not None and variables.get(one.variable, True) is False
    )
    return Needs(tuple(_smallest(_alternatives(fetch, variables, told)) for fetch in plan.fetches))


def _alternatives(fetch: Fetch, variables: Mapping[str, Any], told: Deferrals) -> Iterable[Deferrals]:
    for conditions in fetch.conditions or (frozenset[Condition](),):
        if all(one.is_deferral or variables.get(one.variable) is one.expected for one in conditions):
            yield frozenset(one for one in conditions if one.is_deferral) - told


def _smallest(sets: Iterable[Deferrals]) -> frozenset[Deferrals]:
    found = set(sets)
    return frozenset(one for one in found if not any(other < one for other in found))
