"""Tickets that all processes share: issued by one, taken back by any, once.

Redis is told a ticket's hash, and whom it stands for in a form that the ticket alone opens: who can read Redis can use no ticket, and no
token by which one was asked for.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from redis.asyncio import Redis

from graph.auth.tickets import Issued, Now, Ticket, epoch_ms, new_ticket, unknown
from graph.contracts import Principal
from graph.errors import Unavailable
from graph.json_codec import InvalidJSON, dumps, loads
from graph.redis_client import FAULTS

MAX_SECRET = 200
"""Characters of what is hashed to be looked up; ours have 43."""
_SEALING = b"citygraph: what a ticket stands for"
"""Makes of the secret a key that has nothing to do with the hash, which Redis knows."""


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
        return f"{self._prefix}:ticket:{hashlib.sha256(_bytes(secret)).hexdigest()}"


def _written(ticket: Ticket) -> bytes:
    who = ticket.principal
    principal = [who.subject, who.tenant, sorted(who.roles), sorted(who.scopes), who.name, who.authenticated, who.expires_at]
    return _sealed_by(ticket.secret).encrypt(dumps([principal, ticket.model, ticket.expires_at, ticket.authorization]))


def _read(secret: str, text: str) -> Ticket | None:
    """None for what another version has written."""
    try:
        opened = loads(_sealed_by(secret).decrypt(text))
        [[subject, tenant, roles, scopes, name, authenticated, token_expires_at], model, expires_at, authorization] = opened
        principal = Principal(subject, tenant, frozenset(roles), frozenset(scopes), name, authenticated, token_expires_at)
    except (InvalidToken, InvalidJSON, TypeError, ValueError):
        return None
    return Ticket(secret, principal, model, expires_at, authorization)


def _sealed_by(secret: str) -> Fernet:
    return Fernet(urlsafe_b64encode(hmac.digest(_bytes(secret), _SEALING, "sha256")))


def _bytes(secret: str) -> bytes:
    return secret.encode(errors="surrogatepass")
