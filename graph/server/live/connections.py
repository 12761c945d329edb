"""The live connections of this process: what they share, how many there are, and how they end when the server stops."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from graph.auth.introspection import Introspection
from graph.errors import Unavailable
from graph.server.in_service import InService
from graph.server.live.admission import Admission, Topics
from graph.server.live.limits import LiveLimits, Quotas
from graph.server.live.revocation import Revocable, Revocations
from graph.server.live.wheel import Wheel

SENT_AWAY_AT_A_TIME = 500
"""So many clients are told to go before the event loop has its turn."""


class Connection(Revocable, Protocol):
    """A session or a stream."""

    @property
    def answering(self) -> bool:
        """Whether an operation is under way that will end by itself soon."""
        ...

    def send_away(self) -> None:
        """Ends it, telling its client to come back."""
        ...


class Live:
    """`topics` is None where subscriptions are about nothing in particular, `introspection` where nobody tells of revoked tokens.

    `interval` is how often it is asked, in seconds.
    """

    def __init__(
        self,
        in_service: InService,
        admission: Admission,
        limits: LiveLimits,
        topics: Topics | None = None,
        introspection: Introspection | None = None,
        interval: float = 4,
    ) -> None:
        self.in_service, self.admission, self.limits, self.topics = in_service, admission, limits, topics
        self.quotas, self.wheel = Quotas(limits), Wheel()
        self.draining = False
        self._connections: set[Connection] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._revocations = None if introspection is None else Revocations(introspection, self._connections, interval)

    def __len__(self) -> int:
        return len(self._connections)

    def check_room(self) -> None:
        """Raises `Unavailable` where no other connection can be taken."""
        if self.draining:
            raise Unavailable("the server is stopping")
        if len(self._connections) >= self.limits.connections:
            raise Unavailable(f"{len(self._connections):,} live connections are open: no more are taken")

    def enter(self, connection: Connection) -> None:
        self._connections.add(connection)
        if self._revocations is not None:
            self._revocations.start()

    def leave(self, connection: Connection) -> None:
        self._connections.discard(connection)

    def keep(self, task: "asyncio.Task[None]") -> None:
        """Until it is done: the event loop alone would not."""
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def drain(self, seconds: float) -> None:
        """Sends every client away: at once where nothing is under way, the others when it is, or after so many seconds."""
        self.draining = True
        await self._send_away(one for one in list(self._connections) if not one.answering)
        deadline = asyncio.get_running_loop().time() + seconds
        while any(one.answering for one in self._connections) and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        await self._send_away(list(self._connections))

    async def close(self) -> None:
        self.draining = True
        await self._send_away(list(self._connections))
        await self.wheel.close()
        if self._revocations is not None:
            await self._revocations.close()

    async def _send_away(self, connections: Iterable[Connection]) -> None:
        for number, connection in enumerate(connections, start=1):
            connection.send_away()
            if not number % SENT_AWAY_AT_A_TIME:
                await asyncio.sleep(0)
