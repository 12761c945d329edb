"""The two subgraphs on a store with a city, reached as the gateway reaches them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from graph.contracts import Principal, RequestContext, SubgraphRequest, SubgraphResponse
from graph.executor.transports.in_process import InProcessTransport
from resolvers.stores.engine import Store
from subgraphs.cities import schema as cities
from subgraphs.city_objects import schema as city_objects
from subgraphs.context import SliceContext
from tests.resolvers.city_objects.conftest import city_store
from tests.resolvers.city_objects.drafts import CITY, TENANT

__all__ = ["ask", "ask_cities", "asking", "city_store"]

Ask = Callable[..., Awaitable[SubgraphResponse]]


@pytest.fixture
def ask(city_store: Store) -> Ask:
    return asking(city_objects, city_store)


@pytest.fixture
def ask_cities(city_store: Store) -> Ask:
    return asking(cities, city_store)


def asking(subgraph: Any, store: Store) -> Ask:
    transport = InProcessTransport(subgraph.build()._schema, lambda request: SliceContext(store, CITY, request))

    async def ask(document: str, variables: Mapping[str, Any] | None = None, *, tenant: str = TENANT) -> SubgraphResponse:
        context = RequestContext(Principal("ada", tenant, frozenset({"dt_viewer"})), "request-1")
        return await transport.execute(SubgraphRequest(document, variables or {}), context)

    return ask
