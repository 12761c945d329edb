"""What the configuration says of a federation: its subgraphs, how each is reached, which headers they get, what of the API is shown.

These settings have structure, so they stand in the YAML file only.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

NEVER_FORWARDED: Final = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer", "trailers"),
        *("transfer-encoding", "upgrade", "http2-settings", "host", "content-length", "content-type", "content-encoding"),
        *("accept", "accept-encoding", "expect"),
    }
)
"""Of one connection, or of one message (RFC 9110 §7.6.1): in another they would be wrong."""
MAX_RULES = 100
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")


def _header_name(text: str) -> str:
    name = text.lower()
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{text!r} is not the name of a header")
    if name in NEVER_FORWARDED:
        raise ValueError(f"the header {text!r} belongs to one connection or message: it cannot be set by a rule")
    return name


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from None
    return text


def _header_value(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text.isprintable() or not text.isascii():
        raise ValueError("a header's value is one line of ASCII")
    return value


def _subgraph_url(text: str) -> str:
    parts = urlsplit(text)
    if not ((parts.scheme in ("http", "https") and parts.hostname) or (parts.scheme == "unix" and parts.path)):
        raise ValueError("expected an http or https URL, or unix:///path/to/socket?path=/graphql")
    return text


def _stream_url(text: str) -> str:
    parts = urlsplit(text)
    if not ((parts.scheme in ("ws", "wss", "http", "https") and parts.hostname) or (parts.scheme == "unix" and parts.path)):
        raise ValueError("expected a ws, wss, http or https URL, or unix:///path/to/socket?path=/graphql")
    return text


def _url_path(text: str) -> str:
    if not text.startswith("/") or not text.isascii() or not text.isprintable() or " " in text or "#" in text:
        raise ValueError("expected the path of a URL, with what must be percent-encoded: /subscriptions")
    return text


def _exactly_one(model: BaseModel, names: Sequence[str]) -> None:
    if sum(getattr(model, name) is not None for name in names) != 1:
        raise ValueError(f"expected exactly one of {', '.join(names)}")


HeaderName = Annotated[str, AfterValidator(_header_name)]
HeaderValue = Annotated[SecretStr, AfterValidator(_header_value)]
Pattern = Annotated[str, AfterValidator(_pattern)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Propagate(_Part):
    """Headers of the client: one by name, or all whose name fits a pattern entirely. `default` is sent where the client sent none."""

    named: HeaderName | None = None
    rename: HeaderName | None = None
    default: HeaderValue | None = None
    matching: Pattern | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        _exactly_one(self, ("named", "matching"))
        if self.matching is not None and (self.rename or self.default):
            raise ValueError("rename and default go with named, not with matching")
        return self


class Insert(_Part):
    """A header of the operator's."""

    name: HeaderName
    value: HeaderValue


class Remove(_Part):
    """Headers that an earlier rule would send."""

    named: HeaderName | None = None
    matching: Pattern | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        _exactly_one(self, ("named", "matching"))
        return self


class HeaderRule(_Part):
    """One of the three."""

    propagate: Propagate | None = None
    insert: Insert | None = None
    remove: Remove | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        _exactly_one(self, ("propagate", "insert", "remove"))
        return self


HeaderRules = Annotated[tuple[HeaderRule, ...], Field(max_length=MAX_RULES)]


class Contract(_Part):
    """Tags: what has none of `include` (where that is not empty), or one of `exclude`, is not part of the public API."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class StreamProtocol(StrEnum):
    """How a subgraph sends events: over a WebSocket, or over SSE in its mode of distinct connections."""

    GRAPHQL_TRANSPORT_WS = "graphql-transport-ws"
    SSE = "sse"


class AfterReconnect(StrEnum):
    """What becomes of a subscription once its subgraph is back: it ends with `RESYNC_REQUIRED`, or goes on and says that there is a gap."""

    RESYNC = "resync"
    CONTINUE = "continue"


class Subscriptions(_Part):
    """How the events of a subgraph are reached, and what they may cost. Without `url` and `path`, they are at the subgraph's own URL."""

    protocol: StreamProtocol = StreamProtocol.GRAPHQL_TRANSPORT_WS
    url: Annotated[str, AfterValidator(_stream_url)] | None = None
    path: Annotated[str, AfterValidator(_url_path)] | None = None
    on_reconnect: AfterReconnect = AfterReconnect.RESYNC
    reconnect_s: Annotated[float, Field(ge=0, le=3_600)] = 60.0
    keep_alive_s: Annotated[float, Field(gt=0, le=3_600)] = 20.0
    silence_s: Annotated[float, Field(gt=0, le=86_400)] | None = None
    max_message_kb: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    max_waiting: Annotated[int, Field(ge=1, le=1_000_000)] = 1_000
    max_connections: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    max_per_connection: Annotated[int, Field(ge=1, le=100_000)] = 1_000

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.url is not None and self.path is not None:
            raise ValueError("url and path exclude each other")
        return self


class SubgraphSource(_Part):
    """A subgraph: where it answers, and how it is spoken to. Without `schema`, it is asked for its schema."""

    url: Annotated[str, AfterValidator(_subgraph_url)]
    schema_file: Path | None = Field(default=None, alias="schema")
    headers: HeaderRules = ()
    ca_file: Path | None = None
    persisted_queries: bool = False
    max_batch: Annotated[int, Field(ge=1, le=100)] = 1
    subscriptions: Subscriptions = Subscriptions()


def resolve_paths(content: dict[str, Any], folder: Path) -> None:
    """Makes the paths of subgraphs in a configuration relative to its folder, in place."""
    subgraphs = content.get("subgraphs")
    for source in subgraphs.values() if isinstance(subgraphs, dict) else ():
        for name in ("schema", "ca_file"):
            if isinstance(source, dict) and isinstance(source.get(name), str):
                source[name] = folder / source[name]
