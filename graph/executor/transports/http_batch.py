"""Several requests to a subgraph in one HTTP request, as a JSON array; the answers come as an array in the same order.

Requests share a batch where they are sent in the same turn of the event loop with the same headers, so nobody's request travels under
somebody else's credentials. The request's identifier and trace do not count; a batch has those of its first request.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from graph.errors import SubgraphError

TRACE: Final = frozenset({"x-request-id", "traceparent"})
Key = tuple[tuple[str, str], ...]


class Received(NamedTuple):
    """JSON that came, and the status of the message that it came in."""

    status: int
    value: Any


Post = Callable[[bytes, Mapping[str, str], bool], Awaitable[Received]]
"""A body, its headers, and whether it may be sent twice. Raises `SubgraphError`."""


@dataclass(slots=True)
class _Batch:
    headers: Mapping[str, str]
    bodies: list[bytes] = field(default_factory=list)
    waiting: list[asyncio.Future[Received]] = field(default_factory=list)


class Batcher:
    """Collects requests to one subgraph, at most `size` in a batch."""

    def __init__(self, name: str, post: Post, size: int) -> None:
        self._name, self._post, self._size = name, post, size
        self._open: dict[Key, _Batch] = {}
        self._sending: set[asyncio.Task[None]] = set()

    async def ask(self, body: bytes, headers: Mapping[str, str]) -> Received:
        """The answer to this request alone. Raises `SubgraphError`."""
        loop = asyncio.get_running_loop()
        key = tuple(sorted((name, value) for name, value in headers.items() if name not in TRACE))
        batch = self._open.get(key)
        if batch is None:
            batch = self._open[key] = _Batch(headers)
            loop.call_soon(self._send, key, batch)
        future: asyncio.Future[Received] = loop.create_future()
        batch.bodies.append(body)
        batch.waiting.append(future)
        if len(batch.bodies) == self._size:
            self._send(key, batch)
        return await future

    def _send(self, key: Key, batch: _Batch) -> None:
        if self._open.get(key) is not batch:
            return  # it was full, and is on its way
        del self._open[key]
        task = asyncio.create_task(self._run(batch))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _run(self, batch: _Batch) -> None:
        try:
            answers = await self._answers(batch)
        except Exception as error:
            for waiter in batch.waiting:
                if not waiter.done():
                    waiter.set_exception(SubgraphError(error.detail) if isinstance(error, SubgraphError) else error)
            return
        for waiter, answer in zip(batch.waiting, answers, strict=True):
            if not waiter.done():
                waiter.set_result(answer)

    async def _answers(self, batch: _Batch) -> list[Received]:
        count = len(batch.bodies)
        if count == 1:
            return [await self._post(batch.bodies[0], batch.headers, True)]
        status, value = await self._post(b"[%s]" % b",".join(batch.bodies), batch.headers, True)
        if not isinstance(value, list) or len(value) != count:
            found = f"{len(value)} answers" if isinstance(value, list) else "something that is no list"
            raise SubgraphError(f"subgraph {self._name!r} answered a batch of {count} requests with status {status} and {found}")
        return [Received(status, one) for one in value]
