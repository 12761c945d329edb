"""The object store on a folder: what goes in comes out, or not at all."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from graph.errors import BadUserInput, NotFound, Unavailable
from resolvers.stores.objects import PIECE, ObjectStore, ObjectStoreUrlError, StoredObject, check_key, file_chunks, key_segment


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore.open(str(tmp_path / "objects"))


async def read(objects: ObjectStore, key: str) -> bytes:
    return b"".join([piece async for piece in objects.get(key)])


@pytest.mark.parametrize("size", [0, 1, 1024 * 1024, PIECE, PIECE + 1, 2 * PIECE + 3])
async def test_object_when_put_then_its_bytes_length_and_hash_come_back(objects: ObjectStore, size: int) -> None:
    content = os.urandom(size)

    stored = await objects.put("a/b", content)

    assert stored == StoredObject(size, hashlib.sha256(content).hexdigest())
    assert await read(objects, "a/b") == content


async def test_chunks_when_put_then_one_object_whatever_their_lengths(objects: ObjectStore) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for length in (0, 1, PIECE - 1, 5):
            yield b"x" * length

    stored = await objects.put("a", chunks())

    assert stored == StoredObject(PIECE + 5, hashlib.sha256(b"x" * (PIECE + 5)).hexdigest())


async def test_file_when_put_then_its_progress_is_told_piece_by_piece(objects: ObjectStore, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(PIECE + 7))
    read: list[int] = []

    stored = await objects.put("a", file_chunks(file, read=read.append))

    assert stored.size == PIECE + 7
    assert read == [PIECE, 7]


async def test_file_when_it_cannot_be_read_then_bad_user_input_and_nothing_stored(objects: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(BadUserInput, match="nowhere cannot be read: No such file"):
        await objects.put("a", file_chunks(tmp_path / "nowhere"))

    assert [found async for found in objects.list()] == []


async def test_put_when_its_source_fails_half_way_then_nothing_is_left_of_it(objects: ObjectStore, tmp_path: Path) -> None:
    async def breaking_off() -> AsyncIterator[bytes]:
        yield bytes(2 * PIECE)
        raise RuntimeError("the source broke off")

    with pytest.raises(RuntimeError, match="the source broke off"):
        await objects.put("a/b", breaking_off())

    assert [found async for found in objects.list()] == []
    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == []


async def test_object_when_missing_then_not_found_before_the_first_piece(objects: ObjectStore) -> None:
    with pytest.raises(NotFound, match="There is no object 'a/b'"):
        await anext(objects.get("a/b"))


async def test_object_when_deleted_twice_then_gone_without_an_error(objects: ObjectStore) -> None:
    await objects.put("a", b"x")

    await objects.delete("a")
    await objects.delete("a")

    with pytest.raises(NotFound):
        await read(objects, "a")


async def test_list_when_given_a_prefix_then_whole_segments_count(objects: ObjectStore) -> None:
    for key in ("a/1", "a/b/2", "ab/3"):
        await objects.put(key, key.encode())

    found = sorted([(one.key, one.size) async for one in objects.list("a")])

    assert found == [("a/1", 3), ("a/b/2", 5)]


async def test_object_when_replaced_while_it_is_read_then_unavailable_and_never_a_mixture(objects: ObjectStore) -> None:
    await objects.put("a", b"1" * 3_000_000)
    pieces = objects.get("a")
    await anext(pieces)

    await objects.put("a", b"2" * 3_000_000)

    with pytest.raises(Unavailable, match="could not read 'a'"):
        await anext(pieces)


async def test_folder_when_made_then_for_its_owner_alone(objects: ObjectStore, tmp_path: Path) -> None:
    assert (tmp_path / "objects").stat().st_mode & 0o777 == 0o700
    assert not objects.signs


async def test_put_when_the_source_hangs_then_unavailable_in_time(tmp_path: Path) -> None:
    objects = ObjectStore.open(str(tmp_path), seconds=0.1)

    async def hanging() -> AsyncIterator[bytes]:
        yield bytes(PIECE)
        await asyncio.sleep(60)

    with pytest.raises(Unavailable, match=r"did not store 'a' within 0\.1 s"):
        await objects.put("a", hanging())


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/..", ".a", "a b", "a\0", "å", "a" * 513, "a\n"])
def test_key_when_it_is_none_then_refused(key: str) -> None:
    with pytest.raises(ValueError, match="is no key of an object store"):
        check_key(key)


@pytest.mark.parametrize(
    ("name", "segment"),
    [
        ("FI-HELSINKI", "FI-HELSINKI"),
        ("../etc", "_2e_2e_2fetc"),
        ("a_b", "a_5fb"),
        ("Käpylä", "K_c3_a4pyl_c3_a4"),
        ("", "_sha256_e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ],
)
def test_name_when_made_a_segment_then_it_is_a_key_and_no_other_name_is_the_same(name: str, segment: str) -> None:
    assert key_segment(name) == segment
    assert check_key(segment) == segment


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://host/a", "'ftp' is no object store: expected file, s3, az or gs"),
        ("s3://key:secret@bucket/a", "credentials have no place in the URL"),
        ("s3://", "s3:// is followed by no bucket"),
        ("s3://bucket?secret=hunter2", "'secret' is no option of an object store"),
        ("s3://bucket?allow_http=yes", "allow_http is 'yes': expected true or false"),
    ],
)
def test_url_when_it_names_no_object_store_then_told_why_and_no_secret(url: str, reason: str) -> None:
    with pytest.raises(ObjectStoreUrlError) as refused:
        ObjectStore.open(url)

    assert reason in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert "key:secret" not in str(refused.value)


def test_folder_when_it_is_a_file_then_told_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ObjectStoreUrlError, match=r"cannot be used as a folder: .*File exists"):
        ObjectStore.open(str(tmp_path / "file"))
