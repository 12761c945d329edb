"""SQLite's connection as every part of this process opens it: settings, and the functions that SQLite lacks.

The functions take and give WKB blobs. They run in the connection's own thread, never on the event loop.
"""

import json
import sqlite3
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from asyncpg.pgproto.pgproto import UUID  # type: ignore[import-untyped]
from shapely.geometry.base import BaseGeometry

from resolvers.stores.geodesy import diagonal, distances, longitude_margin

_SETTINGS = (
    "PRAGMA busy_timeout = 30000",
    "PRAGMA journal_mode = WAL",
    # In WAL mode a commit survives the death of this process; only a power cut may undo the last ones.
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
)


class SpatialConnection(sqlite3.Connection):
    """Passed to the driver as its connection factory, so that no connection can miss the settings."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for setting in _SETTINGS:
            self.execute(setting)
        self.create_function("geo_intersects", 2, _intersects, deterministic=True)
        self.create_function("geo_longitude_margin", 3, longitude_margin, deterministic=True)
        self.create_function("geo_diagonal", 4, diagonal, deterministic=True)
        self.create_aggregate("geo_nearest", 5, Nearest)  # type: ignore[arg-type]  # typeshed knows one argument


class QuickUuid(sa.Uuid[Any]):
    """A UUID read as PostgreSQL's driver reads one on the other store: into its own class of `uuid.UUID`, in a tenth of the time."""

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[str | None], Any]:
        return lambda digits: None if digits is None else UUID(digits)


def _intersects(shape: bytes | None, constant: bytes | None) -> int | None:
    """Whether two shapes touch. The second is prepared once and kept: a statement asks for the same one row by row."""
    if shape is None or constant is None:
        return None
    return int(shapely.intersects(_prepared(constant), shapely.from_wkb(shape)))


@lru_cache(maxsize=256)
def _prepared(wkb: bytes) -> BaseGeometry:
    shape: BaseGeometry = shapely.from_wkb(wkb)
    shapely.prepare(shape)
    return shape


class Nearest:
    """The aggregate `geo_nearest(search, probe, pk, tie, shape)`: the shapes nearest to `probe`, as JSON `[[pk, metres], …]`.

    `search` is the JSON of `resolvers.stores.nearest.Search`. Shapes are measured many at a time, which costs a tenth of
    one by one, and of each lot no more is kept than can be in the answer.
    """

    _LOT = 4096

    def __init__(self) -> None:
        self._search: dict[str, Any] = {}
        self._probe: BaseGeometry | None = None
        # By pk, because a shape comes twice where the area searched wraps around the globe.
        self._waiting: dict[int, tuple[str, bytes]] = {}
        self._found: dict[int, tuple[float, str]] = {}

    def step(self, *arguments: Any) -> None:
        search, probe, pk, tie, shape = arguments
        if self._probe is None:
            self._search, self._probe = json.loads(search), shapely.from_wkb(probe)
        self._waiting[pk] = (tie, shape)
        if len(self._waiting) >= self._LOT:
            self._measure()

    def finalize(self) -> str:
        self._measure()
        return json.dumps([[pk, metres] for pk, (metres, _) in self._found.items()], separators=(",", ":"))

    def _measure(self) -> None:
        if self._probe is None or not self._waiting:
            return
        shapes = np.asarray(shapely.from_wkb([shape for _, shape in self._waiting.values()]), dtype=object)
        for (pk, (tie, _)), metres in zip(self._waiting.items(), distances(self._probe, shapes).tolist(), strict=True):
            if self._wanted(metres, tie):
                self._found[pk] = (metres, tie)
        self._waiting.clear()
        self._keep_to_limit()

    def _wanted(self, metres: float, tie: str) -> bool:
        after, before = self._search["after"], self._search["before"]
        return (
            metres <= self._search["radius"]
            and (after is None or (metres, tie) > tuple(after))
            and (before is None or (metres, tie) < tuple(before))
        )

    def _keep_to_limit(self) -> None:
        limit = self._search["limit"]
        if limit is None or len(self._found) <= limit:
            return
        nearest_first = sorted(self._found.items(), key=lambda item: item[1])
        self._found = dict(nearest_first[-limit:] if self._search["from_farthest"] else nearest_first[:limit])
