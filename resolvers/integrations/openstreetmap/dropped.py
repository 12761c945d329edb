"""Why an outline never became an area: osmium does not say, so the file is read once more for these alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import osmium
import shapely
from osmium.osm import WAY, Way
from shapely import Polygon

from resolvers.integrations.report import Skipped

_AREA_RELATIONS = ("multipolygon", "boundary")


@dataclass(frozen=True, slots=True)
class Outline:
    """A way's or relation's outline; `ways` are the members, or the way itself. `relation_type` is the tag `type`."""

    source_id: str
    name: str | None
    relation_type: str | None
    ways: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Ring:
    """A way: its nodes' identifiers, those of them that the file lacks, the others' places, and the tag `area`."""

    nodes: tuple[int, ...]
    missing: frozenset[int]
    places: tuple[tuple[float, float], ...]
    area: str | None


def reasons(path: Path, outlines: Sequence[Outline]) -> Iterator[Skipped]:
    """One `Skipped` an outline, in the order given. Memory grows with the number of dropped outlines only."""
    if not outlines:
        return
    rings = _rings(path, {way for outline in outlines for way in outline.ways})
    for outline in outlines:
        reason = _relation_reason(outline, rings) if outline.source_id.startswith("relation/") else None
        yield Skipped(outline.source_id, reason or _ways_reason(outline, rings), outline.name)


def _rings(path: Path, ways: set[int]) -> dict[int, _Ring]:
    # The locations are taken from the nodes before the filters see them, so the filters may drop the nodes.
    wanted = (
        osmium.FileProcessor(path).with_locations().with_filter(osmium.filter.EntityFilter(WAY)).with_filter(osmium.filter.IdFilter(ways))
    )
    return {way.id: _ring(way) for way in wanted if isinstance(way, Way)}


def _ring(way: Way) -> _Ring:
    return _Ring(
        nodes=tuple(node.ref for node in way.nodes),
        missing=frozenset(node.ref for node in way.nodes if not node.location.valid()),
        places=tuple((node.lon, node.lat) for node in way.nodes if node.location.valid()),
        area=way.tags.get("area"),
    )


def _relation_reason(outline: Outline, rings: Mapping[int, _Ring]) -> str | None:
    if outline.relation_type not in _AREA_RELATIONS:
        return f"a relation of type {outline.relation_type!r} has no outline of its own: expected 'multipolygon'"
    missing = sum(way not in rings for way in outline.ways)
    if missing:
        return f"cut by the edge of the file: {missing} of {len(outline.ways)} member ways are missing"
    return None


def _ways_reason(outline: Outline, rings: Mapping[int, _Ring]) -> str:
    parts = [rings[way] for way in outline.ways]
    missing = frozenset().union(*(part.missing for part in parts))
    if missing:
        nodes = frozenset().union(*(part.nodes for part in parts))
        return f"cut by the edge of the file: {len(missing)} of {len(nodes)} nodes are missing"
    if len(parts) == 1:
        return _ring_reason(parts[0])
    return "the outline is invalid: its member ways make no closed rings, or rings that cross"


def _ring_reason(ring: _Ring) -> str:
    if ring.nodes[0] != ring.nodes[-1]:
        return "the outline is not closed"
    if ring.area == "no":
        return "tagged area=no: the way is a line, not an outline"
    if len(set(ring.places)) < 3:
        return "the outline has fewer than three corners"
    return f"the outline is invalid: {shapely.is_valid_reason(Polygon(ring.places))}"
