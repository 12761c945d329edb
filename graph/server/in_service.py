"""The federation that is in service, and how another one takes its place while requests run.

A version is immutable: schema, planner, executor, caches and connections belong together. To replace it is one assignment, so a request
has one version from its beginning to its end; a version that was replaced is closed after its last request.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from graph.server.pipeline import Pipeline

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Version:
    """A federation that is ready to answer. `schema` is the hash of its supergraph."""

    schema: str
    pipeline: Pipeline
    close: Callable[[], Awaitable[None]]


class Lease:
    """A version and the requests that use it: `with in_service.current as pipeline:` for the length of a request."""

    __slots__ = ("_on_last", "_requests", "retired", "version")

    def __init__(self, version: Version, on_last: Callable[["Lease"], None]) -> None:
        self.version = version
        self._on_last = on_last
        self._requests = 0
        self.retired = False

    def __enter__(self) -> Pipeline:
        self.hold()
        return self.version.pipeline

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()

    def hold(self) -> None:
        """For what goes on after its request: a subscription, until it is released."""
        self._requests += 1

    def release(self) -> None:
        self._requests -= 1
        if self.retired and not self._requests:
            self._on_last(self)

    def retire(self) -> None:
        self.retired = True
        if not self._requests:
            self._on_last(self)


class InService:
    """Which version answers now, since when, and whether a newer one was refused."""

    def __init__(self, version: Version) -> None:
        self.current = Lease(version, self._ended)
        self._since = _now()
        self._refused: dict[str, Any] | None = None
        self._retired: set[Lease] = set()
        self._closing: set[asyncio.Task[None]] = set()

    def replace(self, version: Version) -> None:
        before, self.current = self.current, Lease(version, self._ended)
        self._since = _now()
        self._retired.add(before)
        before.retire()

    def refused(self, reason: str, codes: tuple[str, ...]) -> None:
        """A newer version cannot serve. Anybody may read the codes, so they are all that is kept; the log has the reasons."""
        logger.error("a change is refused, what was there before stays in service: %s", reason)
        self._refused = {"since": _now(), "codes": list(codes)}

    def accepted(self) -> None:
        logger.warning("what was refused has been put right")
        self._refused = None

    def state(self) -> dict[str, Any]:
        return {"sha256": self.current.version.schema, "since": self._since, "refused": self._refused}

    async def close(self) -> None:
        """Closes every version, whether requests still use it or not."""
        await asyncio.gather(*self._closing)
        for lease in (*self._retired, self.current):
            await lease.version.close()

    def _ended(self, lease: Lease) -> None:
        self._retired.discard(lease)
        task = asyncio.ensure_future(_close(lease.version))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def _close(version: Version) -> None:
    await version.close()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
