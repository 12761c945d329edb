"""Importing a file into a store: what is stored, what is told, and that doing it again changes nothing."""

from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from shapely import from_wkb

from graph.contracts import source_uuid
from resolvers.cities.queries import cities_by_id
from resolvers.city_objects import queries
from resolvers.city_objects.records import CityObject, ObjectKey
from resolvers.city_objects.store import city_object
from resolvers.integrations.openstreetmap import import_osm
from resolvers.integrations.report import ImportReport, Skipped, UnreadableSource
from resolvers.stores.engine import Store

CITY = "FI-HELSINKI"
HELSINKI = Path(__file__).parents[4] / "demo" / "helsinki.osm.pbf"

NODES = """
  <node id="1" version="1" lat="60.0" lon="24.0"/><node id="2" version="1" lat="60.0" lon="24.1"/>
  <node id="3" version="1" lat="60.1" lon="24.1"/><node id="4" version="1" lat="60.1" lon="24.0"/>
"""
HALL = """
  <way id="7" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/>
    <tag k="building" v="public"/><tag k="name" v="Town hall"/><tag k="height" v="{height}"/></way>
"""
ROAD = """
  <way id="8" version="1"><nd ref="1"/><nd ref="2"/><nd ref="99"/>
    <tag k="highway" v="primary"/><tag k="name" v="Ring"/></way>
"""


def _small(directory: Path, body: str) -> Path:
    path = directory / "small.osm"
    path.write_text(f'<osm version="0.6">{NODES}{body}</osm>', encoding="utf-8")
    return path


async def _object(store: Store, source_id: str) -> CityObject:
    key: ObjectKey = (CITY, source_uuid(CITY, "openstreetmap", source_id))
    return (await queries.by_keys(store, CITY, [key]))[key]


async def _counts(store: Store) -> dict[tuple[str, int], int]:
    """How many objects there are, by type and version."""
    async with store.read() as connection:
        rows = (await connection.execute(sa.select(city_object.c.type, city_object.c.version))).all()
    return Counter((row.type, row.version) for row in rows)


async def test_import_when_helsinki_then_everything_is_stored_or_told(store: Store) -> None:
    told: list[tuple[int, int, str]] = []

    report = await import_osm(HELSINKI, store, tenant=CITY, city=CITY, progress=lambda *step: told.append(step))

    assert (report.created, report.updated, report.unchanged) == (3_149, 0, 0)
    assert (len(report.skipped), len(report.incomplete)) == (133, 118)
    assert await _counts(store) == {("BUILDING", 1): 446, ("BUILDING_PART", 1): 126, ("ROAD", 1): 2_577}
    assert told[-1] == (3_282, 3_282, "map")
    assert [done for done, _, _ in told] == sorted({done for done, _, _ in told})


async def test_import_when_done_again_then_nothing_changes(store: Store) -> None:
    first = await import_osm(HELSINKI, store, tenant=CITY, city=CITY)
    before = await _object(store, "way/123525580")

    second = await import_osm(HELSINKI, store, tenant=CITY, city=CITY)

    assert second == ImportReport(unchanged=3_149, skipped=first.skipped, incomplete=first.incomplete)
    assert await _counts(store) == {("BUILDING", 1): 446, ("BUILDING_PART", 1): 126, ("ROAD", 1): 2_577}
    assert await _object(store, "way/123525580") == before


async def test_import_when_one_thing_has_changed_then_it_alone_has_a_new_version(store: Store, tmp_path: Path) -> None:
    await import_osm(_small(tmp_path, HALL.format(height="12 m") + ROAD), store, tenant=CITY, city=CITY)

    report = await import_osm(_small(tmp_path, HALL.format(height="13 m") + ROAD), store, tenant=CITY, city=CITY)

    assert (report.created, report.updated, report.unchanged) == (0, 1, 1)
    assert await _counts(store) == {("BUILDING", 2): 1, ("ROAD", 1): 1}
    assert (await _object(store, "way/7")).attributes["heightMetres"] == 13.0


async def test_import_when_helsinki_then_a_well_described_building_has_every_typed_attribute(store: Store) -> None:
    await import_osm(HELSINKI, store, tenant=CITY, city=CITY)

    hotel = await _object(store, "way/123525580")
    assert hotel.name == "Hotelli Torni"
    assert {name: hotel.attributes[name] for name in ("buildingType", "heightMetres", "storeysAboveGround", "yearBuilt", "address")} == {
        "buildingType": "tower",
        "heightMetres": 70.0,
        "storeysAboveGround": 13,
        "yearBuilt": 1931,
        "address": {"street": "Yrjönkatu", "houseNumber": "26", "postcode": "00100", "locality": "Helsinki"},
    }
    assert hotel.footprint_area == pytest.approx(887.534, abs=0.001)


async def test_import_when_a_building_is_stored_then_name_source_attributes_and_shape_are_there(store: Store, tmp_path: Path) -> None:
    await import_osm(_small(tmp_path, HALL.format(height="12 m")), store, tenant=CITY, city=CITY)

    hall = await _object(store, "way/7")
    assert (hall.type, hall.name, hall.source, hall.source_id) == ("BUILDING", "Town hall", "openstreetmap", "way/7")
    assert hall.attributes == {"building": "public", "name": "Town hall", "height": "12 m", "buildingType": "public", "heightMetres": 12.0}
    assert from_wkb(hall.geometry).normalize().wkt == "POLYGON ((24 60, 24 60.1, 24.1 60.1, 24.1 60, 24 60))"


async def test_import_when_a_road_is_cut_then_the_part_inside_is_stored_and_says_so(store: Store, tmp_path: Path) -> None:
    report = await import_osm(_small(tmp_path, ROAD), store, tenant=CITY, city=CITY)

    road = await _object(store, "way/8")
    assert report == ImportReport(created=1, incomplete=(Skipped("way/8", "1 of 3 nodes are outside the file", "Ring"),))
    assert road.attributes["incompleteGeometry"] is True
    assert from_wkb(road.geometry).wkt == "LINESTRING (24 60, 24.1 60)"


async def test_import_when_the_city_is_unknown_then_it_is_added_and_a_known_one_keeps_its_name(store: Store, tmp_path: Path) -> None:
    path = _small(tmp_path, HALL.format(height="12 m"))

    for city in ("SE-STOCKHOLM", CITY):
        await import_osm(path, store, tenant=CITY, city=city)

    known = await cities_by_id(store, CITY, ["SE-STOCKHOLM", CITY])
    assert {city.id: city.name for city in known.values()} == {"SE-STOCKHOLM": "SE-STOCKHOLM", CITY: "Helsinki"}
    assert await _counts(store) == {("BUILDING", 1): 2}


async def test_import_when_the_file_is_missing_then_no_city_is_added(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource):
        await import_osm(tmp_path / "missing.osm.pbf", store, tenant=CITY, city="SE-STOCKHOLM")

    assert await cities_by_id(store, CITY, ["SE-STOCKHOLM"]) == {}


async def test_import_when_the_file_breaks_off_then_the_next_import_completes_it(store: Store, tmp_path: Path) -> None:
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(HELSINKI.read_bytes()[:600_000])
    with pytest.raises(UnreadableSource):
        await import_osm(broken, store, tenant=CITY, city=CITY)

    report = await import_osm(HELSINKI, store, tenant=CITY, city=CITY)

    assert report.created + report.unchanged == 3_149
    assert await _counts(store) == {("BUILDING", 1): 446, ("BUILDING_PART", 1): 126, ("ROAD", 1): 2_577}
