"""Asks the issuer whether a token still holds, and for which roles (RFC 7662): a signature cannot tell that it was revoked.

Only what lives long asks: a request is over before an answer would matter.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from graph.auth.claims import ClaimNames, roles_in, scopes_in
from graph.contracts import Principal
from graph.errors import Unavailable


class FormClient(Protocol):
    """Posts a form, and reads a JSON document; raises `Unavailable` where none comes."""

    async def post(self, url: str, form: Mapping[str, str], *, user: str, password: str) -> Any: ...

    async def close(self) -> None: ...


class Introspection:
    """`client_id` and `client_secret` are this API's own at the issuer."""

    def __init__(self, client: FormClient, url: str, client_id: str, client_secret: str, claims: ClaimNames) -> None:
        self._client, self._url, self._claims = client, url, claims
        self._client_id, self._client_secret = client_id, client_secret

    async def now(self, token: str, before: Principal) -> Principal | None:
        """The token's principal as the issuer sees it now: with no more rights than before. None where the token holds no more.

        Raises `Unavailable`.
        """
        form = {"token": token, "token_type_hint": "access_token"}
        answer = await self._client.post(self._url, form, user=self._client_id, password=self._client_secret)
        if not isinstance(answer, dict) or not isinstance(answer.get("active"), bool):
            raise Unavailable(f"{self._url} does not say whether the token is active")
        if not answer["active"] or answer.get("sub", before.subject) != before.subject:
            return None
        roles, scopes = roles_in(answer, self._claims), scopes_in(answer)
        return replace(
            before,
            roles=before.roles if roles is None else before.roles & roles,
            scopes=before.scopes if scopes is None else before.scopes & scopes,
        )

    async def close(self) -> None:
        await self._client.close()
