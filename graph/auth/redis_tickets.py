"""Tickets that all processes share: issued by one, taken back by any, once.

Redis is told a ticket's hash, and whom it stands for in a form that the ticket alone opens: who can read Redis can use no ticket, and no
token by which one was asked for.
"""

from typing import Any

from cryptography.fernet import InvalidToken
from redis.asyncio import Redis

from graph.auth.sealing import known_by, sealed_by
from graph.auth.tickets import Issued, Now, Ticket, epoch_ms, new_ticket, unknown
from graph.auth.written_principal import read_principal, write_principal
from graph.contracts import Principal
from graph.errors import Unavailable
from graph.json_codec import InvalidJSON, dumps, loads
from graph.redis_client import FAULTS

MAX_SECRET = 200
"""Characters of what is hashed to be looked up; ours have 43."""
PURPOSE = "what a ticket stands for"


class RedisTickets:
    """Implements `graph.auth.tickets.Tickets`; `prefix` is what this city's keys begin with."""

    def __init__(self, redis: Redis, prefix: str, ttl_ms: int, *, now: Now = epoch_ms) -> None:
        self._redis, self._prefix, self._ttl, self._now = redis, prefix, ttl_ms, now
        self._issued = Issued(ttl_ms)

    async def issue(self, principal: Principal, model: str, authorization: str | None = None) -> Ticket:
        ticket = new_ticket(principal, model, self._issued.count(self._now()), authorization)
        try:
            await self._redis.set(self._key(ticket.secret), _written(ticket), px=self._ttl, nx=True)
        except FAULTS as error:
            raise Unavailable("tickets cannot be kept now: try again, or send an access token") from error
        return ticket

    async def redeem(self, secret: str) -> Ticket:
        if not secret or len(secret) > MAX_SECRET:
            raise unknown()
        try:
            text: Any = await self._redis.getdel(self._key(secret))
        except FAULTS as error:
            raise Unavailable("tickets cannot be looked up now: try again, or send an access token") from error
        ticket = None if text is None else _read(secret, text)
        # Redis expires by its own clock, which may be behind.
        if ticket is None or ticket.expires_at <= self._now():
            raise unknown()
        return ticket

    def _key(self, secret: str) -> str:
        return f"{self._prefix}:ticket:{known_by(secret)}"


def _written(ticket: Ticket) -> bytes:
    stands_for = [write_principal(ticket.principal), ticket.model, ticket.expires_at, ticket.authorization]
    return sealed_by(ticket.secret, PURPOSE).encrypt(dumps(stands_for))


def _read(secret: str, text: str) -> Ticket | None:
    """None for what another version has written."""
    try:
        principal, model, expires_at, authorization = loads(sealed_by(secret, PURPOSE).decrypt(text))
        return Ticket(secret, read_principal(principal), model, expires_at, authorization)
    except (InvalidToken, InvalidJSON, TypeError, ValueError):
        return None
