"""Clients that mean harm, or read nothing: they cost what is bounded, and delay nobody."""

import asyncio
import json
import os
import socket
import struct
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from graph.server.live import line
from tests.graph.server.live.streaming import PROTOCOL, Client, Server

LARGE = "x" * 20_000


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "ABORT_SECONDS", 0.5)


def connections(server: Server) -> int:
    return len(server.application._parts.live)


class Deaf:
    """A raw socket that has shaken hands, says what it is told to, and never reads again."""

    def __init__(self, server: Server) -> None:
        host, port = server.address.split(":")
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self.socket.setblocking(False)
        self.address = (host, int(port))

    async def open(self, *messages: Any) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self.socket, self.address)
        await loop.sock_sendall(
            self.socket,
            b"GET /graphql HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: " + PROTOCOL.encode() + b"\r\n\r\n",
        )
        assert (await loop.sock_recv(self.socket, 4_096)).startswith(b"HTTP/1.1 101")
        for message in messages:
            await self.say(json.dumps(message).encode())

    async def say(self, data: bytes, opcode: int = 0x81) -> None:
        mask = os.urandom(4)
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack("!H", len(data))
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        await asyncio.get_running_loop().sock_sendall(self.socket, bytes([opcode]) + size + mask + masked)

    def close(self) -> None:
        self.socket.close()


async def deaf_subscriber(server: Server, query: str, subject: str = "eve") -> Deaf:
    deaf = Deaf(server)
    token = server.token(subject=subject)
    await deaf.open(
        {"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}},
        {"type": "subscribe", "id": "1", "payload": {"query": query}},
    )
    return deaf


async def flood(server: Server, listener: Client, events: int) -> None:
    """Large events, each of which the listener must have before the next is sent."""
    for number in range(events):
        server.rooms.publish("one", number, LARGE)
        message = await listener.message(seconds=2)
        assert message["payload"]["data"]["t"]["number"] == number


@pytest.mark.settings(live_backlog_kb=100)
async def test_slow_client_when_its_field_can_resume_then_it_is_told_to_and_others_are_not_delayed(server: Server) -> None:
    query = 'subscription { t: log(room: "one") { number text } }'
    deaf = await deaf_subscriber(server, query)
    async with server.client() as listener:
        await listener.subscribe("a", query)
        await server.settled(open=1)
        await asyncio.sleep(0.1)

        await flood(server, listener, 400)

        live = server.application._parts.live
        held = [session for session in live._connections if session.caller.principal.subject == "eve"]  # type: ignore[attr-defined]
        assert [len(session._operations._running) for session in held] == [0]  # type: ignore[attr-defined]
        assert held[0]._socket._transport.get_write_buffer_size() < 150_000  # type: ignore[attr-defined]

    received = await everything(deaf)
    last = json.loads(received[-1])
    assert (last["id"], last["type"], last["payload"][0]["extensions"]["code"]) == ("1", "error", "RESYNC_REQUIRED")
    numbers = [json.loads(text)["payload"]["data"]["t"]["number"] for text in received[1:-1]]
    assert numbers == list(range(len(numbers)))
    deaf.close()


@pytest.mark.settings(live_backlog_kb=100)
async def test_slow_client_when_its_field_cannot_resume_then_it_is_cut_off(server: Server) -> None:
    query = 'subscription { t: ticks(room: "one") { number text } }'
    deaf = await deaf_subscriber(server, query)
    async with server.client() as listener:
        await listener.subscribe("a", query)
        await server.settled(open=1)
        await asyncio.sleep(0.1)

        await flood(server, listener, 400)

        assert await gone(server, left=1)
    deaf.close()


@pytest.mark.settings(live_backlog_kb=100)
async def test_slow_client_when_a_long_past_is_its_alone_then_it_gets_all_of_it_at_its_own_pace(server: Server) -> None:
    slow = await deaf_subscriber(server, "subscription { t: past(events: 300, bytes: 60000) { number text } }")
    await asyncio.sleep(0.5)
    (session,) = server.application._parts.live._connections

    assert session._socket._transport.get_write_buffer_size() < 200_000  # type: ignore[attr-defined]
    received = [json.loads(text) for text in await everything(slow)]
    assert [one["payload"]["data"]["t"]["number"] for one in received[1:-1]] == list(range(300))
    assert received[-1] == {"id": "1", "type": "complete"}
    slow.close()


async def gone(server: Server, *, left: int, seconds: float = 8) -> bool:
    async with asyncio.timeout(seconds):
        while connections(server) != left:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return True


@pytest.mark.settings(live_backlog_kb=100)
async def test_deaf_client_when_it_asks_for_ever_more_then_it_is_cut_off(server: Server) -> None:
    deaf = Deaf(server)
    await deaf.open({"type": "connection_init", "payload": {"Authorization": f"Bearer {server.token()}"}})
    for number in range(100):
        await deaf.say(json.dumps({"type": "subscribe", "id": str(number), "payload": {"query": "{ big(bytes: 200000) }"}}).encode())

    assert await gone(server, left=0)
    deaf.close()


@pytest.mark.settings(live_keep_alive_s=0.3)
async def test_deaf_client_when_it_never_answers_a_ping_then_its_connection_is_broken_off(server: Server) -> None:
    deaf = await deaf_subscriber(server, 'subscription { t: ticks(room: "one") { number text } }')
    await server.settled(open=1)

    assert await gone(server, left=0)
    await server.settled(open=0)
    deaf.close()


async def test_deaf_client_when_it_pings_without_end_then_little_is_kept_for_it_and_it_is_cut_off(server: Server) -> None:
    deaf = await deaf_subscriber(server, 'subscription { t: log(room: "one") { number } }')
    await server.settled(open=1)
    (session,) = server.application._parts.live._connections
    transport = session._socket._transport  # type: ignore[attr-defined]

    held = 0
    with pytest.raises(ConnectionError):
        async with asyncio.timeout(10):
            while True:
                await deaf.say(b"x" * 125, opcode=0x89)
                held = max(held, transport.get_write_buffer_size())

    assert held < 20_000
    assert await gone(server, left=0)
    deaf.close()


async def test_client_when_it_pings_now_and_then_then_each_is_answered(server: Server) -> None:
    async with server.client() as client:
        for _ in range(20):
            await asyncio.wait_for(await client.socket.ping(), 2)

        assert client.socket.latency > 0


async def test_identifiers_when_ten_thousand_are_opened_then_a_hundred_run_and_the_rate_ends_it(server: Server) -> None:
    async with server.client() as client:
        for number in range(10_000):
            try:
                await client.subscribe(str(number), 'subscription { ticks(room: "one") { number } }')
            except ConnectionClosed:
                break

        assert (await client.close_code())[0] == 1008
    assert server.rooms.opened <= 1
    await server.settled(open=0)


@pytest.mark.parametrize(
    "garbage", [b"\xff" * 100, b"\x81\x05hello", b"GET / HTTP/1.1\r\n\r\n", b"\xc1\x80abcd", b"\x81\xff\x7f" + b"\xff" * 20]
)
async def test_garbage_when_sent_after_the_handshake_then_only_that_connection_ends(server: Server, garbage: bytes) -> None:
    deaf = Deaf(server)
    async with server.client() as client:
        await deaf.open()
        await asyncio.get_running_loop().sock_sendall(deaf.socket, garbage)

        assert await gone(server, left=1)
        assert await client.answer("q", "{ greeting }") == {"data": {"greeting": "hello you"}}
    deaf.close()


async def test_frames_when_a_message_never_ends_then_it_is_no_larger_than_allowed(server: Server) -> None:
    deaf = Deaf(server)
    await deaf.open()
    try:
        await deaf.say(b'{"type": "', opcode=0x01)
        for _ in range(100):
            await deaf.say(b"x" * 10_000, opcode=0x00)
    except OSError:
        pass

    assert await gone(server, left=0)
    deaf.close()


async def test_sockets_when_they_go_in_the_middle_of_things_then_nothing_is_left(server: Server) -> None:
    for _ in range(20):
        deaf = await deaf_subscriber(server, 'subscription { t: ticks(room: "one") { number } }')
        deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        deaf.close()

    assert await gone(server, left=0)
    await server.settled(open=0)
    assert server.application._parts.live.quotas._quotas == {}


async def everything(deaf: Deaf) -> list[bytes]:
    """What stands unread, message by message, until nothing more comes."""
    loop, data = asyncio.get_running_loop(), bytearray()
    while True:
        try:
            async with asyncio.timeout(0.5):
                data += await loop.sock_recv(deaf.socket, 1 << 20)
        except TimeoutError:
            break
    found: list[bytes] = []
    at = 0
    while at < len(data):
        size, head = data[at + 1], 2
        if size == 126:
            size, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
        found.append(bytes(data[at + head : at + head + size]))
        at += head + size
    return found
