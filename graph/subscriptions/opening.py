"""Which bus a process has, by its settings: its own memory, or one that it shares with other processes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

import broadcaster

from graph.config import ConfigError, Settings
from graph.errors import Unavailable
from graph.subscriptions.bus import EventBus
from graph.subscriptions.carrier import BroadcastCarrier, Line

POSTGRESQL_PART_BYTES = 7_900
"""A notification of PostgreSQL has less than 8,000 bytes."""
KAFKA_PART_BYTES = 900_000
"""A record of Kafka has a megabyte at most, unless the cluster says otherwise."""
REDIS_PART_BYTES = 256_000

_POSTGRESQL_NAME = 63


@dataclass(frozen=True, slots=True)
class OpenedBus:
    """`checks` raise `Unavailable` while the process is cut off from the others, by what they look at."""

    bus: EventBus
    checks: Mapping[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)


def open_bus(settings: Settings) -> OpenedBus:
    """Raises `ConfigError`; nothing is connected yet."""
    url = _url(settings)
    if url is None:
        return OpenedBus(EventBus())
    carrier = BroadcastCarrier(_line(url, f"citygraph.{settings.city_id}"))
    grace = settings.bus_grace_s
    return OpenedBus(EventBus(carrier), {"the event bus": partial(_check, carrier, grace)} if grace else {})


def is_shared(settings: Settings) -> bool:
    """Whether other processes hear what this one publishes. Raises `ConfigError`."""
    return _url(settings) is not None


async def _check(carrier: BroadcastCarrier, grace: float) -> None:
    if carrier.silent_for > grace:
        raise Unavailable(f"nothing was heard of it for {carrier.silent_for:.0f} s")


def _url(settings: Settings) -> str | None:
    """None for a bus in memory."""
    if settings.bus_url is None:
        return None if settings.redis_url is None else settings.redis_url.get_secret_value()
    url = settings.bus_url.get_secret_value()
    scheme = urlsplit(url).scheme
    if scheme not in ("redis", "rediss", "postgres", "postgresql", "kafka", "memory"):
        raise ConfigError(f"CITYGRAPH_BUS_URL: {scheme!r} is none of redis, rediss, postgres, postgresql, kafka, memory")
    return None if scheme == "memory" else url


def _line(url: str, channel: str) -> Line:
    scheme = urlsplit(url).scheme
    if scheme in ("redis", "rediss"):
        return _redis_line(url, channel)
    try:
        broadcaster.Broadcast(url)
    except ModuleNotFoundError as error:
        raise ConfigError(f"CITYGRAPH_BUS_URL: {scheme} needs the package {error.name}: pip install 'broadcaster[{scheme}]'") from None
    if scheme == "kafka":
        return Line(partial(broadcaster.Broadcast, url), channel, KAFKA_PART_BYTES)
    return Line(partial(broadcaster.Broadcast, url), channel[:_POSTGRESQL_NAME], POSTGRESQL_PART_BYTES)


def _redis_line(url: str, channel: str) -> Line:
    from graph.subscriptions.redis_streams import RedisStreams  # loaded by whom it serves

    streams = RedisStreams(url)
    return Line(lambda: broadcaster.Broadcast(backend=streams), channel, REDIS_PART_BYTES, streams)
