"""The bytes of WebSocket messages (RFC 6455 §5.2): a server's frames are not masked, so that the same ones serve everybody."""

TEXT = 0x81
"""A whole text message: FIN, and opcode 1."""
MAX_REASON_BYTES = 123


def text_frame(data: bytes) -> bytes:
    size = len(data)
    if size < 126:
        return bytes((TEXT, size)) + data
    if size < 65_536:
        return bytes((TEXT, 126)) + size.to_bytes(2, "big") + data
    return bytes((TEXT, 127)) + size.to_bytes(8, "big") + data


def close_reason(text: str) -> str:
    """As much of it as a close frame holds."""
    return text.encode("utf-8", "replace")[:MAX_REASON_BYTES].decode("utf-8", "ignore")
