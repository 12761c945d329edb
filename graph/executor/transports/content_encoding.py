"""Compressed answers: gzip and deflate (RFC 9110 §8.4.1), unpacked up to a limit, so that a small body cannot become a huge one."""

import zlib

_ANY_HEADER = 32
"""Added to zlib's window size, it reads gzip's and zlib's headers alike."""


class UnreadableContent(ValueError):
    """The content is not what its encoding says, or unpacks to more than is allowed."""


def decode(body: bytes, encoding: str, limit: int) -> bytes:
    """The plain bytes; raises `UnreadableContent`."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise UnreadableContent(f"the encoding {encoding!r} was not asked for")
    try:
        return _inflate(body, zlib.MAX_WBITS | _ANY_HEADER, limit)
    except zlib.error as error:
        if encoding == "deflate":  # some servers send it without zlib's header
            return _inflate_raw(body, limit)
        raise UnreadableContent(f"not {encoding}: {error}") from None


def _inflate_raw(body: bytes, limit: int) -> bytes:
    try:
        return _inflate(body, -zlib.MAX_WBITS, limit)
    except zlib.error as error:
        raise UnreadableContent(f"not deflate: {error}") from None


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    plain = bytearray()
    while body:
        reader = zlib.decompressobj(window)
        plain += reader.decompress(body, limit + 1 - len(plain))
        if len(plain) > limit:
            raise UnreadableContent(f"unpacks to more than {limit} bytes")
        if not reader.eof:
            raise UnreadableContent("ends too early")
        body = reader.unused_data  # gzip may consist of several members
    return bytes(plain)
