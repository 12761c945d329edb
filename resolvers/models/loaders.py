"""Look-ups of models by key, batched: all that a request asks at one time is one statement.

A loader lives as long as its request, so what a request may read of contents is counted here.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from aiodataloader import DataLoader

from graph.errors import BadUserInput, NotFound
from graph.json_codec import dumps, loads
from resolvers.models import queries
from resolvers.models.differences import difference
from resolvers.models.elements import find_elements
from resolvers.models.queries import VersionRange
from resolvers.models.records import ContentKey, Element, JSONValue, Model, ModelKey, ModelVersion
from resolvers.stores.engine import Store

MAX_CONTENTS = 32_000_000
"""Characters of contents, and as many of patches, that one request reads."""
MAX_VERSIONS = 100_000
"""Versions that one request lists at a time."""
_MAX_BATCH = 10_000

Key = TypeVar("Key")
Value = TypeVar("Value")


class ModelLoader(DataLoader[ModelKey, Model | None]):
    """Models by city and UUID; None where nothing is visible to the tenant."""

    def __init__(self, store: Store, tenant: str) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._tenant = store, tenant

    async def batch_load_fn(self, keys: Sequence[ModelKey]) -> list[Model | None]:
        found = await queries.by_keys(self._store, self._tenant, keys)
        return [found.get(key) for key in keys]


class VersionRangeLoader(DataLoader[VersionRange, list[ModelVersion]]):
    """A model's versions within a range, newest first."""

    def __init__(self, store: Store, tenant: str) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._tenant = store, tenant

    async def batch_load_fn(self, keys: Sequence[VersionRange]) -> list[list[ModelVersion]]:
        asked = sum(max(0, high - low + 1) for _, low, high in keys)
        if asked > MAX_VERSIONS:
            raise BadUserInput(f"The request lists {asked:,} versions at a time: at most {MAX_VERSIONS:,}")
        return await queries.versions(self._store, self._tenant, keys)


class VersionLoader(DataLoader[ModelKey, ModelVersion | None]):
    """Versions by city and their own UUID; None where nothing is visible to the tenant."""

    def __init__(self, store: Store, tenant: str) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._tenant = store, tenant

    async def batch_load_fn(self, keys: Sequence[ModelKey]) -> list[ModelVersion | None]:
        found = await queries.versions_by_uuid(self._store, self._tenant, keys)
        return [found.get(key) for key in keys]


class _Allowance:
    """How much a request may still read of something large."""

    def __init__(self, what: str) -> None:
        self._what, self._used = what, 0

    def spend(self, size: int) -> bool:
        """False where that would be too much."""
        if self._used + size > MAX_CONTENTS:
            return False
        self._used += size
        return True

    def exceeded(self) -> BadUserInput:
        return BadUserInput(f"The request reads more than {MAX_CONTENTS:,} characters of {self._what}: ask for fewer at a time")


class ContentLoader(DataLoader[ContentKey, JSONValue]):
    """Contents of versions. What is over the request's allowance fails by itself, and so does what is gone."""

    def __init__(self, store: Store, tenant: str) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._tenant = store, tenant
        self._allowance = _Allowance("contents")

    async def batch_load_fn(self, keys: Sequence[ContentKey]) -> list[JSONValue]:
        allowed = {key for key in keys if self._allowance.spend(key.size)}
        found = await queries.contents(self._store, self._tenant, [key for key in keys if key in allowed])
        return [found.get(key, _gone(key)) if key in allowed else self._allowance.exceeded() for key in keys]


def _gone(key: ContentKey) -> NotFound:
    return NotFound(f"Version {key.version} of the model {key.model} has been deleted")


class PatchLoader(DataLoader[tuple[UUID, int, int], JSONValue]):
    """The patches that led to versions, by model, number and size."""

    def __init__(self, store: Store, tenant: str) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._tenant = store, tenant
        self._allowance = _Allowance("patches")

    async def batch_load_fn(self, keys: Sequence[tuple[UUID, int, int]]) -> list[JSONValue]:
        allowed = {(model, version) for model, version, size in keys if self._allowance.spend(size)}
        found = await queries.patches(self._store, self._tenant, sorted(allowed))
        return [found.get(key[:2]) if key[:2] in allowed else self._allowance.exceeded() for key in keys]


class ElementLoader(DataLoader[tuple[ContentKey, str], Element | None]):
    """Elements by their identifier; each content is read and walked once."""

    def __init__(self, contents: ContentLoader) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._contents = contents

    async def batch_load_fn(self, keys: Sequence[tuple[ContentKey, str]]) -> list[Any]:
        wanted: dict[ContentKey, set[str]] = {}
        for content, element_id in keys:
            wanted.setdefault(content, set()).add(element_id)
        contents = await _each(self._contents, list(wanted))
        readable = [(content, value) for content, value in contents.items() if not isinstance(value, BaseException)]
        found = await asyncio.to_thread(lambda: {content: find_elements(value, wanted[content]) for content, value in readable})
        return [found[content].get(element_id) if content in found else contents[content] for content, element_id in keys]


class DifferenceLoader(DataLoader[tuple[ContentKey, ContentKey], JSONValue]):
    """The patch that turns one version's content into another's."""

    def __init__(self, contents: ContentLoader) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._contents = contents

    async def batch_load_fn(self, keys: Sequence[tuple[ContentKey, ContentKey]]) -> list[JSONValue]:
        contents = await _each(self._contents, sorted({key for pair in keys for key in pair}, key=_by_version))
        return [await self._between(contents[old], contents[new], new.size) for old, new in keys]

    async def _between(self, old: JSONValue, new: JSONValue, size: int) -> JSONValue:
        for content in (old, new):
            if isinstance(content, BaseException):
                return content
        return await asyncio.to_thread(_difference, old, new, size)


def _by_version(key: ContentKey) -> tuple[UUID, int]:
    return key.model, key.version


def _difference(old: JSONValue, new: JSONValue, size: int) -> JSONValue:
    # `difference` uses up what it is given, and the loader's value is others' too.
    own = loads(dumps(old), exact_integers=True)
    return loads(difference(own, new, size).patch.text, exact_integers=True)


async def _each(loader: DataLoader[Key, Value], keys: Sequence[Key]) -> dict[Key, Value | BaseException]:
    """What the loader has for each key, or the error that it has for that one."""
    found = await asyncio.gather(*[loader.load(key) for key in keys], return_exceptions=True)
    return dict(zip(keys, found, strict=True))
