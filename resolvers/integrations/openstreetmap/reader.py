"""Reads features, tags with geometry, from an OpenStreetMap file in any format that osmium reads.

osmium drops every area that it cannot assemble without a word, so each outline that was announced and never came is
handed to `dropped`, which finds the reason. Nothing here guesses: an outline that the file does not have whole is no
area. Lines keep the stretches that the file has.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import osmium
import shapely
from osmium.osm import AREA, RELATION, WAY, Area, Relation, Way
from shapely import LineString, MultiLineString
from shapely.geometry.base import BaseGeometry

from resolvers.integrations.openstreetmap import dropped
from resolvers.integrations.openstreetmap.attributes import RULES, Rule, Shape, Tags, rule_for
from resolvers.integrations.report import Skipped, UnreadableSource

_wkb = osmium.geom.WKBFactory()


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing of the file. `lacking` says what the file does not have of a line, None where it is whole."""

    source_id: str
    tags: Tags
    rule: Rule
    geometry: BaseGeometry
    lacking: str | None = None


@dataclass(slots=True)
class _Outlines:
    """The outlines announced by ways and relations, with their members' ways, and those that came as areas."""

    announced: dict[str, dropped.Outline] = field(default_factory=dict)
    assembled: set[str] = field(default_factory=set)

    def dropped(self) -> list[dropped.Outline]:
        return [outline for source_id, outline in self.announced.items() if source_id not in self.assembled]


def count(path: Path) -> int:
    """How many things `read` will give, skipped ones included: for progress bars."""
    with _osmium_errors(path):
        tagged = osmium.FileProcessor(path, WAY | RELATION).with_filter(_any_key(*Shape))
        return sum(_source(thing) is not None for thing in tagged if isinstance(thing, Way | Relation))


def read(path: Path) -> Iterator[Feature | Skipped]:
    """Each feature once, in the file's order, as the rules of `attributes` know it; then what was dropped.

    Raises `UnreadableSource`, perhaps after some features: a file can break off in the middle.
    """
    outlines = _Outlines()
    with _osmium_errors(path):
        things = (
            osmium.FileProcessor(path)
            .with_areas(_any_key(Shape.AREA))
            .with_filter(osmium.filter.EntityFilter(WAY | RELATION | AREA))
            .with_filter(_any_key(*Shape))
        )
        for thing in things:
            if isinstance(thing, Area):
                found = _area(thing, outlines)
            elif isinstance(thing, Way | Relation):
                found = _line_or_announcement(thing, outlines)
            else:
                continue
            if found is not None:
                yield found
        yield from dropped.reasons(path, outlines.dropped())


def _area(area: Area, outlines: _Outlines) -> Feature | Skipped | None:
    tags = dict(area.tags)
    rule = rule_for(tags)
    if rule is None or rule.shape is not Shape.AREA:
        return None
    source_id = f"{'way' if area.from_way() else 'relation'}/{area.orig_id()}"
    if area.num_rings()[0] == 0:
        return None
    outlines.assembled.add(source_id)
    shape = shapely.from_wkb(_wkb.create_multipolygon(area))
    if not shape.is_valid:
        return Skipped(source_id, f"the outline is invalid: {shapely.is_valid_reason(shape)}", tags.get("name"))
    single = shapely.get_geometry(shape, 0) if shapely.get_num_geometries(shape) == 1 else None
    return Feature(source_id, tags, rule, single or shape)


def _line_or_announcement(thing: Way | Relation, outlines: _Outlines) -> Feature | Skipped | None:
    found = _source(thing)
    if found is None:
        return None
    source_id, rule = found
    if rule.shape is Shape.LINE:
        return _line(source_id, rule, thing) if isinstance(thing, Way) else None
    ways = (thing.id,) if isinstance(thing, Way) else tuple(m.ref for m in thing.members if m.type == "w")
    outlines.announced[source_id] = dropped.Outline(source_id, thing.tags.get("name"), thing.tags.get("type"), ways)
    return None


def _source(thing: Way | Relation) -> tuple[str, Rule] | None:
    """The source identifier and rule of a way or relation; relations have no line, so line rules are not for them."""
    rule = rule_for(dict(thing.tags))
    if rule is None:
        return None
    if isinstance(thing, Way):
        return f"way/{thing.id}", rule
    return (f"relation/{thing.id}", rule) if rule.shape is Shape.AREA else None


def _line(source_id: str, rule: Rule, way: Way) -> Feature | Skipped:
    tags = dict(way.tags)
    stretches: list[list[tuple[float, float]]] = [[]]
    missing = 0
    for node in way.nodes:
        if node.location.valid():
            stretches[-1].append((node.lon, node.lat))
        else:
            missing += 1
            stretches.append([])
    lines = [LineString(stretch) for stretch in stretches if len(set(stretch)) > 1]
    lacking = f"{missing} of {len(way.nodes)} nodes are outside the file" if missing else None
    if not lines:
        return Skipped(source_id, lacking or "the line has no length", tags.get("name"))
    geometry = lines[0] if len(lines) == 1 else MultiLineString(lines)
    return Feature(source_id, tags, rule, geometry, lacking)


def _any_key(*shapes: Shape) -> osmium.filter.KeyFilter:
    return osmium.filter.KeyFilter(*(rule.key for rule in RULES if rule.shape in shapes))


@contextmanager
def _osmium_errors(path: Path) -> Iterator[None]:
    """osmium raises RuntimeError for everything; its message names the fault but not always the file."""
    if not path.is_file():
        raise UnreadableSource(f"{path} is not a file: expected an OpenStreetMap file such as city.osm.pbf")
    try:
        yield
    except RuntimeError as error:
        raise UnreadableSource(
            f"{path} cannot be read as OpenStreetMap data ({error}): expected .osm.pbf, .osm, .osm.gz or .osm.bz2"
        ) from error
