"""Who is calling: from a request's headers to a principal, the same way for every protocol."""

from collections.abc import Mapping
from typing import Protocol

from graph.auth.tokens import TokenVerifier
from graph.contracts import Principal
from graph.errors import Unauthenticated


class Authenticator(Protocol):
    """Raises `Unauthenticated` where the caller cannot be told."""

    async def principal(self, headers: Mapping[str, str]) -> Principal: ...

    async def close(self) -> None: ...


class BearerTokens:
    """An access token in `Authorization: Bearer` (RFC 6750 §2.1); other ways to send one are not read."""

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier

    async def principal(self, headers: Mapping[str, str]) -> Principal:
        header = headers.get("authorization")
        if header is None:
            raise Unauthenticated("an access token is needed: send `Authorization: Bearer <token>`")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("the Authorization header is not `Bearer <token>`")
        return await self._verifier.verify(token.strip())

    async def close(self) -> None:
        await self._verifier.close()


class Everybody:
    """No token is asked for: everybody is the one given principal. For servers that only this machine reaches."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    async def principal(self, headers: Mapping[str, str]) -> Principal:
        return self._principal

    async def close(self) -> None:
        return None
