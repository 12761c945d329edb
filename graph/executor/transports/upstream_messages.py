"""What is asked of a subgraph's event stream, and what comes from it, whichever protocol carries it.

How streams are opened and what becomes of one that breaks is in `upstream`.
"""

from typing import Any, Final, Protocol

from graph import errors as our_errors
from graph.contracts import SubgraphRequest, SubgraphResponse
from graph.errors import CityGraphError, SubgraphError

MAX_TOLD: Final = 1_000
"""Characters of a subgraph's own message that are passed on."""
AT_A_TIME: Final = 16
"""Events that are passed on before others have their turn on the event loop."""
_CLASSES: Final = {one.code: one for one in vars(our_errors).values() if isinstance(one, type) and issubclass(one, CityGraphError)}


class Lost(Exception):
    """The way to the subgraph is broken, or is not there now; it may come back. Says why, without addresses."""


class EventStream(Protocol):
    """The events of one subscription, as a subgraph sends them."""

    async def next(self) -> SubgraphResponse | None:
        """The next one; None once the subgraph has said that there are no more. Raises `Lost` and `CityGraphError`."""
        ...

    async def close(self) -> None:
        """May be called again, and whatever was raised before."""
        ...


class EventSource(Protocol):
    """A subgraph that has event streams."""

    async def open(self, request: SubgraphRequest, forwarded: dict[str, str], own: dict[str, str]) -> EventStream:
        """`own` are headers of this request alone. Raises `Lost` where trying again may help, or else a `CityGraphError`."""
        ...

    async def close(self) -> None: ...


def fault(kind: type[CityGraphError], subgraph: str, what: str) -> CityGraphError:
    """An error about the subgraph that it has not told itself."""
    return kind(f"subgraph {subgraph!r} {what}", extensions={"service": subgraph})


def operation(request: SubgraphRequest) -> dict[str, Any]:
    """The parameters of a GraphQL request."""
    named = {} if request.operation_name is None else {"operationName": request.operation_name}
    return {"query": request.document, **named, "variables": request.variables}


def read_answer(subgraph: str, payload: Any) -> SubgraphResponse:
    """One event's answer. Raises a `CityGraphError` where it is an error of the whole request, or no answer at all."""
    if not isinstance(payload, dict) or not ("data" in payload or "errors" in payload):
        raise fault(SubgraphError, subgraph, "sent an event that is not a GraphQL response")
    if "data" not in payload:
        raise refusal(subgraph, payload["errors"])
    errors, extensions = payload.get("errors"), payload.get("extensions")
    return SubgraphResponse(
        payload["data"],
        errors if isinstance(errors, list) else [],
        extensions if isinstance(extensions, dict) else {},
    )


def refusal(subgraph: str, errors: Any) -> CityGraphError:
    """The first of the errors with which a subgraph ended a subscription: our class of its code, and the code in any case."""
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    message, extensions = first.get("message"), first.get("extensions")
    extensions = extensions if isinstance(extensions, dict) else {}
    code = extensions.get("code")
    code = code if isinstance(code, str) else SubgraphError.code
    told = message[:MAX_TOLD] if isinstance(message, str) else f"subgraph {subgraph!r} ended the subscription without saying why"
    return _CLASSES.get(code, SubgraphError)(told, extensions={**extensions, "code": code, "service": subgraph})
