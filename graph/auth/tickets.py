"""Tickets: a short-lived secret that stands in for an access token once, where a browser can send none (ICD §7.1).

A ticket holds for the principal that asked for it and for one model. This process keeps its own; another knows nothing of them.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from graph.contracts import Principal
from graph.errors import RateLimited, Unauthenticated

MAX_TICKETS = 100_000
"""Kept at one time; with 30 seconds each, some 3,000 a second."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """`expires_at` in epoch milliseconds; `model` is its full identifier."""

    secret: str
    principal: Principal
    model: str
    expires_at: int


class Tickets:
    """Issues tickets and takes each of them back once."""

    def __init__(self, ttl_ms: int, *, now: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._ttl, self._now = ttl_ms, now
        self._tickets: OrderedDict[str, Ticket] = OrderedDict()

    def issue(self, principal: Principal, model: str) -> Ticket:
        """Raises `RateLimited` where too many wait to be used."""
        now = self._now()
        self._forget_expired(now)
        if len(self._tickets) >= MAX_TICKETS:
            raise RateLimited(f"{MAX_TICKETS:,} tickets wait to be used: try again within {self._ttl / 1_000:g} s")
        ticket = Ticket(secrets.token_urlsafe(32), principal, model, now + self._ttl)
        self._tickets[ticket.secret] = ticket
        return ticket

    async def redeem(self, secret: str) -> Ticket:
        """Raises `Unauthenticated` where there is no such ticket, any more or yet."""
        ticket = self._tickets.pop(secret, None)
        if ticket is None or ticket.expires_at <= self._now():
            raise Unauthenticated("the ticket is unknown, used, or expired")
        return ticket

    def _forget_expired(self, now: int) -> None:
        """All live equally long, so the oldest expire first."""
        while self._tickets and next(iter(self._tickets.values())).expires_at <= now:
            self._tickets.popitem(last=False)
