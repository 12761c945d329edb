"""GraphQL over server-sent events, its HTTP: which request opens a stream, reserves one, starts an operation on one, or stops it.

A browser's `EventSource` cannot send a token, so a reservation's own token opens its stream; whoever starts or stops an operation
has to say who they are, and to be who made the reservation.
"""

from collections.abc import Mapping
from functools import partial
from urllib.parse import parse_qsl

from graph.errors import BadRequest, PayloadTooLarge, Unavailable
from graph.json_codec import dumps
from graph.server.exchange import Exchange, Reply
from graph.server.live.admission import HEADER, Caller
from graph.server.live.connections import Live
from graph.server.live.event_stream import EventStream, Submitted
from graph.server.live.reservations import LocalReservations, Reservations
from graph.server.live.session import MAX_ID_CHARACTERS
from graph.server.messages import Answer, GraphQLRequest
from graph.server.negotiation import EVENT_STREAM
from graph.subscriptions.peers import Peers

TOKEN_HEADER = "x-graphql-event-stream-token"
TOKEN_PARAMETER = "token"
OPERATION_ID = "operationId"
MAX_PARAMETERS = 20

Accepted = Answer | None
"""What an operation was answered with at once, None where its results come on its stream."""


class EventStreams:
    """`peers` is None where no other process answers at the same address."""

    def __init__(self, live: Live, peers: Peers | None) -> None:
        self._live = live
        self._reservations: Reservations = LocalReservations(live) if peers is None else shared(live, peers)

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

    async def reserve(self, caller: Caller) -> Reply:
        """Raises `Unavailable` and `RateLimited`."""
        token = await self._reservations.reserve(caller)
        return Reply(201, token.encode(), "text/plain; charset=utf-8")

    async def open(self, exchange: Exchange, token: str) -> Reply:
        """Raises `NotFound`, `Forbidden`, and `Conflict` where the stream is open already."""
        check_server(exchange)
        by = await self._live.admission.admit({}, exchange.headers) if HEADER in exchange.headers else None
        return opened(await self._reservations.open(token, by), exchange)

    async def start(self, token: str, caller: Caller, request: GraphQLRequest) -> Accepted:
        """Raises `NotFound`, `Forbidden`, `RateLimited`, `PayloadTooLarge`, and `Conflict` where the identifier is in use."""
        return await self._reservations.start(token, submitted(caller, request, self._live.limits.message))

    async def stop(self, token: str, caller: Caller, id: str) -> None:
        """An operation that is not known may have ended just now. Raises `NotFound` and `Forbidden`."""
        await self._reservations.stop(token, caller, id)


def shared(live: Live, peers: Peers) -> Reservations:
    from graph.server.live.shared_reservations import SharedReservations  # a process by itself need not wait for it to be loaded

    return SharedReservations(live, peers)


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


def submitted(caller: Caller, request: GraphQLRequest, most: int) -> Submitted:
    """Raises `BadRequest`, and `PayloadTooLarge` for what a WebSocket could not send either: it may have to go to another process."""
    size = len(dumps([request.query, request.variables, request.extensions]))
    if size > most:
        raise PayloadTooLarge(f"the operation is larger than {most} bytes (CITYGRAPH_LIVE_MAX_MESSAGE_KB)")
    return Submitted(operation_id(request.extensions), request, caller, size)
