"""When something is due for a connection: keep-alive, a token's end, an `init` that does not come.

One task for all of them instead of a timer for each. A connection is in one slot at a time, and what it has put off costs nothing.
"""

import asyncio
import logging
from typing import Protocol

TICK = 0.25
"""Seconds of a slot: so late may things be noticed."""

logger = logging.getLogger(__name__)


class Timed(Protocol):
    """`slot` is the wheel's own mark; None where nothing is due."""

    slot: int | None

    def due(self, now: float) -> float | None:
        """Does what is due, and says when it wants to be asked again; times as the event loop's clock has them."""
        ...


class Wheel:
    """Asks who is due. It turns while there is anybody."""

    def __init__(self) -> None:
        self._slots: dict[int, list[Timed]] = {}
        self._turned = 0
        self._task: asyncio.Task[None] | None = None

    def put(self, who: Timed, at: float) -> None:
        """Replaces what was said before for the same."""
        if self._task is None or self._task.done():
            self._turned = self._now()
            self._task = asyncio.create_task(self._run())
        slot = max(int(at / TICK) + 1, self._turned + 1)
        if who.slot != slot:
            who.slot = slot
            self._slots.setdefault(slot, []).append(who)

    async def close(self) -> None:
        self._slots.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._slots:
            await asyncio.sleep(TICK)
            while self._turned < self._now():
                self._turned += 1
                for who in self._slots.pop(self._turned, ()):
                    if who.slot == self._turned:
                        self._ask(who)

    def _ask(self, who: Timed) -> None:
        who.slot = None
        try:
            again = who.due(asyncio.get_running_loop().time())
        except Exception:
            logger.exception("a live connection could not be looked after")
            return
        if again is not None:
            self.put(who, again)

    def _now(self) -> int:
        return int(asyncio.get_running_loop().time() / TICK)
