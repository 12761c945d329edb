"""The few shapes through which subgraphs, slices and engine meet; it imports nothing of them.

Who asks (`Principal`, `RequestContext`), what is sent to a subgraph and what comes back (`SubgraphRequest`, `SubgraphResponse`,
`Transport`), what a subgraph says of itself (`SubgraphSDL`), what has happened (`Event`), what is kept of who did it (`AuditEntry`,
`AuditSink`), and how things are named across cities (`GlobalId`).
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID, uuid5

from graph.errors import BadUserInput


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller, as its access token describes it.

    `scopes` are the token's own; what the roles bring besides is in `graph.rights`. `authenticated` is false for a caller that was let
    in without saying who it is. `expires_at` is when the token ends, in epoch seconds: a matter of the connection and not of who calls,
    so callers do not differ by it.
    """

    subject: str
    tenant: str
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    name: str | None = None
    authenticated: bool = True
    expires_at: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What every subgraph is told about a request. `headers` are the client's, names in lower case.

    `loaders` is an empty dictionary at the start of each client request, shared by all fetches of it; in-process slices keep
    their data loaders there, under their own name, so that a batch spans fetches.
    """

    principal: Principal
    request_id: str
    headers: Mapping[str, str] = field(default_factory=dict)
    loaders: dict[str, Any] = field(default_factory=dict)


class OperationKind(StrEnum):
    QUERY = "query"
    MUTATION = "mutation"
    SUBSCRIPTION = "subscription"


@dataclass(frozen=True, slots=True)
class SubgraphRequest:
    """One GraphQL request to a subgraph. `document` is printed GraphQL; plans reuse it, so it can key a cache.

    `headers` are sent besides those of the transport, where it has headers.
    """

    document: str
    variables: Mapping[str, Any]
    kind: OperationKind = OperationKind.QUERY
    operation_name: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class SubgraphResponse:
    """`data` as the subgraph sent it (not yet checked), `errors` as GraphQL error objects (dictionaries)."""

    data: Any = None
    errors: list[dict[str, Any]] = field(default_factory=list)
    extensions: dict[str, Any] = field(default_factory=dict)


UNCHANGED = "citygraph:unchanged"
"""An extension of a scalar type in a schema of this process: whoever is given its values neither keeps nor changes them."""


class Transport(Protocol):
    """A way to a subgraph: in-process, HTTP, …

    Raises `graph.errors.SubgraphError` or `Unavailable` where no GraphQL answer came back at all.
    """

    async def execute(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse: ...

    def subscribe(self, request: SubgraphRequest, context: RequestContext) -> AsyncGenerator[SubgraphResponse, None]:
        """The answers of a subscription, one for each event, until the subgraph says that it is complete.

        What keeps it from beginning or going on is raised as a `CityGraphError`: a channel that breaks never reads as complete. An error
        that the subgraph itself told has the subgraph's code in `extensions.code`. After a break that the transport got over, the first
        answer has `gap` (true) in its extensions.
        """
        ...

    def caller(self, context: RequestContext) -> Hashable:
        """What of the caller decides what the subgraph answers: callers for whom it is equal may share one answer."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class SubgraphSDL:
    """A subgraph as its team wrote it. `url` may be missing where the subgraph is reached by other means."""

    name: str
    url: str | None
    sdl: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened, told after the transaction that did it was committed.

    `channel` is what a subscriber listens to within its tenant, e.g. `model/<uuid>`. `seq` counts a channel's events from 1 without
    a gap; it is 0 where the channel keeps none of them. `payload` is JSON, `at` epoch milliseconds.
    """

    tenant: str
    channel: str
    kind: str
    at: int
    payload: Mapping[str, Any]
    seq: int = 0
    position: str = ""
    """Where it stands among all that the bus carries; given by the bus."""


Publish = Callable[[Sequence[Event]], Awaitable[None]]
"""Tells events to whoever listens, in order. Never raises: what they tell of is done."""


class Bus(Protocol):
    """Carries events from who publishes them to who listens, in this process and in others."""

    async def publish(self, events: Sequence[Event]) -> None:
        """As `Publish` says."""
        ...

    def listen(
        self, tenant: str, channels: Collection[str], *, after: str | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """The events of these channels from now on, or from those that followed the position `after`.

        Once the block is entered nothing is missed. Entering raises `ResyncRequired` where `after` is too long ago; the iterator does
        where the listener has fallen so far behind that events were dropped, and where the bus was interrupted for longer than it can
        make up for.
        """
        ...


class AuditOutcome(StrEnum):
    """What became of an audited field: it ran without an error, was refused to the caller, or ended in an error."""

    ALLOWED = "ALLOWED"
    DENIED = "DENIED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which, and how it ended. Nothing of an operation's contents, and no token.

    `at` is epoch milliseconds, `operation` a coordinate of the public schema (`Mutation.createModel`), `target` the identifier that the
    caller named or was given, where one is known.
    """

    tenant: str
    at: int
    subject: str
    operation: str
    target: str | None
    outcome: AuditOutcome
    request_id: str | None
    trace_id: str | None


class AuditSink(Protocol):
    """Keeps audit entries."""

    async def write(self, entries: Sequence[AuditEntry]) -> None:
        """Returns after the commit; raises `graph.errors.Unavailable` where the entries could not be kept."""
        ...

    def note(self, entry: AuditEntry) -> None:
        """Queues an entry for a later write; never blocks and never raises."""
        ...


_CITY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
CITY_OBJECT_NAMESPACE = UUID("6f1c1f0e-4a7e-5d6c-9a0b-2c9a58c1d3a1")


@dataclass(frozen=True, slots=True)
class GlobalId:
    """`<city>/<kind>/<uuid>`, e.g. `FI-HELSINKI/object/2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a`."""

    city: str
    kind: str
    uuid: UUID

    def __str__(self) -> str:
        return f"{self.city}/{self.kind}/{self.uuid}"

    @classmethod
    def parse(cls, text: str, *, kind: str, home_city: str) -> "GlobalId":
        """Reads an identifier given as input; a bare UUID means `home_city` and `kind`.

        Raises `BadUserInput` where it is neither, or names another kind.
        """
        parts = text.split("/") if isinstance(text, str) else []
        if len(parts) == 1:
            parts = [home_city, kind, text]
        elif len(parts) != 3 or not is_city_id(parts[0]):
            raise BadUserInput(f"{text!r} is not an identifier: expected <city>/{kind}/<uuid>, or a UUID")
        city, found, uuid = parts
        if found != kind:
            raise BadUserInput(f"{text!r} names a thing of kind {found!r}, where {kind!r} is expected")
        return cls(city, kind, parse_uuid(uuid))


def is_city_id(text: object) -> bool:
    """Whether a city can be named so: letters, digits, `.`, `_`, `-`. A slash would part the city from the kind."""
    return isinstance(text, str) and _CITY_ID.fullmatch(text) is not None


def parse_uuid(text: str) -> UUID:
    """Reads the canonical 8-4-4-4-12 form (RFC 9562), in either case; raises `BadUserInput`."""
    try:
        uuid = UUID(text)
    except ValueError:
        uuid = None
    if uuid is None or str(uuid) != text.lower():
        raise BadUserInput(f"{text!r} is not a UUID in its 8-4-4-4-12 form")
    return uuid


def source_uuid(tenant: str, source: str, source_id: str) -> UUID:
    """Version 5 of tenant, source and source identifier: the same thing has the same UUID in every import."""
    return uuid5(CITY_OBJECT_NAMESPACE, "\x1f".join((tenant, source, source_id)))
