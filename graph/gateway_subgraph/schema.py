"""The subgraph that the gateway itself answers: who the caller is, and how the cities are.

It is composed with the others like any of them, so that the planner knows no exception for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import strawberry
from strawberry.federation import Schema

from graph.contracts import RequestContext

NAME = "gateway"


@strawberry.enum
class CityStatus(Enum):
    """Whether a city's subgraphs answer."""

    AVAILABLE = "AVAILABLE"
    DEGRADED = strawberry.enum_value("DEGRADED", description="Some of its subgraphs do not answer.")
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class GatewayContext:
    """What a resolver finds in `info.context`; `status` is asked with a city's identifier."""

    request: RequestContext
    status: Callable[[str], CityStatus]


Info: TypeAlias = strawberry.Info[GatewayContext, None]


@strawberry.type
class Viewer:
    id: strawberry.ID
    subject: str = strawberry.field(description="The token's `sub` claim.")
    name: str | None
    roles: list[str]
    tenant: str


@strawberry.federation.type(keys=["id"])
class City:
    id: strawberry.ID

    @strawberry.field
    def status(self, info: Info) -> CityStatus:
        return info.context.status(str(self.id))

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "City":
        return cls(id=id)


def _viewer(info: Info) -> Viewer:
    principal = info.context.request.principal
    return Viewer(
        id=strawberry.ID(f"{principal.tenant}/viewer/{principal.subject}"),
        subject=principal.subject,
        name=principal.name,
        roles=sorted(principal.roles),
        tenant=principal.tenant,
    )


@strawberry.type
class Query:
    viewer: Viewer = strawberry.field(resolver=_viewer, description="The caller, as the access token describes it.")


def build() -> Schema:
    """The subgraph's schema; `info.context` is a `GatewayContext`."""
    return Schema(query=Query, types=[City], federation_version="2.9")


def status_of(answering: Mapping[str, bool]) -> CityStatus:
    """A city's status from whether each of its subgraphs answers."""
    if all(answering.values()):
        return CityStatus.AVAILABLE
    return CityStatus.DEGRADED if any(answering.values()) else CityStatus.UNAVAILABLE
