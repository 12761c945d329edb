"""The one tree of errors. Each class has a stable code, an HTTP status and a problem type (RFC 9457).

CityGraphError
├── BadUserInput            BAD_USER_INPUT             400
├── GraphQLParseFailed      GRAPHQL_PARSE_FAILED       400
├── GraphQLValidationFailed GRAPHQL_VALIDATION_FAILED  400
│   └── IntrospectionDisabled INTROSPECTION_DISABLED   400
├── BadRequest              BAD_REQUEST                400
├── Unauthenticated         UNAUTHENTICATED            401
├── Forbidden               FORBIDDEN                  403
├── NotFound                NOT_FOUND                  404
├── MethodNotAllowed        METHOD_NOT_ALLOWED         405
├── NotAcceptable           NOT_ACCEPTABLE             406
├── RequestTimeout          REQUEST_TIMEOUT            408
├── Conflict                CONFLICT                   409
│   ├── IdempotencyKeyReused IDEMPOTENCY_KEY_REUSED    409
│   └── ResyncRequired      RESYNC_REQUIRED            409
├── PayloadTooLarge         PAYLOAD_TOO_LARGE          413
├── UnsupportedMediaType    UNSUPPORTED_MEDIA_TYPE     415
├── RateLimited             RATE_LIMITED               429
├── InternalError           INTERNAL_SERVER_ERROR      500
├── SubgraphError           SUBGRAPH_ERROR             502
└── Unavailable             UNAVAILABLE                503

`docs/errors.md` explains each code to users; a test holds that page against this tree. Errors that a person meets at start-up
(a bad setting, a supergraph that does not compose) have classes of their own beside the code that raises them.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class CityGraphError(Exception):
    """Base of every error that may reach a client; `extensions` are added to the GraphQL error as they are."""

    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal server error"

    def __init__(self, detail: str, *, extensions: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extensions: dict[str, Any] = dict(extensions or {})

    @property
    def type(self) -> str:
        """The problem type: a URN, because it names and does not locate."""
        return f"urn:citygraph:problem:{self.code.lower().replace('_', '-')}"


class BadUserInput(CityGraphError):
    """An argument or a variable has a value that the field cannot take."""

    code, status, title = "BAD_USER_INPUT", 400, "Bad user input"


class GraphQLParseFailed(CityGraphError):
    """The document is not GraphQL."""

    code, status, title = "GRAPHQL_PARSE_FAILED", 400, "The GraphQL document could not be parsed"


class GraphQLValidationFailed(CityGraphError):
    """The document does not fit the schema."""

    code, status, title = "GRAPHQL_VALIDATION_FAILED", 400, "The GraphQL document is not valid"


class IntrospectionDisabled(GraphQLValidationFailed):
    """The document asks for the schema, which this server does not tell."""

    code, status, title = "INTROSPECTION_DISABLED", 400, "Introspection is disabled"


class BadRequest(CityGraphError):
    """The request is not one of GraphQL over HTTP."""

    code, status, title = "BAD_REQUEST", 400, "Bad request"


class Unauthenticated(CityGraphError):
    """No access token, or one that cannot be accepted."""

    code, status, title = "UNAUTHENTICATED", 401, "Authentication required"


class Forbidden(CityGraphError):
    """The caller is known and lacks the right."""

    code, status, title = "FORBIDDEN", 403, "Forbidden"


class NotFound(CityGraphError):
    """Nothing is visible to the caller under that identifier."""

    code, status, title = "NOT_FOUND", 404, "Not found"


class MethodNotAllowed(CityGraphError):
    """The HTTP method does not fit the path or the operation."""

    code, status, title = "METHOD_NOT_ALLOWED", 405, "Method not allowed"


class NotAcceptable(CityGraphError):
    """None of the media types that the client accepts can be given."""

    code, status, title = "NOT_ACCEPTABLE", 406, "Not acceptable"


class RequestTimeout(CityGraphError):
    """The operation, or the client's body, took longer than it may."""

    code, status, title = "REQUEST_TIMEOUT", 408, "Request timeout"


class Conflict(CityGraphError):
    """The state of the thing does not allow the change."""

    code, status, title = "CONFLICT", 409, "Conflict"


class IdempotencyKeyReused(Conflict):
    """The idempotency key was used before with another input."""

    code, status, title = "IDEMPOTENCY_KEY_REUSED", 409, "Idempotency key reused with other input"


class ResyncRequired(Conflict):
    """A subscription cannot go on without a gap: read the state anew, then subscribe anew."""

    code, status, title = "RESYNC_REQUIRED", 409, "Resynchronisation required"


class PayloadTooLarge(CityGraphError):
    """The request is larger than this server takes."""

    code, status, title = "PAYLOAD_TOO_LARGE", 413, "Payload too large"


class UnsupportedMediaType(CityGraphError):
    """The body is not JSON."""

    code, status, title = "UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported media type"


class RateLimited(CityGraphError):
    """The caller asks more often than it may."""

    code, status, title = "RATE_LIMITED", 429, "Too many requests"


class InternalError(CityGraphError):
    """A fault of this server; the detail is in its log, not in the answer."""

    code, status, title = "INTERNAL_SERVER_ERROR", 500, "Internal server error"


class SubgraphError(CityGraphError):
    """A subgraph answered with something that is not an answer."""

    code, status, title = "SUBGRAPH_ERROR", 502, "A subgraph failed"


class Unavailable(CityGraphError):
    """Something that is needed does not answer now; trying again later may help."""

    code, status, title = "UNAVAILABLE", 503, "Service unavailable"
