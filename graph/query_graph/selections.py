"""Selections in the one form that search, plan and projection work on."""

from dataclasses import dataclass

DEFER = "@defer "


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """`@include(if: $variable)` where `expected` is true, `@skip` where it is false. Literal conditions are resolved earlier."""

    variable: str
    expected: bool

    @property
    def is_deferral(self) -> bool:
        """Whether it stands for a `@defer`: a condition that comes true later. Its variable is no variable of the client's."""
        return self.variable.startswith(DEFER)


NO_CONDITIONS: frozenset[Condition] = frozenset()


@dataclass(frozen=True, slots=True)
class Field:
    """A field as the client, or the planner, selects it.

    `key` names it in the merged response tree: equal keys mean equal `name` and `arguments` all over the operation, so answers can be
    merged and shared without looking at where they came from. It is the response key wherever that is possible.
    `arguments` are (name, printed GraphQL value) in the order of their names. `conditions` must all hold. A response key may
    stand several times in a selection set, with other conditions or selections: the field is there if any of them holds, and
    its selections are the union of those that do.
    """

    name: str
    response_key: str
    key: str
    arguments: tuple[tuple[str, str], ...] = ()
    conditions: frozenset[Condition] = NO_CONDITIONS
    selections: tuple["Selection", ...] = ()


@dataclass(frozen=True, slots=True)
class Fragment:
    """`... on type_condition`, where it narrows the enclosing type; never nested. Its conditions have moved down to its fields."""

    type_condition: str
    selections: tuple["Selection", ...]


Selection = Field | Fragment
