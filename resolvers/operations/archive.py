"""Archives of backups: where they lie in an object store, and what makes one whole.

An archive is complete once its manifest lies beside it, and it is the one that was made if it has the manifest's SHA-256. A city that
has lost its database finds its backups here, without any of its tables.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from graph.errors import NotFound
from resolvers.operations.records import Content, Manifest, ManifestError
from resolvers.stores.objects import ObjectStore, StoredObject, key_segment

__all__ = ["ArchiveDamagedError", "Archives", "Progress", "nobody_watches"]

MAX_MANIFEST = 4_000_000
_INCOMPLETE_FOR = 86_400_000

Progress = Callable[[int, int, str], None]
"""Told how many of how many units of which stage are done; may be called by any thread."""

logger = logging.getLogger(__name__)


def nobody_watches(_done: int, _total: int, _stage: str) -> None:
    """The progress of what runs by itself."""


class ArchiveDamagedError(Exception):
    """What was kept is not what was made; the message says what differs."""


@dataclass(frozen=True, slots=True)
class Archives:
    """The archives of one city."""

    objects: ObjectStore
    city: str

    async def keep(self, uuid: UUID, content: AsyncIterator[bytes]) -> StoredObject:
        """Stores all of it or nothing; an error of `content` is raised as it is."""
        raised: list[Exception] = []

        async def watched() -> AsyncIterator[bytes]:
            try:
                async for chunk in content:
                    yield chunk
            except Exception as error:
                raised.append(error)
                raise

        try:
            return await self.objects.put(self._key(uuid, "archive"), watched())
        except Exception:
            # The object store tells of an upload that ended early; the reason is the content's.
            if raised:
                raise raised[0] from None
            raise

    async def seal(self, manifest: Manifest) -> None:
        """Makes the archive complete."""
        text = json.dumps(manifest.to_json(), indent=1).encode()
        await self.objects.put(self._key(manifest.uuid, "manifest.json"), text, media_type="application/json")

    async def manifest(self, uuid: UUID) -> Manifest:
        """Raises `NotFound` where there is no complete archive, `ArchiveDamagedError` where its manifest cannot be read."""
        text = bytearray()
        async for chunk in self.objects.get(self._key(uuid, "manifest.json")):
            text += chunk
            if len(text) > MAX_MANIFEST:
                raise ArchiveDamagedError(f"the manifest is larger than {MAX_MANIFEST:,} bytes")
        try:
            manifest = Manifest.from_json(json.loads(text))
        except (ManifestError, ValueError, RecursionError) as error:
            raise ArchiveDamagedError(f"the manifest cannot be read: {error}") from None
        if manifest.uuid != uuid:
            raise ArchiveDamagedError(f"the manifest is that of {manifest.uuid}")
        return manifest

    async def manifests(self) -> list[Manifest]:
        """Of every complete archive, newest first; one that cannot be read is left out, and said in the log."""
        found = []
        for uuid, names in (await self._contents()).items():
            if "manifest.json" in names:
                try:
                    found.append(await self.manifest(uuid))
                except (ArchiveDamagedError, NotFound) as error:
                    logger.warning("the backup %s is left out: %s", uuid, error)
        return sorted(found, key=lambda manifest: (manifest.taken_at, manifest.uuid), reverse=True)

    async def fetch(self, manifest: Manifest, target: Path, progress: Progress = nobody_watches) -> None:
        """Writes the archive into a file; raises `ArchiveDamagedError` unless it is, byte for byte, the one that was made."""
        digest, size = hashlib.sha256(), 0

        def take(chunk: bytes) -> None:
            digest.update(chunk)
            file.write(chunk)

        with target.open("wb") as file:
            try:
                async for chunk in self.objects.get(self._key(manifest.uuid, "archive")):
                    await asyncio.to_thread(take, chunk)
                    size += len(chunk)
                    progress(min(size, manifest.archive_size), manifest.archive_size, "reading")
            except NotFound:
                raise ArchiveDamagedError("the archive is missing") from None
        if size != manifest.archive_size:
            raise ArchiveDamagedError(f"the archive has {size:,} bytes, where its manifest says {manifest.archive_size:,}")
        if digest.hexdigest() != manifest.archive_sha256:
            raise ArchiveDamagedError(f"the archive's SHA-256 is {digest.hexdigest()}, where its manifest says {manifest.archive_sha256}")

    async def remove(self, uuid: UUID) -> None:
        """The manifest first: what is half removed is not complete."""
        for name in ("manifest.json", "archive"):
            await self.objects.delete(self._key(uuid, name))

    async def remove_abandoned(self, now: int) -> None:
        """Removes what was begun more than a day ago and never completed."""
        for uuid, names in (await self._contents()).items():
            if "manifest.json" not in names and max(names.values()) < now - _INCOMPLETE_FOR:
                await self.remove(uuid)

    async def _contents(self) -> dict[UUID, dict[str, int]]:
        """Of each archive the names of its objects, and when they were written."""
        found: dict[UUID, dict[str, int]] = {}
        async for stored in self.objects.list(key_segment(self.city)):
            *_, folder, name = stored.key.split("/")
            try:
                found.setdefault(UUID(folder), {})[name] = stored.changed_at
            except ValueError:
                continue  # somebody else's
        return found

    def _key(self, uuid: UUID, name: str) -> str:
        return f"{key_segment(self.city)}/{uuid}/{name}"


def difference(manifest: Manifest, restored: Content) -> str | None:
    """In what a restored store differs from what was put into the archive; None where in nothing."""
    if restored.revision != manifest.revision:
        return f"the tables are of revision {restored.revision}, where the manifest says {manifest.revision}"
    for name in sorted(manifest.tables.keys() | restored.tables.keys()):
        made, found = manifest.tables.get(name), restored.tables.get(name)
        if made is None or found is None:
            return f"the table {name} is {'missing' if found is None else 'not in the manifest'}"
        if made.rows != found.rows:
            return f"the table {name} has {found.rows:,} rows, where the manifest says {made.rows:,}"
        if made.hash != found.hash:
            return f"the rows of the table {name} are not those of the manifest"
    return None
