"""Reading OpenStreetMap files: the demo's own one, and small ones with one fault each."""

from collections import Counter
from pathlib import Path

import pytest

from graph.errors import BadUserInput
from resolvers.integrations.openstreetmap import reader
from resolvers.integrations.openstreetmap.reader import Feature
from resolvers.integrations.report import Skipped, UnreadableSource

HELSINKI = Path(__file__).parents[4] / "demo" / "helsinki.osm.pbf"

SQUARE = """
  <node id="1" version="1" lat="60.0" lon="24.0"/><node id="2" version="1" lat="60.0" lon="24.1"/>
  <node id="3" version="1" lat="60.1" lon="24.1"/><node id="4" version="1" lat="60.1" lon="24.0"/>
"""


def _file(directory: Path, body: str) -> Path:
    path = directory / "small.osm"
    path.write_text(f'<osm version="0.6">{body}</osm>', encoding="utf-8")
    return path


def _way(id: int, nodes: str, **tags: str) -> str:
    references = "".join(f'<nd ref="{node}"/>' for node in nodes.split())
    return f'<way id="{id}" version="1">{references}{_tags(tags)}</way>'


def _relation(id: int, ways: str, **tags: str) -> str:
    members = "".join(f'<member type="way" ref="{way}" role="outer"/>' for way in ways.split())
    return f'<relation id="{id}" version="1">{members}{_tags(tags)}</relation>'


def _tags(tags: dict[str, str]) -> str:
    return "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())


def _read(path: Path) -> list[tuple[str, str]]:
    """Source identifier, and the geometry as text or the reason why there is none."""
    things = list(reader.read(path))
    assert reader.count(path) == len(things)
    return [(t.source_id, t.reason if isinstance(t, Skipped) else t.geometry.normalize().wkt) for t in things]


def test_read_when_helsinki_then_every_building_and_road_is_there_or_named() -> None:
    things = list(reader.read(HELSINKI))

    features = [thing for thing in things if isinstance(thing, Feature)]
    skipped = [thing for thing in things if isinstance(thing, Skipped)]
    assert Counter(feature.rule.type.value for feature in features) == {"BUILDING": 446, "BUILDING_PART": 126, "ROAD": 2577}
    assert sum(feature.lacking is not None for feature in features) == 118
    assert len(skipped) == 133
    assert len({thing.source_id for thing in things}) == len(things) == reader.count(HELSINKI) == 3282
    assert all(feature.geometry.is_valid and not feature.geometry.is_empty for feature in features)


def test_read_when_helsinki_then_each_cut_outline_is_reported_with_its_reason() -> None:
    skipped = [str(thing) for thing in reader.read(HELSINKI) if isinstance(thing, Skipped)]

    cut = [text for text in skipped if "cut by the edge of the file" in text]
    # 48 ways and 6 relations are buildings, 6 ways parts of buildings; the others are roads of which no segment is left.
    assert Counter(text.split("/")[0] for text in cut) == {"way": 54, "relation": 6}
    assert len(skipped) - len(cut) == 73
    assert "way/58023634 (Musiikkitalo): cut by the edge of the file: 15 of 22 nodes are missing" in cut
    assert "relation/6077: cut by the edge of the file: 1 of 2 member ways are missing" in cut
    assert "way/4253744 (Baana): 1 of 2 nodes are outside the file" in skipped


def test_read_when_an_outline_is_whole_then_it_is_a_polygon(tmp_path: Path) -> None:
    path = _file(tmp_path, SQUARE + _way(9, "1 4 3 2 1", building="yes"))

    assert _read(path) == [("way/9", "POLYGON ((24 60, 24 60.1, 24.1 60.1, 24.1 60, 24 60))")]


def test_read_when_outlines_are_invalid_then_each_is_skipped_by_name(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        SQUARE
        + _way(10, "1 3 2 4 1", building="yes")
        + _way(11, "1 2 3 4", building="yes")
        + _way(12, "1 2 3 4 1", building="yes", area="no")
        + _way(13, "1 2 1", building="yes")
        + _relation(14, "11", building="yes", type="multipolygon")
        + _relation(15, "11", building="yes", type="site", name="Works"),
    )

    assert _read(path) == [
        ("way/10", "the outline is invalid: Self-intersection[24.05 60.05]"),
        ("way/11", "the outline is not closed"),
        ("way/12", "tagged area=no: the way is a line, not an outline"),
        ("way/13", "the outline has fewer than three corners"),
        ("relation/14", "the outline is not closed"),
        ("relation/15", "a relation of type 'site' has no outline of its own: expected 'multipolygon'"),
    ]


def test_read_when_a_relation_joins_ways_then_it_is_one_area(tmp_path: Path) -> None:
    path = _file(tmp_path, SQUARE + _way(9, "1 2 3") + _way(10, "3 4 1") + _relation(14, "9 10", building="yes", type="multipolygon"))

    assert _read(path) == [("relation/14", "POLYGON ((24 60, 24 60.1, 24.1 60.1, 24.1 60, 24 60))")]


def test_read_when_a_road_leaves_the_file_then_the_stretches_inside_are_kept(tmp_path: Path) -> None:
    path = _file(tmp_path, SQUARE + _way(9, "1 2 99 3 4", highway="primary") + _way(10, "1 99 98 2", highway="primary"))

    things = list(reader.read(path))

    road, lost = things
    assert isinstance(road, Feature)
    assert (road.geometry.wkt, road.lacking) == (
        "MULTILINESTRING ((24 60, 24.1 60), (24.1 60.1, 24 60.1))",
        "1 of 5 nodes are outside the file",
    )
    assert lost == Skipped("way/10", "2 of 4 nodes are outside the file")


def test_read_when_a_line_has_no_length_then_it_is_skipped(tmp_path: Path) -> None:
    path = _file(tmp_path, SQUARE + _way(9, "1 1", highway="primary"))

    assert _read(path) == [("way/9", "the line has no length")]


def test_read_when_nothing_is_wanted_then_nothing_comes(tmp_path: Path) -> None:
    path = _file(tmp_path, SQUARE + _way(9, "1 2 3 4 1", amenity="parking") + _relation(14, "9", highway="pedestrian", type="multipolygon"))

    assert _read(path) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("city.osm.pbf", b"<html>not found</html>", "invalid BlobHeader size"),
        ("city.osm", b"<html>not found</html>", "Unknown top-level element: html"),
        ("city.osm.pbf", b"", "blob contains no data"),
        ("city.txt", b"hello", "Could not detect file format"),
        ("city.osm.pbf", HELSINKI.read_bytes()[:300_000], "unexpected EOF"),
    ],
    ids=["html-as-pbf", "html-as-xml", "empty", "another-suffix", "cut-short"],
)
def test_read_when_the_file_is_not_a_map_then_the_error_says_what_is_expected(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(UnreadableSource) as raised:
        list(reader.read(path))

    assert str(path) in raised.value.detail
    assert message in raised.value.detail
    assert "expected .osm.pbf" in raised.value.detail


@pytest.mark.parametrize("name", ["missing.osm.pbf", "."], ids=["missing", "directory"])
def test_count_when_there_is_no_such_file_then_the_error_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadUserInput, match="is not a file: expected an OpenStreetMap file"):
        reader.count(tmp_path / name)
