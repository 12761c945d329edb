"""How an error looks to a client: a GraphQL error whose `extensions` are also a problem (RFC 9457), or a problem by itself.

One place decides, so that an error carries the same members whether a slice, a remote subgraph or the server itself raised it.
The HTTP status of a whole answer is decided in `answers`, because it depends on what the client accepts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from graphql import GraphQLError

from graph.errors import CityGraphError, SubgraphError


@dataclass(frozen=True, slots=True)
class Trace:
    """What ties an error to the log: the request's identifier and its trace's (W3C Trace Context, 32 hexadecimal digits)."""

    request_id: str
    trace_id: str

    @property
    def instance(self) -> str:
        return f"urn:citygraph:request:{self.request_id}"


def new_trace() -> Trace:
    """For what no request of its own brought, with one identifier for both."""
    identifier = uuid4()
    return Trace(str(identifier), identifier.hex)


def error_classes(root: type[CityGraphError] = CityGraphError) -> dict[str, type[CityGraphError]]:
    """Every code and the class that bears it; what subclasses inherit is their parent's."""
    found = {root.code: root}
    for child in root.__subclasses__():
        found = {**error_classes(child), **found}
    return found


def problem(error: CityGraphError, trace: Trace) -> dict[str, Any]:
    """RFC 9457's members, ours (`errorCode`, `traceId`), and the error as GraphQL clients read it."""
    members = _members(error, error.detail, error.code, trace)
    return {**members, "code": error.code, **error.extensions, "errors": [graphql_error(error, trace)]}


def graphql_error(error: CityGraphError, trace: Trace, locations: Sequence[Mapping[str, int]] | None = None) -> dict[str, Any]:
    """A request error: it has no path, since nothing was executed."""
    members = _members(error, error.detail, error.code, trace)
    placed = {"locations": [dict(location) for location in locations]} if locations else {}
    return {"message": error.detail, **placed, "extensions": {**members, "code": error.code, **error.extensions}}


def syntax_errors(kind: type[CityGraphError], errors: Sequence[GraphQLError], trace: Trace) -> list[dict[str, Any]]:
    """graphql-core's own errors about a document or its variables, as errors of `kind`."""
    return [
        graphql_error(kind(error.message), trace, [{"line": at.line, "column": at.column} for at in error.locations or ()])
        for error in errors
    ]


def complete(error: dict[str, Any], trace: Trace) -> dict[str, Any]:
    """Adds the problem's members to an error of execution; what a foreign subgraph put in its extensions stays.

    An error without a code, or with one that is not ours, is the subgraph's: the code is kept, the problem is `SUBGRAPH_ERROR`.
    """
    extensions = error.get("extensions")
    extensions = extensions if isinstance(extensions, dict) else {}
    code = extensions.get("code")
    code = code if isinstance(code, str) else SubgraphError.code
    kind = _CLASSES.get(code, SubgraphError)
    return {**error, "extensions": {**_members(kind, str(error.get("message")), code, trace), **extensions, "code": code}}


def _members(kind: CityGraphError | type[CityGraphError], detail: str, code: str, trace: Trace) -> dict[str, Any]:
    return {
        "type": problem_type(kind.code),
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": trace.instance,
        "errorCode": code,
        "traceId": trace.trace_id,
    }


def problem_type(code: str) -> str:
    """The same name as `CityGraphError.type`, for a class of error."""
    return f"urn:citygraph:problem:{code.lower().replace('_', '-')}"


_CLASSES = error_classes()
