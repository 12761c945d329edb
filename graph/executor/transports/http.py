"""Reaches a subgraph over HTTP: GraphQL over HTTP's POST, both of its media types read.

An answer counts if its body is a GraphQL response, whatever its status; everything else becomes a `SubgraphError` that says what came.
"""

import re
import ssl
from collections.abc import AsyncGenerator, Callable, Hashable, Mapping
from contextlib import aclosing
from functools import lru_cache
from typing import Any, Final

from graph.contracts import OperationKind, RequestContext, SubgraphRequest, SubgraphResponse
from graph.errors import SubgraphError
from graph.executor.transports.content_encoding import UnreadableContent, decode
from graph.executor.transports.http_batch import Batcher, Received
from graph.executor.transports.http_connection import ExchangeFailed, HttpResponse
from graph.executor.transports.http_pool import Pool, PoolLimits, parse_url
from graph.executor.transports.persisted import Persistence, persisted_query, persistence
from graph.executor.transports.upstream import Upstream
from graph.federation_config import Subscriptions
from graph.json_codec import InvalidJSON, dumps, loads

Headers = Callable[[RequestContext], Mapping[str, str]]

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIXED_HEADERS: Final = (
    "content-type: application/json\r\naccept: application/graphql-response+json, application/json\r\naccept-encoding: gzip, deflate\r\n"
)
_OWN_HEADERS: Final = frozenset(
    {"host", "content-type", "content-length", "accept", "accept-encoding", "connection", "transfer-encoding", "te", "upgrade", "expect"}
)


def trace_headers(context: RequestContext) -> Mapping[str, str]:
    """The request's name and trace, which every subgraph is told."""
    headers = {"x-request-id": context.request_id}
    traceparent = context.headers.get("traceparent")
    if traceparent is not None:
        headers["traceparent"] = traceparent
    return headers


class HttpTransport:
    """One subgraph at one URL, which is also where its event streams are unless `subscriptions` has another one.

    `headers` are sent besides those that HTTP and GraphQL need.

    With `persisted_queries`, documents are sent as hashes where the subgraph knows them; up to `max_batch` queries share a message.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        headers: Headers = trace_headers,
        limits: PoolLimits | None = None,
        tls: ssl.SSLContext | None = None,
        persisted_queries: bool = False,
        max_batch: int = 1,
        subscriptions: Subscriptions | None = None,
    ) -> None:
        origin = parse_url(url)
        self._name = name
        self._headers = headers
        self._limits = limits or PoolLimits()
        self._pool = Pool(origin, self._limits, (tls or ssl.create_default_context()) if origin.secure else None)
        self._persisted_queries = persisted_queries
        self._batcher = Batcher(name, self._post, max_batch) if max_batch > 1 else None
        self._upstream = Upstream(name, url, subscriptions or Subscriptions(), tls)
        self._head = f"POST {origin.target} HTTP/1.1\r\nhost: {origin.authority}\r\n{_FIXED_HEADERS}".encode("ascii")

    async def subscribe(self, request: SubgraphRequest, context: RequestContext) -> AsyncGenerator[SubgraphResponse, None]:
        own = trace_headers(context)
        headers = sendable({**self._headers(context), **request.headers})
        forwarded = {name: value for name, value in headers.items() if name not in own}
        told = {name: value for name, value in headers.items() if name in own}
        async with aclosing(self._upstream.events(request, forwarded, told)) as responses:
            async for response in responses:
                yield response

    async def execute(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        headers = self._headers(context)
        if request.headers:
            headers = {**headers, **request.headers}
        extensions = b""
        if self._persisted_queries:
            extensions = persisted_query(request.document)
            response = await self._ask(_body(request, b"", extensions), request.kind, headers)
            told = persistence(response)
            if told is Persistence.KNOWN:
                return response
            if told is Persistence.NOT_SUPPORTED:
                self._persisted_queries, extensions = False, b""
        return await self._ask(_body(request, _document(request.document), extensions), request.kind, headers)

    def caller(self, context: RequestContext) -> Hashable:
        """The headers that are forwarded, but for what is different with every request."""
        requests_own = trace_headers(context)
        return tuple(sorted((name, value) for name, value in self._headers(context).items() if name not in requests_own))

    async def close(self) -> None:
        await self._upstream.close()
        await self._pool.close()

    async def _ask(self, body: bytes, kind: OperationKind, headers: Mapping[str, str]) -> SubgraphResponse:
        repeatable = kind is OperationKind.QUERY
        if self._batcher is not None and repeatable:
            return self._response(await self._batcher.ask(body, headers))
        return self._response(await self._post(body, headers, repeatable))

    async def _post(self, body: bytes, headers: Mapping[str, str], repeatable: bool) -> Received:
        message = b"%s%scontent-length: %d\r\n\r\n%s" % (self._head, _header_lines(headers), len(body), body)
        try:
            response = await self._pool.send(message, repeatable=repeatable)
        except ExchangeFailed as failure:
            raise SubgraphError(f"subgraph {self._name!r} did not answer: {failure}") from failure
        return Received(response.status, self._read(response))

    def _read(self, response: HttpResponse) -> Any:
        try:
            plain = decode(response.body, response.content_encoding, self._limits.response_bytes)
            return loads(plain)
        except (UnreadableContent, InvalidJSON) as error:
            kind = response.content_type[:80] or "no content type"
            raise SubgraphError(
                f"subgraph {self._name!r} answered with status {response.status} and {kind}, which is not GraphQL: {error}"
            ) from None

    def _response(self, received: Received) -> SubgraphResponse:
        status, answer = received
        if not isinstance(answer, dict) or not ("data" in answer or "errors" in answer):
            raise SubgraphError(f"subgraph {self._name!r} answered with status {status} and JSON that is not a GraphQL response")
        errors, extensions = answer.get("errors"), answer.get("extensions")
        return SubgraphResponse(
            answer.get("data"),
            errors if isinstance(errors, list) else [],
            extensions if isinstance(extensions, dict) else {},
        )


def _body(request: SubgraphRequest, document: bytes, extensions: bytes) -> bytes:
    """`document` is the JSON string of the text, `extensions` a whole member; either may be left out."""
    query = b'"query":%s,' % document if document else b""
    name = b'"operationName":%s,' % dumps(request.operation_name) if request.operation_name is not None else b""
    more = b",%s" % extensions if extensions else b""
    return b'{%s%s"variables":%s%s}' % (query, name, dumps(request.variables), more)


@lru_cache(maxsize=4_096)
def _document(text: str) -> bytes:
    """A document as a JSON string: plans send the same ones again and again."""
    return dumps(text)


def _header_lines(headers: Mapping[str, str]) -> bytes:
    """What could end the line, or would contradict the message, is left out: values may come from a client."""
    lines = [f"{name}: {value}\r\n" for name, value in headers.items() if _may_send(name) and value.isprintable()]
    return "".join(lines).encode("latin-1", "ignore")


def sendable(headers: Mapping[str, str]) -> dict[str, str]:
    """The same choice for the clients of event streams, which write headers themselves; names in lower case."""
    return {
        name.lower(): value.encode("ascii", "ignore").decode()
        for name, value in headers.items()
        if _may_send(name) and value.isprintable() and not name.lower().startswith("sec-websocket-")
    }


@lru_cache(maxsize=1_024)
def _may_send(name: str) -> bool:
    return _TOKEN.fullmatch(name) is not None and name.lower() not in _OWN_HEADERS
