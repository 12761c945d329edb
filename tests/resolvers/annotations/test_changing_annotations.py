"""Creating, changing and deleting annotations and notes: versions, conflicts, and what is told of it (FC-05, FC-06)."""

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from graph.errors import Conflict, NotFound
from resolvers.annotations import commands, queries
from resolvers.annotations.directory import ModelAnnotations
from resolvers.annotations.records import AnnotationType, Mention, Owner
from resolvers.stores.engine import Store
from resolvers.stores.journal import events_after
from resolvers.stores.paging import Window
from tests.resolvers.annotations.contributions import ADA, BOB, EVE, HELSINKI, KILN, MILL, MODELS, KnownModels, annotate, write_note

ALL = Window(100)


async def _mentions(store: Store, user: UUID, owner: Owner = HELSINKI) -> list[Mention]:
    page = await queries.mentions_of(store, owner, user, ALL)
    return list(page.items)


async def _events(store: Store, channel: str) -> list[tuple[str, int, dict[str, object]]]:
    found = await events_after(store, HELSINKI.tenant, channel, 0, 100)
    return [(event.kind, event.at, dict(event.payload)) for event in found]


async def test_annotation_when_created_then_it_is_stored_as_it_was_said(store: Store) -> None:
    created = await annotate(store, "Läuft 🌀", kind=AnnotationType.RISK, tags=("b", "a"), mentioned=(BOB, ADA))

    stored = await queries.annotations_by_uuid(store, HELSINKI, [created.uuid])

    assert stored == {created.uuid: created}
    assert (created.model, created.element, created.type, created.text) == (MILL, "wheel", AnnotationType.RISK, "Läuft 🌀")
    assert (created.tags, created.mentioned, created.author) == (("b", "a"), (BOB, ADA), "ada")
    assert (created.created_at, created.updated_at, created.resolved, created.version) == (1_000, 1_000, False, 1)


async def test_note_when_created_then_it_is_stored_as_it_was_said(store: Store) -> None:
    created = await write_note(store, mentioned=(EVE,), related_elements=("stone", "wheel"))

    stored = await queries.notes_by_uuid(store, HELSINKI, [created.uuid])

    assert stored == {created.uuid: created}
    assert (created.text, created.mentioned, created.related_elements) == ("We meet on Monday", (EVE,), ("stone", "wheel"))
    assert (created.author, created.created_at, created.updated_at, created.version) == ("ada", 1_000, 1_000, 1)


async def test_annotation_when_updated_then_what_is_named_changes_and_the_author_stays(store: Store) -> None:
    created = await annotate(store, tags=("a",))

    changed = await commands.update_annotation(
        store, owner=HELSINKI, editor="bob", uuid=created.uuid, if_version=1, changes={"resolved": True, "tags": ()}, now=2_000
    )

    assert changed == replace(created, resolved=True, tags=(), updated_at=2_000, version=2)
    assert await queries.annotations_by_uuid(store, HELSINKI, [created.uuid]) == {created.uuid: changed}


async def test_update_when_it_changes_nothing_then_neither_version_nor_time_moves_and_nobody_is_told(store: Store) -> None:
    annotation = await annotate(store, mentioned=(BOB,))
    note = await write_note(store)

    same_annotation = await commands.update_annotation(
        store, owner=HELSINKI, editor="bob", uuid=annotation.uuid, if_version=1, changes={"mentioned": (BOB,)}, now=2_000
    )
    same_note = await commands.update_note(
        store, MODELS, owner=HELSINKI, editor="bob", uuid=note.uuid, if_version=1, changes={"text": note.text}, now=2_000
    )

    assert (same_annotation, same_note) == (annotation, note)
    assert [at for _, at, _ in await _events(store, f"model/{MILL}")] == [1_000, 1_000]


async def test_change_when_the_version_is_another_then_conflict_tells_the_current_one(store: Store) -> None:
    note = await write_note(store)
    await commands.update_note(
        store, MODELS, owner=HELSINKI, editor="bob", uuid=note.uuid, if_version=1, changes={"text": "Tuesday"}, now=2_000
    )

    with pytest.raises(Conflict) as update:
        await commands.update_note(
            store, MODELS, owner=HELSINKI, editor="eve", uuid=note.uuid, if_version=1, changes={"text": "Friday"}, now=3_000
        )
    with pytest.raises(Conflict) as deletion:
        await commands.delete_note(store, owner=HELSINKI, uuid=note.uuid, if_version=3, now=3_000)

    assert update.value.extensions == deletion.value.extensions == {"currentVersion": 2}
    assert update.value.detail == "The note is at version 2, not 1: read it again"
    [stored] = (await queries.notes_by_uuid(store, HELSINKI, [note.uuid])).values()
    assert (stored.text, stored.version, stored.updated_at) == ("Tuesday", 2, 2_000)


async def test_update_when_twenty_come_at_once_then_one_wins_and_the_others_conflict(store: Store) -> None:
    created = await annotate(store)

    done = await asyncio.gather(
        *[
            commands.update_annotation(
                store, owner=HELSINKI, editor="bob", uuid=created.uuid, if_version=1, changes={"text": f"Turn {turn}"}, now=2_000
            )
            for turn in range(20)
        ],
        return_exceptions=True,
    )

    won = [outcome for outcome in done if not isinstance(outcome, BaseException)]
    assert len(won) == 1
    assert [type(outcome) for outcome in done if isinstance(outcome, BaseException)] == [Conflict] * 19
    assert await queries.annotations_by_uuid(store, HELSINKI, [created.uuid]) == {created.uuid: won[0]}


@pytest.mark.parametrize(
    ("model", "element", "message"),
    [
        (MILL, "roof", f"There is no element 'roof' in the model FI-HELSINKI/model/{MILL}"),
        (EVE, "wheel", f"There is no model FI-HELSINKI/model/{EVE}"),
    ],
)
async def test_annotation_when_its_model_or_element_is_unknown_then_nothing_is_made(
    store: Store, model: UUID, element: str, message: str
) -> None:
    with pytest.raises(NotFound, match=message):
        await annotate(store, model=model, element=element, mentioned=(BOB,))

    assert await _events(store, f"model/{model}") == []
    assert await _mentions(store, BOB) == []


async def test_note_when_an_element_is_gone_since_then_it_may_still_be_named_but_no_other(store: Store) -> None:
    note = await write_note(store, related_elements=("stone",))
    only_the_wheel = KnownModels(of_models={MILL: {"wheel"}})

    changed = await commands.update_note(
        store,
        only_the_wheel,
        owner=HELSINKI,
        editor="ada",
        uuid=note.uuid,
        if_version=1,
        changes={"related_elements": ("wheel", "stone")},
        now=2_000,
    )
    with pytest.raises(NotFound, match="There is no element 'roof'"):
        await commands.update_note(
            store,
            only_the_wheel,
            owner=HELSINKI,
            editor="ada",
            uuid=note.uuid,
            if_version=2,
            changes={"related_elements": ("wheel", "roof")},
            now=2_000,
        )

    assert changed.related_elements == ("wheel", "stone")


async def test_mentions_when_an_update_changes_them_then_those_that_stay_are_left_as_they_are(store: Store) -> None:
    """FC-06."""
    created = await annotate(store, mentioned=(ADA, BOB), author="ada")
    [before] = await _mentions(store, BOB)

    await commands.update_annotation(
        store, owner=HELSINKI, editor="carl", uuid=created.uuid, if_version=1, changes={"mentioned": (EVE, BOB)}, now=2_000
    )

    assert await _mentions(store, ADA) == []
    assert await _mentions(store, BOB) == [before]
    assert before == Mention(before.uuid, MILL, created.uuid, None, BOB, "ada", 1_000)
    [of_eve] = await _mentions(store, EVE)
    assert of_eve == Mention(of_eve.uuid, MILL, created.uuid, None, EVE, "carl", 2_000)
    assert await _events(store, f"mentions/{EVE}") == [("Mentioned", 2_000, {"city": "FI-HELSINKI", "mention": str(of_eve.uuid)})]
    assert [at for _, at, _ in await _events(store, f"mentions/{BOB}")] == [1_000]


async def test_events_when_things_change_then_the_models_channel_tells_each_change_in_order(store: Store) -> None:
    """AC-06."""
    annotation = await annotate(store, now=1_000)
    note = await write_note(store, now=2_000)
    await commands.update_note(
        store, MODELS, owner=HELSINKI, editor="bob", uuid=note.uuid, if_version=1, changes={"text": "Tuesday"}, now=3_000
    )
    await commands.delete_annotation(store, owner=HELSINKI, uuid=annotation.uuid, if_version=1, now=4_000)
    await commands.delete_note(store, owner=HELSINKI, uuid=note.uuid, if_version=2, now=5_000)

    of_model = {"city": "FI-HELSINKI", "modelId": str(MILL)}
    assert await _events(store, f"model/{MILL}") == [
        ("AnnotationChanged", 1_000, {**of_model, "kind": "CREATED", "annotationId": str(annotation.uuid)}),
        ("NoteChanged", 2_000, {**of_model, "kind": "CREATED", "noteId": str(note.uuid)}),
        ("NoteChanged", 3_000, {**of_model, "kind": "UPDATED", "noteId": str(note.uuid)}),
        ("AnnotationChanged", 4_000, {**of_model, "kind": "DELETED", "annotationId": str(annotation.uuid)}),
        ("NoteChanged", 5_000, {**of_model, "kind": "DELETED", "noteId": str(note.uuid)}),
    ]
    assert await queries.annotations_by_uuid(store, HELSINKI, [annotation.uuid]) == {}
    assert await queries.notes_by_uuid(store, HELSINKI, [note.uuid]) == {}


async def test_mentions_when_two_models_name_the_same_users_at_once_then_neither_waits_for_ever(store: Store) -> None:
    users = tuple(uuid4() for _ in range(10))

    await asyncio.gather(
        *[annotate(store, model=model, mentioned=users[::step]) for _ in range(5) for model, step in ((MILL, 1), (KILN, -1))]
    )

    assert [len(await _mentions(store, user)) for user in users] == [10] * 10


async def test_deletion_when_a_thing_goes_then_its_mentions_go_with_it(store: Store) -> None:
    annotation = await annotate(store, mentioned=(BOB,))
    await write_note(store, mentioned=(BOB,), now=2_000)

    await commands.delete_annotation(store, owner=HELSINKI, uuid=annotation.uuid, if_version=1, now=3_000)

    assert [found.annotation for found in await _mentions(store, BOB)] == [None]


async def test_model_when_it_is_deleted_then_all_of_its_own_goes_in_that_transaction(store: Store) -> None:
    of_mill = [await annotate(store, mentioned=(BOB,)), await write_note(store, mentioned=(EVE,))]
    of_kiln = await annotate(store, model=KILN, mentioned=(BOB,))

    with pytest.raises(ZeroDivisionError):
        async with store.write() as connection:
            await ModelAnnotations(HELSINKI.city).delete_of_model(connection, HELSINKI.tenant, MILL)
            raise ZeroDivisionError
    assert len(await _mentions(store, BOB)) == 2
    for owner in (Owner("DE-BERLIN", HELSINKI.city), Owner(HELSINKI.tenant, "DE-BERLIN")):
        async with store.write() as connection:
            await ModelAnnotations(owner.city).delete_of_model(connection, owner.tenant, MILL)
    assert len(await _mentions(store, BOB)) == 2
    async with store.write() as connection:
        await ModelAnnotations(HELSINKI.city).delete_of_model(connection, HELSINKI.tenant, MILL)

    uuids = [found.uuid for found in (*of_mill, of_kiln)]
    assert await queries.annotations_by_uuid(store, HELSINKI, uuids) == {of_kiln.uuid: of_kiln}
    assert await queries.notes_by_uuid(store, HELSINKI, uuids) == {}
    assert [found.annotation for found in await _mentions(store, BOB)] == [of_kiln.uuid]
    assert await _mentions(store, EVE) == []


@pytest.mark.parametrize("owner", [Owner("DE-BERLIN", "FI-HELSINKI"), Owner("FI-HELSINKI", "DE-BERLIN")])
async def test_things_when_they_are_anothers_then_they_are_not_found(store: Store, owner: Owner) -> None:
    annotation, note = await annotate(store, mentioned=(BOB,)), await write_note(store, mentioned=(BOB,))
    [of_note, of_annotation] = sorted(await _mentions(store, BOB), key=lambda it: it.note is None)

    for change in (
        commands.update_annotation(store, owner=owner, editor="eve", uuid=annotation.uuid, if_version=1, changes={}, now=2_000),
        commands.delete_annotation(store, owner=owner, uuid=annotation.uuid, if_version=1, now=2_000),
        commands.update_note(store, MODELS, owner=owner, editor="eve", uuid=note.uuid, if_version=1, changes={}, now=2_000),
        commands.delete_note(store, owner=owner, uuid=note.uuid, if_version=1, now=2_000),
    ):
        with pytest.raises(NotFound):
            await change

    assert await queries.annotations_by_uuid(store, owner, [annotation.uuid]) == {}
    assert await queries.notes_by_uuid(store, owner, [note.uuid]) == {}
    assert await queries.mentions_by_uuid(store, owner, BOB, [of_note.uuid, of_annotation.uuid]) == {}
    assert await _mentions(store, BOB, owner) == []
    assert await queries.count_mentions_of(store, owner, BOB) == 0
    assert (of_note.note, of_annotation.annotation) == (note.uuid, annotation.uuid)


async def test_mention_when_another_user_asks_for_it_then_there_is_none(store: Store) -> None:
    await annotate(store, mentioned=(BOB,))
    [mention] = await _mentions(store, BOB)

    assert await queries.mentions_by_uuid(store, HELSINKI, BOB, [mention.uuid]) == {mention.uuid: mention}
    assert await queries.mentions_by_uuid(store, HELSINKI, EVE, [mention.uuid]) == {}
