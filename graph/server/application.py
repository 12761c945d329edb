"""The ASGI application: which path is answered by what, and what every response carries.

Plain ASGI and no framework in between, because `POST /graphql` is the hot path. Who may call is asked before a body is read.
Nothing that a client sends ends as a 500: what does is a fault of ours, logged with its traceback and answered with a neutral problem.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Receive, Scope, Send

from graph import json_codec
from graph.auth.authenticate import Authenticator
from graph.contracts import Principal, RequestContext
from graph.downloads import Downloads, content_disposition
from graph.errors import (
    BadRequest,
    CityGraphError,
    InternalError,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from graph.server.cors import Cors
from graph.server.exchange import Exchange, Reply, Streamed, read_body, read_exchange, send_reply
from graph.server.graphql_request import check_content_type, read_get, received
from graph.server.ide import Page
from graph.server.in_service import InService
from graph.server.live.connections import Live
from graph.server.live.sse import TOKEN_HEADER, EventStreams, operation_id, parameters, stream_token
from graph.server.live.websocket import serve_websocket
from graph.server.logs import REQUEST, LoggedRequest
from graph.server.messages import Answer, GraphQLRequest
from graph.server.multipart import parts_form, parts_reply
from graph.server.negotiation import (
    GRAPHQL_RESPONSE,
    HTML,
    JSON,
    OFFERED,
    PROBLEM,
    answer_type,
    prefers_event_stream,
    prefers_html,
)
from graph.server.problems import Trace, problem
from graph.subscriptions.peers import Peers

GRAPHQL_PATH = "/graphql"
HEALTH_PATH = "/api/v1/health"
READY_PATH = "/api/v1/ready"

logger = logging.getLogger(__name__)

Check = Callable[[], Awaitable[None]]
"""Raises `Unavailable` where the thing that it looks at does not answer."""

SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]
NOTHING_ALLOWED = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


@dataclass(frozen=True, slots=True)
class ServerParts:
    """What the application is assembled from. `documents` are JSON documents that anybody may read, by path."""

    in_service: InService
    authenticator: Authenticator
    cors: Cors
    page: Page
    live: Live
    max_payload_bytes: int
    body_timeout: float
    checks: Mapping[str, Check] = field(default_factory=dict)
    documents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    peers: Peers | None = None
    """The other processes that answer at the same address, None where there are none."""
    downloads: Mapping[str, Downloads] = field(default_factory=dict)
    """Files that whoever has a link may read; by the path that stands before the link's token, both its ends a slash."""
    hosts: frozenset[str] | None = None
    """Names that the Host header may have, None for any: a server without tokens answers to loopback's names only, or a page could
    point a name of its own at it and read along (DNS rebinding)."""


class Application:
    """Serves one gateway; `on_close` is awaited when the server stops."""

    def __init__(self, parts: ServerParts, on_close: Callable[[], Awaitable[None]]) -> None:
        self._parts, self._on_close = parts, on_close
        self._stopping = False
        self._streams = EventStreams(parts.live, parts.peers)
        self._routes: dict[str, Callable[[Exchange, Receive], Awaitable[Reply]]] = {
            "/": self._home,
            GRAPHQL_PATH: self._graphql,
            HEALTH_PATH: self._health,
            READY_PATH: self._ready,
            **dict.fromkeys(parts.documents, self._document),
        }

    @property
    def in_service(self) -> InService:
        return self._parts.in_service

    def stop(self) -> None:
        """Asks for no more work: whoever asks whether the server is ready hears that it is not."""
        self._stopping = True

    async def drain(self, seconds: float) -> None:
        """Sends live clients away; those that something is under way for are given so long."""
        await self._parts.live.drain(seconds)

    async def close(self) -> None:
        """What a server does at its end."""
        await self._parts.live.close()
        await self._on_close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = read_exchange(scope)
        REQUEST.set(LoggedRequest(exchange.trace))
        try:
            reply = await self._reply(exchange, receive)
        except CityGraphError as error:
            reply = problem_reply(error, exchange.trace)
        except Exception:
            logger.exception("a request to %s failed", exchange.path)
            fault = InternalError("the server failed; its log has the reason under this request's identifier")
            reply = problem_reply(fault, exchange.trace)
        always = [
            *SECURITY_HEADERS,
            (b"x-request-id", exchange.trace.request_id.encode()),
            *self._parts.cors.headers(exchange.headers.get("origin")),
        ]
        if reply.media != HTML or reply.streamed is not None:
            always.append(NOTHING_ALLOWED)
        await send_reply(reply, always, receive, send, head=exchange.method == "HEAD")

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = read_exchange(scope)
        REQUEST.set(LoggedRequest(exchange.trace))
        await receive()
        try:
            self._check_host(exchange)
            self._parts.cors.check_socket(exchange.headers)
            if exchange.path != GRAPHQL_PATH:
                raise NotFound(f"there is nothing at {exchange.path[:200]!r}")
            await serve_websocket(self._parts.live, exchange, scope["subprotocols"], receive, send)
        except CityGraphError as error:
            reply = problem_reply(error, exchange.trace)
            headers = [*SECURITY_HEADERS, (b"content-type", PROBLEM.encode())]
            headers += [(name.encode(), value.encode()) for name, value in reply.headers.items()]
            await send({"type": "websocket.http.response.start", "status": reply.status, "headers": headers})
            await send({"type": "websocket.http.response.body", "body": reply.body})

    def _check_host(self, exchange: Exchange) -> None:
        if self._parts.hosts is not None and host_name(exchange.headers.get("host", "")) not in self._parts.hosts:
            raise BadRequest(f"the Host header must be one of {', '.join(sorted(self._parts.hosts))}")

    async def _reply(self, exchange: Exchange, receive: Receive) -> Reply:
        self._check_host(exchange)
        route = self._routes.get(exchange.path) or self._download_route(exchange.path)
        if route is None:
            raise NotFound(f"there is nothing at {exchange.path[:200]!r}")
        if exchange.method == "OPTIONS":
            return self._parts.cors.preflight(exchange.headers)
        return await route(exchange, receive)

    async def _graphql(self, exchange: Exchange, receive: Receive) -> Reply:
        _allow(exchange, "GET", "POST", "PUT", "DELETE")
        accept, reading = exchange.headers.get("accept"), exchange.method != "POST"
        if reading and prefers_html(accept):
            return self._parts.page.reply
        if exchange.method in ("PUT", "DELETE") or TOKEN_HEADER in exchange.headers or prefers_event_stream(accept):
            return await self._events(exchange, receive)
        media, form = answer_type(accept), parts_form(accept)
        if media is None and form is None:
            raise NotAcceptable(f"the answer can be {' or '.join(OFFERED)}: the Accept header allows neither")
        principal = await self._parts.authenticator.principal(exchange.headers)
        request = await self._request(exchange, receive, principal)
        context = RequestContext(principal, exchange.trace.request_id, exchange.headers)
        lease = self._parts.in_service.current
        with lease as pipeline:
            if form is None or exchange.method == "HEAD":
                answer = await pipeline.answer(request, context, exchange.trace, read_only=reading)
            else:
                answer = await pipeline.answer_in_parts(request, context, exchange.trace, read_only=reading)
                if answer.rest is not None or media is None:
                    return parts_reply(answer, form, lease)
        return graphql_reply(answer, media or JSON)

    async def _request(self, exchange: Exchange, receive: Receive, principal: Principal) -> GraphQLRequest:
        """By GET or POST."""
        if exchange.method != "POST":
            request = read_get(exchange.query, exchange.headers)
        else:
            check_content_type(exchange.headers)
            body = await read_body(exchange, receive, max_bytes=self._parts.max_payload_bytes, seconds=self._parts.body_timeout)
            request = await received(body)
        if logged := REQUEST.get():
            logged.principal, logged.tenant, logged.operation = principal.subject, principal.tenant, request.operation_name
        return request

    async def _events(self, exchange: Exchange, receive: Receive) -> Reply:
        """GraphQL over server-sent events; the results of an operation, or of many."""
        token, as_events = stream_token(exchange), prefers_event_stream(exchange.headers.get("accept"))
        if exchange.method == "GET" and as_events and token is not None:
            return await self._streams.open(exchange, token)
        caller = await self._parts.live.admission.admit({}, exchange.headers)
        if exchange.method == "PUT":
            return await self._streams.reserve(caller)
        if exchange.method == "DELETE":
            await self._streams.stop(token or "", caller, operation_id(parameters(exchange.query)))
            return Reply(200)
        request = await self._request(exchange, receive, caller.principal)
        if as_events:
            return await self._streams.distinct(exchange, caller, request, read_only=exchange.method != "POST")
        refused = await self._streams.start(token or "", caller, request)
        return Reply(202) if refused is None else graphql_reply(refused, GRAPHQL_RESPONSE)

    async def _home(self, exchange: Exchange, receive: Receive) -> Reply:
        _allow(exchange, "GET")
        return Reply(307, headers={"location": GRAPHQL_PATH})

    async def _health(self, exchange: Exchange, receive: Receive) -> Reply:
        """Alive, whatever else does not answer: a restart would not help."""
        _allow(exchange, "GET")
        return json_reply(200, {"status": "UP"})

    async def _ready(self, exchange: Exchange, receive: Receive) -> Reply:
        _allow(exchange, "GET")
        if self._stopping:
            raise Unavailable("the server is stopping")
        for name, check in self._parts.checks.items():
            try:
                await check()
            except Unavailable as error:
                raise Unavailable(f"{name} does not answer: {error.detail}") from error
        return json_reply(200, {"status": "UP", "checks": sorted(self._parts.checks), "schema": self._parts.in_service.state()})

    async def _document(self, exchange: Exchange, receive: Receive) -> Reply:
        _allow(exchange, "GET")
        return json_reply(200, self._parts.documents[exchange.path])

    def _download_route(self, path: str) -> Callable[[Exchange, Receive], Awaitable[Reply]] | None:
        return self._download if any(path.startswith(prefix) for prefix in self._parts.downloads) else None

    async def _download(self, exchange: Exchange, receive: Receive) -> Reply:
        _allow(exchange, "GET")
        prefix = next(prefix for prefix in self._parts.downloads if exchange.path.startswith(prefix))
        found = await self._parts.downloads[prefix](exchange.path.removeprefix(prefix))
        headers = {"content-disposition": content_disposition(found.name)}
        return Reply(200, media=found.media_type, headers=headers, streamed=Streamed(found.size, found.content))

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})


def graphql_reply(answer: Answer, media: str) -> Reply:
    """Only `application/graphql-response+json` shows a request error in its status, see `negotiation`; that a caller lacks a right is
    no error of GraphQL, and shows in any."""
    return Reply(answer.status if media == GRAPHQL_RESPONSE or answer.forbidden else 200, json_codec.dumps(answer.body), _utf8(media))


def json_reply(status: int, content: Mapping[str, Any]) -> Reply:
    return Reply(status, json_codec.dumps(content), JSON)


def problem_reply(error: CityGraphError, trace: Trace) -> Reply:
    """RFC 9457, with the headers that belong to a status (RFC 9110 §15.5, RFC 6750 §3)."""
    headers: dict[str, str] = {}
    if isinstance(error, Unauthenticated):
        headers["www-authenticate"] = 'Bearer realm="citygraph"'
        if "send `Authorization" not in error.detail:
            headers["www-authenticate"] += ', error="invalid_token"'
    elif isinstance(error, MethodNotAllowed):
        headers["allow"] = "GET, POST"
    elif isinstance(error, Unavailable):
        headers["retry-after"] = "5"
    return Reply(error.status, json_codec.dumps(problem(error, trace)), PROBLEM, headers)


def host_name(header: str) -> str:
    """The Host header without its port; IPv6 addresses keep their brackets."""
    return (header[: header.index("]") + 1] if header.startswith("[") and "]" in header else header.partition(":")[0]).lower()


def _utf8(media: str) -> str:
    return f"{media}; charset=utf-8"


def _allow(exchange: Exchange, *methods: str) -> None:
    if exchange.method not in methods and not (exchange.method == "HEAD" and "GET" in methods):
        raise MethodNotAllowed(f"{exchange.method} is not possible at {exchange.path}: use {' or '.join(methods)}")
