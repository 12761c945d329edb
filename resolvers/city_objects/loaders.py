"""Look-ups of city objects by key, batched: all that a request asks at one time is one statement."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from aiodataloader import DataLoader

from resolvers.city_objects import queries
from resolvers.city_objects.records import CityObject, CityObjectType, Found, ObjectKey
from resolvers.stores.engine import Store
from resolvers.stores.geojson import write_centroids, write_geometries
from resolvers.stores.geometry import Box
from resolvers.stores.paging import Page, Window

_MAX_BATCH = 10_000
# Fewer shapes than these are written sooner than a thread takes over.
_FEW_SHAPES = 20


class CityObjectLoader(DataLoader[ObjectKey, CityObject | None]):
    """Objects by city and UUID; None where nothing is visible to the tenant."""

    def __init__(self, store: Store, tenant: str) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._tenant = store, tenant

    async def batch_load_fn(self, keys: Sequence[ObjectKey]) -> list[CityObject | None]:
        found = await queries.by_keys(self._store, self._tenant, keys)
        return [found.get(key) for key in keys]


class NeighbourLoader(DataLoader[ObjectKey, list[Found]]):
    """What is near each object, for one radius, set of types and limit."""

    def __init__(self, store: Store, tenant: str, radius: float, types: Sequence[CityObjectType] | None, limit: int) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._tenant = store, tenant
        self._radius, self._types, self._limit = radius, types, limit

    async def batch_load_fn(self, keys: Sequence[ObjectKey]) -> list[list[Found]]:
        return await queries.neighbours(self._store, self._tenant, keys, self._radius, self._types, self._limit)


class ChildrenLoader(DataLoader[ObjectKey, Page[Found]]):
    """The same page of each object's children."""

    def __init__(self, store: Store, tenant: str, window: Window) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._tenant, self._window = store, tenant, window

    async def batch_load_fn(self, keys: Sequence[ObjectKey]) -> list[Page[Found]]:
        return await queries.children(self._store, self._tenant, keys, self._window)


class ChildCountLoader(DataLoader[ObjectKey, int]):
    """How many children each object has."""

    def __init__(self, store: Store, tenant: str) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._tenant = store, tenant

    async def batch_load_fn(self, keys: Sequence[ObjectKey]) -> list[int]:
        return await queries.child_counts(self._store, self._tenant, keys)


class CityCountLoader(DataLoader[str, list[tuple[CityObjectType, int]]]):
    """How many objects of each type each city holds."""

    def __init__(self, store: Store, tenant: str) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._tenant = store, tenant

    async def batch_load_fn(self, keys: Sequence[str]) -> list[list[tuple[CityObjectType, int]]]:
        return await queries.city_counts(self._store, self._tenant, keys)


class CityExtentLoader(DataLoader[str, Box | None]):
    """The box around all that each city holds."""

    def __init__(self, store: Store, tenant: str) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._tenant = store, tenant

    async def batch_load_fn(self, keys: Sequence[str]) -> list[Box | None]:
        return await queries.city_extents(self._store, self._tenant, keys)


class GeometryLoader(DataLoader[bytes, dict[str, Any]]):
    """WKB shapes as GeoJSON; many are written in a thread, because they would hold the event loop up."""

    def __init__(self, write: Callable[[Sequence[bytes]], list[dict[str, Any]]]) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._write = write

    async def batch_load_fn(self, keys: Sequence[bytes]) -> list[dict[str, Any]]:
        if len(keys) <= _FEW_SHAPES:
            return self._write(keys)
        return await asyncio.to_thread(self._write, keys)


def detailed_geometries() -> GeometryLoader:
    return GeometryLoader(write_geometries)


def footprints() -> GeometryLoader:
    return GeometryLoader(lambda shapes: write_geometries(shapes, flat=True))


def centroids() -> GeometryLoader:
    return GeometryLoader(write_centroids)
