"""The subgraph on a migrated store, reached as the gateway reaches it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from graph.contracts import Principal, RequestContext, SubgraphRequest, SubgraphResponse
from graph.executor.transports.in_process import InProcessTransport
from resolvers.stores.engine import Store
from subgraphs.context import SliceContext
from subgraphs.telemetry.schema import ENTITIES, build
from tests.resolvers.telemetry.series import SENSOR

Run = Callable[..., Awaitable[SubgraphResponse]]


@dataclass(frozen=True, slots=True)
class OneCity:
    """Stands for the slice of city objects, which this slice's tests do not need: it knows one tenant and its entities."""

    tenant: str
    entities: frozenset[UUID]

    async def existing(self, tenant: str, uuids: Sequence[UUID]) -> set[UUID]:
        return set(uuids) & self.entities if tenant == self.tenant else set()


@pytest.fixture
def run(store: Store) -> Run:
    directory = OneCity("FI-HELSINKI", frozenset({SENSOR}))
    transport = InProcessTransport(
        build()._schema, lambda request: SliceContext(store, "FI-HELSINKI", request, ports={ENTITIES: directory})
    )

    async def run(document: str, variables: Mapping[str, Any] | None = None, *, tenant: str = "FI-HELSINKI") -> SubgraphResponse:
        context = RequestContext(Principal("ada", tenant, frozenset({"dt_viewer"})), "request-1")
        return await transport.execute(SubgraphRequest(document, variables or {}), context)

    return run
