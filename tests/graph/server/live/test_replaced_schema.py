"""A schema that takes another's place while people listen to the other."""

import pytest

from graph.engine import build_application
from graph.server.in_service import Version
from tests.graph.server.live.streaming import Server

TICKS = 'subscription { ticks(room: "one") { number } }'


@pytest.mark.settings(live_keep_alive_s=1.5)
async def test_subscription_when_the_schema_is_replaced_then_it_is_told_to_begin_anew_and_the_old_one_is_closed(server: Server) -> None:
    closed: list[str] = []
    in_service = server.application.in_service

    async def close() -> None:
        closed.append("old")

    old = in_service.current.version
    in_service.current.version = Version(old.schema, old.pipeline, close)
    newer = build_application(server.settings, server.federation, server.around).in_service.current.version
    async with server.client() as client:
        await client.subscribe("a", TICKS)
        await server.settled(open=1)

        in_service.replace(newer)
        server.rooms.publish("one", 1)
        still = await client.message()
        told = await client.message()
        await server.settled(open=0)
        assert closed == ["old"]

        await client.subscribe("a", TICKS)
        await server.settled(open=1)
        server.rooms.publish("one", 2)
        again = await client.message()

    assert still["payload"] == {"data": {"ticks": {"number": 1}}}
    assert (told["type"], told["payload"][0]["extensions"]["code"]) == ("error", "RESYNC_REQUIRED")
    assert again["payload"] == {"data": {"ticks": {"number": 2}}}
