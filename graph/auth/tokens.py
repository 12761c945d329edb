"""Access tokens: RS256 signatures by a known key, and claims that are present, in time and meant for us.

The library verifies the signature; what must be in a token is checked here, because libraries accept a token without `kid`, or
one that is valid for a thousand years. Verified tokens are remembered for a minute, since the same one comes with every request.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from graph import json_codec
from graph.auth.claims import ClaimNames, principal_of
from graph.contracts import Principal
from graph.errors import Unauthenticated

MAX_TOKEN_BYTES = 16_384
REMEMBERED_TOKENS = 10_000
REMEMBERED_SECONDS = 60.0
TOKEN_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
OTHER_USES = frozenset({"ID", "Refresh", "Offline", "Logout"})


class KeySource(Protocol):
    """Where the issuer's public keys come from."""

    async def key(self, kid: str) -> RSAKey | None: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must say. Times in seconds."""

    issuer: str
    audience: str
    claims: ClaimNames
    max_lifetime: int = 86_400
    clock_skew: int = 30
    require_nbf: bool = True


class TokenVerifier:
    """Turns an access token into the principal that it describes, or raises `Unauthenticated`."""

    def __init__(self, keys: KeySource, rules: TokenRules, now: Callable[[], float] = time.time) -> None:
        self._keys, self._rules, self._now = keys, rules, now
        self._known: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        if len(token) > MAX_TOKEN_BYTES:
            raise Unauthenticated(f"the access token is longer than {MAX_TOKEN_BYTES} bytes")
        digest = sha256(token.encode("utf-8", "surrogateescape")).digest()
        if (known := self._known.get(digest)) is not None:
            if self._now() < known[0]:
                return known[1]
            del self._known[digest]
        claims = await self._read(token)
        principal = principal_of(claims, self._rules.claims)
        self._known[digest] = (min(self._now() + REMEMBERED_SECONDS, claims["exp"]), principal)
        if len(self._known) > REMEMBERED_TOKENS:
            self._known.popitem(last=False)
        return principal

    async def _read(self, token: str) -> Mapping[str, Any]:
        try:
            signed = jws.extract_compact(token.encode("ascii"))
        except (JoseError, ValueError):
            raise Unauthenticated("the access token is not a signed JSON Web Token") from None
        key = await self._keys.key(check_header(signed.headers()))
        if key is None:
            raise Unauthenticated("the access token is signed with a key that its issuer does not publish")
        try:
            genuine = jws.validate_compact(signed, key, algorithms=["RS256"])
        except (JoseError, ValueError):
            genuine = False
        if not genuine:
            raise Unauthenticated("the access token's signature is not its issuer's")
        try:
            claims = json_codec.loads(signed.payload)
        except ValueError:
            claims = None
        if not isinstance(claims, dict):
            raise Unauthenticated("the access token's claims are not a JSON object")
        check_claims(claims, self._rules, self._now())
        return claims

    async def close(self) -> None:
        await self._keys.close()


def check_header(header: Mapping[str, Any]) -> str:
    """The key's identifier, once the header is one that we accept (RFC 7515 §4.1, RFC 8725 §3)."""
    if header.get("alg") != "RS256":
        raise Unauthenticated(f"the access token is signed with {header.get('alg')!r}: only RS256 is accepted")
    kind = header.get("typ")
    if kind is not None and (not isinstance(kind, str) or kind.lower() not in TOKEN_TYPES):
        raise Unauthenticated(f"the token is of type {kind!r}: an access token is expected")
    if "crit" in header:
        raise Unauthenticated("the access token's header asks for an extension that is not known here")
    kid = header.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= 256:
        raise Unauthenticated("the access token does not name its key: header `kid` is missing")
    return kid


def check_claims(claims: Mapping[str, Any], rules: TokenRules, now: float) -> None:
    """Raises `Unauthenticated` for the first claim that is missing or does not hold."""
    if claims.get("iss") != rules.issuer:
        raise Unauthenticated("the access token was issued by somebody else: claim `iss`")
    audience = claims.get("aud")
    if rules.audience not in ([audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []):
        raise Unauthenticated(f"the access token is not meant for this API: claim `aud` does not name {rules.audience!r}")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise Unauthenticated("the access token names no subject: claim `sub`")
    if claims.get("typ") in OTHER_USES:
        raise Unauthenticated(f"the token is of type {claims['typ']!r}: an access token is expected")
    expires = _time_claim(claims, "exp")
    if expires <= now - rules.clock_skew:
        raise Unauthenticated("the access token has expired: claim `exp`")
    if expires > now + rules.max_lifetime + rules.clock_skew:
        raise Unauthenticated(f"the access token is valid for longer than {rules.max_lifetime} s: claim `exp`")
    if (rules.require_nbf or "nbf" in claims) and _time_claim(claims, "nbf") > now + rules.clock_skew:
        raise Unauthenticated("the access token is not valid yet: claim `nbf`")


def _time_claim(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unauthenticated(f"the access token has no time in claim `{name}`")
    return value
