"""Where tickets and participants are kept: in this process, or in Redis, where several processes serve one city."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from graph.auth.tickets import MemoryTickets, NoTickets, Tickets
from graph.config import Settings
from graph.gateway_subgraph.participants import Participants


async def _nothing() -> None:
    """What is to be done for memory."""


@dataclass(frozen=True, slots=True)
class LiveState:
    """To be started and closed."""

    tickets: Tickets
    participants: Participants
    start: Callable[[], Awaitable[None]] = _nothing
    close: Callable[[], Awaitable[None]] = _nothing


def open_live_state(settings: Settings, *, alone: bool) -> LiveState:
    """`alone` says that no other process serves this city, as far as the settings tell. Nothing is connected yet."""
    ttl = settings.websocket_ticket_ttl_ms
    if settings.redis_url is None:
        return LiveState(MemoryTickets(ttl) if alone else NoTickets(), Participants())
    return _in_redis(settings.redis_url.get_secret_value(), f"citygraph.{settings.city_id}", ttl)


def _in_redis(url: str, prefix: str, ttl: int) -> LiveState:
    # A city without Redis need not wait for its client to be loaded.
    from graph.auth.redis_tickets import RedisTickets
    from graph.gateway_subgraph.shared_participants import SharedParticipants
    from graph.redis_client import redis_client

    redis = redis_client(url)
    participants = SharedParticipants(redis, prefix)

    async def close() -> None:
        await participants.close()
        await redis.aclose()

    return LiveState(RedisTickets(redis, prefix, ttl), participants, participants.start, close)
