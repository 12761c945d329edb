"""Which pages of other origins may call (Fetch standard, CORS protocol): those on the allow-list, and without credentials.

Tokens travel in a header that the page sets itself, so cookies are never needed, and a wildcard gives nothing away but the API.
"""

from collections.abc import Mapping, Sequence

from graph.errors import Forbidden
from graph.server.exchange import Reply

ANY_ORIGIN = "*"
ALLOWED_HEADERS = (
    "accept, authorization, content-type, graphql-require-preflight, idempotency-key, traceparent, x-request-id, "
    "x-graphql-event-stream-token"
)
EXPOSED_HEADERS = "x-request-id, retry-after, www-authenticate"
PREFLIGHT_SECONDS = "600"


class Cors:
    """Answers by the allow-list `origins`; scheme, host and port must match exactly."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = frozenset(origin.rstrip("/") for origin in origins)

    def headers(self, origin: str | None) -> list[tuple[bytes, bytes]]:
        """What every response to `origin` carries; the answer depends on it, so caches are told."""
        vary = [(b"vary", b"Origin")] if self._origins else []
        if not self._allows(origin):
            return vary
        return [
            *vary,
            (b"access-control-allow-origin", str(origin).encode("latin-1")),
            (b"access-control-expose-headers", EXPOSED_HEADERS.encode()),
        ]

    def preflight(self, headers: Mapping[str, str]) -> Reply:
        """The browser's question before a request (its origin's headers are added like everywhere)."""
        if not self._allows(headers.get("origin")):
            return Reply(204)
        return Reply(
            204,
            headers={
                "access-control-allow-methods": "GET, POST, PUT, DELETE",
                "access-control-allow-headers": ALLOWED_HEADERS,
                "access-control-max-age": PREFLIGHT_SECONDS,
            },
        )

    def check_socket(self, headers: Mapping[str, str]) -> None:
        """Raises `Forbidden` for a foreign page: to a WebSocket a browser applies no protection of its own."""
        origin = headers.get("origin")
        if origin is not None and not self._allows(origin) and origin.partition("://")[2] != headers.get("host"):
            raise Forbidden(f"pages of {origin[:200]!r} may not connect (CORS_ALLOWED_ORIGINS)")

    def _allows(self, origin: str | None) -> bool:
        return origin is not None and (ANY_ORIGIN in self._origins or origin in self._origins)
