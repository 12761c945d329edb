"""What the schema asks of a caller: `@authenticated`, `@requiresScopes` and `@policy` as data, and what of it one caller lacks.

A caller is known here as the set of what was granted to it: words such as `scope models:read`. Who gets which is decided elsewhere;
`reading_demands` says how the directives of a supergraph become the demands of its object types and their fields.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

Granted = frozenset[str]
"""What a caller has, as words: `authenticated`, `scope <name>`, `policy <name>`."""

Alternatives = frozenset[frozenset[str]]
"""What one directive asks: all the words of any of the sets."""

Demand = frozenset[Alternatives]
"""Every member must be met. A demand without members is met by everybody."""

AUTHENTICATED = "authenticated"
NO_DEMAND: Demand = frozenset()
SCOPE, POLICY = "scope ", "policy "
MAX_TOLD = 64
"""Alternatives that an error names at most."""


def scope(name: str) -> str:
    return SCOPE + name


def policy(name: str) -> str:
    return POLICY + name


def words(demand: Demand) -> Granted:
    """Everything that a demand mentions."""
    return frozenset(word for alternatives in demand for together in alternatives for word in together)


def unmet(demand: Demand, granted: Granted) -> Demand:
    """The part of a demand that is not met."""
    return frozenset(one for one in demand if not any(together <= granted for together in one))


def minimal(sets: Iterable[frozenset[str]]) -> Alternatives:
    """Without the sets that another one makes needless."""
    found = frozenset(sets)
    return frozenset(one for one in found if not any(other < one for other in found))


def joined(demand: Iterable[Alternatives], limit: int) -> Alternatives | None:
    """The demand as one list of alternatives, None where that takes more than `limit` of them."""
    together: Alternatives = frozenset({frozenset()})
    for one in sorted(demand, key=_order):
        if len(together) * len(one) > limit * 4:
            return None
        together = minimal(left | right for left, right in product(together, one))
        if len(together) > limit:
            return None
    return together


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a caller may not see something: `lacking` is what it would need."""

    coordinate: str
    lacking: Demand

    @property
    def message(self) -> str:
        if AUTHENTICATED in words(self.lacking):
            return f"{self.coordinate} is for callers who have authenticated themselves"
        needs = [f"{kind}{_told(found)}" for kind in (SCOPE, POLICY) if (found := _of_kind(self.lacking, kind))]
        return f"{self.coordinate} needs what you have not been granted: {' and '.join(needs) or 'a right that nobody has'}"

    @property
    def extensions(self) -> dict[str, Any]:
        """The alternatives as the directives write them: a list of lists, of which any one would do."""
        kinds = (("requiredScopes", SCOPE), ("requiredPolicies", POLICY))
        return {name: found for name, kind in kinds if (found := _of_kind(self.lacking, kind))}


@dataclass(frozen=True, slots=True)
class Denied:
    """What one caller may not see: object types, and fields of object types."""

    types: Mapping[str, Refusal] = field(default_factory=dict)
    fields: Mapping[tuple[str, str], Refusal] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.types or self.fields)


NOTHING_DENIED = Denied()


@dataclass(frozen=True, slots=True)
class Demands:
    """What a supergraph asks, for object types alone: interfaces have passed theirs on.

    `fields` holds all that a field asks for: its own, its type's where that is no interface or union, and what its `@requires` would
    show. `behind` names, for fields of an interface or union of which every object type asks for something, these object types.
    """

    types: Mapping[str, Demand] = field(default_factory=dict)
    fields: Mapping[tuple[str, str], Demand] = field(default_factory=dict)
    behind: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    words: Granted = frozenset()
    """Everything that is mentioned anywhere."""

    def denied(self, granted: Granted) -> Denied:
        types = {name: Refusal(name, lacking) for name, demand in self.types.items() if (lacking := unmet(demand, granted))}
        fields = {at: Refusal(".".join(at), lacking) for at, demand in self.fields.items() if (lacking := unmet(demand, granted))}
        for at, possible in self.behind.items():
            if at not in fields and possible <= types.keys():
                easiest = min((types[name].lacking for name in possible), key=lambda lacking: (len(lacking), sorted(words(lacking))))
                fields[at] = Refusal(".".join(at), easiest)
        return Denied(types, fields) if types or fields else NOTHING_DENIED


def _of_kind(lacking: Demand, kind: str) -> list[list[str]]:
    of_kind = [one for one in lacking if all(word.startswith(kind) for word in words(frozenset({one})))]
    told = joined([one for one in of_kind if one], MAX_TOLD) if of_kind else None
    if told is None:
        told = min(of_kind, key=_order, default=frozenset())
    return sorted(sorted(word.removeprefix(kind) for word in together) for together in told)


def _told(alternatives: list[list[str]]) -> str:
    return " or ".join(" and ".join(together) for together in alternatives)


def _order(alternatives: Alternatives) -> tuple[int, list[list[str]]]:
    return len(alternatives), sorted(sorted(together) for together in alternatives)
