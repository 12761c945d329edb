"""The subgraph on a migrated store, reached as the gateway reaches it, with a store whose statements can be counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from graph.contracts import Principal, RequestContext, SubgraphRequest, SubgraphResponse
from graph.executor.transports.in_process import InProcessTransport
from resolvers.annotations.directory import ModelAnnotations
from resolvers.models import commands
from resolvers.models.records import ModelDraft
from resolvers.stores.engine import Store
from subgraphs.context import SliceContext
from subgraphs.models.schema import DEPENDANTS, build
from tests.fakes.city import ADA, CITY, TENANT


@dataclass(frozen=True, slots=True)
class Subgraph:
    store: Store
    transport: InProcessTransport

    async def answer(self, document: str, variables: Mapping[str, Any] | None = None, *, tenant: str = TENANT) -> SubgraphResponse:
        context = RequestContext(Principal(ADA, tenant, frozenset({"dth_editor"})), "request-1")
        return await self.transport.execute(SubgraphRequest(document, variables or {}), context)

    async def ask(self, document: str, variables: Mapping[str, Any] | None = None, *, tenant: str = TENANT) -> Any:
        """The data of an answer without errors."""
        response = await self.answer(document, variables, tenant=tenant)
        assert response.errors == []
        return response.data

    async def error(self, document: str, variables: Mapping[str, Any] | None = None) -> tuple[str, str]:
        """The code and the message of an answer's one error."""
        [found] = (await self.answer(document, variables)).errors
        return found["extensions"]["code"], found["message"]

    async def create(self, name: str, content: Any, *, now: int = 1, description: str | None = None, tenant: str = TENANT) -> str:
        """The identifier of a new model."""
        draft = ModelDraft(name, content, description)
        uuid = await commands.create(self.store, tenant=tenant, city=CITY, subject=ADA, draft=draft, idempotency_key=None, now=now)
        return f"{CITY}/model/{uuid}"


@pytest.fixture
def subgraph(store: Store) -> Subgraph:
    ports = {DEPENDANTS: ModelAnnotations(CITY)}
    return Subgraph(store, InProcessTransport(build().executable, lambda request: SliceContext(store, CITY, request, ports)))
