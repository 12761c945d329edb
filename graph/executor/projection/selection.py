"""Which fields of an operation apply to an object of one concrete type, in the client's order.

The same response key may be selected several times, under different conditions. A `Scope` keeps each selection set with the conditions
under which it counts, so that the choice is made once for all variables, and only booleans remain for run time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from graph.planner.normalize.operation import NO_CONDITIONS, Condition, Field, Fragment, Selection

When = frozenset[Condition]
"""Conditions that must all hold."""

ALWAYS: Final[When] = NO_CONDITIONS

Scope = tuple[tuple[tuple[Selection, ...], When], ...]
"""Selection sets that apply to one object, each with its conditions."""


@dataclass(slots=True)
class Slot:
    """One response key of an object: every field that the client selected for it, in order."""

    response_key: str
    occurrences: list[tuple[Field, When]] = field(default_factory=list)

    @property
    def field(self) -> Field:
        return self.occurrences[0][0]

    def below(self) -> Scope:
        """The selection sets of all occurrences, as one scope. Of a single occurrence the condition has been checked already."""
        if len(self.occurrences) == 1:
            return ((self.field.selections, ALWAYS),)
        return tuple((one.selections, when) for one, when in self.occurrences)


@dataclass(frozen=True, slots=True)
class Placed:
    """A slot at one of its places: a response key stands where its first occurrence that holds stands."""

    slot: Slot
    when: When


def select(scope: Scope, applies: Callable[[str], bool], deferral: Condition | None = None) -> list[Placed]:
    """The response keys of an object, in order, each with the condition of its place.

    `applies` tells whether a type condition includes the object's type. With a `deferral`, only the fields of that `@defer` count.
    """
    slots: dict[str, Slot] = {}
    placed: list[Placed] = []
    settled: set[str] = set()
    for one, when in _fields(scope, applies):
        if deferral is not None and innermost(one) != deferral:
            continue
        key = one.response_key
        slot = slots.setdefault(key, Slot(key))
        slot.occurrences.append((one, when))
        if key not in settled:
            placed.append(Placed(slot, when))
            if when == ALWAYS:
                settled.add(key)
    return placed


def _fields(scope: Scope, applies: Callable[[str], bool]) -> Iterator[tuple[Field, When]]:
    for selections, when in scope:
        for selection in selections:
            match selection:
                case Field():
                    both = when | selection.conditions
                    if not _contradicts(both):
                        yield selection, both
                case Fragment() if applies(selection.type_condition):
                    yield from _fields(((selection.selections, when),), applies)


def innermost(field: Field) -> Condition | None:
    """The `@defer` that the field stands in, as far as it is between the field and the object."""
    return max((one for one in field.conditions if one.is_deferral), default=None)


def _contradicts(conditions: When) -> bool:
    return len({one.variable for one in conditions}) < len(conditions)


def all_conditions(selections: Sequence[Selection]) -> tuple[Condition, ...]:
    """Every condition in an operation, in a fixed order."""
    found: set[Condition] = set()
    pending = [selections]
    while pending:
        for selection in pending.pop():
            if isinstance(selection, Field):
                found |= selection.conditions
            pending.append(selection.selections)
    return tuple(sorted(found))
