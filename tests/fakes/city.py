"""A whole city in the test's own process: every slice, the gateway before them, and a caller with any roles one likes."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from graph.app import build_city
from graph.auth.demo_issuer import DemoIssuer, open_issuer
from graph.config import load_settings
from graph.contracts import Principal, RequestContext
from graph.errors import CityGraphError
from graph.server.application import Application
from graph.server.messages import Answer, GraphQLRequest
from graph.server.problems import Trace
from graph.sources import SchemaSource
from graph.subscriptions.sharing import Attachment, Payload
from resolvers.cities.commands import ensure_city
from resolvers.stores.engine import Store

CITY = "FI-HELSINKI"
TENANT = CITY
ADA = "5f0c8a52-3a8e-4a53-9d0e-7a1b8d3f9c01"
EVERY_ROLE = ("dt_viewer", "dt_simulator", "dt_ingestor", "city_editor", "dth_viewer", "dth_editor", "compliance_reader", "admin")


class Live:
    """What a subscriber hears."""

    behind = False

    def __init__(self) -> None:
        self._heard: asyncio.Queue[dict[str, Any] | CityGraphError | None] = asyncio.Queue()

    def deliver(self, payload: Payload) -> None:
        self._heard.put_nowait(json.loads(payload.text))

    def end(self, error: CityGraphError | None) -> None:
        self._heard.put_nowait(error)

    async def next(self) -> Any:
        """The data of the next event. An end raises its error, or StopAsyncIteration."""
        heard = await self.payload()
        assert "errors" not in heard, heard["errors"]
        return heard["data"]

    async def payload(self, seconds: float = 10) -> dict[str, Any]:
        """The next event, errors and all, if it comes within that time."""
        async with asyncio.timeout(seconds):
            heard = await self._heard.get()
        if heard is None:
            raise StopAsyncIteration
        if isinstance(heard, CityGraphError):
            raise heard
        return heard

    async def silent(self, seconds: float = 0.3) -> bool:
        """Whether nothing is heard for so long."""
        await asyncio.sleep(seconds)
        return self._heard.empty()


@dataclass(frozen=True, slots=True)
class City:
    """`store` is the city's store by a connection pool of its own, for a test to look into it."""

    application: Application
    store: Store

    async def answer(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        *,
        roles: Iterable[str] = EVERY_ROLE,
        subject: str = ADA,
        tenant: str = TENANT,
    ) -> Answer:
        """What the gateway's pipeline answers, errors and all; of a subscription, why it is refused."""
        context = RequestContext(Principal(subject, tenant, frozenset(roles)), "request-1")
        with self.application.in_service.current as pipeline:
            request = GraphQLRequest(document, variables or {})
            opened = await pipeline.open(request, context, Trace("request-1", "0" * 31 + "1"), Live())
            assert isinstance(opened, Answer), "a subscription that is not refused is heard by `live`"
            return opened

    async def ask(self, document: str, variables: Mapping[str, Any] | None = None, **caller: Any) -> Any:
        """The data of an answer without errors."""
        answer = await self.answer(document, variables, **caller)
        assert "errors" not in answer.body, answer.body["errors"]
        return answer.body["data"]

    @asynccontextmanager
    async def live(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        *,
        roles: Iterable[str] = EVERY_ROLE,
        subject: str = ADA,
        tenant: str = TENANT,
    ) -> AsyncIterator["Live"]:
        """A subscription that has begun: what happens from now on is heard."""
        context = RequestContext(Principal(subject, tenant, frozenset(roles)), "request-1")
        sink = Live()
        with self.application.in_service.current as pipeline:
            opened = await pipeline.open(GraphQLRequest(document, variables or {}), context, Trace("request-1", "0" * 31 + "1"), sink)
            assert isinstance(opened, Attachment), opened.body
            try:
                await asyncio.sleep(0.3)  # until the source listens
                yield sink
            finally:
                opened.detach()

    async def codes(self, document: str, variables: Mapping[str, Any] | None = None, **caller: Any) -> list[str]:
        """The codes of an answer's errors."""
        answer = await self.answer(document, variables, **caller)
        return [error["extensions"]["code"] for error in answer.body.get("errors", [])]


@cache
def issuer(data_dir: Path) -> DemoIssuer:
    """Checking a private key takes longer than all else of a city's start."""
    return open_issuer(data_dir / "issuer.json", "http://127.0.0.1:1")


@asynccontextmanager
async def running_city(url: str, data_dir: Path, **settings: object) -> AsyncIterator[City]:
    """A city on a migrated store. `data_dir` keeps the composed schema, so tests that share it start sooner."""
    flags = {"database_url": url, "data_dir": data_dir, "city_id": CITY, "reload_files_s": 0, "reload_urls_s": 0, **settings}
    store = Store(url)
    await ensure_city(store, tenant=TENANT, id=CITY, name="Helsinki", country="FI", timezone="Europe/Helsinki")
    source = SchemaSource(lambda: load_settings(flags=flags, environ={}))
    application = await build_city(source, issuer(data_dir))
    try:
        yield City(application, store)
    finally:
        await application.close()
        await store.close()
