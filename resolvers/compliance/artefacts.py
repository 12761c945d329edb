"""Files of compliance: the links that lead to them for a while, and reading them only where they are what was stored.

An object store that signs links gives them out itself, and then checks them too. A folder cannot: its links lead to the gateway,
which finds in the token whose file it is and until when, under a signature that nobody else can make (HMAC-SHA-256).
"""

import asyncio
import hashlib
import hmac
import json
import logging
import os
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from graph.downloads import Download
from graph.errors import Forbidden, InternalError, NotFound
from resolvers.compliance import queries
from resolvers.compliance.records import Artefact, ArtefactKind, Key
from resolvers.stores.engine import Store
from resolvers.stores.objects import ObjectStore, key_segment

PATH = "/artefacts/"
_LONGEST_TOKEN = 4_096
_SECRET_BYTES = 32

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose file it is: a report or dataset of a tenant."""

    kind: ArtefactKind
    tenant: str
    key: Key


@dataclass(frozen=True, slots=True)
class Artefacts:
    """Where the files are, and how links to them are made. `lifetime` is a link's, in seconds.

    `public_url` stands before the path of a link that leads to the gateway; it is empty where nobody said by which name clients
    know it.
    """

    objects: ObjectStore
    secret: bytes = field(repr=False)
    public_url: str = ""
    lifetime: int = 900

    def expiry(self, now: int) -> int:
        """When a link that is asked for at `now` ends; epoch milliseconds, on a full second."""
        return (now // 1000 + self.lifetime) * 1000

    async def links(self, asks: Sequence[tuple[Owner, Artefact]], now: int) -> list[str]:
        """A link to each file. Raises `Unavailable` where the store cannot sign."""
        if self.objects.signs:
            return list(await self.objects.signed_urls([artefact.key for _, artefact in asks], self.lifetime))
        expiry = self.expiry(now)
        return [f"{self.public_url}{PATH}{self._token(owner, expiry)}" for owner, _ in asks]

    def _token(self, owner: Owner, expiry: int) -> str:
        city, uuid = owner.key
        claims = json.dumps([owner.kind, owner.tenant, city, uuid.hex, expiry], separators=(",", ":"))
        told = _encode(claims.encode())
        return f"{told}.{_encode(self._signature(told))}"

    def owner(self, token: str, now: int) -> Owner:
        """Whose file the token gives access to. Raises `NotFound` where we did not make it, `Forbidden` where its time is over."""
        told, _, signature = token.partition(".")
        # Nothing of a token is looked at before its signature.
        if (
            not self.secret
            or len(token) > _LONGEST_TOKEN
            or not hmac.compare_digest(_encode(self._signature(told)).encode(), signature.encode())
        ):
            raise NotFound("There is no such artefact: the link is incomplete, or was altered")
        kind, tenant, city, digits, expiry = json.loads(urlsafe_b64decode(told + "=" * (-len(told) % 4)))
        if now >= expiry:
            raise Forbidden("The link has expired: ask for `artefact { url }` again")
        return Owner(ArtefactKind(kind), tenant, (city, UUID(hex=digits)))

    def _signature(self, told: str) -> bytes:
        return hmac.digest(self.secret, b"citygraph artefact link 1\0" + told.encode(), "sha256")


def object_key(owner: Owner) -> str:
    """Where the object store keeps the file; what tenants store lies apart."""
    return f"{prefix(owner.tenant, owner.key[0], owner.kind)}/{owner.key[1]}"


def prefix(tenant: str, city: str, kind: ArtefactKind) -> str:
    return f"compliance/{key_segment(tenant)}/{key_segment(city)}/{kind}"


async def follow(store: Store, artefacts: Artefacts, token: str) -> Download:
    """The file that a link of ours leads to."""
    owner = artefacts.owner(token, time.time_ns() // 1_000_000)
    artefact = await queries.artefact(store, owner.tenant, owner.kind, owner.key)
    if artefact is None:
        raise NotFound(f"There is no {owner.kind} {owner.key[1]} any more")
    return await download(artefacts.objects, artefact)


async def check(objects: ObjectStore, artefact: Artefact) -> None:
    """Reads the whole file. Raises `InternalError` where it is missing, or its bytes are not those that were stored."""
    size, digest = 0, hashlib.sha256()
    try:
        async for piece in objects.get(artefact.key):
            size += len(piece)
            await asyncio.to_thread(digest.update, piece)
    except NotFound:
        raise _damaged(artefact, "is missing") from None
    if size != artefact.size:
        raise _damaged(artefact, f"has {size} bytes, where {artefact.size} were stored")
    if digest.hexdigest() != artefact.sha256:
        raise _damaged(artefact, f"has the SHA-256 {digest.hexdigest()}, where {artefact.sha256} was stored")


async def download(objects: ObjectStore, artefact: Artefact) -> Download:
    """The file, once it was checked as a whole. What changes between check and reading breaks off before its last piece."""
    await check(objects, artefact)
    return Download(artefact.name, artefact.media_type, artefact.size, _checked_again(objects, artefact))


async def _checked_again(objects: ObjectStore, artefact: Artefact) -> AsyncIterator[bytes]:
    digest, held = hashlib.sha256(), b""
    async for piece in objects.get(artefact.key):
        await asyncio.to_thread(digest.update, piece)
        if held:
            yield held
        held = piece
    if digest.hexdigest() != artefact.sha256:
        raise _damaged(artefact, "was changed while it was being read")
    if held:
        yield held


def _damaged(artefact: Artefact, how: str) -> InternalError:
    logger.error("the stored artefact %s %s", artefact.key, how)
    return InternalError(f"The file {artefact.name!r} is damaged in the object store, so it is not given out; the server's log says how")


def open_secret(path: Path) -> bytes:
    """The key that signs links, made at its first use. Several processes that start at once agree on one. Raises OSError."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(_SECRET_BYTES))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first: its key is everybody's
        finally:
            draft.unlink()
    return path.read_bytes()


def _encode(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")
