"""The one way in which Redis is spoken to: nothing is tried again behind our back, and whoever asks knows what a fault means to them."""

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

SOCKET_SECONDS = 5.0
"""For a connection, and for an answer; a blocking command must block for less."""

FAULTS: tuple[type[Exception], ...] = (RedisError, OSError, TimeoutError)
"""What a command raises where Redis is away, does not answer in time, or will not do it."""


def redis_client(url: str, *, connections: int = 20) -> Redis:
    """A client that connects with its first command; more commands at a time than it may have connections wait for one.

    The protocol is the older one, in which an answer has the same shape whatever the versions of client and server. Raises ValueError
    for a URL that is none.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        protocol=2,
        decode_responses=True,
        # What others put there must not end us.
        encoding_errors="replace",
        socket_timeout=SOCKET_SECONDS,
        socket_connect_timeout=SOCKET_SECONDS,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        max_connections=connections,
        timeout=SOCKET_SECONDS,
    )
    return Redis.from_pool(pool)
