"""The object store on a real S3 server: what goes in comes out, links that expire, and a server that is not there."""

import asyncio
import hashlib
import os
import time
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from graph.errors import NotFound, Unavailable
from resolvers.stores.objects import PIECE, ObjectStore, StoredObject, file_chunks
from tests.fakes.seaweedfs import SECRET_KEY, SeaweedFS


@pytest.fixture
def objects(seaweedfs: SeaweedFS) -> ObjectStore:
    """A prefix of this test's own."""
    return ObjectStore.open(seaweedfs.url("city", uuid4().hex))


async def read(objects: ObjectStore, key: str) -> bytes:
    return b"".join([piece async for piece in objects.get(key)])


@pytest.mark.parametrize("size", [0, 5, PIECE, 2 * PIECE + 3])
async def test_object_when_put_on_s3_then_its_bytes_length_and_hash_come_back(objects: ObjectStore, size: int) -> None:
    content = os.urandom(size)

    stored = await objects.put("a/b", content)

    assert stored == StoredObject(size, hashlib.sha256(content).hexdigest())
    assert await read(objects, "a/b") == content


async def test_objects_when_listed_and_deleted_on_s3_then_as_in_a_folder(objects: ObjectStore) -> None:
    await objects.put("a/1", b"one")
    await objects.put("ab/2", b"two")

    assert [(one.key, one.size) async for one in objects.list("a")] == [("a/1", 3)]

    await objects.delete("a/1")
    await objects.delete("a/1")

    assert [one.key async for one in objects.list()] == ["ab/2"]
    with pytest.raises(NotFound):
        await read(objects, "a/1")


async def test_link_when_followed_then_the_file_as_a_download(objects: ObjectStore) -> None:
    await objects.put("a", b"%PDF-1.7 \xe4", media_type="application/pdf", file_name="Käpylä.pdf")
    (url,) = await objects.signed_urls(["a"], 60)

    async with httpx.AsyncClient() as client:
        answer = await client.get(url)

    assert answer.status_code == 200
    assert answer.content == b"%PDF-1.7 \xe4"
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == "attachment; filename=\"K_pyl_.pdf\"; filename*=UTF-8''K%C3%A4pyl%C3%A4.pdf"


async def test_link_when_expired_altered_or_unsigned_then_the_server_refuses_it(objects: ObjectStore) -> None:
    for key in ("a", "b"):
        await objects.put(key, b"x")
    (url,) = await objects.signed_urls(["a"], 1)
    made = time.monotonic()

    async with httpx.AsyncClient() as client:
        others = await client.get(url.replace("/a?", "/b?"))
        longer = await client.get(url.replace("X-Amz-Expires=1&", "X-Amz-Expires=3600&"))
        unsigned = await client.get(url.partition("?")[0])
        await asyncio.sleep(max(0, made + 2.1 - time.monotonic()))
        expired = await client.get(url)

    assert [answer.status_code for answer in (others, longer, unsigned, expired)] == [403, 403, 403, 403]
    assert b"expired" in expired.content


async def test_server_when_it_is_not_there_then_unavailable_and_the_secret_is_in_no_message(
    seaweedfs: SeaweedFS, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    objects = ObjectStore.open(seaweedfs.url("city").replace(seaweedfs.endpoint, "http://127.0.0.1:1"), seconds=1)
    file = tmp_path / "file"
    file.write_bytes(b"x")

    with pytest.raises(Unavailable) as refused:
        await objects.put("a", file_chunks(file))

    assert "store 'a'" in str(refused.value)
    assert SECRET_KEY not in str(refused.value) + caplog.text + repr(objects)


async def test_server_when_it_refuses_the_credentials_then_unavailable(seaweedfs: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    objects = ObjectStore.open(seaweedfs.url("city"))

    with pytest.raises(Unavailable, match="could not store 'a'"):
        await objects.put("a", b"x")


async def test_server_when_it_never_answers_then_unavailable_in_time(seaweedfs: SeaweedFS) -> None:
    writers: list[asyncio.StreamWriter] = []

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    objects = ObjectStore.open(seaweedfs.url("city").replace(seaweedfs.endpoint, f"http://127.0.0.1:{port}"), seconds=0.5)

    async with server:
        with pytest.raises(Unavailable):
            await objects.delete("a")
        for writer in writers:
            writer.close()
            await writer.wait_closed()
