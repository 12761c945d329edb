"""A file on its way to a client, as the server sends it and whoever has it gives it."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Download:
    """`size` in bytes. `content` ends with an error where it would otherwise be other bytes than promised."""

    name: str
    media_type: str
    size: int
    content: AsyncIterator[bytes]


Downloads: TypeAlias = Callable[[str], Awaitable[Download]]
"""The file that a token in a link gives access to. Raises `NotFound` or `Forbidden`."""


def content_disposition(file_name: str) -> str:
    """To be saved, never shown in place (RFC 6266); the name in full for those who read RFC 8187, in ASCII for the others."""
    ascii_name = re.sub(r"[^A-Za-z0-9 ._()-]", "_", file_name)
    encoded = "".join(char if re.fullmatch(r"[A-Za-z0-9._-]", char) else _percent(char) for char in file_name)
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{encoded}"


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "replace"))
