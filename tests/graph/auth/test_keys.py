"""The issuer's keys: fetched seldom, whoever asks."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from graph.auth.keys import PublishedKeys, read_keys
from graph.errors import Unavailable

ISSUER = "https://id.example/realms/city"
DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"
CERTS = f"{ISSUER}/certs"


def _jwk(kid: str, **members: str) -> dict[str, Any]:
    return {**RSAKey.generate_key(2048).as_dict(private=False), "kid": kid, **members}


class Provider:
    """An issuer whose documents can be changed or taken away, and that counts who comes."""

    def __init__(self, *kids: str) -> None:
        self.asked: Counter[str] = Counter()
        self.publish(*kids)

    def publish(self, *kids: str) -> None:
        self.documents: dict[str, Any] = {
            DISCOVERY: {"issuer": ISSUER, "jwks_uri": CERTS},
            CERTS: {"keys": [_jwk(kid) for kid in kids]},
        }

    async def get(self, url: str) -> Any:
        self.asked[url] += 1
        await asyncio.sleep(0)
        if url not in self.documents:
            raise Unavailable(f"{url} does not answer")
        return self.documents[url]

    async def close(self) -> None:
        return None


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _keys(provider: Provider, clock: Clock, jwks_url: str | None = CERTS) -> PublishedKeys:
    return PublishedKeys(provider, ISSUER, jwks_url, max_age=3600, cooldown=30, now=clock)


async def test_keys_when_their_place_is_not_configured_then_discovered() -> None:
    provider = Provider("a")

    key = await _keys(provider, Clock(), jwks_url=None).key("a")

    assert key is not None
    assert provider.asked == {DISCOVERY: 1, CERTS: 1}


async def test_keys_when_the_discovery_document_is_another_issuers_then_unavailable() -> None:
    provider = Provider("a")
    provider.documents[DISCOVERY]["issuer"] = "https://evil.example"

    with pytest.raises(Unavailable):
        await _keys(provider, Clock(), jwks_url=None).key("a")


async def test_unknown_key_when_a_hundred_ask_at_once_then_issuer_is_asked_once() -> None:
    provider, clock = Provider("a"), Clock()
    keys = _keys(provider, clock)
    await keys.key("a")
    provider.publish("a", "b")
    clock.now += 31

    found = await asyncio.gather(*(keys.key("b") for _ in range(100)))

    assert all(found)
    assert provider.asked == {CERTS: 2}


async def test_unknown_keys_when_made_up_within_the_cooldown_then_issuer_is_not_asked_again() -> None:
    provider, clock = Provider("a"), Clock()
    keys = _keys(provider, clock)

    found = [await keys.key(f"made-up-{number}") for number in range(50)]

    assert found == [None] * 50
    assert provider.asked == {CERTS: 1}


async def test_key_when_withdrawn_by_its_issuer_then_refused_after_max_age() -> None:
    provider, clock = Provider("a"), Clock()
    keys = _keys(provider, clock)
    assert await keys.key("a") is not None
    provider.publish("b")

    clock.now += 3600

    assert await keys.key("a") is None


async def test_known_key_when_issuer_is_down_then_still_accepted() -> None:
    provider, clock = Provider("a"), Clock()
    keys = _keys(provider, clock)
    await keys.key("a")
    provider.documents.clear()

    clock.now += 4000

    assert await keys.key("a") is not None


async def test_keys_when_issuer_was_never_reached_then_unavailable_and_asked_again_after_the_cooldown() -> None:
    provider, clock = Provider("a"), Clock()
    documents, provider.documents = provider.documents, {}
    keys = _keys(provider, clock)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await keys.key("a")
    assert provider.asked == {CERTS: 1}
    provider.documents = documents

    clock.now += 30

    assert await keys.key("a") is not None


def test_jwks_when_it_holds_other_things_then_only_rsa_signing_keys_of_enough_bits_count() -> None:
    curve = {**ECKey.generate_key("P-256").as_dict(private=False), "kid": "curve"}
    document = {
        "keys": [
            _jwk("good"),
            _jwk("also-good", use="sig"),
            _jwk("for-encryption", use="enc"),
            _jwk("short", n="xq5EDW-MC" * 20),
            {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
            {"kty": "RSA", "kid": "empty"},
            curve,
            "nonsense",
        ]
    }

    assert sorted(read_keys(document)) == ["also-good", "good"]


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}])
def test_jwks_when_it_is_no_jwks_then_unavailable(document: Any) -> None:
    with pytest.raises(Unavailable, match="no list of keys"):
        read_keys(document)
