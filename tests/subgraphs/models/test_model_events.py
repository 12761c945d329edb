"""modelEvents as a collaborator hears them, on both stores (FC-08, TC-06, TC-08)."""

from typing import Any

import pytest

from graph.errors import BadUserInput, CityGraphError, NotFound, ResyncRequired
from graph.gateway_subgraph.participants import Participants, Presence, participants_changed
from graph.subscriptions.bus import EventBus
from resolvers.models.events import MAX_TOLD_PATCH
from resolvers.stores.journal import purge_events
from tests.fakes.city import ADA, CITY, TENANT, City, Live
from tests.subgraphs.annotations.documents import BOB
from tests.subgraphs.annotations.test_annotations_in_a_city import annotate, write_note
from tests.subgraphs.models.test_models_in_a_city import DELETE, PATCH, create, replace

EVENTS = """subscription ($model: ID!, $since: Int, $after: String) { modelEvents(modelId: $model, sinceVersion: $since, after: $after) {
  __typename cursor at modelId
  ... on ModelPatched { newVersion etag patch name description updatedBy }
  ... on AnnotationChanged { kind annotationId annotation { text version model { name version } } }
  ... on NoteChanged { kind noteId note { text model { name } } }
  ... on ParticipantsChanged { participants { userId name joinedAt } } } }"""
VERSIONS = """subscription ($model: ID!, $since: Int, $after: String) { modelEvents(modelId: $model, sinceVersion: $since, after: $after) {
  cursor __typename ... on ModelPatched { newVersion name patch } } }"""
UPDATE_ANNOTATION = "mutation ($input: UpdateAnnotationInput!) { updateAnnotation(input: $input) { annotation { version } } }"
DELETE_ANNOTATION = "mutation ($input: DeleteAnnotationInput!) { deleteAnnotation(input: $input) { deletedId } }"


async def patch(city: City, model: dict[str, Any], base: int, value: Any = None, **caller: Any) -> dict[str, Any]:
    operation = replace("/n", base + 1 if value is None else value)
    answer = await city.ask(PATCH, {"input": {"id": model["id"], "baseVersion": base, "patch": [operation]}}, **caller)
    changed: dict[str, Any] = answer["patchModel"]["model"]
    return changed


async def with_versions(city: City, count: int) -> dict[str, Any]:
    model = await create(city, {"n": 1, "parts": [{"id": "wheel"}]})
    for base in range(1, count):
        await patch(city, model, base)
    return model


async def heard(live: Live, count: int) -> list[Any]:
    return [(await live.next())["modelEvents"] for _ in range(count)]


async def numbers(live: Live, count: int) -> list[int]:
    return [event["newVersion"] for event in await heard(live, count)]


async def fault(city: City, **variables: Any) -> CityGraphError:
    """Why the subscription does not begin."""
    async with city.live(VERSIONS, variables) as live:
        with pytest.raises(CityGraphError) as raised:
            await live.next()
    return raised.value


async def test_patch_when_made_then_every_subscriber_of_the_model_hears_it_within_5_seconds(city: City) -> None:
    """TC-08."""
    mill, dam = await with_versions(city, 1), await with_versions(city, 1)

    async with (
        city.live(EVENTS, {"model": mill["id"]}, roles=("dth_editor",)) as editor,
        city.live(EVENTS, {"model": mill["uuid"]}, roles=("dth_viewer",), subject="bob") as viewer,
        city.live(EVENTS, {"model": dam["id"]}) as other,
    ):
        changed = await patch(city, mill, 1, roles=("dth_editor",))
        first = (await editor.payload(seconds=5))["data"]["modelEvents"]
        second = (await viewer.payload(seconds=5))["data"]["modelEvents"]

        assert await other.silent()
    assert first == {
        "__typename": "ModelPatched",
        "cursor": first["cursor"],
        "at": changed["updatedAt"],
        "modelId": mill["id"],
        "newVersion": 2,
        "etag": changed["etag"],
        "patch": [{"op": "replace", "path": "/n", "value": 2}],
        "name": "Mill",
        "description": None,
        "updatedBy": ADA,
    }
    assert second == first


async def test_patch_when_too_long_for_an_event_then_it_is_told_whole(city: City) -> None:
    mill = await with_versions(city, 1)
    text = "x" * MAX_TOLD_PATCH

    async with city.live(EVENTS, {"model": mill["id"]}) as live:
        await patch(city, mill, 1, text)
        [event] = await heard(live, 1)

    assert event["patch"] == [{"op": "replace", "path": "/n", "value": text}]


async def test_annotation_when_it_changes_then_told_with_what_other_subgraphs_know(city: City) -> None:
    mill = await with_versions(city, 2)

    async with city.live(EVENTS, {"model": mill["id"]}) as live:
        made = await annotate(city, mill["id"])
        [created] = await heard(live, 1)
        await city.ask(UPDATE_ANNOTATION, {"input": {"id": made["id"], "ifVersion": 1, "text": "Oiled"}})
        [updated] = await heard(live, 1)
        await city.ask(DELETE_ANNOTATION, {"input": {"id": made["id"], "ifVersion": 2}})
        [deleted] = await heard(live, 1)

    about = {"__typename": "AnnotationChanged", "modelId": mill["id"], "annotationId": made["id"]}
    model = {"name": "Mill", "version": 2}
    assert [{**event, "cursor": None, "at": None} for event in (created, updated, deleted)] == [
        about | {"cursor": None, "at": None, "kind": "CREATED", "annotation": {"text": "It squeaks", "version": 1, "model": model}},
        about | {"cursor": None, "at": None, "kind": "UPDATED", "annotation": {"text": "Oiled", "version": 2, "model": model}},
        about | {"cursor": None, "at": None, "kind": "DELETED", "annotation": None},
    ]
    assert created["at"] == made["createdAt"]


async def test_annotation_when_it_is_gone_by_the_time_its_event_is_told_then_the_event_comes_without_it(city: City) -> None:
    mill = await with_versions(city, 1)
    made = await annotate(city, mill["id"])
    await city.ask(DELETE_ANNOTATION, {"input": {"id": made["id"], "ifVersion": 1}})

    async with city.live(EVENTS, {"model": mill["id"], "since": 1}) as live:
        told = await heard(live, 2)

    assert [(event["kind"], event["annotation"]) for event in told] == [("CREATED", None), ("DELETED", None)]


async def test_note_when_written_then_every_subscriber_hears_it_and_so_does_whom_it_mentions(city: City) -> None:
    """TC-06."""
    mill = await with_versions(city, 1)

    async with (
        city.live(EVENTS, {"model": mill["id"]}, roles=("dth_viewer",)) as one,
        city.live(EVENTS, {"model": mill["id"]}, roles=("dth_editor",), subject=BOB) as other,
        city.live("subscription { mentioned { by note { id } } }", roles=("dth_viewer",), subject=BOB) as mentioned,
    ):
        made = await write_note(city, mill["id"], mentionUserIds=[BOB])
        [first], [second] = await heard(one, 1), await heard(other, 1)
        mention = (await mentioned.next())["mentioned"]

    assert (first["kind"], first["noteId"], first["note"]) == ("CREATED", made["id"], {"text": "Monday", "model": {"name": "Mill"}})
    assert second == first
    assert mention == {"by": ADA, "note": {"id": made["id"]}}


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> EventBus:
    """The one that the city will have: to be asked for before it."""
    bus = EventBus()
    monkeypatch.setattr("graph.subscriptions.opening.EventBus", lambda: bus)
    return bus


async def test_participants_when_one_comes_then_told_between_the_versions_and_resumed_after(bus: EventBus, city: City) -> None:
    mill = await with_versions(city, 1)
    there = Participants()
    there.join(TENANT, mill["id"], Presence("bob", "Bob", 5))

    async with city.live(EVENTS, {"model": mill["id"]}) as live:
        await patch(city, mill, 1)
        assert await numbers(live, 1) == [2]
        await bus.publish([participants_changed(TENANT, mill["id"], await there.of(TENANT, mill["id"]))])
        [event] = await heard(live, 1)
        await patch(city, mill, 2)
        assert await numbers(live, 1) == [3]

    assert (event["__typename"], event["modelId"]) == ("ParticipantsChanged", mill["id"])
    assert event["participants"] == [{"userId": "bob", "name": "Bob", "joinedAt": 5}]
    async with city.live(VERSIONS, {"model": mill["id"], "after": event["cursor"]}) as again:
        assert await numbers(again, 1) == [3]
        assert await again.silent(0.1)


async def test_model_when_deleted_then_told_and_the_stream_ends_within_5_seconds(city: City) -> None:
    mill = await with_versions(city, 2)
    etag = (await city.ask("query ($id: ID!) { model(id: $id) { etag } }", {"id": mill["id"]}))["model"]["etag"]

    async with city.live(VERSIONS, {"model": mill["id"], "since": 1}) as live:
        [event] = await heard(live, 1)
        await city.ask(DELETE, {"input": {"id": mill["id"], "ifMatch": etag}})
        last = (await live.payload(seconds=5))["data"]["modelEvents"]
        with pytest.raises(StopAsyncIteration):
            await live.payload(seconds=5)

    assert (event["newVersion"], last["__typename"]) == (2, "ModelDeleted")
    async with city.live(VERSIONS, {"model": mill["id"], "after": event["cursor"]}) as again:
        assert await heard(again, 1) == [last]
        with pytest.raises(StopAsyncIteration):
            await again.payload()
    assert isinstance(await fault(city, model=mill["id"], after=last["cursor"]), NotFound)
    assert isinstance(await fault(city, model=mill["id"]), NotFound)


async def test_subscriber_when_it_comes_back_with_its_cursor_then_it_hears_what_it_missed(city: City) -> None:
    mill = await with_versions(city, 1)
    async with city.live(VERSIONS, {"model": mill["id"]}) as live:
        await patch(city, mill, 1)
        [event] = await heard(live, 1)
    await patch(city, mill, 2)
    await write_note(city, mill["id"])

    async with city.live(VERSIONS, {"model": mill["id"], "after": event["cursor"]}) as again:
        await patch(city, mill, 3)
        kinds = [(told["__typename"], told.get("newVersion")) for told in await heard(again, 3)]

        assert await again.silent(0.1)
    assert kinds == [("ModelPatched", 3), ("NoteChanged", None), ("ModelPatched", 4)]


async def test_subscriber_when_it_names_its_version_then_every_later_one_comes_once_and_in_order(city: City) -> None:
    mill = await with_versions(city, 4)

    async with (
        city.live(VERSIONS, {"model": mill["id"], "since": 1}) as all_of_them,
        city.live(VERSIONS, {"model": mill["id"], "since": 3}) as last,
        city.live(VERSIONS, {"model": mill["id"], "since": 4}) as none,
    ):
        await patch(city, mill, 4)

        assert await numbers(all_of_them, 4) == [2, 3, 4, 5]
        assert await numbers(last, 2) == [4, 5]
        assert await numbers(none, 1) == [5]


@pytest.mark.parametrize("kept", [0, 2])
async def test_subscriber_when_the_journal_does_not_reach_back_then_the_versions_do(city: City, kept: int) -> None:
    mill = await with_versions(city, 4)
    await purge_events(city.store, 2**52)
    for base in range(4, 4 + kept):
        await patch(city, mill, base)

    async with city.live(VERSIONS, {"model": mill["id"], "since": 2}) as live:
        told = await heard(live, 2 + kept)
        await patch(city, mill, 4 + kept)
        assert await numbers(live, 1) == [5 + kept]
    async with city.live(VERSIONS, {"model": mill["id"], "after": told[0]["cursor"]}) as again:
        resumed = await numbers(again, 2 + kept)

    assert [(event["newVersion"], event["name"]) for event in told] == [(number, "Mill") for number in range(3, 5 + kept)]
    assert [event["patch"] for event in told] == [[replace("/n", number)] for number in range(3, 5 + kept)]
    assert resumed == list(range(4, 6 + kept))


async def test_subscriber_when_it_cannot_be_brought_up_to_date_then_told_why(city: City) -> None:
    mill, dam = await with_versions(city, 2), await with_versions(city, 1)
    async with city.live(VERSIONS, {"model": mill["id"], "since": 1}) as live:
        [event] = await heard(live, 1)
    await patch(city, mill, 2)
    await purge_events(city.store, 2**52)
    unknown = "2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a"

    assert isinstance(await fault(city, model=mill["id"], after=event["cursor"]), ResyncRequired)
    assert isinstance(await fault(city, model=mill["id"], since=4), ResyncRequired)
    for variables in (
        {"model": mill["id"], "since": 0},
        {"model": mill["id"], "after": "nonsense"},
        {"model": dam["id"], "after": event["cursor"]},
        {"model": mill["id"], "since": 1, "after": event["cursor"]},
        {"model": "nonsense"},
    ):
        assert isinstance(await fault(city, **variables), BadUserInput), variables
    for model in (unknown, mill["id"].replace(CITY, "DE-BERLIN")):
        assert isinstance(await fault(city, model=model), NotFound), model


async def test_model_when_another_tenants_then_it_is_not_there(city: City) -> None:
    mill = await with_versions(city, 2)

    for variables in ({"model": mill["id"]}, {"model": mill["id"], "since": 1}):
        async with city.live(VERSIONS, variables, tenant="SE-STOCKHOLM") as live:
            with pytest.raises(NotFound):
                await live.next()


@pytest.mark.parametrize("role", ["dt_viewer", "city_editor", "compliance_reader", "admin"])
async def test_model_events_when_the_role_does_not_bring_models_then_forbidden(city: City, role: str) -> None:
    mill = await with_versions(city, 1)

    assert await city.codes(EVENTS, {"model": mill["id"]}, roles=(role,)) == ["FORBIDDEN"]
