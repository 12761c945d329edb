"""Tickets: a short-lived secret that stands in for an access token once, where a browser can send none (ICD §7.1).

A ticket holds for the principal that asked for it and for one model. It keeps the token by which it was asked for: while its connection
lives, the issuer can be asked whether that token still holds. Where several processes serve, they keep their tickets together, in
`redis_tickets`: a browser's next connection may come to any of them.
"""

import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from graph.contracts import Principal
from graph.errors import RateLimited, Unauthenticated, Unavailable

MAX_TICKETS = 100_000
"""Issued by one process and not expired; with 30 seconds each, some 3,000 a second."""

Now = Callable[[], int]
"""Epoch milliseconds."""


def epoch_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Ticket:
    """`expires_at` in epoch milliseconds; `model` is its full identifier.

    `authorization` is what the `Authorization` header said when the ticket was asked for, None where there was none. It is kept to be
    asked after, and for nothing else.
    """

    secret: str = field(repr=False)
    principal: Principal
    model: str
    expires_at: int
    authorization: str | None = field(default=None, repr=False)


class Tickets(Protocol):
    """Issues tickets and takes each of them back once."""

    async def issue(self, principal: Principal, model: str, authorization: str | None = None) -> Ticket:
        """Raises `RateLimited` where too many wait to be used, and `Unavailable` where they cannot be kept."""
        ...

    async def redeem(self, secret: str) -> Ticket:
        """Raises `Unauthenticated` where there is no such ticket, any more or yet, and `Unavailable` where nobody can tell."""
        ...


def new_ticket(principal: Principal, model: str, expires_at: int, authorization: str | None) -> Ticket:
    return Ticket(secrets.token_urlsafe(32), principal, model, expires_at, authorization)


def unknown() -> Unauthenticated:
    """The same answer whatever the reason."""
    return Unauthenticated("the ticket is unknown, used, or expired")


class Issued:
    """Counts the tickets that have not expired. All live equally long, so the oldest expire first."""

    def __init__(self, ttl_ms: int) -> None:
        self._ttl = ttl_ms
        self._expiries: deque[int] = deque()

    def count(self, now: int) -> int:
        """One more; returns when it expires. Raises `RateLimited`."""
        while self._expiries and self._expiries[0] <= now:
            self._expiries.popleft()
        if len(self._expiries) >= MAX_TICKETS:
            raise RateLimited(f"{MAX_TICKETS:,} tickets wait to be used: try again within {self._ttl / 1_000:g} s")
        self._expiries.append(now + self._ttl)
        return now + self._ttl


class MemoryTickets:
    """Those of this process alone."""

    def __init__(self, ttl_ms: int, *, now: Now = epoch_ms) -> None:
        self._issued, self._now = Issued(ttl_ms), now
        self._tickets: OrderedDict[str, Ticket] = OrderedDict()

    async def issue(self, principal: Principal, model: str, authorization: str | None = None) -> Ticket:
        now = self._now()
        while self._tickets and next(iter(self._tickets.values())).expires_at <= now:
            self._tickets.popitem(last=False)
        ticket = new_ticket(principal, model, self._issued.count(now), authorization)
        self._tickets[ticket.secret] = ticket
        return ticket

    async def redeem(self, secret: str) -> Ticket:
        ticket = self._tickets.pop(secret, None)
        if ticket is None or ticket.expires_at <= self._now():
            raise unknown()
        return ticket


class NoTickets:
    """Where several processes serve without a place that they share: most tickets would be unknown where they are used."""

    async def issue(self, principal: Principal, model: str, authorization: str | None = None) -> Ticket:
        raise Unavailable("tickets need REDIS_URL where several processes serve: send an access token instead")

    async def redeem(self, secret: str) -> Ticket:
        raise unknown()
