"""What a process has published and not heard back from the carrier yet, in order, within bounds of number, size and time.

Whatever the carrier did with it, an event that has not come back may be sent again: who has heard it knows its number. Only what
stayed away for too long is given up.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from graph.contracts import Event

MAX_EVENTS = 20_000
MAX_BYTES = 64_000_000
SECONDS = 10.0
"""How long an event is tried for."""

LOT_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Kept:
    """`at` is when it was published, on the clock of whoever asks."""

    number: int
    at: float
    event: Event
    text: str


class Outbox:
    """Numbers events from 1 on."""

    def __init__(self) -> None:
        self._kept: deque[Kept] = deque()
        self._bytes = 0
        self.last = 0
        """The newest number that was given."""
        self._sent = 0

    @property
    def waits(self) -> bool:
        """Whether something has not been sent."""
        return self._sent < self.last

    @property
    def unconfirmed_since(self) -> float | None:
        """When the oldest that has not come back was published."""
        return self._kept[0].at if self._kept else None

    def add(self, event: Event, text: str, now: float) -> None:
        self.last += 1
        self._kept.append(Kept(self.last, now, event, text))
        self._bytes += len(text)

    def lot(self, most_bytes: int) -> Sequence[Kept]:
        """What to send next, in one message: at least one event where one waits, no more than fit otherwise."""
        if not self._kept:
            return []
        start = max(0, self._sent - self._kept[0].number + 1)
        found: list[Kept] = []
        room = most_bytes
        for kept in islice(self._kept, start, start + LOT_EVENTS):
            # A character has up to four bytes.
            room -= len(kept.text) + 1 if kept.text.isascii() else 4 * len(kept.text) + 1
            if found and room < 0:
                break
            found.append(kept)
        return found

    def sent(self, lot: Sequence[Kept]) -> None:
        """Unless what came before it is to be sent again by now: then it is too."""
        if lot and self._sent >= lot[0].number - 1:
            self._sent = max(self._sent, lot[-1].number)

    def send_again(self) -> None:
        """All that has not come back."""
        self._sent = self._kept[0].number - 1 if self._kept else self.last

    def confirm(self, number: int) -> None:
        """It has come back, and so has all before it."""
        while self._kept and self._kept[0].number <= number:
            self._drop()
        self._sent = max(self._sent, number)

    def given_up(self, now: float) -> list[Kept]:
        """What is too old, or too much, is dropped and returned, oldest first."""
        found: list[Kept] = []
        while self._kept and (self._kept[0].at <= now - SECONDS or len(self._kept) > MAX_EVENTS or self._bytes > MAX_BYTES):
            found.append(self._drop())
        if found:
            self._sent = max(self._sent, found[-1].number)
        return found

    def _drop(self) -> Kept:
        kept = self._kept.popleft()
        self._bytes -= len(kept.text)
        return kept
