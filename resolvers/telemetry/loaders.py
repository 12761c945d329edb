"""Loaders of one request: what many resolvers ask for one entity each becomes one statement a kind of question."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from aiodataloader import DataLoader

from resolvers.stores.engine import Store
from resolvers.telemetry import queries
from resolvers.telemetry.records import Answer, KeyRange, Latest, Point, Window

_MAX_BATCH = 10_000
"""More askers than that are split over several statements."""

_Key = TypeVar("_Key")
_Found = TypeVar("_Found")


class EntityDirectory(Protocol):
    """Who knows which entities there are: telemetry itself knows a city object by its key alone."""

    async def existing(self, tenant: str, uuids: Sequence[UUID]) -> set[UUID]:
        """Those of `uuids` that the tenant has."""
        ...


@dataclass(frozen=True, slots=True)
class TelemetryLoaders:
    """A loader for each kind of question; a window's answer may be an error, which then is that asker's alone."""

    windows: DataLoader[tuple[UUID, Window], Answer]
    latest: DataLoader[tuple[UUID, Latest], list[Point]]
    keys: DataLoader[UUID, list[KeyRange]]
    last_seen: DataLoader[UUID, int | None]

    @classmethod
    def make(cls, store: Store, tenant: str) -> "TelemetryLoaders":
        return cls(
            windows=_loader(lambda asks: queries.windows(store, tenant, asks)),
            latest=_loader(lambda asks: queries.latest_points(store, tenant, asks)),
            keys=_loader(lambda entities: queries.key_ranges(store, tenant, entities)),
            last_seen=_loader(lambda entities: queries.last_seen(store, tenant, entities)),
        )


def existence_loader(directory: EntityDirectory, tenant: str) -> DataLoader[UUID, bool]:
    """Says of an entity whether the tenant has it."""

    async def existing(uuids: list[UUID]) -> list[bool]:
        known = await directory.existing(tenant, uuids)
        return [uuid in known for uuid in uuids]

    return _loader(existing)


def _loader(find: Callable[[list[_Key]], Awaitable[Sequence[_Found | Exception]]]) -> DataLoader[_Key, _Found]:
    async def batch(keys: list[_Key]) -> list[_Found | Exception]:
        return list(await find(keys))

    # An exception in a value's place fails that key alone; the library's types do not tell.
    return DataLoader(batch, max_batch_size=_MAX_BATCH)  # type: ignore[arg-type]
