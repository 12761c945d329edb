"""The demo's own OpenID Connect issuer: one key, kept in the data folder, so that tokens outlive a restart.

It signs tokens for whoever can read the file, and is published on loopback only. A city that is not a demo has a real identity
provider instead.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from graph import json_codec
from graph.config import ConfigError

KEY_BITS = 2048
DISCOVERY_PATH = "/.well-known/openid-configuration"
JWKS_PATH = "/.well-known/jwks.json"


@dataclass(frozen=True, slots=True)
class DemoIssuer:
    """The issuer's URL and its private key."""

    url: str
    key: RSAKey

    @property
    def kid(self) -> str:
        return self.key.thumbprint()

    def public_keys(self) -> dict[str, RSAKey]:
        return {self.kid: RSAKey.import_key(self.key.as_dict(private=False))}

    def jwks(self) -> Mapping[str, Any]:
        """RFC 7517 §5; public members only."""
        return {"keys": [{**self.key.as_dict(private=False), "kid": self.kid, "use": "sig", "alg": "RS256"}]}

    def discovery(self) -> Mapping[str, Any]:
        """What OpenID Connect Discovery §3 requires of a provider; there is no authorisation endpoint to name."""
        return {
            "issuer": self.url,
            "jwks_uri": self.url + JWKS_PATH,
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def sign(self, *, subject: str, tenant: str, roles: Sequence[str], audience: str, lifetime: int) -> str:
        """An access token as Keycloak writes it; `lifetime` in seconds."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": audience,
            "sub": subject,
            "iat": now,
            "nbf": now,
            "exp": now + lifetime,
            "jti": str(uuid4()),
            "typ": "Bearer",
            "name": subject,
            "tenant": tenant,
            "realm_access": {"roles": list(roles)},
        }
        return jwt.encode({"alg": "RS256", "kid": self.kid}, claims, self.key, algorithms=["RS256"])


def open_issuer(path: Path, default_url: str) -> DemoIssuer:
    """The issuer kept at `path`, made there for `default_url` where there is none. Raises `ConfigError`."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return _make(path, default_url)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    try:
        stored = json_codec.loads(content)
        return DemoIssuer(stored["issuer"], RSAKey.import_key(stored["key"]))
    except (JoseError, ValueError, KeyError, TypeError):
        raise ConfigError(f"{path} does not hold an issuer: delete it, and a new one is made") from None


def move_issuer(path: Path, issuer: DemoIssuer, url: str) -> DemoIssuer:
    """The same key under another URL: where the demo now listens. Tokens for the old one are no longer accepted."""
    if issuer.url == url:
        return issuer
    moved = DemoIssuer(url, issuer.key)
    _write(path, moved)
    return moved


def _make(path: Path, url: str) -> DemoIssuer:
    issuer = DemoIssuer(url, RSAKey.generate_key(KEY_BITS))
    _write(path, issuer)
    return issuer


def _write(path: Path, issuer: DemoIssuer) -> None:
    """Written aside and moved into place, so that nobody reads half a file, or one that others may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(json_codec.dumps({"issuer": issuer.url, "key": issuer.key.as_dict(private=True)}))
    aside.replace(path)
