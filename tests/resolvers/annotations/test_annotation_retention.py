"""What has outlived its time goes, and the tables are those of the code."""

import pytest
import sqlalchemy as sa

from resolvers.annotations import commands, queries, retention
from resolvers.annotations.records import Owner
from resolvers.annotations.store import annotation, mention, note
from resolvers.stores.engine import Store
from resolvers.stores.paging import Window
from tests.resolvers.annotations.contributions import BOB, HELSINKI, MILL, KnownModels, annotate, write_note

BERLIN = Owner("DE-BERLIN", "DE-BERLIN")


async def test_purge_when_run_then_what_nobody_changed_since_goes_with_its_mentions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """ICD §6.3."""
    monkeypatch.setattr(retention, "_LOT", 2)
    old = [await annotate(store, mentioned=(BOB,), now=1_000 + number) for number in range(5)]
    changed, kept = old[0], await write_note(store, mentioned=(BOB,), now=2_000)
    await commands.update_annotation(store, owner=HELSINKI, editor="bob", uuid=changed.uuid, if_version=1, changes={"text": "x"}, now=2_000)
    await write_note(store, now=1_999)
    await annotate(store, owner=BERLIN, models=KnownModels(tenant=BERLIN.tenant), now=1_000)

    gone = await retention.purge(store, 2_000)
    again = await retention.purge(store, 2_000)

    assert (gone, again) == (6, 0)
    assert list(await queries.annotations_by_uuid(store, HELSINKI, [found.uuid for found in old])) == [changed.uuid]
    assert await queries.note_counts(store, HELSINKI, [MILL]) == [1]
    mentions = await queries.mentions_of(store, HELSINKI, BOB, Window(100))
    assert [(found.annotation, found.note) for found in mentions.items] == [(None, kept.uuid), (changed.uuid, None)]


@pytest.mark.parametrize("table", [annotation, note, mention], ids=lambda table: str(table.name))
async def test_migration_when_done_then_the_table_is_the_one_of_the_code(store: Store, table: sa.Table) -> None:
    async with store.read() as connection:
        of_migration = await connection.run_sync(_shape, table.name)

    async with store.write() as connection:
        await connection.run_sync(lambda sync: [it.drop(sync) for it in (mention, note, annotation)])
        await connection.run_sync(table.metadata.create_all, tables=[annotation, note, mention])
        of_code = await connection.run_sync(_shape, table.name)

    assert of_migration == of_code


def _shape(connection: sa.Connection, table: str) -> list[object]:
    inspector = sa.inspect(connection)
    columns = [(column["name"], str(column["type"]), column["nullable"]) for column in inspector.get_columns(table)]
    named = [
        inspector.get_indexes(table),
        inspector.get_unique_constraints(table),
        inspector.get_foreign_keys(table),
        inspector.get_check_constraints(table),
    ]
    return [columns, inspector.get_pk_constraint(table), *[sorted(map(str, found)) for found in named]]
