"""How much text and JSON a row may hold, and what no store takes: checked before anything is written.

PostgreSQL keeps no null character in text or `jsonb`; SQLite would, so the check keeps the stores alike.
"""

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

import orjson

from graph.errors import BadUserInput

__all__ = ["check_json", "check_text", "json_text"]

MAX_DEPTH = 64


def check_text(name: str, text: str, most: int, *, least: int = 0) -> None:
    """Raises `BadUserInput` where the text is too long, blank though something is needed, or holds a null character."""
    if len(text) > most or len(text) < least or (least and not text.strip()) or "\0" in text:
        wanted = f"at most {most:,} characters" if not least else f"{least} to {most:,} characters, not all of them blank"
        raise BadUserInput(f"`{name}` has {len(text):,} characters: expected {wanted}, none of them null")


def check_json(name: str, value: Any, most: int, *, depth: int = MAX_DEPTH) -> None:
    """Raises `BadUserInput` where the JSON is longer than `most` characters, too deep, or holds a null character or no number."""
    json_text(name, value, most, depth=depth)


def json_text(name: str, value: Any, most: int, *, depth: int = MAX_DEPTH) -> bytes:
    """The value as compact JSON; raises `BadUserInput` as `check_json` does, and where a string holds half a surrogate pair."""
    try:
        if _beyond(value, depth):
            raise BadUserInput(f"`{name}` is nested more than {depth} levels deep, or holds a null character")
        text = _compact(value)
    except (TypeError, ValueError) as error:
        raise BadUserInput(f"`{name}` is no JSON: {error}") from None
    length = len(text) if len(text) <= most else len(text.decode())
    if length > most:
        raise BadUserInput(f"`{name}` has {length:,} characters as JSON: expected at most {most:,}")
    return text


def _compact(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # an integer of more than 64 bits, perhaps
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _beyond(value: Any, levels: int) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, float):
        if not isfinite(value):
            raise ValueError(f"{value} is not finite")
        return False
    if isinstance(value, Mapping):
        return levels < 1 or any("\0" in key or _beyond(item, levels - 1) for key, item in value.items())
    if isinstance(value, list):
        return levels < 1 or any(_beyond(item, levels - 1) for item in value)
    return False
