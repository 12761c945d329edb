"""Links to files: whoever has one may read until it expires, and nobody reads a file that is not what was stored."""

import asyncio
import json
import logging
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from graph.errors import CityGraphError, Forbidden, InternalError, NotFound
from resolvers.compliance import queries
from resolvers.compliance.artefacts import PATH, Artefacts, Owner, check, download, follow, open_secret
from resolvers.compliance.commands import Shelf
from resolvers.compliance.records import Artefact, ArtefactKind
from resolvers.stores.engine import Store
from resolvers.stores.objects import PIECE, ObjectStore
from tests.fakes.seaweedfs import SeaweedFS
from tests.resolvers.compliance.shelves import CITY, NOW, TENANT, report, shelf_of

SECRET = b"s" * 32


@pytest.fixture
def shelf(store: Store, tmp_path: Path) -> Shelf:
    return shelf_of(store, tmp_path / "files")


async def stored(shelf: Shelf, content: bytes = b"%PDF") -> tuple[Owner, Artefact]:
    owner = Owner(ArtefactKind.REPORT, TENANT, (CITY, await report(shelf, content=content)))
    artefact = await queries.artefact(shelf.store, TENANT, owner.kind, owner.key)
    assert artefact is not None
    return owner, artefact


async def token_of(artefacts: Artefacts, owner: Owner, artefact: Artefact, now: int = NOW) -> str:
    (link,) = await artefacts.links([(owner, artefact)], now)
    return link.removeprefix(artefacts.public_url + PATH)


async def test_link_into_a_folder_when_followed_in_time_then_the_file(shelf: Shelf) -> None:
    owner, artefact = await stored(shelf)
    artefacts = Artefacts(shelf.objects, SECRET, "https://city.example", 2**40)

    found = await follow(shelf.store, artefacts, await token_of(artefacts, owner, artefact))

    assert (found.name, found.media_type, found.size) == ("Käpylä 2025.pdf", "application/pdf", 4)
    assert b"".join([piece async for piece in found.content]) == b"%PDF"


async def test_token_when_read_back_then_its_owner_until_the_second_it_expires(shelf: Shelf) -> None:
    owner, artefact = await stored(shelf)
    artefacts = Artefacts(shelf.objects, SECRET, lifetime=60)
    token = await token_of(artefacts, owner, artefact)
    expiry = artefacts.expiry(NOW)

    assert expiry == 1_750_000_060_000
    assert artefacts.owner(token, expiry - 1) == owner
    with pytest.raises(Forbidden, match="The link has expired"):
        artefacts.owner(token, expiry)


async def test_token_when_altered_in_any_character_then_not_found(shelf: Shelf) -> None:
    owner, artefact = await stored(shelf)
    artefacts = Artefacts(shelf.objects, SECRET)
    token = await token_of(artefacts, owner, artefact)

    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        with pytest.raises(NotFound):
            artefacts.owner(token[:place] + other + token[place + 1 :], NOW)


async def test_token_when_forged_cut_or_of_another_key_then_not_found(shelf: Shelf) -> None:
    owner, artefact = await stored(shelf)
    artefacts = Artefacts(shelf.objects, SECRET)
    told, _, signature = (await token_of(artefacts, owner, artefact)).partition(".")
    claims = json.loads(urlsafe_b64decode(told + "=="))
    forged = urlsafe_b64encode(json.dumps([claims[0], "another", *claims[2:]]).encode()).decode().rstrip("=")

    for token in ("", ".", told, f"{told}.", f".{signature}", f"{forged}.{signature}", "å.ä", "x" * 100_000):
        with pytest.raises(NotFound):
            artefacts.owner(token, NOW)
    with pytest.raises(NotFound):
        replace(artefacts, secret=b"t" * 32).owner(f"{told}.{signature}", NOW)
    without = replace(artefacts, secret=b"")
    with pytest.raises(NotFound):
        without.owner(await token_of(without, owner, artefact), NOW)


async def test_link_when_its_report_is_not_there_then_not_found(shelf: Shelf) -> None:
    _, artefact = await stored(shelf)
    artefacts = Artefacts(shelf.objects, SECRET, lifetime=2**40)
    token = await token_of(artefacts, Owner(ArtefactKind.REPORT, "another", (CITY, uuid4())), artefact)

    with pytest.raises(NotFound, match="any more"):
        await follow(shelf.store, artefacts, token)


@pytest.mark.parametrize("damage", [b"%PDG", b"%PD", b"%PDF\n", None])
async def test_file_when_altered_cut_lengthened_or_gone_then_not_a_byte_is_given_out(
    shelf: Shelf, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes | None
) -> None:
    _, artefact = await stored(shelf)
    path = tmp_path / "files" / artefact.key
    path.unlink() if damage is None else path.write_bytes(damage)

    with caplog.at_level(logging.ERROR), pytest.raises(InternalError, match="damaged in the object store"):
        await download(shelf.objects, artefact)

    assert artefact.key in caplog.text


async def test_file_when_altered_between_check_and_reading_then_breaks_off_before_its_end(shelf: Shelf, tmp_path: Path) -> None:
    _, artefact = await stored(shelf, b"a" * (2 * PIECE))
    found = await download(shelf.objects, artefact)
    (tmp_path / "files" / artefact.key).write_bytes(b"a" * (2 * PIECE - 1) + b"b")

    received = 0
    with pytest.raises(CityGraphError):
        async for piece in found.content:
            received += len(piece)

    assert received < 2 * PIECE


async def test_key_when_opened_by_several_at_once_then_one_for_all_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "city" / "artefacts.key"

    keys = {open_secret(path) for _ in range(3)}

    assert [len(key) for key in keys] == [32]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["artefacts.key"]
    assert "secret" not in repr(Artefacts(ObjectStore.open(str(tmp_path)), path.read_bytes()))


async def test_file_on_s3_when_linked_then_the_server_gives_it_out_until_the_link_expires(
    sqlite_store: Store, seaweedfs: SeaweedFS
) -> None:
    shelf = shelf_of(sqlite_store, seaweedfs.url("compliance", uuid4().hex))
    owner, artefact = await stored(shelf)
    artefacts = Artefacts(shelf.objects, b"", lifetime=2)

    (link,) = await artefacts.links([(owner, artefact)], NOW)
    async with httpx.AsyncClient() as client:
        found = await client.get(link)
        await asyncio.sleep(3.1)
        expired = await client.get(link)

    assert (found.status_code, found.content, found.headers["content-type"]) == (200, b"%PDF", "application/pdf")
    assert expired.status_code == 403


async def test_file_on_s3_when_replaced_by_another_then_the_check_finds_it(sqlite_store: Store, seaweedfs: SeaweedFS) -> None:
    shelf = shelf_of(sqlite_store, seaweedfs.url("compliance", uuid4().hex))
    _, artefact = await stored(shelf)
    await check(shelf.objects, artefact)

    await shelf.objects.put(artefact.key, b"%PDG")

    with pytest.raises(InternalError, match="damaged in the object store"):
        await check(shelf.objects, artefact)
