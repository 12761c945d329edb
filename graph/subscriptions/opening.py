"""How a process meets the others that serve the same, by its settings: on a bus, and by asking them; or that there are none."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

from graph.config import ConfigError, Settings
from graph.errors import Unavailable
from graph.subscriptions.bus import EventBus
from graph.subscriptions.peers import NoPeers, Peers


@dataclass(frozen=True, slots=True)
class OpenedBus:
    """`shared` where other processes hear what this one publishes; `checks` raise `Unavailable` while it is cut off from them."""

    bus: EventBus
    shared: bool = False
    checks: Mapping[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)


class Silent(Protocol):
    @property
    def silent_for(self) -> float: ...


def open_bus(settings: Settings) -> OpenedBus:
    """Raises `ConfigError`; nothing is connected yet."""
    url = _url(settings)
    if url is None:
        return OpenedBus(EventBus())
    # A city by itself need not wait for what it does not use to be loaded.
    from graph.subscriptions.carrier import BroadcastCarrier
    from graph.subscriptions.lines import SCHEMES, line_to

    scheme = urlsplit(url).scheme
    if scheme not in SCHEMES:
        raise ConfigError(f"CITYGRAPH_BUS_URL: {scheme!r} is none of {', '.join(SCHEMES)}, memory")
    carrier = BroadcastCarrier(line_to(url, f"citygraph.{settings.city_id}"))
    grace = settings.bus_grace_s
    return OpenedBus(EventBus(carrier), True, {"the event bus": partial(_check, carrier, grace)} if grace else {})


def open_peers(settings: Settings) -> Peers | None:
    """None where there are no others. Raises `ConfigError`; nothing is connected yet."""
    if settings.redis_url is None:
        return NoPeers() if settings.workers > 1 or is_shared(settings) else None
    from graph.redis_client import redis_client
    from graph.subscriptions.redis_peers import RedisPeers

    try:
        redis = redis_client(settings.redis_url.get_secret_value())
    except ValueError as error:
        raise ConfigError(f"REDIS_URL cannot be used: {error}") from None
    return RedisPeers(redis, f"citygraph.{settings.city_id}")


def is_shared(settings: Settings) -> bool:
    """Whether other processes hear what this one publishes."""
    return _url(settings) is not None


async def _check(carrier: Silent, grace: float) -> None:
    """An interruption that is soon over must not take every process out of service at once: all but what is live goes on."""
    if carrier.silent_for > grace:
        raise Unavailable(f"nothing was heard of it for {carrier.silent_for:.0f} s")


def _url(settings: Settings) -> str | None:
    """None for a bus in memory."""
    configured = settings.bus_url or settings.redis_url
    url = None if configured is None else configured.get_secret_value()
    return None if url is None or urlsplit(url).scheme == "memory" else url
