"""The same statements as PostgreSQL with PostGIS gets them; that they run there is shown on a server, elsewhere."""

import re
from typing import Any

import shapely
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from resolvers.city_objects import store as sql
from resolvers.city_objects.records import CityObjectFilter, CityObjectOrder, Near
from resolvers.stores.geometry import Box
from resolvers.stores.json_pointer import Comparison, pointer_condition
from resolvers.stores.paging import Window

BOX = Box(24.0, 60.0, 25.0, 61.0)


def compiled(statement: sa.Select[Any]) -> str:
    return re.sub(r"\s+", " ", str(statement.compile(dialect=postgresql.asyncpg.dialect())))


def test_box_when_compiled_for_postgis_then_the_index_operator_comes_first() -> None:
    wanted = CityObjectFilter(boxes=((BOX, shapely.to_wkb(shapely.box(24, 60, 25, 61))),))

    text = compiled(sql.page("postgresql", "t", wanted, CityObjectOrder.ID_ASC, Window(5)))

    assert re.search(r"city_object\.geometry && ST_MakeEnvelope\(.*, 4326\) AND \(.* OR ST_Intersects\(city_object\.geometry", text)
    assert "ST_AsBinary(city_object.geometry)" in text
    assert "city_object_geometry_rt" not in text


def test_nearby_when_compiled_for_postgis_then_one_lateral_serves_all_parents() -> None:
    text = compiled(sql.neighbours("postgresql", "t", 400.0, None, 3))

    assert "JOIN LATERAL" in text
    assert "ST_DWithin(CAST(city_object.geometry AS geography(Geometry, 4326))" in text
    assert "CROSS JOIN" not in text


def test_distance_order_when_compiled_for_postgis_then_the_place_is_a_parameter() -> None:
    wanted = CityObjectFilter(near=Near(24.9, 60.1, 500.0, shapely.to_wkb(shapely.Point(24.9, 60.1))))

    text = compiled(sql.page("postgresql", "t", wanted, CityObjectOrder.DISTANCE_ASC, Window(5, after=(1.0, "x"))))

    assert "ST_GeomFromWKB(" in text
    assert "ST_AsBinary(probes" not in text


def test_attribute_when_compiled_for_postgresql_then_a_text_is_never_cast_to_a_number() -> None:
    wanted = CityObjectFilter(attributes=(pointer_condition("/levels", Comparison.GT, 3),))

    text = compiled(sql.count("postgresql", "t", wanted))

    assert re.search(r"CASE WHEN \(jsonb_typeof\(.*\) = .*\) THEN CAST\(.* AS NUMERIC\) > .* ELSE false END", text)
