"""What the subscriptions of all slices share: the cursor that every event has, by which a client that was away comes back."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

from graph.errors import BadUserInput

_LONGEST = 200


def write_cursor(field: str, position: str | int) -> str:
    """Opaque to clients; belongs to the field alone."""
    return urlsafe_b64encode(f"{field}:{position}".encode()).decode().rstrip("=")


def read_cursor(field: str, cursor: str) -> str:
    """The position; raises `BadUserInput` where the cursor is none, or another field's."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode() if len(cursor) <= _LONGEST else ""
    except (ValueError, binascii.Error):
        text = ""
    name, _, position = text.partition(":")
    if not position:
        raise BadUserInput(f"{cursor[:64]!r} is not a cursor: expected one that an event of {field} had")
    if name != field:
        raise BadUserInput(f"The cursor comes from {name[:64]!r} and means nothing to {field!r}")
    return position


def read_number(field: str, cursor: str) -> int:
    """The same where positions are numbers."""
    position = read_cursor(field, cursor)
    if not (position.isdecimal() and position.isascii() and len(position) <= 18):
        raise BadUserInput(f"{cursor[:64]!r} is not a cursor: expected one that an event of {field} had")
    return int(position)
