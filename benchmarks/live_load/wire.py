"""A WebSocket client's bytes (RFC 6455), as far as a subscriber needs them: the servers measured here send no message in fragments."""

import base64
import json
import os

PROTOCOL = "graphql-transport-ws"
TEXT, CLOSE, PING = 0x1, 0x8, 0x9
_FIN, _MASKED = 0x80, 0x80
_NO_MASK = bytes(4)
"""A client must mask (§5.3); by a key of zeros the bytes stay what they are."""


def upgrade_request(port: int) -> bytes:
    lines = (
        "GET /graphql HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        f"Sec-WebSocket-Protocol: {PROTOCOL}",
        "",
        "",
    )
    return "\r\n".join(lines).encode()


def frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        head = bytes((_FIN | opcode, _MASKED | size))
    elif size < 65_536:
        head = bytes((_FIN | opcode, _MASKED | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((_FIN | opcode, _MASKED | 127)) + size.to_bytes(8, "big")
    return head + _NO_MASK + payload


def message(**members: object) -> bytes:
    return frame(TEXT, json.dumps(members).encode())


def frames(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The opcode and payload of each whole frame, and what is left over."""
    found: list[tuple[int, bytes]] = []
    at, end = 0, len(data)
    while end - at >= 2:
        size, start = data[at + 1], at + 2
        if size == 126:
            size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
        elif size == 127:
            size, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
        # A head that is cut off reads as too small a size, but ends after the data all the same.
        if start + size > end:
            break
        found.append((data[at] & 0x0F, data[start : start + size]))
        at = start + size
    return found, data[at:]
