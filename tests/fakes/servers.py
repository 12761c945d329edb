"""Servers on real sockets, in the test's own event loop: an ASGI application, and a subgraph with graphql-core behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from graphql import GraphQLSchema, graphql
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp


@asynccontextmanager
async def served(application: ASGIApp, socket: Path | None = None) -> AsyncIterator[str]:
    """The application's base URL; nothing of use where it listens on a Unix socket."""
    uds = str(socket) if socket is not None else None
    server = uvicorn.Server(uvicorn.Config(application, host="127.0.0.1", port=0, uds=uds, log_config=None, lifespan="on", ws="none"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done(), "the server did not start"
        await asyncio.sleep(0.005)
    try:
        yield "" if socket is not None else f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@dataclass
class Subgraph:
    """A subgraph that answers with `root`; what it was sent is kept. `delay` is in seconds."""

    schema: GraphQLSchema
    root: Any
    delay: float = 0.0
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    answer: Callable[[Any], Any] | None = None
    """Decides instead of the schema, where it gives something."""

    @property
    def application(self) -> Starlette:
        return Starlette(routes=[Route("/graphql", self._post, methods=["POST"])])

    async def _post(self, request: Request) -> Response:
        body = orjson.loads(await request.body())
        self.headers.append(dict(request.headers))
        self.bodies.append(body)
        await asyncio.sleep(self.delay)
        content = self.answer(body) if self.answer else None
        if content is None:
            content = [await self._run(one) for one in body] if isinstance(body, list) else await self._run(body)
        return Response(orjson.dumps(content), media_type="application/json")

    async def _run(self, body: dict[str, Any]) -> dict[str, Any]:
        result = await graphql(self.schema, body["query"], self.root, variable_values=body.get("variables"))
        return {"data": result.data, **({"errors": [error.formatted for error in result.errors]} if result.errors else {})}
