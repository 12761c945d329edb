"""What the slice of city objects speaks of: no GraphQL, no SQL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias
from unicodedata import normalize
from uuid import UUID

from shapely.geometry.base import BaseGeometry

from graph.errors import CityGraphError
from resolvers.stores.geometry import Box
from resolvers.stores.json_pointer import PointerCondition

# None, bool, int, float, str, and lists and string-keyed mappings of these; the type checker cannot hold a recursive
# alias against what a JSON reader returns.
JSONValue: TypeAlias = Any


class CityObjectType(StrEnum):
    BUILDING = "BUILDING"
    BUILDING_PART = "BUILDING_PART"
    ROAD = "ROAD"
    RAILWAY = "RAILWAY"
    BRIDGE = "BRIDGE"
    TUNNEL = "TUNNEL"
    WATER_BODY = "WATER_BODY"
    VEGETATION = "VEGETATION"
    LAND_USE = "LAND_USE"
    CITY_FURNITURE = "CITY_FURNITURE"
    UTILITY_NETWORK = "UTILITY_NETWORK"
    TERRAIN = "TERRAIN"
    SENSOR = "SENSOR"
    VEHICLE = "VEHICLE"
    GENERIC = "GENERIC"


@dataclass(frozen=True, slots=True)
class CityObjectDraft:
    """What an import or an upsert hands in. `geometry` is WGS 84, longitude before latitude, height in metres if any.

    `attributes` are flat: every attribute of the source under its own name, and the typed ones under their GraphQL
    field's name, which win on a clash. `kept` names the fields of which an object that is there already keeps its own.
    """

    type: CityObjectType
    name: str | None
    source: str | None
    source_id: str | None
    geometry: BaseGeometry
    attributes: Mapping[str, JSONValue]
    uuid: UUID | None = None
    parent: UUID | None = None
    kept: frozenset[str] = frozenset()


class CityObject(NamedTuple):
    """One stored object. `geometry` is WKB, decoded only where it is asked for; times are epoch milliseconds.

    A tuple, because a page makes many: a frozen dataclass of so many fields takes five times as long.
    """

    pk: int
    city: str
    uuid: UUID
    type: CityObjectType
    name: str | None
    source: str | None
    source_id: str | None
    geometry: bytes
    attributes: Mapping[str, JSONValue]
    footprint_area: float | None
    length: float | None
    created_at: int
    updated_at: int
    version: int
    parent: UUID | None


ObjectKey: TypeAlias = tuple[str, UUID]
"""City and UUID: what an identifier says, the tenant being the caller's."""


@dataclass(frozen=True, slots=True)
class Found:
    """An object, and how many metres it is from where one searched, if one did."""

    object: CityObject
    distance: float | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the draft at `place` is not stored; `member` is the input's member that is to blame, or empty."""

    place: int
    member: str
    error: CityGraphError


@dataclass(frozen=True, slots=True)
class UpsertOutcome:
    """How many drafts made a new object, changed one, or found it as they would leave it; which were refused.

    `uuids` are the objects of the drafts that were not, in the drafts' order.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    uuids: tuple[UUID, ...] = field(default=())
    refused: tuple[Refusal, ...] = ()


class CityObjectOrder(StrEnum):
    ID_ASC = "ID_ASC"
    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"
    UPDATED_AT_ASC = "UPDATED_AT_ASC"
    UPDATED_AT_DESC = "UPDATED_AT_DESC"
    DISTANCE_ASC = "DISTANCE_ASC"


@dataclass(frozen=True, slots=True)
class Near:
    """Within so many metres of a point; `point` is the same as WKB."""

    longitude: float
    latitude: float
    radius: float
    point: bytes


@dataclass(frozen=True, slots=True)
class CityObjectFilter:
    """All conditions hold together; None is no condition, an empty list one that nothing meets.

    `boxes` are two where the client's one crosses the antimeridian; they and `touches` come with their outlines as WKB.
    `name` is folded by `fold`; `parent` is city and UUID.
    """

    cities: tuple[str, ...] | None = None
    types: tuple[CityObjectType, ...] | None = None
    boxes: tuple[tuple[Box, bytes], ...] = ()
    touches: tuple[Box, bytes] | None = None
    near: Near | None = None
    name: str | None = None
    source: str | None = None
    source_ids: tuple[str, ...] | None = None
    attributes: tuple[PointerCondition, ...] = ()
    updated_since: int | None = None
    parent: tuple[str, UUID] | None = None


def fold(name: str) -> str:
    """Two names that differ only in case, or in how an accent is encoded, fold to the same text."""
    return normalize("NFC", normalize("NFC", name).casefold())
