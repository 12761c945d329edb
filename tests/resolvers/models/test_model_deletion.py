"""Models go with all that is theirs: deleted, or unchanged for too long; and what others are told of which there are."""

import asyncio

import pytest
import sqlalchemy as sa

from graph.errors import NotFound
from resolvers.models import commands
from resolvers.models.directory import ModelDirectory
from resolvers.models.retention import purge
from resolvers.models.store import model as model_table
from resolvers.models.store import version_table
from resolvers.stores.engine import Store
from resolvers.stores.journal import events_after
from tests.resolvers.models.changes import CITY, TENANT, Nobody, current, made, patched, replace


async def rows(store: Store) -> tuple[int, int]:
    async with store.read() as connection:
        counts = [await connection.scalar(sa.select(sa.func.count()).select_from(table)) for table in (model_table, version_table)]
    return counts[0] or 0, counts[1] or 0


async def test_model_when_deleted_then_its_versions_and_dependants_go_with_it_and_no_others(store: Store) -> None:
    gone, stays = await made(store, {"a": 1}), await made(store, {"a": 1})
    gone, _ = await patched(store, gone.key, 1, replace("/a", 2))
    dependants = Nobody()

    await commands.delete(store, dependants, tenant=TENANT, key=gone.key, if_match=gone.etag, now=3)

    assert dependants.told == [gone.uuid]
    assert await rows(store) == (1, 1)
    assert await current(store, stays.key) == stays
    with pytest.raises(NotFound):
        await commands.delete(store, dependants, tenant=TENANT, key=gone.key, if_match=gone.etag, now=3)


async def test_model_when_its_dependants_cannot_be_deleted_then_nothing_is(store: Store) -> None:
    class Failing:
        async def delete_of_model(self, *_: object) -> None:
            raise ZeroDivisionError

    model = await made(store, {"a": 1})

    with pytest.raises(ZeroDivisionError):
        await commands.delete(store, Failing(), tenant=TENANT, key=model.key, if_match=model.etag, now=3)

    assert await rows(store) == (1, 1)
    assert await events_after(store, TENANT, f"model/{model.uuid}", 0, 10) == []


async def test_models_when_purged_then_those_unchanged_since_go_of_every_tenant(store: Store) -> None:
    old = [await made(store, {}, now=10), await made(store, {}, now=11, tenant="other")]
    changed = await made(store, {"a": 1}, now=10)
    changed, _ = await patched(store, changed.key, 1, replace("/a", 2), now=12)
    dependants = Nobody()

    assert await purge(store, 12, dependants) == 2
    assert await purge(store, 12, dependants) == 0

    assert sorted(dependants.told) == sorted(model.uuid for model in old)
    assert await rows(store) == (1, 2)
    assert [event.kind for event in await events_after(store, "other", f"model/{old[1].uuid}", 0, 10)] == ["ModelDeleted"]


async def test_directory_when_asked_then_it_knows_the_tenants_models_and_their_elements(store: Store) -> None:
    model = await made(store, {"nodes": [{"id": "n1"}, {"id": 7}, {"id": "n1", "second": True}], "id": "root"})
    other = await made(store, {}, tenant="other")
    elsewhere = await made(store, {"id": "x"}, city="FI-TURKU")
    directory = ModelDirectory(CITY)

    for transaction in (store.read, store.write):
        async with transaction() as connection:
            uuids = [model.uuid, other.uuid, elsewhere.uuid, model.uuid]
            assert await directory.existing(connection, TENANT, uuids) == {model.uuid}
            asked = ["n1", "root", "7", "n2", ""]
            assert await directory.elements(connection, TENANT, model.uuid, asked) == {"n1", "root"}
            assert await directory.elements(connection, TENANT, elsewhere.uuid, ["x"]) == set()
            assert await directory.elements(connection, "other", model.uuid, ["n1"]) == set()


async def test_model_when_someone_hangs_something_on_it_then_it_can_be_patched_but_not_deleted_meanwhile(postgresql_store: Store) -> None:
    store = postgresql_store
    model = await made(store, {"a": 1})

    async with store.write() as connection:
        await ModelDirectory(CITY).existing(connection, TENANT, [model.uuid])
        model, _ = await patched(store, model.key, 1, replace("/a", 2))
        deletion = asyncio.create_task(commands.delete(store, Nobody(), tenant=TENANT, key=model.key, if_match=model.etag, now=3))
        done, _ = await asyncio.wait([deletion], timeout=0.3)
        assert done == set()
    await deletion

    assert await rows(store) == (0, 0)
