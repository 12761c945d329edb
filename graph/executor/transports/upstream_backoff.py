"""When a subgraph that went away may be tried again.

All streams of a subgraph share one: while it is away only one of them tries at a time, and once it is back they all go on.
"""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Final

DELAYS: Final = (1.0, 2.0, 4.0)
"""Seconds; the last one is repeated. Short, since what is tried costs the subgraph one connection."""
STABLE_AFTER: Final = 10.0
"""Seconds after which a subgraph that goes away again is one that had come back."""
FAILURE_HOLDS: Final = 0.5
"""Seconds for which a failure answers for those who come after it."""


@dataclass(slots=True)
class Backoff:
    """Delays are cut by up to a half, at random, so that gateways don't come all at once."""

    delays: tuple[float, ...] = DELAYS
    _away: bool = False
    _tries: int = 0
    _next_at: float = 0.0
    _reached_at: float = float("-inf")
    _failure: str = ""
    _failed_at: float = float("-inf")
    _back: asyncio.Event = field(default_factory=asyncio.Event)

    def lost(self) -> None:
        """Told by every stream whose way broke."""
        if self._away:
            return
        if _now() - self._reached_at > STABLE_AFTER:
            self._tries = 0
        self._away = True
        self._back.clear()
        self._put_off()

    def failed(self, reason: str) -> None:
        self._failure, self._failed_at = reason, _now()

    def reached(self) -> None:
        self._away = False
        self._reached_at = _now()
        self._failed_at = float("-inf")
        self._back.set()

    def fresh_failure(self) -> str | None:
        """Why the subgraph could not be reached a moment ago."""
        return self._failure if _now() - self._failed_at < FAILURE_HOLDS else None

    async def turn(self, until: float) -> None:
        """Returns when the caller may try. Raises `TimeoutError` at the loop's time `until`."""
        while self._away:
            now = _now()
            if now >= self._next_at:
                self._put_off()
                return
            if now >= until:
                raise TimeoutError
            try:
                async with asyncio.timeout_at(min(self._next_at, until)):
                    await self._back.wait()
            except TimeoutError:
                continue
        if _now() >= until:
            raise TimeoutError

    def _put_off(self) -> None:
        delay = self.delays[min(self._tries, len(self.delays) - 1)]
        self._next_at = _now() + delay * random.uniform(0.5, 1.0)
        self._tries += 1


def _now() -> float:
    return asyncio.get_running_loop().time()
