"""Files beside the database: an object store, which is a folder by default, and S3, Azure or Google storage by URL.

It keeps bytes under keys, and says of what it took how long it is and its SHA-256; whoever needs the bytes to be the same later
keeps that hash and compares. Nothing here holds more than a few pieces of an object in memory, and every call has an end.
"""

import asyncio
import hashlib
import logging
import re
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, LocalStore, S3Store

from graph.downloads import content_disposition
from graph.errors import BadUserInput, NotFound, Unavailable

__all__ = ["ObjectInfo", "ObjectStore", "ObjectStoreUrlError", "StoredObject", "file_chunks", "key_segment"]

PIECE = 8 * 1024 * 1024
"""Bytes that are read at a time, and sent as one part of a large object: S3 takes parts of 5 MiB and more, and 10,000 of them."""
_PARTS_AT_ONCE = 2
_FOLDER_PIECE = 1024 * 1024
"""Bytes that are read from a folder at a time: there no request is saved by more, and many may be reading."""
_RETRIES = 3
_LONGEST_KEY = 512
_LONGEST_NAME = 120
_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_PLAIN = re.compile(r"[A-Za-z0-9-]")
_OPTIONS = ("endpoint", "region", "path_style", "allow_http")
_SCHEMES = ("s3", "az", "gs")

logger = logging.getLogger(__name__)

Backend = LocalStore | S3Store | AzureStore | GCSStore


class ObjectStoreUrlError(ValueError):
    """A URL that names no object store; the message never holds what could be a secret."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What was stored: its length in bytes, and the SHA-256 in hexadecimal of what was sent."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """`changed_at` in epoch milliseconds."""

    key: str
    size: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """One bucket, container or folder, or a part of it. Raises `Unavailable` where it does not do in time what it is asked.

    `seconds` is how long one piece may take, not a whole object.
    """

    backend: Backend = field(repr=False)
    seconds: float = 30.0

    @classmethod
    def open(cls, url: str, *, seconds: float = 30.0) -> "ObjectStore":
        """A folder (`file:///path`, or a path), `s3://bucket/prefix`, `az://account/container/prefix` or `gs://bucket/prefix`.

        Options stand in the query: `endpoint`, `region`, `path_style`, `allow_http`; credentials in the environment, under the
        names that each provider has given them (`AWS_ACCESS_KEY_ID` …). Raises `ObjectStoreUrlError`.
        """
        parts = urlsplit(url)
        if "://" not in url:
            return cls(_folder(Path(url)), seconds)
        if parts.scheme == "file":
            return cls(_folder(Path(unquote(parts.path))), seconds)
        if parts.scheme not in _SCHEMES:
            raise ObjectStoreUrlError(f"{parts.scheme!r} is no object store: expected file, s3, az or gs")
        if "@" in parts.netloc:
            raise ObjectStoreUrlError("credentials have no place in the URL: put them into the environment")
        if not parts.netloc:
            raise ObjectStoreUrlError(f"{parts.scheme}:// is followed by no bucket")
        return cls(_remote(parts.scheme, url.partition("?")[0], dict(parse_qsl(parts.query)), seconds), seconds)

    @property
    def signs(self) -> bool:
        """Whether the store itself can give out links; a folder cannot."""
        return not isinstance(self.backend, LocalStore)

    async def put(
        self, key: str, content: bytes | AsyncIterable[bytes], *, media_type: str | None = None, file_name: str | None = None
    ) -> StoredObject:
        """Stores all of it or nothing. The two names are told to whoever follows a link of the store's own."""
        source = _Measured(_pieces(content))
        attributes: Any = _attributes(media_type, file_name) if self.signs else None
        with self._explained("store", check_key(key)):
            async with asyncio.timeout(self.seconds) as deadline:
                first = await source.next()
                # What fits one request is sent as one: parts cost two more, whatever their number.
                whole = len(first) < PIECE
                body = first if whole else _renewed(first, source, deadline, self.seconds)
                await obstore.put_async(
                    self.backend,
                    key,
                    body,
                    attributes=attributes,
                    use_multipart=not whole,
                    chunk_size=PIECE,
                    max_concurrency=_PARTS_AT_ONCE,
                )
        return StoredObject(source.size, source.hash.hexdigest())

    async def get(self, key: str) -> AsyncIterator[bytes]:
        """The object piece by piece; raises `NotFound` before the first. One that is replaced meanwhile ends in `Unavailable`."""
        with self._explained("read", check_key(key)):
            async with asyncio.timeout(self.seconds):
                meta = await obstore.head_async(self.backend, key)
        step = PIECE if self.signs else _FOLDER_PIECE
        for start in range(0, meta["size"], step):
            with self._explained("read", key):
                async with asyncio.timeout(self.seconds):
                    options: Any = {"range": (start, min(start + step, meta["size"])), "if_match": meta["e_tag"]}
                    found = await obstore.get_async(self.backend, key, options=options)
                    piece = bytes(await found.bytes_async())
            yield piece

    async def delete(self, key: str) -> None:
        """Does nothing where there is nothing."""
        with self._explained("delete", check_key(key)):
            async with asyncio.timeout(self.seconds):
                try:
                    await obstore.delete_async(self.backend, key)
                except FileNotFoundError:
                    return

    async def list(self, prefix: str = "") -> AsyncIterator[ObjectInfo]:
        """What is stored under the prefix, which is whole segments of keys; in no order."""
        found = obstore.list(self.backend, check_key(prefix) if prefix else None, chunk_size=500).__aiter__()
        while True:
            with self._explained("list", prefix):
                async with asyncio.timeout(self.seconds):
                    try:
                        lot = await found.__anext__()
                    except StopAsyncIteration:
                        return
            for meta in lot:
                yield ObjectInfo(meta["path"], meta["size"], int(meta["last_modified"].timestamp() * 1000))

    async def signed_urls(self, keys: Sequence[str], expires_in: int) -> Sequence[str]:
        """Links that let anybody read for so many seconds; the store checks them, and does not compare hashes."""
        if isinstance(self.backend, LocalStore):
            raise NotImplementedError("a folder signs no links: ask `signs` first")
        with self._explained("sign a link to", keys[0] if keys else ""):
            async with asyncio.timeout(self.seconds):
                return await obstore.sign_async(self.backend, "GET", [check_key(key) for key in keys], timedelta(seconds=expires_in))

    @contextmanager
    def _explained(self, what: str, key: str) -> Iterator[None]:
        """Errors as ours. The store's own words go to the log: they name addresses and paths."""
        try:
            yield
        except FileNotFoundError:
            raise NotFound(f"There is no object {key!r}") from None
        except TimeoutError:
            logger.warning("the object store did not %s %r within %g s", what, key, self.seconds)
            raise Unavailable(f"The object store did not {what} {key!r} within {self.seconds:g} s") from None
        except (BaseError, OSError) as error:
            logger.warning("the object store could not %s %r: %s", what, key, _reason(error))
            raise Unavailable(f"The object store could not {what} {key!r}") from None


async def file_chunks(path: Path, *, read: Callable[[int], None] | None = None) -> AsyncIterator[bytes]:
    """A file's content, read outside of the event loop; `read` is told the length of each piece. Raises `BadUserInput`."""
    try:
        file = await asyncio.to_thread(path.open, "rb")
        try:
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece
                if read is not None:
                    read(len(piece))
        finally:
            await asyncio.to_thread(file.close)
    except OSError as error:
        raise BadUserInput(f"{path} cannot be read: {error.strerror}") from None


def key_segment(name: str) -> str:
    """Any name as one segment of a key; two names never share one. Long ones become a hash."""
    segment = "".join(
        char if _PLAIN.fullmatch(char) else "".join(f"_{byte:02x}" for byte in char.encode("utf-8", "surrogatepass")) for char in name
    )
    if segment and len(segment) <= _LONGEST_NAME and segment[0] != "-":
        return segment
    return "_sha256_" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def check_key(key: str) -> str:
    """The key, if it is one; a client's own words become part of one by `key_segment` only."""
    if len(key) > _LONGEST_KEY or not _KEY.fullmatch(key) or ".." in key:
        raise ValueError(f"{key[:80]!r} is no key of an object store")
    return key


class _Measured:
    """Pieces on their way into the store, counted and hashed."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces, self.size, self.hash = pieces, 0, hashlib.sha256()

    async def next(self) -> bytes:
        """Empty at the end."""
        piece = await anext(self._pieces, b"")
        self.size += len(piece)
        await asyncio.to_thread(self.hash.update, piece)
        return piece


async def _renewed(first: bytes, source: _Measured, deadline: asyncio.Timeout, seconds: float) -> AsyncIterator[bytes]:
    """Each piece that goes on its way gives the next one as much time again."""
    piece = first
    while piece:
        deadline.reschedule(asyncio.get_running_loop().time() + seconds)
        yield piece
        piece = await source.next()


async def _pieces(content: bytes | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The same bytes, all but the last piece at least `PIECE` long."""
    if isinstance(content, bytes):
        for start in range(0, len(content), PIECE):
            yield content[start : start + PIECE]
        return
    gathered = bytearray()
    async for chunk in content:
        gathered += chunk
        if len(gathered) >= PIECE:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


def _attributes(media_type: str | None, file_name: str | None) -> dict[str, str]:
    attributes = {} if media_type is None else {"Content-Type": media_type}
    return attributes if file_name is None else {**attributes, "Content-Disposition": content_disposition(file_name)}


def _folder(path: Path) -> LocalStore:
    """Made where it is missing, for its owner's eyes only."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return LocalStore(path.resolve())
    except (BaseError, OSError, ValueError) as error:
        raise ObjectStoreUrlError(f"{path} cannot be used as a folder: {_reason(error)}") from None


def _remote(scheme: str, address: str, options: dict[str, str], seconds: float) -> Backend:
    if unknown := sorted(set(options) - set(_OPTIONS)):
        raise ObjectStoreUrlError(f"{unknown[0]!r} is no option of an object store: expected {', '.join(_OPTIONS)}")
    config: dict[str, Any] = {name: options[name] for name in ("endpoint", "region") if name in options}
    if "path_style" in options:
        config["virtual_hosted_style_request"] = not _flag("path_style", options["path_style"])
    client: dict[str, Any] = {"timeout": timedelta(seconds=seconds), "connect_timeout": timedelta(seconds=min(seconds, 5))}
    if "allow_http" in options:
        client["allow_http"] = _flag("allow_http", options["allow_http"])
    retries: Any = {"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=seconds)}
    given: Any = {"config": config, "client_options": client, "retry_config": retries}
    try:
        match scheme:
            case "s3":
                return S3Store.from_url(address, **given)
            case "az":
                return AzureStore.from_url(address, **given)
            case _:
                return GCSStore.from_url(address, **given)
    except (BaseError, ValueError) as error:
        raise ObjectStoreUrlError(f"{scheme}:// cannot be opened: {_reason(error)}") from None


def _flag(name: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise ObjectStoreUrlError(f"{name} is {value!r}: expected true or false")
    return value == "true"


def _reason(error: Exception) -> str:
    """The first line, without a provider's XML, which repeats the request with its signature."""
    return (str(error).splitlines() or [type(error).__name__])[0].partition("<")[0][:300]
