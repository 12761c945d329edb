"""How events are written between processes: numbered by their publisher, so that who hears them knows what is new and what is missing.

A message is a line that says whose events it has, and which, then their JSON. What is too long for the carrier goes in parts. Nothing
here knows how messages travel.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from graph.contracts import Event
from graph.json_codec import InvalidJSON, dumps, loads

MAX_BODY = 32_000_000
"""Characters of one message, put together of its parts."""
MAX_UNFINISHED = 1_000
"""Publishers of whom a message is being put together."""
HEADER_BYTES = 120


class NoMessage(ValueError):
    """What came is not one of our messages."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the body that has `count` events, of which `first` is the number of the first.

    A message without events says that its publisher lives, and that `first` is the number that comes next.
    """

    publisher: str
    first: int
    count: int
    part: int
    parts: int
    body: str


def encoded(event: Event) -> str:
    """One event's part of a body. Raises `InvalidJSON`."""
    return dumps([event.tenant, event.channel, event.kind, event.at, event.payload, event.seq]).decode()


def messages(publisher: str, first: int, events: Sequence[str], limit: int) -> Iterator[str]:
    """What to send for these events, each text within `limit` bytes; several events that need more than one such text are a mistake."""
    body = f"[{','.join(events)}]".encode()
    ends = list(_ends(body, limit - HEADER_BYTES))
    for number, (start, end) in enumerate(zip([0, *ends], ends, strict=False), 1):
        yield f"{publisher} {first} {len(events)} {number} {len(ends)}\n{body[start:end].decode()}"


def _ends(body: bytes, size: int) -> Iterator[int]:
    """Where the parts end: never inside a character."""
    end = 0
    while end < len(body):
        end += size
        while end < len(body) and body[end] & 0xC0 == 0x80:
            end -= 1
        yield min(end, len(body))


def read_part(text: str) -> Part:
    """Raises `NoMessage`."""
    head, newline, body = text.partition("\n")
    try:
        publisher, *numbers = head.split(" ")
        first, count, part, parts = map(int, numbers)
    except ValueError:
        raise NoMessage(f"{text[:80]!r} is no message of this bus") from None
    if not newline or not publisher or len(publisher) > 64 or first < 1 or count < 0 or not 1 <= part <= parts:
        raise NoMessage(f"{text[:80]!r} is no message of this bus")
    return Part(publisher, first, count, part, parts, body)


def read_events(part: Part) -> list[Event]:
    """The events of a whole body. Raises `NoMessage`."""
    try:
        events = [_event(item) for item in loads(part.body, exact_integers=True)]
    except (InvalidJSON, TypeError, ValueError) as error:
        raise NoMessage(f"the events {part.first} and following of {part.publisher} cannot be read: {error}") from None
    if len(events) != part.count:
        raise NoMessage(f"a message of {part.publisher} has {len(events)} events, where it promises {part.count}")
    return events


def _event(item: Any) -> Event:
    tenant, channel, kind, at, payload, seq = item
    return Event(str(tenant), str(channel), str(kind), int(at), dict(payload), int(seq))


@dataclass(slots=True)
class _Gathered:
    first: int
    texts: list[str]
    size: int = 0


class Assembly:
    """Puts parts together. A publisher sends the parts of one message one after the other; whatever does not fit is dropped, and is
    missing from the numbers then."""

    def __init__(self) -> None:
        self._gathered: dict[str, _Gathered] = {}

    def whole(self, part: Part) -> Part | None:
        """The message that this part is the last of."""
        if part.parts == 1:
            self._gathered.pop(part.publisher, None)
            return part
        if part.part == 1:
            if len(self._gathered) >= MAX_UNFINISHED:
                self._gathered.clear()
            self._gathered[part.publisher] = _Gathered(part.first, [])
        gathered = self._gathered.get(part.publisher)
        if gathered is None or gathered.first != part.first or part.part != len(gathered.texts) + 1:
            self._gathered.pop(part.publisher, None)
            return None
        gathered.texts.append(part.body)
        gathered.size += len(part.body)
        if gathered.size > MAX_BODY:
            del self._gathered[part.publisher]
            return None
        if part.part < part.parts:
            return None
        del self._gathered[part.publisher]
        return Part(part.publisher, part.first, part.count, 1, 1, "".join(gathered.texts))
