"""mentioned as the one hears it who is mentioned, on both stores (FC-06, TC-06)."""

from typing import Any

import pytest

from graph.errors import BadUserInput, ResyncRequired
from resolvers.stores.journal import purge_events
from tests.fakes.city import ADA, City, Live
from tests.subgraphs.annotations.conftest import create_model
from tests.subgraphs.annotations.documents import BOB, DELETE_NOTE, EVE
from tests.subgraphs.annotations.test_annotations_in_a_city import annotate, write_note

LIVE = """subscription ($after: String) { mentioned(after: $after) {
  cursor id by at modelId model { name } annotation { text } note { text } } }"""


async def heard(live: Live) -> Any:
    return (await live.next())["mentioned"]


async def test_mention_when_made_then_told_to_the_mentioned_alone_though_all_ask_the_same(city: City) -> None:
    """TC-06: of two who listen, each hears its own."""
    mill = await create_model(city.store)

    async with (
        city.live(LIVE, subject=BOB, roles=("dth_viewer",)) as bob,
        city.live(LIVE, subject=EVE, roles=("dth_viewer",)) as eve,
        city.live(LIVE, subject=ADA, roles=("dth_viewer",)) as author,
        city.live(LIVE, subject=BOB, tenant="SE-STOCKHOLM") as namesake,
        city.live(LIVE, subject="no-uuid") as nobody,
    ):
        annotation = await annotate(city, mill, "Look", mentionUserIds=[BOB])
        await write_note(city, mill, "All of you", mentionUserIds=[EVE, BOB])
        first, second = await heard(bob), await heard(bob)
        of_eve = await heard(eve)

        assert await author.silent()
        for other in (bob, eve, namesake, nobody):
            assert await other.silent(0)
    assert first == {
        "cursor": first["cursor"],
        "id": first["id"],
        "by": ADA,
        "at": annotation["createdAt"],
        "modelId": mill,
        "model": {"name": "Mill"},
        "annotation": {"text": "Look"},
        "note": None,
    }
    assert (second["note"], of_eve["note"]) == ({"text": "All of you"}, {"text": "All of you"})
    listed = await city.ask("{ mentions { nodes { id cursor } } }", subject=BOB)
    assert listed["mentions"]["nodes"] == [{"id": second["id"], "cursor": None}, {"id": first["id"], "cursor": None}]


async def test_mention_when_its_user_comes_back_then_told_unless_it_is_gone(city: City) -> None:
    mill = await create_model(city.store)
    async with city.live(LIVE, subject=BOB) as live:
        await annotate(city, mill, "First", mentionUserIds=[BOB])
        cursor = (await heard(live))["cursor"]
    note = await write_note(city, mill, "Gone", mentionUserIds=[BOB])
    await city.ask(DELETE_NOTE, {"input": {"id": note["id"], "ifVersion": 1}})
    await annotate(city, mill, "Second", mentionUserIds=[BOB])

    async with city.live(LIVE, {"after": cursor}, subject=BOB) as again:
        missed = await heard(again)
        assert await again.silent(0.1)

    assert missed["annotation"] == {"text": "Second"}


async def test_mentions_when_what_was_missed_is_not_known_any_more_then_said_so(city: City) -> None:
    mill = await create_model(city.store)
    async with city.live(LIVE, subject=BOB) as live:
        await annotate(city, mill, "First", mentionUserIds=[BOB])
        cursor = (await heard(live))["cursor"]
    await annotate(city, mill, "Second", mentionUserIds=[BOB])
    await purge_events(city.store, 2**52)

    async with city.live(LIVE, {"after": cursor}, subject=BOB) as again:
        with pytest.raises(ResyncRequired):
            await again.next()
    async with city.live(LIVE, {"after": "nonsense"}, subject=BOB) as again:
        with pytest.raises(BadUserInput, match="'nonsense' is not a cursor"):
            await again.next()


@pytest.mark.parametrize("role", ["dt_viewer", "dt_ingestor", "admin"])
async def test_mentioned_when_the_role_does_not_bring_collaboration_then_forbidden(city: City, role: str) -> None:
    assert await city.codes(LIVE, roles=(role,)) == ["FORBIDDEN"]
