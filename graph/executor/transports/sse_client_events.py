"""Server-sent events out of bytes, in whatever pieces these come (HTML Living Standard §9.2.6), within bounds.

`id` and `retry` are not kept: GraphQL over SSE has no use for them.
"""

from collections.abc import Iterator

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventTooLong(ValueError):
    """An event, or a line, has more bytes than it may."""


class EventParser:
    """`limit` is the most bytes of an event."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._line = bytearray()
        self._after_cr = False
        self._begun = False
        self._kind = ""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[tuple[str, bytes]]:
        """The kind and the data of each event that the chunk completes. Raises `EventTooLong`."""
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._after_cr = chunk.endswith(b"\r") or (self._after_cr and not chunk)
        for piece in chunk.splitlines(keepends=True):
            self._line += piece
            if self._size + len(self._line) > self._limit:
                raise EventTooLong(f"an event has more than {self._limit} bytes")
            if piece.endswith((b"\n", b"\r")):
                line = bytes(self._line).rstrip(b"\r\n")
                self._line.clear()
                if line:
                    self._field(line)
                elif self._data or self._kind:
                    yield self._kind or "message", b"\n".join(self._data)
                    self._kind, self._data, self._size = "", [], 0

    def _field(self, line: bytes) -> None:
        if not self._begun:
            self._begun = True
            line = line.removeprefix(BYTE_ORDER_MARK)
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._size += len(value) + 1
        elif name == b"event":
            self._kind = value.decode("utf-8", "replace")
