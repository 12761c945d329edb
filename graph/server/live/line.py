"""Writing to one client without waiting for it: what it has not read stands in its connection's own write buffer, up to a bound.

The server's `send` would wait for a client that does not read, and costs more than the rest of a delivery; so what is ready as bytes
goes to the transport directly. The server of `graph.server.run` shows it to the application.
"""

import asyncio

from graph.server.exchange import ByteTransport

ABORT_SECONDS = 5.0
"""How long a client may take to read what it was sent last, and to answer a close."""


class Line:
    """`limit` is how many bytes a client may be behind. Before it is connected, what is written waits here."""

    __slots__ = ("_limit", "_transport", "_waiting", "open")

    def __init__(self, limit: int, transport: ByteTransport | None = None) -> None:
        self._limit, self._transport = limit, transport
        self._waiting: list[bytes] = []
        self.open = True

    def write(self, data: bytes) -> bool:
        """False, and nothing is written, where the client is too far behind."""
        return self._written(data, self._limit)

    def push(self, data: bytes) -> bool:
        """The same for what is small and must be said: it may go twice as far."""
        return self._written(data, 2 * self._limit)

    @property
    def behind(self) -> bool:
        """Half of the way to where nothing more is written."""
        transport = self._transport
        return transport is not None and self.open and not transport.is_closing() and transport.get_write_buffer_size() > self._limit // 2

    def connect(self, transport: ByteTransport) -> None:
        self._transport = transport
        if self._waiting:
            transport.write(b"".join(self._waiting))
            self._waiting = []

    def abort_later(self) -> None:
        """The connection is gone by then, or it is broken off: closing alone would wait for a client that never reads."""
        if self._transport is not None:
            asyncio.get_running_loop().call_later(ABORT_SECONDS, self._transport.abort)

    def _written(self, data: bytes, limit: int) -> bool:
        transport = self._transport
        if not self.open or (transport is not None and transport.is_closing()):
            return True
        behind = sum(map(len, self._waiting)) if transport is None else transport.get_write_buffer_size()
        if behind > limit:
            return False
        (self._waiting.append if transport is None else transport.write)(data)
        return True
