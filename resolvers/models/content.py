"""Contents and patches as they are kept: compact JSON text, compressed.

All of it takes time with the size (a second for the largest patch on the largest content): not for the event loop, but for
`asyncio.to_thread`.
"""

import json
import zlib

import orjson

from graph.errors import BadUserInput
from graph.json_codec import loads
from resolvers.models.records import JSONValue
from resolvers.stores.json_bounds import json_text

MAX_CONTENT = 5_000_000
"""Characters of a content's JSON."""
MAX_DEPTH = 64

_FAST = 1


def content_text(value: JSONValue) -> bytes:
    """The content as JSON text; raises `BadUserInput` where it is null, too large or too deep, or has what no JSON has."""
    if value is None:
        raise BadUserInput("`content` is null: a model needs a content")
    return json_text("content", value, MAX_CONTENT, depth=MAX_DEPTH)


def packed(text: bytes) -> bytes:
    return zlib.compress(text, _FAST)


def read_packed(packed_text: bytes) -> JSONValue:
    """A value of its own, which may be changed."""
    return loads(zlib.decompress(packed_text), exact_integers=True)


def canonical(value: JSONValue) -> bytes:
    """The same for values that are equal but for the order of members, and for no others: 1, 1.0 and true are three values."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # an integer of more than 64 bits
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
