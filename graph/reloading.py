"""Notices that files or URLs say something else than before, and has it applied; what cannot be applied changes nothing.

What is read, and what becomes of it, is the business of two others: a `Watched` and a function. Files are looked at by their stamps
and read when those change; URLs are asked from time to time. One look follows the other, so there is never more than one under way.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from graph.config import ConfigError

logger = logging.getLogger(__name__)

Read = TypeVar("Read")
Read_co = TypeVar("Read_co", covariant=True)
Stamp = tuple[int, int, int] | None


class RefusedError(Exception):
    """What was read cannot be used; the message says why, `codes` in a word each."""

    def __init__(self, reason: str, codes: tuple[str, ...]) -> None:
        super().__init__(reason)
        self.codes = codes


class Watched(Protocol[Read_co]):
    """What is watched. Equal values of `read` mean that nothing changed; it raises `ConfigError` where it cannot be read."""

    def files(self) -> Sequence[Path]: ...

    def is_remote(self) -> bool:
        """Whether a part of it comes from URLs."""

    async def read(self) -> Read_co: ...


@dataclass(frozen=True, slots=True)
class Intervals:
    """Seconds between two looks at files, and at URLs; 0 for never."""

    files: float = 2.0
    urls: float = 10.0


class Outcome(Protocol):
    """Is told how changes are taken: `refused` once for each reason, `accepted` when all is well again."""

    def accepted(self) -> None: ...

    def refused(self, reason: str, codes: tuple[str, ...]) -> None: ...


class Reloader(Generic[Read]):
    """`apply` raises `RefusedError`; `served` is what was applied last."""

    def __init__(
        self,
        watched: Watched[Read],
        served: Read | None,
        apply: Callable[[Read], Awaitable[None]],
        outcome: Outcome,
        intervals: Intervals,
    ) -> None:
        self._watched, self._apply, self._outcome, self._intervals = watched, apply, outcome, intervals
        self._served = served
        self._tried = served
        self._reason: str | None = None
        self._stamps: list[Stamp] = []
        self._look_again = True
        self._asked = time.monotonic()

    async def run(self) -> None:
        """Looks until it is cancelled."""
        intervals = [seconds for seconds in (self._intervals.files, self._intervals.urls) if seconds]
        if not intervals or not (self._watched.files() or self._watched.is_remote()):
            return
        while True:
            await asyncio.sleep(min(intervals))
            if await self._may_have_changed():
                await self.look()

    async def look(self) -> None:
        """Reads everything, and applies it where it is new. Never raises for what it reads."""
        try:
            read = await self._watched.read()
            if read == self._served:
                self._tried = read
                self._accept()
            elif read != self._tried:
                self._tried = read
                await self._apply(read)
                self._served = read
                self._accept()
        except ConfigError as error:
            self._tried = None
            self._refuse(str(error), ("UNREADABLE",))
        except RefusedError as error:
            self._refuse(str(error), error.codes)
        except Exception as error:
            logger.exception("a change could not be applied")
            self._refuse(f"{type(error).__name__}: {error}", ("INTERNAL_SERVER_ERROR",))

    async def _may_have_changed(self) -> bool:
        """After a change there is one more look: a second one within a tick of the file system's clock leaves the stamps as they are."""
        if self._intervals.urls and self._watched.is_remote() and time.monotonic() - self._asked >= self._intervals.urls:
            self._asked = time.monotonic()
            return True
        if not self._intervals.files:
            return False
        stamps = await asyncio.to_thread(lambda: [_stamp(path) for path in self._watched.files()])
        changed = stamps != self._stamps
        looking, self._look_again, self._stamps = changed or self._look_again, changed, stamps
        return looking

    def _accept(self) -> None:
        if self._reason is not None:
            self._outcome.accepted()
        self._reason = None

    def _refuse(self, reason: str, codes: tuple[str, ...]) -> None:
        if reason != self._reason:
            self._outcome.refused(reason, codes)
        self._reason = reason


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
