"""The issuer's public keys, fetched from its JWKS and kept; an unknown key identifier causes one look for new ones.

However many requests ask at once, and whatever identifiers an attacker makes up, the issuer is asked at most once in a cool-down.
An issuer that is down does not lock out callers whose keys are known.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from graph.errors import Unavailable

MAX_KEYS = 100
MIN_KEY_BITS = 2048
MIN_MODULUS_CHARACTERS = MIN_KEY_BITS // 6
"""In base64; shorter ones are not even imported, because the library warns of them by itself."""

logger = logging.getLogger(__name__)


class FixedKeys:
    """Keys that never change: the demo's own, in its own process."""

    def __init__(self, keys: Mapping[str, RSAKey]) -> None:
        self._keys = dict(keys)

    async def key(self, kid: str) -> RSAKey | None:
        return self._keys.get(kid)

    async def close(self) -> None:
        return None


class JsonSource(Protocol):
    """Fetches a JSON document; raises `Unavailable` where none comes."""

    async def get(self, url: str) -> Any: ...

    async def close(self) -> None: ...


class PublishedKeys:
    """Keys that an issuer publishes at `jwks_url`, or where its discovery document says (OpenID Connect Discovery §4)."""

    def __init__(
        self,
        source: JsonSource,
        issuer: str,
        jwks_url: str | None,
        *,
        max_age: float,
        cooldown: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source, self._issuer, self._jwks_url = source, issuer, jwks_url
        self._max_age, self._cooldown, self._now = max_age, cooldown, now
        self._keys: dict[str, RSAKey] = {}
        self._fetched = self._tried = float("-inf")
        self._lock = asyncio.Lock()

    async def key(self, kid: str) -> RSAKey | None:
        """None where the issuer publishes no such key; raises `Unavailable` where its keys were never seen."""
        found = self._keys.get(kid)
        if found is not None and self._now() - self._fetched < self._max_age:
            return found
        async with self._lock:
            if self._now() - self._tried >= self._cooldown and self._is_stale(kid):
                await self._refresh()
        if self._fetched == float("-inf"):
            raise Unavailable("the identity provider's keys cannot be fetched: nobody can be authenticated now")
        return self._keys.get(kid)

    def _is_stale(self, kid: str) -> bool:
        """Asked again under the lock: whoever held it may have fetched what we came for."""
        return kid not in self._keys or self._now() - self._fetched >= self._max_age

    async def _refresh(self) -> None:
        self._tried = self._now()
        try:
            url = self._jwks_url or await self._discover()
            self._keys = read_keys(await self._source.get(url))
        except Unavailable as error:
            logger.warning("the keys of %s could not be fetched: %s", self._issuer, error.detail)
        else:
            self._fetched = self._now()

    async def _discover(self) -> str:
        document = await self._source.get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if not isinstance(document, dict) or document.get("issuer") != self._issuer:
            raise Unavailable(f"the discovery document of {self._issuer} is not its own")
        url = document.get("jwks_uri")
        if not isinstance(url, str):
            raise Unavailable(f"the discovery document of {self._issuer} names no jwks_uri")
        return url

    async def close(self) -> None:
        await self._source.close()


def read_keys(document: Any) -> dict[str, RSAKey]:
    """The RSA signing keys of a JWKS (RFC 7517 §5) by `kid`; others are passed over, since an issuer may publish many kinds."""
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise Unavailable("the identity provider's JWKS has no list of keys")
    found: dict[str, RSAKey] = {}
    for entry in entries[:MAX_KEYS]:
        if not isinstance(entry, dict) or entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig":
            continue
        kid, modulus, exponent = (entry.get(name) for name in ("kid", "n", "e"))
        if not (isinstance(kid, str) and isinstance(modulus, str) and len(modulus) >= MIN_MODULUS_CHARACTERS):
            continue
        try:
            key = RSAKey.import_key({"kty": "RSA", "n": modulus, "e": str(exponent)})
        except (JoseError, ValueError):
            continue
        if key.public_key.key_size >= MIN_KEY_BITS:
            found[kid] = key
    return found
