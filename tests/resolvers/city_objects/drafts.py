"""City objects for tests: small, and each with what it is about spelled out."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from resolvers.city_objects.commands import upsert
from resolvers.city_objects.records import CityObjectDraft, CityObjectType
from resolvers.stores.engine import Store

TENANT = CITY = "FI-HELSINKI"
STATION = shapely.Point(24.9414, 60.1719)


def draft(
    source_id: str,
    geometry: BaseGeometry = STATION,
    *,
    type: CityObjectType = CityObjectType.BUILDING,
    name: str | None = None,
    attributes: Mapping[str, Any] | None = None,
    uuid: UUID | None = None,
    parent: UUID | None = None,
) -> CityObjectDraft:
    return CityObjectDraft(type, name, "test", source_id, geometry, attributes or {}, uuid, parent)


async def put(store: Store, *drafts: CityObjectDraft, tenant: str = TENANT, city: str = CITY, now: int = 1_000) -> list[UUID]:
    """The UUIDs under which the drafts are stored."""
    return list((await upsert(store, tenant=tenant, city=city, drafts=drafts, now=now)).uuids)


def scattered(count: int, *, seed: int = 1) -> list[CityObjectDraft]:
    """Buildings, roads and sensors around the station, each third of one type; every other one has a name."""
    random = np.random.default_rng(seed)
    west, south = 24.90 + random.random(count) * 0.08, 60.15 + random.random(count) * 0.04
    kinds = (CityObjectType.BUILDING, CityObjectType.ROAD, CityObjectType.SENSOR)
    return [_one(number, kinds[number % 3], west[number], south[number]) for number in range(count)]


def _one(number: int, kind: CityObjectType, west: float, south: float) -> CityObjectDraft:
    shapes = {
        CityObjectType.BUILDING: shapely.box(west, south, west + 0.0004, south + 0.0002),
        CityObjectType.ROAD: shapely.LineString([(west, south), (west + 0.002, south + 0.001 - number % 17 * 0.0001)]),
        CityObjectType.SENSOR: shapely.Point(west, south),
    }
    name = f"Thing {number % 7}" if number % 2 else None
    return draft(f"thing/{number}", shapes[kind], type=kind, name=name, attributes={"number": number})
