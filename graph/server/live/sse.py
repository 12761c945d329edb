"""GraphQL over server-sent events, its HTTP: which request opens a stream, reserves one, starts an operation on one, or stops it.

A browser's `EventSource` cannot send a token, so a reservation's own token opens its stream; whoever starts or stops an operation
has to say who they are, and to be who made the reservation.
"""

import secrets
from collections.abc import Mapping
from functools import partial
from urllib.parse import parse_qsl

from graph.errors import BadRequest, Conflict, Forbidden, NotFound, Unavailable
from graph.server.exchange import Exchange, Reply
from graph.server.live.admission import HEADER, Caller
from graph.server.live.connections import Live
from graph.server.live.event_stream import EventStream
from graph.server.live.session import MAX_ID_CHARACTERS, is_result
from graph.server.messages import Answer, GraphQLRequest
from graph.server.negotiation import EVENT_STREAM

TOKEN_HEADER = "x-graphql-event-stream-token"
TOKEN_PARAMETER = "token"
OPERATION_ID = "operationId"
MAX_PARAMETERS = 20

Accepted = Answer | None
"""What an operation was answered with at once, None where its results come on its stream."""


class EventStreams:
    """The streams of this process; those with reservations by their token."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._reserved: dict[str, EventStream] = {}

    async def distinct(self, exchange: Exchange, caller: Caller, request: GraphQLRequest, *, read_only: bool) -> Reply:
        """A stream with one operation; what is wrong with it is said there, too. Raises `Unavailable` and `RateLimited`."""
        check_server(exchange)
        stream = EventStream(self._live, caller, single=False)
        try:
            stream.hold()
            operation = stream.operations.reserve("", request, caller)
            operation.read_only = read_only
            answer = await stream.operations.run(operation)
        except BaseException:
            stream.gone()
            raise
        if answer is not None:
            stream.answer("", answer)
        return opened(stream, exchange)

    def reserve(self, caller: Caller) -> Reply:
        """Raises `Unavailable` and `RateLimited`."""
        self._forget_closed()
        token = secrets.token_urlsafe(32)
        self._reserved[token] = EventStream(self._live, caller, single=True)
        return Reply(201, token.encode(), "text/plain; charset=utf-8")

    async def open(self, exchange: Exchange, token: str) -> Reply:
        """Raises `NotFound`, and `Conflict` where the stream is open already."""
        check_server(exchange)
        stream = self._stream(token)
        if HEADER in exchange.headers:
            self._check_person(stream, await self._live.admission.admit({}, exchange.headers))
        if stream.opened:
            raise Conflict("the stream is open already: reserve another")
        stream.hold()
        return opened(stream, exchange)

    async def start(self, token: str, caller: Caller, request: GraphQLRequest) -> Accepted:
        """Raises `NotFound`, `Forbidden`, `RateLimited`, and `Conflict` where the identifier is in use."""
        stream = self._stream(token)
        self._check_person(stream, caller)
        id = operation_id(request.extensions)
        if id in stream.operations:
            raise Conflict(f"the operation {id!r} runs already")
        if (caller.principal.expires_at or 0) > (stream.caller.principal.expires_at or 0):
            stream.become(caller)
        operation = stream.operations.reserve(id, request, caller)
        answer = await stream.operations.run(operation)
        if answer is None or not is_result(answer):
            return answer
        stream.answer(id, answer)
        return None

    def stop(self, token: str, caller: Caller, id: str) -> None:
        """An operation that is not known may have ended just now. Raises `NotFound` and `Forbidden`."""
        stream = self._stream(token)
        self._check_person(stream, caller)
        stream.operations.stop(id)

    def _stream(self, token: str) -> EventStream:
        stream = self._reserved.get(token)
        if stream is None or stream.closed:
            self._reserved.pop(token, None)
            raise NotFound("there is no such stream: reserve one by PUT")
        return stream

    def _check_person(self, stream: EventStream, caller: Caller) -> None:
        if not stream.caller.same_person(caller):
            raise Forbidden("the stream is somebody else's")

    def _forget_closed(self) -> None:
        """As many are known as connections are allowed, and those that have gone since a reservation was made last."""
        for token in [token for token, stream in self._reserved.items() if stream.closed]:
            del self._reserved[token]


def opened(stream: EventStream, exchange: Exchange) -> Reply:
    """The connection is not used again: what comes after a stream would come after all that its client did not read."""
    assert exchange.transport is not None
    return Reply(200, media=f"{EVENT_STREAM}; charset=utf-8", headers={"connection": "close"}, live=partial(stream.run, exchange.transport))


def check_server(exchange: Exchange) -> None:
    if exchange.transport is None or exchange.method == "HEAD":
        raise Unavailable("live connections need the server that `citygraph` starts")


def stream_token(exchange: Exchange) -> str | None:
    return exchange.headers.get(TOKEN_HEADER) or parameters(exchange.query).get(TOKEN_PARAMETER)


def parameters(query: bytes) -> Mapping[str, str]:
    """Raises `BadRequest`."""
    if not query:
        return {}
    try:
        return dict(parse_qsl(query.decode("ascii"), errors="strict", max_num_fields=MAX_PARAMETERS))
    except ValueError:
        raise BadRequest(f"the query string is not UTF-8, or has more than {MAX_PARAMETERS} parameters") from None


def operation_id(given: Mapping[str, object]) -> str:
    """Raises `BadRequest`."""
    id = given.get(OPERATION_ID)
    if not isinstance(id, str) or not 0 < len(id) <= MAX_ID_CHARACTERS:
        raise BadRequest(f"`{OPERATION_ID}` is missing, or no string of 1 to {MAX_ID_CHARACTERS} characters")
    return id
