"""What a resolver of a slice finds in `info.context`: the store, the city that is home here, and who asks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from graph.contracts import RequestContext
from resolvers.stores.engine import Store

Loader = TypeVar("Loader")


@dataclass(frozen=True, slots=True)
class SliceContext:
    """Made anew for each request. `home_city` is the city whose gateway this is."""

    store: Store
    home_city: str
    request: RequestContext

    @property
    def tenant(self) -> str:
        """Whose rows may be seen; a condition of every statement."""
        return self.request.principal.tenant

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
