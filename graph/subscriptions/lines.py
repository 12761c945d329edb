"""The lines that a URL can name: Redis by our own backend, PostgreSQL and Kafka by broadcaster's."""

from functools import partial
from urllib.parse import urlsplit

import broadcaster

from graph.config import ConfigError
from graph.subscriptions.carrier import Line

SCHEMES = ("redis", "rediss", "postgres", "postgresql", "kafka")

POSTGRESQL_PART_BYTES = 7_900
"""A notification of PostgreSQL has less than 8,000 bytes."""
KAFKA_PART_BYTES = 900_000
"""A record of Kafka has a megabyte at most, unless the cluster says otherwise."""
REDIS_PART_BYTES = 256_000

_POSTGRESQL_NAME = 63


def line_to(url: str, channel: str) -> Line:
    """`url` has one of `SCHEMES`. Nothing is connected yet. Raises `ConfigError` where a package is missing, or the URL is none."""
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

    try:
        streams = RedisStreams(url)
    except ValueError as error:
        raise ConfigError(f"the URL of Redis cannot be used: {error}") from None
    return Line(lambda: broadcaster.Broadcast(backend=streams), channel, REDIS_PART_BYTES, streams)
