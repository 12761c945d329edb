"""Many writers at one model: as many versions as acknowledged patches, none lost, none twice (FC-07).

In the suite 8 writers with 10 patches each; by `make soak` 32 writers with 100.
"""

import asyncio

import pytest

from graph.errors import Conflict
from resolvers.models.records import Model
from resolvers.stores.engine import Store
from resolvers.stores.journal import events_after
from tests.resolvers.models.changes import (
    TENANT,
    add,
    contents,
    current,
    expect,
    made,
    patched,
    replace,
    replayed,
    stored_patches,
    versions,
)
from tests.soak import scaled

WRITERS, PATCHES = scaled(suite=(8, 10), soak=(32, 100))


async def write(store: Store, model: Model, writer: int) -> list[int]:
    """So many patches, half the writers' rebased, half's tried again on each conflict. Returns the versions that they made."""
    rebase = writer % 2 == 0
    mine: list[int] = []
    base = 1
    while len(mine) < PATCHES:
        number = len(mine)
        counter = f"/counters/{writer}"
        try:
            changed, _ = await patched(store, model.key, base, expect(counter, number), replace(counter, number + 1), rebase=rebase)
        except Conflict as conflict:
            base = conflict.extensions["currentVersion"]
            continue
        mine.append(changed.version)
        base = changed.version
    return mine


@pytest.mark.soak
@pytest.mark.timeout(scaled(suite=120, soak=3_600))
async def test_model_when_many_write_at_once_then_one_version_for_each_patch_and_none_is_lost(store: Store) -> None:
    start = {"counters": [0] * WRITERS, "name": "Mill"}
    model = await made(store, start)

    made_by = await asyncio.gather(*(write(store, model, writer) for writer in range(WRITERS)))

    count = WRITERS * PATCHES
    final = await current(store, model.key)
    assert final.version == 1 + count
    assert sorted(number for numbers in made_by for number in numbers) == list(range(2, count + 2))
    stored = await versions(store, final)
    assert [one.version for one in stored] == list(range(1, count + 2))
    assert len({one.etag for one in stored}) == count + 1
    [content] = await contents(store, [final])
    assert content == {"counters": [PATCHES] * WRITERS, "name": "Mill"}
    assert replayed(start, await stored_patches(store, final)) == content
    events = await events_after(store, TENANT, f"model/{model.uuid}", 0, count + 1)
    assert [(event.seq, event.payload["newVersion"]) for event in events] == [(number, number + 1) for number in range(1, count + 1)]


async def test_model_when_two_append_at_once_then_one_is_told_to_look_again(store: Store) -> None:
    model = await made(store, {"list": []})

    answers = await asyncio.gather(
        *(patched(store, model.key, 1, add("/list/-", writer), rebase=True) for writer in range(2)), return_exceptions=True
    )

    [refused] = [answer for answer in answers if isinstance(answer, Conflict)]
    [done] = [answer for answer in answers if isinstance(answer, tuple)]
    assert refused.extensions["pointers"] == ["/list"]
    assert refused.extensions["currentVersion"] == done[0].version == 2
