"""The subgraph that the gateway itself answers: the caller, what an identifier names, how cities and federation are, live channels.

It is composed with the others like any of them, so that the planner knows no exception for it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NewType, TypeAlias, cast

import strawberry
from strawberry.federation import Schema
from strawberry.schema.config import StrawberryConfig

from graph.auth.tickets import Tickets
from graph.contracts import RequestContext
from graph.errors import CityGraphError, NotFound
from graph.executor import CircuitState, HealthRegistry
from graph.gateway_subgraph.loaders import ParticipantsLoader
from graph.gateway_subgraph.nodes import Answer, Found, NodeFinder, NodeKind
from graph.gateway_subgraph.participants import Participants
from graph.rights import Scope, any_of

NAME = "gateway"
EVERYBODY = any_of(Scope.CITIES_READ)
"""Every role brings this scope."""

Timestamp = NewType("Timestamp", int)

strawberry.enum(CircuitState)


@strawberry.enum
class CityStatus(Enum):
    """Whether a city's subgraphs answer."""

    AVAILABLE = "AVAILABLE"
    DEGRADED = strawberry.enum_value("DEGRADED", description="Some of its subgraphs do not answer.")
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class SubgraphPlace:
    """`url` is None where it runs inside this process, `city` where it is no city's."""

    name: str
    url: str | None
    city: str | None


@dataclass(frozen=True, slots=True)
class FederationState:
    """What the gateway is made of. `schema` is the SHA-256 of the supergraph, `composed_at` epoch milliseconds."""

    schema: str
    composed_at: int
    subgraphs: Sequence[SubgraphPlace]
    health: HealthRegistry


@dataclass(frozen=True, slots=True)
class Gateway:
    """What the subgraph tells of; one for each version of the schema. `status` is asked with a city's identifier."""

    nodes: NodeFinder
    federation: Callable[[], FederationState]
    status: Callable[[str], CityStatus]
    tickets: Tickets
    participants: Participants
    classes: Mapping[str, type]
    """Those that stand for other subgraphs' object types, by the types' names."""


@dataclass(frozen=True, slots=True)
class GatewayContext:
    """What a resolver finds in `info.context`."""

    request: RequestContext
    gateway: Gateway


Info: TypeAlias = strawberry.Info[GatewayContext, None]


@strawberry.interface
class Node:
    id: strawberry.ID


@strawberry.federation.type(authenticated=True)
class Viewer:
    id: strawberry.ID
    subject: str = strawberry.field(description="The token's `sub` claim.")
    name: str | None
    roles: list[str]
    tenant: str


def _status(root: "City", info: Info) -> CityStatus:
    return info.context.gateway.status(str(root.id))


@strawberry.federation.type(keys=["id"])
class City(Node):
    status: CityStatus = strawberry.federation.field(resolver=_status, requires_scopes=EVERYBODY)

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "City":
        return cls(id=id)


@strawberry.federation.type(shareable=True, requires_scopes=any_of(Scope.MODELS_READ, Scope.MODELS_WRITE))
class Participant:
    user_id: str
    name: str | None
    joined_at: Timestamp


async def _participants(root: "Model", info: Info) -> list[Participant] | None:
    there = await _loader(info.context).load(str(root.id))
    return [Participant(user_id=one.user, name=one.name, joined_at=Timestamp(one.joined_at)) for one in there]


def _loader(context: GatewayContext) -> ParticipantsLoader:
    """The request's own."""
    request = context.request
    if (loader := request.loaders.get(NAME)) is None:
        loader = request.loaders[NAME] = ParticipantsLoader(context.gateway.participants, request.principal.tenant)
    return cast(ParticipantsLoader, loader)


@strawberry.federation.type(keys=["id"])
class Model(Node):
    participants: list[Participant] | None = strawberry.federation.field(
        resolver=_participants,
        description="Who has the live channel open.",
        requires_scopes=any_of(Scope.MODELS_READ, Scope.MODELS_WRITE),
    )

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Model":
        return cls(id=id)


@strawberry.federation.type(requires_scopes=any_of(Scope.FEDERATION_READ))
class SubgraphStatus:
    name: str
    url: str | None = strawberry.field(description="Null where it runs inside this process.")
    city: City | None
    circuit: CircuitState
    last_success_at: Timestamp | None
    last_failure: str | None


@strawberry.federation.type(requires_scopes=any_of(Scope.FEDERATION_READ))
class Federation:
    schema_version: str = strawberry.field(description="SHA-256 of the composed supergraph.")
    composed_at: Timestamp
    subgraphs: list[SubgraphStatus]


def _viewer(info: Info) -> Viewer:
    principal = info.context.request.principal
    return Viewer(
        id=strawberry.ID(f"{principal.tenant}/viewer/{principal.subject}"),
        subject=principal.subject,
        name=principal.name,
        roles=sorted(principal.roles),
        tenant=principal.tenant,
    )


def _federation(info: Info) -> Federation:
    state = info.context.gateway.federation()
    return Federation(
        schema_version=state.schema,
        composed_at=Timestamp(state.composed_at),
        subgraphs=[_subgraph(place, state.health) for place in state.subgraphs],
    )


def _subgraph(place: SubgraphPlace, registry: HealthRegistry) -> SubgraphStatus:
    health = registry.of(place.name)
    last = health.last_success_at
    return SubgraphStatus(
        name=place.name,
        url=place.url,
        city=None if place.city is None else City(id=strawberry.ID(place.city)),
        circuit=health.circuit,
        last_success_at=None if last is None else Timestamp(int(last * 1_000)),
        last_failure=health.last_failure,
    )


async def _node(info: Info, id: strawberry.ID) -> Node | None:
    (answer,) = await info.context.gateway.nodes.find([id], info.context.request)
    if isinstance(answer, CityGraphError):
        raise answer
    return _shown(answer, info.context.gateway)


async def _nodes(info: Info, ids: list[strawberry.ID]) -> list[Node | None]:
    gateway = info.context.gateway
    answers = await gateway.nodes.find(ids, info.context.request)
    # An exception in a list is that item's error; the types of resolvers do not tell.
    shown: list[Any] = [answer if isinstance(answer, CityGraphError) else _shown(answer, gateway) for answer in answers]
    return shown


def _shown(found: Found | None, gateway: Gateway) -> Node | None:
    return None if found is None else cast(Node, gateway.classes[found.type](id=strawberry.ID(found.id)))


@strawberry.type
class Query:
    viewer: Viewer = strawberry.federation.field(
        resolver=_viewer, authenticated=True, description="The caller, as the access token describes it."
    )
    node: Node | None = strawberry.federation.field(resolver=_node, authenticated=True)
    nodes: list[Node | None] = strawberry.federation.field(
        resolver=_nodes,
        authenticated=True,
        description="In the order asked for; null where nothing is visible under that identifier.",
    )
    federation: Federation = strawberry.federation.field(
        resolver=_federation,
        requires_scopes=any_of(Scope.FEDERATION_READ),
        description="How this gateway sees its federation: subgraphs, cities, circuit breakers, composed schema.",
    )


@strawberry.input
class RequestRealtimeTicketInput:
    model_id: strawberry.ID


@strawberry.federation.type(requires_scopes=any_of(Scope.LIVE_OPEN))
class RealtimeTicketPayload:
    ticket: str
    expires_at: Timestamp


async def _request_realtime_ticket(info: Info, input: RequestRealtimeTicketInput) -> RealtimeTicketPayload | None:
    gateway, request = info.context.gateway, info.context.request
    answer: Answer = await gateway.nodes.find_one("model", input.model_id, request)
    if isinstance(answer, CityGraphError):
        raise answer
    if answer is None:
        raise NotFound(f"There is no model {input.model_id!r}")
    ticket = await gateway.tickets.issue(request.principal, answer.id, request.headers.get("authorization"))
    return RealtimeTicketPayload(ticket=ticket.secret, expires_at=Timestamp(ticket.expires_at))


@strawberry.type
class Mutation:
    request_realtime_ticket: RealtimeTicketPayload | None = strawberry.federation.field(
        resolver=_request_realtime_ticket,
        requires_scopes=any_of(Scope.LIVE_OPEN),
        description="A short-lived, single-use ticket that stands in for the access token when a browser opens one model's live channel.",
    )


def node_classes(kinds: Sequence[NodeKind]) -> dict[str, type]:
    """A class for each object type that a kind may turn out to be; one that this subgraph says more of has its own above."""
    classes: dict[str, type] = {City.__name__: City, Model.__name__: Model}
    for kind in kinds:
        for name in kind.objects:
            if name not in classes:
                classes[name] = strawberry.federation.type(type(name, (Node,), {}), keys=["id"])
    return classes


def build(classes: Mapping[str, type]) -> Schema:
    """The subgraph's schema; `info.context` is a `GatewayContext`."""
    timestamp = strawberry.scalar(name="Timestamp", description="Milliseconds since the Unix epoch, UTC.", serialize=int)
    config = StrawberryConfig(scalar_map={Timestamp: timestamp})
    return Schema(query=Query, mutation=Mutation, types=list(classes.values()), federation_version="2.9", config=config)


def status_of(answering: Mapping[str, bool]) -> CityStatus:
    """A city's status from whether each of its subgraphs answers."""
    if all(answering.values()):
        return CityStatus.AVAILABLE
    return CityStatus.DEGRADED if any(answering.values()) else CityStatus.UNAVAILABLE
