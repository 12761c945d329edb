"""SQLite's connection as every part of this process opens it: settings, and the functions that SQLite lacks.

The functions take and give WKB blobs. They run in the connection's own thread, never on the event loop.
"""

import sqlite3
from functools import lru_cache
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from resolvers.stores.geodesy import longitude_margin

_SETTINGS = (
    "PRAGMA busy_timeout = 30000",
    "PRAGMA journal_mode = WAL",
    # In WAL mode a commit survives the death of this process; only a power cut may undo the last ones.
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = OFF",
)


class SpatialConnection(sqlite3.Connection):
    """Passed to the driver as its connection factory, so that no connection can miss the settings."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for setting in _SETTINGS:
            self.execute(setting)
        self.create_function("geo_intersects", 2, _intersects, deterministic=True)
        self.create_function("geo_longitude_margin", 3, longitude_margin, deterministic=True)
        self.create_function("fold_case", 1, _fold_case, deterministic=True)


def _fold_case(text: str | None) -> str | None:
    """SQLite's own `lower` knows ASCII alone."""
    return None if text is None else text.casefold()


def _intersects(shape: bytes | None, constant: bytes | None) -> int | None:
    """Whether two shapes touch; the second one is prepared once and kept, as a statement asks for the same one row by row."""
    if shape is None or constant is None:
        return None
    return int(shapely.intersects(_prepared(constant), shapely.from_wkb(shape)))


@lru_cache(maxsize=256)
def _prepared(wkb: bytes) -> BaseGeometry:
    shape: BaseGeometry = shapely.from_wkb(wkb)
    shapely.prepare(shape)
    return shape
