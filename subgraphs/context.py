"""What a resolver of a slice finds in `info.context`: the store, the city that is home here, and who asks."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from graph.contracts import Bus, RequestContext
from graph.errors import Unavailable
from resolvers.stores.engine import Store

Loader = TypeVar("Loader")
Service = TypeVar("Service")


@dataclass(frozen=True, slots=True)
class Port(Generic[Service]):
    """What a slice needs of another one, without knowing which: the assembly says who answers. Named `<slice>.<what>`."""

    name: str


@dataclass(frozen=True, slots=True)
class SliceContext:
    """Made anew for each request. `home_city` is the city whose gateway this is."""

    store: Store
    home_city: str
    request: RequestContext
    ports: Mapping[Port[Any], object] = field(default_factory=dict)
    bus: Bus | None = None

    @property
    def tenant(self) -> str:
        """Whose rows may be seen; a condition of every statement."""
        return self.request.principal.tenant

    @property
    def subject(self) -> str:
        """Who asks: the token's `sub`."""
        return self.request.principal.subject

    def now(self) -> int:
        """Epoch milliseconds."""
        return time.time_ns() // 1_000_000

    @property
    def events(self) -> Bus:
        """Where subscriptions listen."""
        if self.bus is None:
            raise Unavailable("this process carries no events")
        return self.bus

    @property
    def loaders(self) -> dict[str, Any]:
        """The request's data loaders, shared by all its fetches, by `<slice>.<what>`."""
        return self.request.loaders

    def loader(self, name: str, make: Callable[[], Loader]) -> Loader:
        """The loader of that name, made where this is its first use in the request."""
        found = self.loaders.get(name)
        if found is None:
            found = self.loaders[name] = make()
        loader: Loader = found
        return loader

    def service(self, port: Port[Service]) -> Service:
        """What the assembly connected to `port`; a KeyError where it connected nothing is a fault of the assembly."""
        found: Any = self.ports[port]
        service: Service = found
        return service
