"""`@override`: which subgraph's version of a field loses to another's.

A field that is taken over is no longer answered where it was. Where that subgraph still needs it (for a key, say) it stays declared
there, as `usedOverridden`; with a label, both stay, and each request decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graph.composition.subgraph import Coordinate

if TYPE_CHECKING:
    from graph.composition.gathered import FieldSource, Gathered


@dataclass(frozen=True, slots=True)
class Overridden:
    """A subgraph's field that another one takes over."""

    by: str
    label: str | None
    still_used: bool


@dataclass(frozen=True, slots=True)
class Overrides:
    """Keyed by subgraph and field."""

    fields: Mapping[tuple[str, Coordinate], Overridden]

    def of(self, source: "FieldSource") -> Overridden | None:
        return self.fields.get((source.member.name, source.coordinate))

    def is_gone(self, source: "FieldSource") -> bool:
        """Taken over for good, and not even needed as a key: the supergraph doesn't mention it."""
        found = self.of(source)
        return found is not None and found.label is None and not found.still_used

    def is_taken_over(self, source: "FieldSource") -> bool:
        """The subgraph never answers the field, whether the supergraph mentions it or not."""
        found = self.of(source)
        return found is not None and found.label is None


def find_overrides(gathered: "Gathered") -> Overrides:
    found: dict[tuple[str, Coordinate], Overridden] = {}
    for type_name in gathered.types:
        for field_name in gathered.field_names(type_name):
            sources = gathered.field_sources(type_name, field_name)
            by_name = {source.member.name: source for source in sources}
            for source in sources:
                applied = source.field.use("override")
                origin = by_name.get(applied.string("from") or "") if applied else None
                # An external declaration answers nothing, so there is nothing to take over.
                if applied is None or origin is None or origin is source or origin.is_external:
                    continue
                found[(origin.member.name, origin.coordinate)] = Overridden(
                    by=source.member.name,
                    label=applied.string("label"),
                    still_used=origin.member.facts.used(origin.coordinate),
                )
    return Overrides(found)
