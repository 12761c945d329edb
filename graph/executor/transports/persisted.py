"""Automatic persisted queries: a document's hash is sent in its place, and the text only to a subgraph that does not know it yet.

The protocol is Apollo's: `extensions.persistedQuery` with `sha256Hash`; the subgraph says PersistedQueryNotFound, or that it has no
store for them at all. Nothing was executed then, so a mutation may be sent again too.
"""

from enum import Enum
from functools import lru_cache
from hashlib import sha256

from graph.contracts import SubgraphResponse


class Persistence(Enum):
    """What a subgraph says to a hash."""

    KNOWN = "known"
    NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"


_MESSAGES = {"PersistedQueryNotFound": Persistence.NOT_FOUND, "PersistedQueryNotSupported": Persistence.NOT_SUPPORTED}


@lru_cache(maxsize=4_096)
def persisted_query(document: str) -> bytes:
    """The member `extensions` of the request's body."""
    digest = sha256(document.encode()).hexdigest()
    return b'"extensions":{"persistedQuery":{"version":1,"sha256Hash":"%s"}}' % digest.encode()


def persistence(response: SubgraphResponse) -> Persistence:
    """By code or by message: servers differ."""
    if response.data is not None:
        return Persistence.KNOWN
    for error in response.errors:
        if not isinstance(error, dict):
            continue
        extensions = error.get("extensions")
        code = extensions.get("code") if isinstance(extensions, dict) else None
        for told in (Persistence.NOT_FOUND, Persistence.NOT_SUPPORTED):
            if code == told.value or _MESSAGES.get(str(error.get("message"))) is told:
                return told
    return Persistence.KNOWN
