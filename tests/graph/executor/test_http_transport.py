"""The HTTP client against real sockets: servers that answer byte by byte as each test says, and uvicorn."""

import asyncio
import gzip
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import uvicorn
from hand_made import CONTEXT

from graph.contracts import OperationKind, Principal, RequestContext, SubgraphRequest
from graph.errors import SubgraphError
from graph.executor.transports.http import HttpTransport
from graph.executor.transports.http_pool import InvalidUrl, PoolLimits, parse_url

REQUEST = SubgraphRequest("{ a }", {"x": 1})
MUTATION = SubgraphRequest("mutation { a }", {}, OperationKind.MUTATION)
Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


def answer(body: bytes, *headers: str, status: str = "200 OK", length: bool = True) -> bytes:
    lines = [f"HTTP/1.1 {status}", "content-type: application/json", *headers]
    if length:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def data(value: Any) -> bytes:
    return orjson.dumps({"data": value})


async def read_request(reader: Reader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


@asynccontextmanager
async def serving(
    handle: Callable[[Reader, Writer], Awaitable[None]], tls: ssl.SSLContext | None = None, path: Path | None = None
) -> AsyncIterator[int]:
    """A server on a free port, or on a Unix socket; every connection runs `handle`."""

    async def connected(reader: Reader, writer: Writer) -> None:
        try:
            await handle(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    if path is not None:
        server = await asyncio.start_unix_server(connected, path)
    else:
        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    try:
        yield 0 if path is not None else server.sockets[0].getsockname()[1]
    finally:
        server.close()


def always(*parts: bytes, pause: float = 0.0, requests: list[bytes] | None = None) -> Callable[[Reader, Writer], Awaitable[None]]:
    """Answers every request of a connection with the same bytes, in parts."""

    async def handle(reader: Reader, writer: Writer) -> None:
        while True:
            request = await read_request(reader)
            if requests is not None:
                requests.append(request)
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)

    return handle


@asynccontextmanager
async def transport(port: int, **limits: Any) -> AsyncIterator[HttpTransport]:
    client = HttpTransport("shop", f"http://127.0.0.1:{port}/graphql", limits=PoolLimits(**limits))
    try:
        yield client
    finally:
        await client.close()


async def test_a_request_is_graphql_over_http() -> None:
    requests: list[bytes] = []
    async with serving(always(answer(data({"a": 1})), requests=requests)) as port, transport(port) as client:
        response = await client.execute(SubgraphRequest('{ a(b: "ä") }', {"x": [1, "ö"]}, operation_name="N"), CONTEXT)

    head, body = requests[0].split(b"\r\n\r\n", 1)
    assert response.data == {"a": 1}
    assert orjson.loads(body) == {"query": '{ a(b: "ä") }', "operationName": "N", "variables": {"x": [1, "ö"]}}
    assert head.split(b"\r\n") == [
        b"POST /graphql HTTP/1.1",
        f"host: 127.0.0.1:{port}".encode(),
        b"content-type: application/json",
        b"accept: application/graphql-response+json, application/json",
        b"accept-encoding: gzip, deflate",
        b"x-request-id: request-1",
        f"content-length: {len(body)}".encode(),
    ]


async def test_headers_that_could_change_the_message_are_not_sent() -> None:
    requests: list[bytes] = []
    evil = {"x-a": "1\r\nx-b: 2", "Content-Length": "5", "bad name": "x", "x-good": "yes", "host": "elsewhere"}
    async with serving(always(answer(data({})), requests=requests)) as port:
        client = HttpTransport("shop", f"http://127.0.0.1:{port}/", headers=lambda _context: evil)
        await client.execute(REQUEST, CONTEXT)
        await client.close()

    head = requests[0].split(b"\r\n\r\n")[0].lower()
    assert b"x-good: yes" in head
    assert b"x-a" not in head
    assert b"x-b" not in head
    assert b"elsewhere" not in head
    assert b"bad name" not in head
    assert head.count(b"content-length") == 1


async def test_the_trace_of_the_client_is_passed_on() -> None:
    requests: list[bytes] = []
    context = RequestContext(Principal("a", "b"), "r-9", {"traceparent": "00-aa-bb-01", "cookie": "secret"})
    async with serving(always(answer(data({})), requests=requests)) as port, transport(port) as client:
        await client.execute(REQUEST, context)

    assert b"\r\ntraceparent: 00-aa-bb-01\r\n" in requests[0]
    assert b"secret" not in requests[0]


async def test_connections_are_kept_and_shared_out() -> None:
    connections = 0

    async def handle(reader: Reader, writer: Writer) -> None:
        nonlocal connections
        connections += 1
        await always(answer(data({"a": 1})))(reader, writer)

    async with serving(handle) as port, transport(port, connections=3) as client:
        for _ in range(5):
            await client.execute(REQUEST, CONTEXT)
        one_after_the_other = connections
        responses = await asyncio.gather(*(client.execute(REQUEST, CONTEXT) for _ in range(50)))

    assert one_after_the_other == 1
    assert connections == 3
    assert [response.data for response in responses] == [{"a": 1}] * 50


@pytest.mark.parametrize(
    "parts",
    [
        [
            answer(data({"a": 1}), "transfer-encoding: chunked", length=False)[: -len(data({"a": 1}))]
            + b'5\r\n{"dat\r\n9\r\na":{"a":1\r\n2;x=y\r\n}}\r\n0\r\n\r\n'
        ],
        [bytes([byte]) for byte in answer(data({"a": 1}))],
        [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + answer(data({"a": 1}))],
        [answer(gzip.compress(data({"a": 1})), "content-encoding: gzip")],
        [answer(gzip.compress(b'{"data":') + gzip.compress(b'{"a":1}}'), "Content-Encoding: GZIP")],
        [answer(zlib.compress(data({"a": 1})), "content-encoding: deflate")],
        [answer(zlib.compress(data({"a": 1}), wbits=-15), "content-encoding: deflate")],
        [answer(data({"a": 1}), status="500 Internal Server Error")],
        [answer(b"\n " + data({"a": 1}), "content-type: text/html")],
    ],
    ids=["chunked", "byte by byte", "1xx", "gzip", "gzip members", "deflate", "raw deflate", "status 500", "wrong type"],
)
async def test_a_graphql_answer_is_read_however_it_comes(parts: list[bytes]) -> None:
    async with serving(always(*parts)) as port, transport(port) as client:
        for _ in range(2):
            response = await client.execute(REQUEST, CONTEXT)
            assert response.data == {"a": 1}


async def test_errors_and_extensions_are_read() -> None:
    body = orjson.dumps({"errors": [{"message": "no"}], "extensions": {"cost": 1}})
    async with serving(always(answer(body, status="400 Bad Request"))) as port, transport(port) as client:
        response = await client.execute(REQUEST, CONTEXT)

    assert (response.data, response.errors, response.extensions) == (None, [{"message": "no"}], {"cost": 1})


async def test_an_answer_that_ends_with_the_connection_is_whole() -> None:
    async def handle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(answer(data({"a": 1}), "connection: close", length=False))

    async with serving(handle) as port, transport(port) as client:
        for _ in range(2):
            assert (await client.execute(REQUEST, CONTEXT)).data == {"a": 1}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (answer(b"<html>"), "status 200 and application/json, which is not GraphQL"),
        (answer(b"Bad Gateway", status="502 Bad Gateway"), "status 502 and application/json, which is not GraphQL"),
        (answer(b"5"), "JSON that is not a GraphQL response"),
        (answer(b"{}", status="503 Service Unavailable"), "status 503 and JSON that is not a GraphQL response"),
        (answer(b'{"data": NaN}'), "which is not GraphQL"),
        (answer(b""), "which is not GraphQL"),
        (answer(b"xx", "content-encoding: gzip"), "not gzip"),
        (answer(gzip.compress(data({}))[:-9], "content-encoding: gzip"), "ends too early"),
        (answer(b"xx", "content-encoding: br"), "'br' was not asked for"),
        (answer(gzip.compress(b" " * 100_000), "content-encoding: gzip"), "unpacks to more than 5000 bytes"),
        (answer(b" " * 6_000), "more than 5000 bytes"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000, "head of the answer is too long"),
        (b"SSH-2.0-OpenSSH\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", "another protocol"),
    ],
)
async def test_an_answer_that_is_none_is_an_error_that_says_what_came(raw: bytes, reason: str) -> None:
    async with serving(always(raw)) as port, transport(port, response_bytes=5_000, read_timeout=5) as client:
        with pytest.raises(SubgraphError, match=reason):
            await client.execute(REQUEST, CONTEXT)


async def test_a_server_that_closes_in_the_middle_is_an_error() -> None:
    async def handle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(answer(data({"a": 1}))[:-3])

    async with serving(handle) as port, transport(port) as client:
        with pytest.raises(SubgraphError, match="connection was closed"):
            await client.execute(REQUEST, CONTEXT)


async def test_a_server_that_does_not_answer_is_an_error_after_the_time_out() -> None:
    async with serving(always()) as port, transport(port, read_timeout=0.1) as client:
        with pytest.raises(SubgraphError, match=r"no answer within 0\.1 s"):
            await client.execute(REQUEST, CONTEXT)


async def test_a_port_without_a_server_is_an_error_without_the_address() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with transport(taken.getsockname()[1]) as client:
            with pytest.raises(SubgraphError, match="no connection") as failure:
                await client.execute(REQUEST, CONTEXT)

    assert "127.0.0.1" not in failure.value.detail


async def test_no_free_connection_is_an_error_after_the_time_out_and_for_the_next_in_the_queue_at_once() -> None:
    async with serving(always()) as port, transport(port, connections=1, waiting=1, connect_timeout=0.2, read_timeout=5) as client:
        first = asyncio.create_task(client.execute(REQUEST, CONTEXT))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(client.execute(REQUEST, CONTEXT))
        await asyncio.sleep(0)
        with pytest.raises(SubgraphError, match="1 requests are waiting"):
            await client.execute(REQUEST, CONTEXT)
        with pytest.raises(SubgraphError, match=r"no connection became free within 0\.2 s"):
            await second
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)


def closing_after_first(requests: list[bytes], *, before_answer: bool) -> Callable[[Reader, Writer], Awaitable[None]]:
    """Keeps a connection after its first answer, and closes it when the second request comes."""

    async def handle(reader: Reader, writer: Writer) -> None:
        requests.append(await read_request(reader))
        writer.write(answer(data({"a": len(requests)})))
        await writer.drain()
        requests.append(await read_request(reader))
        if not before_answer:
            writer.write(b"HTTP/1.1 200")
            await writer.drain()

    return handle


async def test_a_query_on_a_stale_connection_is_sent_once_more_on_a_fresh_one() -> None:
    requests: list[bytes] = []
    async with serving(closing_after_first(requests, before_answer=True)) as port, transport(port) as client:
        first = await client.execute(REQUEST, CONTEXT)
        second = await client.execute(REQUEST, CONTEXT)

    assert (first.data, second.data) == ({"a": 1}, {"a": 3})
    assert len(requests) == 3


@pytest.mark.parametrize(("request_", "before_answer"), [(MUTATION, True), (REQUEST, False)])
async def test_a_mutation_or_a_begun_answer_is_never_sent_again(request_: SubgraphRequest, before_answer: bool) -> None:
    requests: list[bytes] = []
    async with serving(closing_after_first(requests, before_answer=before_answer)) as port, transport(port) as client:
        await client.execute(REQUEST, CONTEXT)
        with pytest.raises(SubgraphError, match="connection was closed"):
            await client.execute(request_, CONTEXT)

    assert len(requests) == 2


async def test_a_connection_that_the_server_closed_while_idle_is_not_used() -> None:
    async def handle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(answer(data({"a": 1})))

    async with serving(handle) as port, transport(port, connections=1) as client:
        for _ in range(3):
            assert (await client.execute(MUTATION, CONTEXT)).data == {"a": 1}
            await asyncio.sleep(0.05)


async def test_an_old_idle_connection_is_replaced() -> None:
    connections: list[Writer] = []

    async def handle(reader: Reader, writer: Writer) -> None:
        connections.append(writer)
        await always(answer(data({})))(reader, writer)

    async with serving(handle) as port, transport(port, idle_timeout=0.05) as client:
        await client.execute(REQUEST, CONTEXT)
        await asyncio.sleep(0.1)
        await client.execute(REQUEST, CONTEXT)

    assert len(connections) == 2


async def test_a_second_answer_to_one_request_is_never_taken_for_the_next() -> None:
    async with serving(always(answer(data({"a": 1})) + answer(data({"a": "poison"})))) as port, transport(port) as client:
        answers = [(await client.execute(REQUEST, CONTEXT)).data for _ in range(3)]

    assert answers == [{"a": 1}] * 3


async def test_an_answer_begun_before_its_request_is_never_taken_for_that_requests() -> None:
    poison = answer(data({"a": "poison"}))

    async def handle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(answer(data({"a": 1})) + poison[:20])
        await writer.drain()
        await read_request(reader)
        writer.write(poison[20:])

    async with serving(handle) as port, transport(port) as client:
        answers = [(await client.execute(REQUEST, CONTEXT)).data for _ in range(3)]

    assert answers == [{"a": 1}] * 3


async def test_connections_that_could_not_be_made_leave_their_place_to_others() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with transport(taken.getsockname()[1], connections=1, connect_timeout=0.2) as client:
            for _ in range(3):
                with pytest.raises(SubgraphError, match="no connection: "):
                    await client.execute(REQUEST, CONTEXT)


async def test_cancelling_closes_the_connection_and_frees_its_place() -> None:
    closed = asyncio.Event()

    async def handle(reader: Reader, writer: Writer) -> None:
        request = await read_request(reader)
        if b"slow" in request:
            await reader.read()
            closed.set()
        writer.write(answer(data({"a": 1})))

    async with serving(handle) as port, transport(port, connections=1) as client:
        slow = asyncio.create_task(client.execute(SubgraphRequest("{ slow }", {}), CONTEXT))
        await asyncio.sleep(0.05)
        waiting = asyncio.create_task(client.execute(REQUEST, CONTEXT))
        await asyncio.sleep(0)
        slow.cancel()
        response = await asyncio.wait_for(waiting, 5)
        await asyncio.wait_for(closed.wait(), 5)

    assert response.data == {"a": 1}
    assert slow.cancelled()


async def test_a_closed_transport_refuses_and_its_requests_on_the_way_fail() -> None:
    async with serving(always()) as port:
        client = HttpTransport("shop", f"http://127.0.0.1:{port}/")
        on_the_way = asyncio.create_task(client.execute(REQUEST, CONTEXT))
        await asyncio.sleep(0.05)
        await client.close()
        with pytest.raises(SubgraphError, match="closed"):
            await on_the_way
        with pytest.raises(SubgraphError, match="closed"):
            await client.execute(REQUEST, CONTEXT)


async def test_a_unix_socket_is_reached(tmp_path: Path) -> None:
    path = tmp_path / "shop.sock"
    requests: list[bytes] = []
    async with serving(always(answer(data({"a": 1})), requests=requests), path=path):
        client = HttpTransport("shop", f"unix://{path}?path=/graphql")
        response = await client.execute(REQUEST, CONTEXT)
        await client.close()

    assert response.data == {"a": 1}
    assert requests[0].startswith(b"POST /graphql HTTP/1.1\r\nhost: localhost\r\n")


async def test_https_is_reached_with_the_authority_that_signed_it_and_refused_without(certificate: Path) -> None:
    server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_tls.load_cert_chain(certificate)
    async with serving(always(answer(data({"a": 1}))), tls=server_tls) as port:
        url = f"https://localhost:{port}/graphql"
        knowing = HttpTransport("shop", url, tls=ssl.create_default_context(cafile=str(certificate)))
        unknowing = HttpTransport("shop", url)
        response = await knowing.execute(REQUEST, CONTEXT)
        with pytest.raises(SubgraphError, match="certificate is not accepted"):
            await unknowing.execute(REQUEST, CONTEXT)
        await knowing.close()
        await unknowing.close()

    assert response.data == {"a": 1}


async def test_uvicorn_is_reached() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        out = data({"echo": orjson.loads(body)["variables"]})
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/graphql-response+json")]})
        await send({"type": "http.response.body", "body": out})

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]

    async with transport(port) as client:
        responses = [await client.execute(SubgraphRequest("{ echo }", {"n": number}), CONTEXT) for number in range(3)]
    server.should_exit = True
    await running

    assert [response.data for response in responses] == [{"echo": {"n": number}} for number in range(3)]


@pytest.mark.parametrize(
    "url", ["ftp://a/", "http://", "localhost:4000", "http://a:99999/", "http://a/b c", "http://a/\r\nx: y", "unix://"]
)
def test_a_url_that_cannot_be_called_is_refused(url: str) -> None:
    with pytest.raises(InvalidUrl):
        parse_url(url)


@pytest.mark.parametrize(
    ("url", "authority", "target"),
    [
        ("http://a/graphql?x=1", "a", "/graphql?x=1"),
        ("http://a:81", "a:81", "/"),
        ("https://a:443/", "a", "/"),
        ("https://[::1]:8443/q", "[::1]:8443", "/q"),
    ],
)
def test_a_url_is_read(url: str, authority: str, target: str) -> None:
    origin = parse_url(url)

    assert (origin.authority, origin.target) == (authority, target)
