"""An issuer's endpoint that tells of tokens (RFC 7662), and says of each what a test wants it to."""

import base64
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


@dataclass
class Issuer:
    """Says of each token what it is told to, and otherwise that it is active; a `status` says it instead."""

    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    status: int = 200
    asked: Counter[str] = field(default_factory=Counter)
    credentials: set[str] = field(default_factory=set)

    @property
    def application(self) -> Starlette:
        return Starlette(routes=[Route("/introspect", self._introspect, methods=["POST"])])

    def settings(self, url: str, interval: float) -> dict[str, Any]:
        """By which a gateway asks it."""
        return {
            "introspection_url": f"{url}/introspect",
            "introspection_client_id": "citygraph",
            "introspection_client_secret": "secret:1",
            "introspection_interval_s": interval,
        }

    async def _introspect(self, request: Request) -> JSONResponse:
        form = dict(part.split("=", 1) for part in (await request.body()).decode().split("&"))
        self.asked[form["token"]] += 1
        self.credentials.add(base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode())
        return JSONResponse(self.answers.get(form["token"], {"active": True}), self.status)
