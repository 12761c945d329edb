"""Which access tokens are believed (FC-10, AC-01, TC-01)."""

import base64
import hmac
import json
from collections.abc import Mapping
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from graph.auth.claims import ClaimNames
from graph.auth.keys import FixedKeys
from graph.auth.tokens import TokenRules, TokenVerifier
from graph.contracts import Principal
from graph.errors import Unauthenticated

NOW = 1_800_000_000
KEY = RSAKey.generate_key(2048)
STRANGER = RSAKey.generate_key(2048)
RULES = TokenRules(
    issuer="https://id.example/realms/city",
    audience="dt-dth-api",
    claims=ClaimNames.of(("realm_access.roles", "resource_access.{audience}.roles"), "dt-dth-api", "tenant", None),
)
CLAIMS: Mapping[str, Any] = {
    "iss": RULES.issuer,
    "aud": "dt-dth-api",
    "sub": "anna",
    "iat": NOW,
    "nbf": NOW,
    "exp": NOW + 3600,
    "tenant": "FI-HELSINKI",
}
HEADER: Mapping[str, Any] = {"alg": "RS256", "kid": "k1", "typ": "JWT"}


def _sign(claims: Mapping[str, Any] = CLAIMS, header: Mapping[str, Any] = HEADER, key: Any = KEY) -> str:
    return jwt.encode(dict(header), dict(claims), key, algorithms=[header["alg"]])


def _without(mapping: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name not in names}


def _verifier(rules: TokenRules = RULES, now: float = NOW) -> TokenVerifier:
    return TokenVerifier(FixedKeys({"k1": KEY}), rules, now=lambda: now)


def _part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


async def test_token_when_all_is_right_then_principal_with_roles_of_realm_and_of_this_client_only() -> None:
    token = _sign(
        {
            **CLAIMS,
            "aud": ["account", "dt-dth-api"],
            "name": "Anna Ek",
            "scope": "openid profile",
            "realm_access": {"roles": ["dt_viewer", 7]},
            "resource_access": {"dt-dth-api": {"roles": ["dth_viewer"]}, "other": {"roles": ["admin"]}},
        }
    )

    principal = await _verifier().verify(token)

    assert principal == Principal(
        "anna", "FI-HELSINKI", frozenset({"dt_viewer", "dth_viewer"}), frozenset({"openid", "profile"}), "Anna Ek"
    )


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"iss": "https://id.example/realms/other"}, "`iss`"),
        ({"iss": None}, "`iss`"),
        ({"aud": "account"}, "`aud`"),
        ({"aud": ["account"]}, "`aud`"),
        ({"aud": {"dt-dth-api": 1}}, "`aud`"),
        ({"sub": ""}, "`sub`"),
        ({"sub": 7}, "`sub`"),
        ({"exp": NOW - 31}, "has expired"),
        ({"exp": NOW + 86_400 + 31}, "valid for longer than 86400 s"),
        ({"exp": 10**15}, "valid for longer"),
        ({"exp": "tomorrow"}, "no time in claim `exp`"),
        ({"exp": True}, "no time in claim `exp`"),
        ({"nbf": NOW + 31}, "not valid yet"),
        ({"typ": "ID"}, "type 'ID'"),
        ({"typ": "Refresh"}, "type 'Refresh'"),
        ({"tenant": 5}, "names no tenant"),
    ],
)
async def test_token_when_a_claim_does_not_hold_then_refused_with_the_reason(changed: dict[str, Any], reason: str) -> None:
    token = _sign({**CLAIMS, **changed})

    with pytest.raises(Unauthenticated, match=reason):
        await _verifier().verify(token)


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "exp", "nbf", "tenant"])
async def test_token_when_a_claim_is_missing_then_refused(claim: str) -> None:
    token = _sign(_without(CLAIMS, claim))

    with pytest.raises(Unauthenticated, match=claim):
        await _verifier().verify(token)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (_without(HEADER, "kid"), "`kid` is missing"),
        ({**HEADER, "kid": ""}, "`kid` is missing"),
        ({**HEADER, "kid": "k2"}, "a key that its issuer does not publish"),
        ({**HEADER, "typ": "logout+jwt"}, "type 'logout\\+jwt'"),
        ({**HEADER, "alg": "RS512"}, "only RS256"),
        ({**HEADER, "alg": "PS256"}, "only RS256"),
    ],
)
async def test_token_when_its_header_is_not_ours_then_refused(header: dict[str, Any], reason: str) -> None:
    token = _sign(header=header)

    with pytest.raises(Unauthenticated, match=reason):
        await _verifier().verify(token)


async def test_token_when_signed_by_a_stranger_under_our_key_identifier_then_refused() -> None:
    token = _sign(key=STRANGER)

    with pytest.raises(Unauthenticated, match="signature is not its issuer's"):
        await _verifier().verify(token)


async def test_token_when_signed_with_the_public_key_as_a_shared_secret_then_refused() -> None:
    signed = f"{_part({**HEADER, 'alg': 'HS256'})}.{_part(dict(CLAIMS))}"
    code = hmac.digest(KEY.as_pem(private=False), signed.encode(), "sha256")
    token = f"{signed}.{base64.urlsafe_b64encode(code).rstrip(b'=').decode()}"

    with pytest.raises(Unauthenticated, match="only RS256"):
        await _verifier().verify(token)


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "a.b.c",
        "..",
        "ä.b.c",
        f"{_part({**HEADER, 'alg': 'none'})}.{_part(dict(CLAIMS))}.",
        f"{_part([1])}.{_part(dict(CLAIMS))}.AAAA",
        f"{_part({**HEADER, 'crit': ['b64'], 'b64': False})}.{_part(dict(CLAIMS))}.AAAA",
        f"{_part(dict(HEADER))}.{_part(dict(CLAIMS))}.####",
        "a" * 20_000,
        "\udcff.\udcff.\udcff",
    ],
)
async def test_token_when_it_is_garbage_then_unauthenticated_and_nothing_else(token: str) -> None:
    with pytest.raises(Unauthenticated):
        await _verifier().verify(token)


async def test_token_when_no_tenant_is_claimed_and_there_is_a_default_then_that() -> None:
    rules = TokenRules(RULES.issuer, RULES.audience, ClaimNames.of((), "", "tenant", "FI-HELSINKI"))

    principal = await _verifier(rules).verify(_sign(_without(CLAIMS, "tenant")))

    assert principal.tenant == "FI-HELSINKI"


async def test_token_when_seen_before_and_expired_since_then_refused() -> None:
    clock = [float(NOW)]
    verifier = TokenVerifier(FixedKeys({"k1": KEY}), RULES, now=lambda: clock[0])
    token = _sign({**CLAIMS, "exp": NOW + 10})
    await verifier.verify(token)

    clock[0] = NOW + 41

    with pytest.raises(Unauthenticated, match="has expired"):
        await verifier.verify(token)
