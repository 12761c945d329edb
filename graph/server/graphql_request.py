"""GraphQL over HTTP, the request's side: from a body or a query string to a `GraphQLRequest`, or a clear refusal."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from graph import json_codec
from graph.errors import BadRequest, Forbidden, UnsupportedMediaType
from graph.server.messages import GraphQLRequest
from graph.server.negotiation import JSON

MAX_PARAMETERS = 20
PREFLIGHT_HEADERS = ("authorization", "x-requested-with", "graphql-require-preflight", "apollo-require-preflight")
"""None of these can be sent across origins by a page without the browser's asking first (Fetch standard, CORS-safelisted headers)."""


INLINE_BYTES = 262_144
"""Up to this length a body is read on the event loop, which takes it 3 ms at most."""


def check_content_type(headers: Mapping[str, str]) -> None:
    """JSON in UTF-8 only. A page of another origin cannot send that unasked, which is our protection against CSRF too."""
    media, _, parameters = headers.get("content-type", "").lower().partition(";")
    if media.strip() != JSON:
        found = f"is {media.strip()!r}" if media.strip() else "is missing"
        raise UnsupportedMediaType(f"the Content-Type {found}: {JSON!r} is expected")
    charset = parameters.replace('"', "").partition("charset=")[2].partition(";")[0].strip()
    if charset not in ("", "utf-8", "utf8"):
        raise UnsupportedMediaType(f"the body's charset is {charset!r}: JSON is sent in UTF-8")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("a compressed body cannot be read: send it without Content-Encoding")


async def received(body: bytes) -> GraphQLRequest:
    """`read_post`, without holding the event loop up for a large body."""
    if len(body) <= INLINE_BYTES:
        return read_post(body)
    return await asyncio.to_thread(read_post, body, json_codec.loads_in_steps)


def read_post(body: bytes, loads: Callable[[bytes], Any] = json_codec.loads) -> GraphQLRequest:
    """Raises `BadRequest` naming what is wrong with the body."""
    if not body:
        raise BadRequest("the body is empty: a JSON object with `query` is expected")
    try:
        content = loads(body)
    except ValueError as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    if isinstance(content, list):
        raise BadRequest("the body is a list: batches are not accepted, send one operation a request")
    if not isinstance(content, dict):
        raise BadRequest(f"the body is {_named(content)}: a JSON object with `query` is expected")
    return read_request(content)


def read_get(query_string: bytes, headers: Mapping[str, str]) -> GraphQLRequest:
    """Raises `Forbidden` where a foreign page could have made the request, `BadRequest` for its parameters."""
    if not any(name in headers for name in PREFLIGHT_HEADERS):
        raise Forbidden("a GET request needs a header that a foreign page cannot send: `GraphQL-Require-Preflight: 1`, say")
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise BadRequest(f"the query string is not UTF-8, or has more than {MAX_PARAMETERS} parameters") from None
    content: dict[str, Any] = dict(pairs)
    if len(content) != len(pairs):
        raise BadRequest("a parameter of the query string is given twice")
    for name in ("variables", "extensions"):
        if text := content.pop(name, ""):
            try:
                content[name] = json_codec.loads(text.encode())
            except ValueError as error:
                raise BadRequest(f"the parameter `{name}` is not JSON: {error}") from None
    return read_request({name: value for name, value in content.items() if value != ""})


def read_request(content: Mapping[str, Any]) -> GraphQLRequest:
    """From a JSON object; raises `BadRequest` naming what is wrong with it."""
    query = content.get("query")
    if query is None:
        raise BadRequest("`query` is missing: the GraphQL document")
    _expect("query", query, str, "a string")
    variables, name, extensions = (content.get(key) for key in ("variables", "operationName", "extensions"))
    if variables is not None:
        _expect("variables", variables, dict, "an object")
    if name is not None:
        _expect("operationName", name, str, "a string")
    if extensions is not None:
        _expect("extensions", extensions, dict, "an object")
    return GraphQLRequest(query, variables or {}, name or None, extensions or {})


def _expect(name: str, value: object, kind: type, described: str) -> None:
    if not isinstance(value, kind):
        raise BadRequest(f"`{name}` is {_named(value)}: {described} is expected")


def _named(value: object) -> str:
    """JSON's word for a value; the value itself may be long."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"
