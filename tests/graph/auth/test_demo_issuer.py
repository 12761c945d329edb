"""The demo's own issuer keeps its key, and keeps it to itself."""

from pathlib import Path

import pytest

from graph.auth.claims import ClaimNames
from graph.auth.demo_issuer import move_issuer, open_issuer
from graph.auth.keys import FixedKeys, read_keys
from graph.auth.tokens import TokenRules, TokenVerifier
from graph.config import ConfigError

URL = "http://127.0.0.1:8000"


def test_issuer_when_opened_again_then_same_key_in_a_file_that_only_the_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "data" / "issuer.json"

    first = open_issuer(path, URL)
    second = open_issuer(path, "http://127.0.0.1:9999")

    assert (second.kid, second.url) == (first.kid, URL)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["issuer.json"]


def test_issuer_when_moved_then_same_key_under_the_new_url(tmp_path: Path) -> None:
    path = tmp_path / "issuer.json"
    first = open_issuer(path, URL)

    move_issuer(path, first, "http://127.0.0.1:9999")

    moved = open_issuer(path, URL)
    assert (moved.kid, moved.url) == (first.kid, "http://127.0.0.1:9999")
    assert path.stat().st_mode & 0o777 == 0o600


def test_jwks_when_published_then_nothing_private_is_in_it(tmp_path: Path) -> None:
    issuer = open_issuer(tmp_path / "issuer.json", URL)

    (entry,) = issuer.jwks()["keys"]

    assert sorted(entry) == ["alg", "e", "kid", "kty", "n", "use"]
    assert list(read_keys(issuer.jwks())) == [issuer.kid]
    assert issuer.discovery()["jwks_uri"] == f"{URL}/.well-known/jwks.json"


async def test_token_when_signed_by_the_issuer_then_accepted_by_the_rules_of_every_server(tmp_path: Path) -> None:
    issuer = open_issuer(tmp_path / "issuer.json", URL)
    rules = TokenRules(URL, "dt-dth-api", ClaimNames.of(("realm_access.roles",), "dt-dth-api", "tenant", None))

    token = issuer.sign(subject="anna", tenant="T", roles=["dt_viewer"], audience="dt-dth-api", lifetime=60)
    principal = await TokenVerifier(FixedKeys(issuer.public_keys()), rules).verify(token)

    assert (principal.subject, principal.tenant, principal.roles) == ("anna", "T", frozenset({"dt_viewer"}))


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"issuer": "x", "key": {"kty": "RSA"}}'])
def test_issuer_when_its_file_is_broken_then_said_with_what_to_do(tmp_path: Path, content: str) -> None:
    path = tmp_path / "issuer.json"
    path.write_text(content)

    with pytest.raises(ConfigError, match="does not hold an issuer: delete it"):
        open_issuer(path, URL)
