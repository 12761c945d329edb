"""Rights that are taken away while a connection is open: each token in use is asked after, again and again, however many use it.

A connection that was opened by a ticket uses the token by which the ticket was asked for.

An issuer that does not answer takes nothing away: the token holds until it expires, and the log says so.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol

from graph.auth.introspection import Introspection
from graph.contracts import Principal
from graph.errors import Unavailable
from graph.server.live.admission import Caller

AT_A_TIME = 20
"""Questions to the issuer that are under way."""

logger = logging.getLogger(__name__)


class Revocable(Protocol):
    """A connection; `caller` is None before it has one."""

    @property
    def caller(self) -> Caller | None: ...

    def revoke(self) -> None:
        """The token holds no more."""
        ...

    async def narrow(self, principal: Principal) -> None:
        """The token holds for less."""
        ...


class Revocations:
    """To be started; `interval` in seconds, from one round's beginning to the next one's."""

    def __init__(self, introspection: Introspection, connections: Iterable[Revocable], interval: float) -> None:
        self._introspection, self._connections, self._interval = introspection, connections, interval
        self._asking = asyncio.Semaphore(AT_A_TIME)
        self._task: asyncio.Task[None] | None = None
        self._answers = True

    def start(self) -> None:
        """Once is enough."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._introspection.close()

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            try:
                await self._round()
            except Exception:
                logger.exception("tokens in use could not be asked after")
            await asyncio.sleep(max(0.1, self._interval - (clock() - began)))

    async def _round(self) -> None:
        using: dict[str, list[Revocable]] = defaultdict(list)
        for connection in list(self._connections):
            if connection.caller is not None and (authorization := connection.caller.authorization):
                using[authorization].append(connection)
        async with asyncio.TaskGroup() as group:
            for authorization, connections in using.items():
                await self._asking.acquire()
                group.create_task(self._ask(authorization, connections))

    async def _ask(self, authorization: str, connections: list[Revocable]) -> None:
        try:
            before = connections[0].caller
            if before is None:
                return
            now = await self._introspection.now(authorization.partition(" ")[2].strip(), before.principal)
        except Unavailable as error:
            if self._answers:
                logger.warning("whether tokens were revoked cannot be told: %s", error.detail)
            self._answers = False
            return
        finally:
            self._asking.release()
        self._answers = True
        for connection in connections:
            caller = connection.caller
            if caller is None or caller.authorization != authorization:
                continue  # it has another by now
            if now is None:
                connection.revoke()
            elif (now.roles, now.scopes) != (caller.principal.roles, caller.principal.scopes):
                await connection.narrow(now)
