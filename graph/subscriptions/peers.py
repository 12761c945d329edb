"""Asking the other processes that serve the same city: a question goes to whoever listens to its name, and one of them answers.

Unlike the bus, which tells everybody what has happened, and later again who missed it: a question is heard now or never, and nothing of
it is kept. What is asked, and who listens to what, is the business of whoever asks.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from graph.errors import Unavailable


class NobodyListensError(Exception):
    """No process knows of what was asked about."""


@dataclass(frozen=True, slots=True)
class Question:
    """`body` is JSON; `own` where this very process asks."""

    body: Any
    own: bool


Hear = Callable[[Question], Awaitable[Any] | None]
"""Hears the questions to a name in the order in which all who listen to it do. None says that another is to answer; else the answer, which
is JSON, is awaited, and what is decided before is decided in that order. It may still raise `NobodyListensError` for None."""


class Peers(Protocol):
    """The processes that serve one city, this one among them."""

    async def listen(self, name: str, hear: Hear) -> None:
        """Once it returns, no question is missed. Raises `Unavailable` where the others cannot be reached."""
        ...

    def leave(self, name: str) -> None: ...

    async def ask(self, name: str, body: Any) -> Any:
        """The answer. Raises `NobodyListensError`, and `Unavailable` where nobody can tell; what was asked for may have been done then."""
        ...

    async def close(self) -> None: ...


class NoPeers:
    """Where several processes serve without a place to meet: what one of them alone knew, most clients would not find again."""

    async def listen(self, name: str, hear: Hear) -> None:
        raise Unavailable(
            "single connection mode needs REDIS_URL where several processes serve: send each operation on a stream of its own"
        )

    def leave(self, name: str) -> None: ...

    async def ask(self, name: str, body: Any) -> Any:
        raise NobodyListensError

    async def close(self) -> None: ...
