"""Who may open a live connection: an access token, or a ticket that stands in for one, as the first message brings it.

A browser cannot send headers with a WebSocket, so the token comes in the payload of `connection_init`; a client that can may send it
with the upgrade instead. What a ticket is for stays with the connection: one model, and nothing besides. The token behind a ticket is
there to be asked after: no subgraph is told it, since whoever opened the connection never showed it here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from graph.auth.authenticate import Authenticator
from graph.auth.tickets import Tickets
from graph.contracts import Principal, RequestContext
from graph.errors import Forbidden, Unauthenticated
from graph.planner.normalize.operation import Operation

HEADER = "authorization"
TICKET = "ticket"
_HANDSHAKE = ("sec-websocket-", "accept-", "connection", "upgrade", "cache-control", "pragma", "content-", "sec-fetch-")
"""Headers that are about the connection and tell nobody anything once it is open."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who speaks on a connection, and with what headers. `topic` is what a ticket is for.

    `authorization` has the token that the rights are held by now, `Bearer <token>`. Where the client has sent it, the headers have it as
    well; that of a ticket is here alone.
    """

    principal: Principal
    headers: Mapping[str, str]
    topic: str | None = None
    authorization: str | None = field(default=None, repr=False)

    def context(self, request_id: str) -> RequestContext:
        return RequestContext(self.principal, request_id, self.headers)

    def same_person(self, other: "Caller") -> bool:
        mine, theirs = self.principal, other.principal
        return (mine.subject, mine.tenant) == (theirs.subject, theirs.tenant)


class Topics(Protocol):
    """What a city says of what its subscriptions are about: a ticket may be for one such thing, and people are seen to be there."""

    def of(self, operation: Operation, variables: Mapping[str, Any]) -> str | None:
        """The identifier of the one thing that a whole operation is about, where there is one."""
        ...

    def joined(self, principal: Principal, topic: str) -> None: ...

    def left(self, principal: Principal, topic: str) -> None: ...


class Admission:
    """Tells who a connection's caller is."""

    def __init__(self, authenticator: Authenticator, tickets: Tickets | None = None) -> None:
        self._authenticator, self._tickets = authenticator, tickets

    async def admit(self, payload: Mapping[str, Any], headers: Mapping[str, str]) -> Caller:
        """By the payload of `connection_init`, or else by the headers.

        Raises `Unauthenticated`, and `Unavailable` where nobody can be told from anybody now.
        """
        ticket, token = payload.get(TICKET), given_token(payload)
        kept = {name: value for name, value in headers.items() if not name.startswith(_HANDSHAKE)}
        if ticket is not None:
            if token is not None:
                raise Unauthenticated("give a ticket or a token, not both")
            if self._tickets is None or not isinstance(ticket, str):
                raise Unauthenticated("the ticket is no string" if self._tickets else "tickets are not known here: send a token")
            redeemed = await self._tickets.redeem(ticket)
            kept.pop(HEADER, None)
            return Caller(redeemed.principal, kept, redeemed.model, redeemed.authorization)
        if token is not None:
            kept[HEADER] = token
        return Caller(await self._authenticator.principal(kept), kept, None, kept.get(HEADER))

    async def renew(self, payload: Mapping[str, Any], before: Caller) -> Caller | None:
        """The caller by a fresh token, None where the payload has none. Raises `Forbidden` where it is somebody else's."""
        token = given_token(payload)
        if token is None:
            return None
        headers = {**before.headers, HEADER: token}
        principal = await self._authenticator.principal(headers)
        after = replace(before, principal=principal, headers=headers, authorization=token)
        if not after.same_person(before):
            raise Forbidden("the fresh token is somebody else's")
        return after


def given_token(payload: Mapping[str, Any]) -> str | None:
    """`{"Authorization": "Bearer …"}`, in any letter case as headers are. Raises `Unauthenticated` where it is no string."""
    for name, value in payload.items():
        if name.lower() == HEADER:
            if not isinstance(value, str):
                raise Unauthenticated("the member `Authorization` is not `Bearer <token>`")
            return value
    return None
