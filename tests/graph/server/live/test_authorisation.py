"""Who may open a live connection, for how long, and what becomes of it when rights change (TC-07)."""

import asyncio
import time
from pathlib import Path

import pytest

from graph.auth.tickets import MemoryTickets
from graph.contracts import Principal
from graph.server.live.admission import Admission
from tests.graph.server.live.streaming import Client, Server, live_server

EDITS = 'subscription { edits(room: "one") { number } }'
TICKS = 'subscription { ticks(room: "one") { number } }'
EDITOR = "dth_editor"


async def refused(server: Server, payload: object) -> tuple[int | None, str | None]:
    async with server.socket() as client:
        await client.send(type="connection_init", payload=payload)
        return await client.close_code()


async def renewed(client: Client, token: str) -> None:
    await client.send(type="ping", payload={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
async def test_token_when_in_the_payload_then_acknowledged(server: Server, name: str) -> None:
    async with server.client(payload={name: f"Bearer {server.token()}"}) as client:
        assert await client.answer("q", "{ greeting }") == {"data": {"greeting": "hello you"}}


async def test_token_when_it_came_with_the_upgrade_then_acknowledged(server: Server) -> None:
    async with server.socket(additional_headers={"Authorization": f"Bearer {server.token()}"}) as client:
        await client.send(type="connection_init")

        assert await client.message() == {"type": "connection_ack"}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (None, "an access token is needed"),
        ({}, "an access token is needed"),
        ({"Authorization": "Bearer nonsense"}, "the access token is not a signed JSON Web Token"),
        ({"Authorization": "Basic YTpi"}, "the Authorization header is not `Bearer <token>`"),
        ({"Authorization": 5}, "the member `Authorization` is not `Bearer <token>`"),
        ({"ticket": "made up"}, "the ticket is unknown, used, or expired"),
        ({"ticket": 5}, "the ticket is no string"),
        ({"ticket": "a", "Authorization": "Bearer b"}, "give a ticket or a token, not both"),
    ],
)
async def test_token_when_it_cannot_be_accepted_then_4401_and_why(server: Server, payload: object, reason: str) -> None:
    code, told = await refused(server, payload)

    assert code == 4401
    assert (told or "").startswith(reason)


async def test_token_when_it_expires_then_4401(server: Server) -> None:
    async with server.client(lifetime=2) as client:
        await client.subscribe("a", TICKS)
        await server.settled(open=1)

        assert await client.close_code() == (4401, "the access token has expired")
    await server.settled(open=0)


async def test_token_when_a_fresh_one_comes_in_time_then_the_subscription_goes_on(server: Server) -> None:
    async with server.client(lifetime=2) as client:
        await client.subscribe("a", TICKS)
        await server.settled(open=1)
        await renewed(client, server.token(lifetime=60))
        assert await client.message() == {"type": "pong"}

        await asyncio.sleep(2.4)
        server.rooms.publish("one", 1)

        assert (await client.message())["payload"] == {"data": {"ticks": {"number": 1}}}
    assert server.rooms.opened == 1


@pytest.mark.parametrize("other", [{"subject": "bob"}, {"tenant": "U"}])
async def test_fresh_token_when_it_is_somebody_elses_then_4403(server: Server, other: dict[str, str]) -> None:
    async with server.client() as client:
        await renewed(client, server.token(**other))  # type: ignore[arg-type]

        assert await client.close_code() == (4403, "the fresh token is somebody else's")


async def test_fresh_token_when_it_cannot_be_accepted_then_4401(server: Server) -> None:
    async with server.client() as client:
        await renewed(client, "nonsense")

        assert (await client.close_code())[0] == 4401


async def test_fresh_token_when_it_has_fewer_rights_then_what_needs_them_ends_at_once(server: Server) -> None:
    async with server.client(EDITOR) as client:
        await client.subscribe("edits", EDITS)
        await client.subscribe("ticks", TICKS)
        await client.subscribe("deep", 'subscription { ticks(room: "one") { number model } }')
        await server.settled(open=3)

        await renewed(client, server.token("dt_viewer"))

        ended = {(message := await client.message())["id"]: message["payload"][0]["extensions"]["code"] for _ in range(2)}
        assert ended == {"edits": "FORBIDDEN", "deep": "FORBIDDEN"}
        assert await client.message() == {"type": "pong"}
        await server.settled(open=1)
        server.rooms.publish("one", 9)
        assert (await client.message())["payload"] == {"data": {"ticks": {"number": 9}}}
        assert (await client.answer("again", EDITS))[0]["extensions"]["code"] == "FORBIDDEN"


async def test_fresh_token_when_it_has_more_rights_then_new_operations_use_them(server: Server) -> None:
    async with server.client("dt_viewer") as client:
        assert (await client.answer("a", EDITS))[0]["extensions"]["code"] == "FORBIDDEN"

        await renewed(client, server.token(EDITOR))
        assert await client.message() == {"type": "pong"}
        await client.subscribe("a", EDITS)
        await server.settled(open=1)


def principal(server: Server, *, expires_at: float | None = None) -> Principal:
    return Principal("ada", "T", frozenset({EDITOR}), expires_at=expires_at)


async def test_ticket_when_redeemed_then_its_model_alone_may_be_heard(server: Server) -> None:
    """TC-07: a ticket opens the live channel of the model that it was asked for."""
    ticket = await server.tickets.issue(principal(server), "c/model/1")
    async with server.client(payload={"ticket": ticket.secret}) as client:
        await client.subscribe("a", "subscription ($m: ID!) { modelEvents(modelId: $m) { number } }", m="c/model/1")
        await server.settled(open=1)
        assert server.presence.there == [("ada", "c/model/1")]

        others = [
            await client.answer("b", 'subscription { modelEvents(modelId: "c/model/2") { number } }'),
            await client.answer("c", TICKS),
            await client.answer("d", "{ greeting }"),
            await client.answer("e", "mutation { count }"),
        ]

        assert [errors[0]["extensions"]["code"] for errors in others] == ["FORBIDDEN"] * 4
    assert (server.rooms.opened, server.rooms.counted) == (1, 0)
    await server.settled(open=0)
    assert server.presence.there == []


async def test_ticket_when_used_before_then_4401(server: Server) -> None:
    """TC-07: a ticket is for one use."""
    ticket = await server.tickets.issue(principal(server), "c/model/1")
    async with server.client(payload={"ticket": ticket.secret}):
        pass

    assert await refused(server, {"ticket": ticket.secret}) == (4401, "the ticket is unknown, used, or expired")


async def test_ticket_when_it_is_late_then_4401(tmp_path: Path) -> None:
    """TC-07: a ticket is for a short time."""
    async with live_server(tmp_path, tickets=MemoryTickets(50)) as server:
        ticket = await server.tickets.issue(principal(server), "c/model/1")
        await asyncio.sleep(0.06)

        assert await refused(server, {"ticket": ticket.secret}) == (4401, "the ticket is unknown, used, or expired")


async def test_ticket_when_redeemed_then_no_subgraph_is_told_the_token_behind_it(server: Server) -> None:
    admission = Admission(server.around.authenticator, server.tickets)
    ticket = await server.tickets.issue(principal(server), "c/model/1", "Bearer behind")

    caller = await admission.admit({"ticket": ticket.secret}, {"x-city": "H", "authorization": "Bearer with the upgrade"})

    assert caller.context("r").headers == {"x-city": "H"}
    assert caller.authorization == "Bearer behind"


async def test_ticket_when_the_token_behind_it_expires_then_4401(server: Server) -> None:
    ticket = await server.tickets.issue(principal(server, expires_at=time.time() + 0.5), "c/model/1")
    async with server.client(payload={"ticket": ticket.secret}) as client:
        assert await client.close_code() == (4401, "the access token has expired")


async def test_presence_when_a_subscription_about_a_model_runs_then_its_principal_is_there(server: Server) -> None:
    async with server.client() as client:
        await client.subscribe("a", 'subscription { modelEvents(modelId: "m1") { number } }')
        await client.subscribe("b", 'subscription { modelEvents(modelId: "m1") { text } }')
        await server.settled(open=2)
        assert server.presence.there == [("ada", "m1"), ("ada", "m1")]

        await client.send(type="complete", id="a")
        await server.settled(open=1)

        assert server.presence.there == [("ada", "m1")]
