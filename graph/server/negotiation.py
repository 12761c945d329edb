"""Which media type an answer has, and what status goes with it (GraphQL over HTTP, "Content negotiation" and its appendix).

`application/graphql-response+json` says by its status what became of the operation. With `application/json`, which is also what a
client gets that names nothing, every well-formed request is answered with 200, because such an answer could come from anybody.
"""

from dataclasses import dataclass
from functools import lru_cache

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
HTML = "text/html"
PROBLEM = "application/problem+json"
EVENT_STREAM = "text/event-stream"
OFFERED = (JSON, GRAPHQL_RESPONSE)


@dataclass(frozen=True, slots=True)
class Preference:
    """One media range of an Accept header (RFC 9110 §12.5.1)."""

    media: str
    quality: float
    position: int
    parameters: tuple[str, ...] = ()


@lru_cache(maxsize=256)
def answer_type(accept: str | None) -> str | None:
    """The media type of a GraphQL answer, None where the client accepts none that is offered."""
    if accept is None or not accept.strip():
        return JSON
    best: tuple[float, int, str] | None = None
    for offered in OFFERED:
        match = _match(offered, preferences(accept))
        if match is not None and match.quality > 0:
            rank = (match.quality, -match.position, offered)
            best = rank if best is None or rank[:2] > best[:2] else best
    return best[2] if best else None


@lru_cache(maxsize=256)
def prefers_html(accept: str | None) -> bool:
    """Whether a person's browser asks: it names HTML, and no GraphQL media type before it."""
    if accept is None:
        return False
    named = {preference.media for preference in preferences(accept) if preference.quality > 0}
    return HTML in named and not named & {JSON, GRAPHQL_RESPONSE}


@lru_cache(maxsize=256)
def prefers_event_stream(accept: str | None) -> bool:
    """Whether the results are asked for as events: by name, and before any type of a single answer."""
    named = [one for one in preferences(accept or "") if one.media in (EVENT_STREAM, *OFFERED) and one.quality > 0]
    return bool(named) and min(named, key=lambda one: (-one.quality, one.position)).media == EVENT_STREAM


def preferences(accept: str) -> list[Preference]:
    """What an Accept header names, in lower case and in its order."""
    found = []
    for position, part in enumerate(accept.split(",")[:50]):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    quality = min(max(float(parameter[2:]), 0.0), 1.0)
                except ValueError:
                    quality = 0.0
        found.append(Preference(media, quality, position, tuple(parameters)))
    return found


def _match(offered: str, preferences: list[Preference]) -> Preference | None:
    """The most specific range that covers the media type; its quality counts even where a wider one has a higher one."""
    for candidate in (offered, f"{offered.partition('/')[0]}/*", "*/*"):
        for preference in preferences:
            if preference.media == candidate:
                return preference
    return None
