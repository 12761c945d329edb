"""The subgraph on a migrated store, reached as the gateway reaches it, with the slice of models beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from graph.contracts import Principal, RequestContext, SubgraphRequest, SubgraphResponse
from graph.executor.transports.in_process import InProcessTransport
from resolvers.models import commands
from resolvers.models.directory import ModelDirectory
from resolvers.models.records import ModelDraft
from resolvers.stores.engine import Store
from subgraphs.annotations.schema import MODELS, build
from subgraphs.context import SliceContext
from tests.fakes.city import ADA, CITY, TENANT


async def create_model(store: Store, name: str = "Mill", *, tenant: str = TENANT) -> str:
    """The identifier of a model with the elements `wheel` and `stone`."""
    draft = ModelDraft(name, {"parts": [{"id": "wheel"}, {"id": "stone"}]})
    uuid = await commands.create(store, tenant=tenant, city=CITY, subject=ADA, draft=draft, idempotency_key=None, now=1_000)
    return f"{CITY}/model/{uuid}"


@dataclass(frozen=True, slots=True)
class Subgraph:
    store: Store
    transport: InProcessTransport

    async def answer(
        self, document: str, variables: Mapping[str, Any] | None = None, *, subject: str = ADA, tenant: str = TENANT
    ) -> SubgraphResponse:
        context = RequestContext(Principal(subject, tenant, frozenset({"dth_editor"})), "request-1")
        return await self.transport.execute(SubgraphRequest(document, variables or {}), context)

    async def ask(self, document: str, variables: Mapping[str, Any] | None = None, **caller: Any) -> Any:
        """The data of an answer without errors."""
        response = await self.answer(document, variables, **caller)
        assert response.errors == []
        return response.data

    async def error(self, document: str, variables: Mapping[str, Any] | None = None, **caller: Any) -> dict[str, Any]:
        """The one error of an answer: its message beside its extensions."""
        [found] = (await self.answer(document, variables, **caller)).errors
        return {"message": found["message"], **found["extensions"]}

    async def codes(self, document: str, variables: Mapping[str, Any] | None = None, **caller: Any) -> list[str]:
        """The codes of an answer's errors."""
        return [error["extensions"]["code"] for error in (await self.answer(document, variables, **caller)).errors]


@pytest.fixture
def subgraph(store: Store) -> Subgraph:
    ports = {MODELS: ModelDirectory(CITY)}
    return Subgraph(store, InProcessTransport(build()._schema, lambda request: SliceContext(store, CITY, request, ports)))
