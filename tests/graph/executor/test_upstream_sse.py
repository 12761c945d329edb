"""Event streams over GraphQL over SSE from servers that answer byte by byte as each test says; npm's server is in test_upstream_npm.py."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest

from graph.contracts import Principal, RequestContext
from graph.errors import Forbidden, ResyncRequired, SubgraphError, Unavailable
from graph.executor.transports import sse_client
from graph.executor.transports.http import HttpTransport
from graph.executor.transports.sse_client_events import EventParser, EventTooLong
from graph.federation_config import Subscriptions
from tests.fakes.upstreams import Followed, follow, following, subscription, until

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\r\n"
COMPLETE = b"event: complete\ndata:\n\n"
Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


def event(value: object) -> bytes:
    return b"event: next\ndata: " + orjson.dumps({"data": {"n": value}}) + b"\n\n"


@dataclass
class Server:
    """What each request was, and how many are being answered; `url` says nothing where it listens on a Unix socket."""

    url: str = ""
    heads: list[str] = field(default_factory=list)
    bodies: list[object] = field(default_factory=list)
    open: int = 0


@asynccontextmanager
async def serving(
    answer: Callable[[Writer, int], Awaitable[None]], tls: ssl.SSLContext | None = None, path: Path | None = None
) -> AsyncIterator[Server]:
    """`answer` gets the number of the request, from 1."""
    served = Server()

    async def connected(reader: Reader, writer: Writer) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            served.bodies.append(orjson.loads(await reader.readexactly(length)))
            served.heads.append(head.decode().lower())
            served.open += 1
            try:
                await answer(writer, len(served.heads))
                await writer.drain()
            finally:
                served.open -= 1
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    if path is not None:
        server = await asyncio.start_unix_server(connected, path)
    else:
        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
        served.url = f"{'https' if tls else 'http'}://localhost:{server.sockets[0].getsockname()[1]}/graphql"
    try:
        yield served
    finally:
        server.close()


def always(*parts: bytes) -> Callable[[Writer, int], Awaitable[None]]:
    async def answer(writer: Writer, _number: int) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)

    return answer


@pytest.mark.parametrize(
    "text",
    [
        "event: next\ndata: 1\n\nevent: complete\ndata:\n\n",
        "\ufeffevent:next\r\ndata:1\r\n\r\n:\r\nevent: complete\r\n\r\n",
        "data: 1\revent: next\r\r: a comment\revent: complete\r\r",
        "id: 7\nretry: 5\nevent: next\ndata: 1\nwhat: else\nnothing\n\n\n\nevent: complete\n\n",
    ],
)
def test_event_parser_when_bytes_come_in_any_pieces_then_the_events_are_the_same(text: str) -> None:
    whole = text.encode()
    for size in (1, 2, 3, len(whole)):
        parser = EventParser(100)

        found = [one for start in range(0, len(whole), size) for one in parser.feed(whole[start : start + size])]

        assert [(kind, data.strip()) for kind, data in found] == [("next", b"1"), ("complete", b"")]


def test_event_parser_when_data_has_lines_then_they_are_joined_and_when_it_is_long_then_it_is_refused() -> None:
    parser = EventParser(20)

    assert list(parser.feed(b"data: a\ndata:\ndata: b\n\n")) == [("message", b"a\n\nb")]
    assert [list(parser.feed(b"data: 0123456789\n\n")) for _ in range(9)][8] == [("message", b"0123456789")]
    with pytest.raises(EventTooLong):
        list(parser.feed(b"data: 0123456789\ndata: 012345\n"))
    with pytest.raises(EventTooLong):
        list(EventParser(20).feed(b"x" * 21))


async def test_stream_when_it_is_followed_then_the_request_is_of_graphql_over_sse() -> None:
    answer = always(HEAD, event(1) + b":\n\n" + event(2), b"event: other\ndata: x\n\n" + COMPLETE)
    async with serving(answer) as server, following(server.url, protocol="sse") as upstream:
        found = await follow(upstream, subscription("subscription ($a: Int) { n }", a=1), {"authorization": "Bearer a"})

    assert (found.values, found.complete, found.error) == ([1, 2], True, None)
    assert server.bodies == [{"query": "subscription ($a: Int) { n }", "variables": {"a": 1}}]
    assert server.heads[0].startswith("post /graphql http/1.1\r\n")
    for line in ("accept: text/event-stream", "content-type: application/json", "authorization: bearer a", "x-request-id: r-1"):
        assert f"\r\n{line}\r\n" in server.heads[0]


@pytest.mark.parametrize("on_reconnect", ["resync", "continue"])
async def test_stream_when_it_ends_without_complete_then_the_gap_is_told(on_reconnect: str) -> None:
    async def answer(writer: Writer, number: int) -> None:
        writer.write(HEAD + event(number) + event(0) + (COMPLETE if number == 2 else b""))

    async with serving(answer) as server, following(server.url, protocol="sse", on_reconnect=on_reconnect) as upstream:
        found = await follow(upstream)
        await until(lambda: server.open == 0)

    if on_reconnect == "resync":
        assert (found.values, found.complete, type(found.error)) == ([1, 0], False, ResyncRequired)
    else:
        assert (found.values, found.complete) == ([1, 0, 2, 0], True)
        assert [one.extensions for one in found.responses] == [{}, {}, {"gap": True}, {}]


async def test_stream_when_its_connection_is_reset_or_cut_inside_an_event_then_it_is_not_complete() -> None:
    async def answer(writer: Writer, number: int) -> None:
        if number == 1:
            writer.write(HEAD.replace(b"\r\n\r\n", b"\r\ntransfer-encoding: chunked\r\n\r\n") + b"5\r\nevent\r\n")
        else:
            writer.write(HEAD + event(1)[:-1])

    async with serving(answer) as server, following(server.url, protocol="sse", on_reconnect="continue", reconnect_s=0.3) as upstream:
        found = await follow(upstream)

    assert (found.values, found.complete, type(found.error)) == ([], False, Unavailable)
    assert len(server.heads) > 2


async def test_stream_when_it_is_silent_for_too_long_then_it_counts_as_broken() -> None:
    async def answer(writer: Writer, _number: int) -> None:
        writer.write(HEAD)
        await writer.drain()
        for _ in range(4):
            writer.write(b":\n\n")
            await writer.drain()
            await asyncio.sleep(0.05)
        writer.write(event(1))
        await asyncio.sleep(5)

    async with serving(answer) as server, following(server.url, protocol="sse", silence_s=0.15) as upstream:
        found = await asyncio.wait_for(follow(upstream), 4)

    assert (found.values, type(found.error)) == ([1], ResyncRequired)
    assert found.error is not None
    assert "it was silent for too long" in found.error.detail
    assert len(server.heads) == 2


def answered(status: str, kind: str, body: bytes, *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {len(body)}", *more, "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.mark.parametrize(
    ("raw", "kind", "detail"),
    [
        (answered("400 Bad Request", "application/json", b'{"errors":[{"message":"no such field"}]}'), SubgraphError, "no such field"),
        (answered("200 OK", "application/json", b'{"errors":[{"message":"no","extensions":{"code":"FORBIDDEN"}}]}'), Forbidden, "no"),
        (
            answered("401 Unauthorized", "text/plain", b"?"),
            SubgraphError,
            "with status 401 and text/plain, where text/event-stream is expected",
        ),
        (answered("302 Found", "", b"", "location: http://127.0.0.1:9/"), SubgraphError, "status 302 and no content type, where"),
        (answered("200 OK", "application/json", b"[" * 3_000), SubgraphError, "with status 200 and application/json, where"),
        (answered("503 Service Unavailable", "text/plain", b""), Unavailable, "cannot be subscribed to: it answered with status 503"),
        (b"SSH-2.0\r\n", Unavailable, "cannot be subscribed to: the connection was closed"),
        (HEAD + b"event: next\ndata: {\n\n", SubgraphError, "sent an event that is not JSON"),
        (HEAD + b"event: next\ndata: 5\n\n", SubgraphError, "sent an event that is not a GraphQL response"),
        (HEAD + event("x" * 2_000), SubgraphError, "an event has more than 2000 bytes"),
        (HEAD + b"x" * 3_000, SubgraphError, "an event has more than 2000 bytes"),
        (HEAD.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n"), SubgraphError, "sends compressed events"),
    ],
)
async def test_stream_when_the_answer_is_no_event_stream_then_it_is_an_error(raw: bytes, kind: type[Exception], detail: str) -> None:
    async with serving(always(raw)) as server, following(server.url, protocol="sse", max_message_kb=2) as upstream:
        found = await follow(upstream)
        await until(lambda: server.open == 0)

    assert type(found.error) is kind
    assert detail in found.error.detail  # type: ignore[attr-defined]
    assert len(server.heads) == 1


async def test_streams_when_there_are_too_many_or_nobody_listens_then_they_are_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse_client, "OPEN_TIMEOUT", 0.2)

    async def answer(writer: Writer, number: int) -> None:
        if number == 1:
            writer.write(HEAD + event(1))
        await asyncio.sleep(1)

    followed = Followed()
    async with serving(answer) as server, following(server.url, protocol="sse", max_connections=1) as upstream:
        task = asyncio.create_task(follow(upstream, into=followed))
        await followed.has(1)
        full = await follow(upstream)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        mute = await follow(upstream)
    async with following("http://127.0.0.1:9/", protocol="sse") as upstream:
        refused = await follow(upstream)

    for found, detail in (
        (full, "has 1 event streams already, which is the most"),
        (mute, "cannot be subscribed to: no answer within 0.2 s"),
        (refused, "cannot be subscribed to: no connection"),
    ):
        assert isinstance(found.error, Unavailable)
        assert found.error.detail == f"subgraph 'readings' {detail}"


async def test_stream_when_it_is_left_or_the_transport_closes_then_its_connection_is_closed() -> None:
    async def answer(writer: Writer, _number: int) -> None:
        writer.write(HEAD)
        while not writer.is_closing():
            writer.write(event(1))
            await writer.drain()
            await asyncio.sleep(0.01)

    left, ended = Followed(), Followed()
    async with serving(answer) as server, following(server.url, protocol="sse") as upstream:
        leaving, ending = asyncio.create_task(follow(upstream, into=left)), asyncio.create_task(follow(upstream, into=ended))
        await left.has(1)
        await ended.has(1)
        leaving.cancel()
        await until(lambda: server.open == 1)
        await upstream.close()
        await ending
        await until(lambda: server.open == 0)

    assert isinstance(ended.error, Unavailable)


async def test_stream_when_the_subgraph_has_tls_or_a_unix_socket_then_it_is_reached(certificate: Path, tmp_path: Path) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    context = RequestContext(Principal("ada", "FI-HELSINKI"), "request-1")
    sse = Subscriptions.model_validate({"protocol": "sse", "path": "/live?x=1"})
    socket = tmp_path / "readings.sock"
    answer = always(HEAD + event(1) + COMPLETE)
    async with serving(answer, tls=tls) as server, serving(answer, path=socket) as local:
        knowing = HttpTransport("readings", server.url, tls=ssl.create_default_context(cafile=str(certificate)), subscriptions=sse)
        unknowing = HttpTransport("readings", server.url, subscriptions=sse)
        nearby = HttpTransport("readings", f"unix://{socket}?path=/graphql", subscriptions=sse)
        assert [response.data async for response in knowing.subscribe(subscription(), context)] == [{"n": 1}]
        assert [response.data async for response in nearby.subscribe(subscription(), context)] == [{"n": 1}]
        with pytest.raises(Unavailable, match="no connection"):
            await anext(unknowing.subscribe(subscription(), context))
        for transport in (knowing, unknowing, nearby):
            await transport.close()

    assert [one.heads[0].split("\r\n")[0] for one in (server, local)] == ["post /live?x=1 http/1.1"] * 2
