"""What of an object is told later: the fields of each `@defer` on it, with the code that projects them by themselves.

A projection that leaves them out notes the object as `Found`; when they may be told is up to whoever runs it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graph.executor.projection.selection import Placed, When, innermost
from graph.executor.shape import JSONObject
from graph.planner.normalize.operation import Condition

__all__ = ["DeferredFields", "Found", "deferred_fields"]


@dataclass(frozen=True, slots=True)
class DeferredFields:
    """The fields of one `@defer` on an object of a concrete type.

    `within` are this deferral and those around it, as far as they stand on the same object. There is something to tell where all of
    one of `alternatives` holds. `inner` are deferrals inside this one, which come after it. `function` is a name in the code.
    """

    deferral: Condition
    within: When
    alternatives: frozenset[When]
    inner: tuple["DeferredFields", ...]
    function: str
    code: Mapping[str, Any]

    @property
    def project(self) -> Callable[..., JSONObject | None]:
        """As of a whole object; the deferrals of `within` must hold in the run."""
        project: Callable[..., JSONObject | None] = self.code[self.function]
        return project


Found = tuple[JSONObject, Any, tuple[DeferredFields, ...]]
"""An object of the response tree, its path as linked pairs, and what is deferred on it."""


def deferred_fields(placed: Iterable[Placed], name: Callable[[Condition], str], code: Mapping[str, Any]) -> tuple[DeferredFields, ...]:
    """The deferrals among an object's fields, the outermost; `name` gives the function for the fields of one."""
    within: dict[Condition, When] = {}
    alternatives: dict[Condition, set[When]] = {}
    for slot in {id(one.slot): one.slot for one in placed}.values():
        for field, when in slot.occurrences:
            deferral = innermost(field)
            if deferral is not None:
                within[deferral] = frozenset(one for one in field.conditions if one.is_deferral)
                alternatives.setdefault(deferral, set()).add(when)
    around = {one: max((other for other in within if within[other] < within[one]), default=None) for one in within}

    def below(outer: Condition | None) -> tuple[DeferredFields, ...]:
        return tuple(
            DeferredFields(one, within[one], frozenset(alternatives[one]), below(one), name(one), code)
            for one in sorted(within)
            if around[one] == outer
        )

    return below(None)
