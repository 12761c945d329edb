"""What live connections may use: bounds from the settings, how fast a client may send, and how much one principal may have open."""

from dataclasses import dataclass

from graph.contracts import Principal
from graph.errors import RateLimited

BURST_SECONDS = 10
"""So many seconds' worth of messages may come at once: a dashboard that opens subscribes to everything."""


@dataclass(frozen=True, slots=True)
class LiveLimits:
    """Times in seconds, sizes in bytes. `backlog` is what one client may be behind, `message` what one may send at a time;
    `*_per_principal` count in this process.
    """

    init_timeout: float = 10
    keep_alive: float = 20
    backlog: int = 1_048_576
    message: int = 256_000
    messages_per_second: float = 20
    operations_per_connection: int = 100
    operations_per_principal: int = 1_000
    connections_per_principal: int = 100
    connections: int = 20_000


class Rate:
    """A token bucket: `per_second` messages, and a burst."""

    __slots__ = ("_at", "_left", "_per_second")

    def __init__(self, per_second: float, now: float) -> None:
        self._per_second, self._at = per_second, now
        self._left = per_second * BURST_SECONDS

    def takes(self, now: float) -> bool:
        """Whether another message may come."""
        self._left = min(self._per_second * BURST_SECONDS, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Quota:
    """What one principal has open."""

    __slots__ = ("_key", "_quotas", "connections", "operations")

    def __init__(self, quotas: "Quotas", key: tuple[str, str]) -> None:
        self._quotas, self._key = quotas, key
        self.connections = self.operations = 0

    def take_operation(self) -> None:
        """Raises `RateLimited`."""
        most = self._quotas.limits.operations_per_principal
        if self.operations >= most:
            raise RateLimited(f"{most:,} live operations are open for this principal: complete some of them")
        self.operations += 1

    def give_operation(self) -> None:
        self.operations -= 1

    def give_connection(self) -> None:
        self.connections -= 1
        if not self.connections:
            self._quotas.forget(self._key)


class Quotas:
    """Every principal's quota, for as long as it has a connection."""

    def __init__(self, limits: LiveLimits) -> None:
        self.limits = limits
        self._quotas: dict[tuple[str, str], Quota] = {}

    def take_connection(self, principal: Principal) -> Quota:
        """Raises `RateLimited`."""
        key = (principal.tenant, principal.subject)
        quota = self._quotas.get(key)
        if quota is None:
            quota = self._quotas[key] = Quota(self, key)
        if quota.connections >= self.limits.connections_per_principal:
            raise RateLimited(f"{quota.connections:,} live connections are open for this principal: close some of them")
        quota.connections += 1
        return quota

    def forget(self, key: tuple[str, str]) -> None:
        self._quotas.pop(key, None)
