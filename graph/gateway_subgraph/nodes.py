"""`node` and `nodes`: from an identifier to the thing's type, by asking the subgraph that owns it.

The identifier says the kind, the kind says the owner, and the owner says whether the caller can see such a thing: no answer is ever
made of an identifier alone. What is then selected of the thing is planned like the fields of any other entity.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from graph.contracts import GlobalId, RequestContext, SubgraphRequest, Transport
from graph.errors import BadUserInput, CityGraphError, Forbidden, SubgraphError
from graph.supergraph.demands import Refusal

MAX_IDS = 1_000
CITY = "city"
"""The kind of what has no other: a city's identifier is its name alone."""
_LOOK_UP = "query NodeTypes($representations: [_Any!]!) { _entities(representations: $representations) { __typename } }"


@dataclass(frozen=True, slots=True)
class NodeKind:
    """`type` is what the owner is asked for, an object type or an interface; `objects` are the object types that it may turn out to be."""

    kind: str
    type: str
    subgraph: str
    objects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """An object type's name, and the identifier in full."""

    type: str
    id: str


Answer: TypeAlias = Found | CityGraphError | None
"""None where nothing is visible; an error is that identifier's alone."""


@dataclass(frozen=True, slots=True)
class _Asked:
    place: int
    kind: NodeKind
    id: str


class NodeFinder:
    """Finds nodes by their identifiers, with one request to each owner."""

    def __init__(
        self,
        kinds: Sequence[NodeKind],
        transports: Mapping[str, Transport],
        home_city: str,
        refused: Callable[[Sequence[str], RequestContext], Refusal | None],
    ) -> None:
        """`refused` says why a caller may see nothing of some object types: who may not is not even told whether there is one."""
        self._kinds = {one.kind: one for one in kinds}
        self._refused = refused
        self._transports = transports
        self._home_city = home_city

    async def find(self, ids: Sequence[str], request: RequestContext) -> list[Answer]:
        """In the order of `ids`. Raises `BadUserInput` where they are too many."""
        if len(ids) > MAX_IDS:
            raise BadUserInput(f"`ids` has {len(ids):,} identifiers: expected at most {MAX_IDS:,}")
        answers: list[Answer] = [None] * len(ids)
        by_owner: dict[str, list[_Asked]] = {}
        for place, id in enumerate(ids):
            try:
                asked = self._read(place, id)
                self._check(asked.kind, request)
            except (BadUserInput, Forbidden) as error:
                answers[place] = error
            else:
                by_owner.setdefault(asked.kind.subgraph, []).append(asked)
        lots = by_owner.values()
        for lot, found in zip(lots, await asyncio.gather(*(self._look_up(lot, request) for lot in lots)), strict=True):
            for asked, answer in zip(lot, found, strict=True):
                answers[asked.place] = answer
        return answers

    async def find_one(self, kind: str, id: str, request: RequestContext) -> Answer:
        """A thing of that kind; a bare UUID means this gateway's own city. Raises `BadUserInput` where it is of another kind."""
        (answer,) = await self.find([str(GlobalId.parse(id, kind=kind, home_city=self._home_city))], request)
        return answer

    def _read(self, place: int, id: str) -> _Asked:
        parts = id.split("/")
        kind = self._kinds.get(CITY if len(parts) == 1 else parts[1])
        if kind is None or len(parts) not in (1, 3):
            known = ", ".join(sorted(self._kinds.keys() - {CITY}))
            raise BadUserInput(
                f"{id[:200]!r} is not an identifier: expected <city>/<kind>/<uuid> with one of the kinds {known}, or a city's"
            )
        if kind.kind != CITY:
            id = str(GlobalId.parse(id, kind=kind.kind, home_city=self._home_city))
        return _Asked(place, kind, id)

    def _check(self, kind: NodeKind, request: RequestContext) -> None:
        refusal = self._refused(kind.objects, request)
        if refusal is not None:
            raise Forbidden(refusal.message, extensions=refusal.extensions)

    async def _look_up(self, lot: Sequence[_Asked], request: RequestContext) -> list[Answer]:
        owner = lot[0].kind.subgraph
        representations = [{"__typename": asked.kind.type, "id": asked.id} for asked in lot]
        try:
            response = await self._transports[owner].execute(SubgraphRequest(_LOOK_UP, {"representations": representations}), request)
        except CityGraphError as error:
            return [error] * len(lot)
        entities = response.data.get("_entities") if isinstance(response.data, dict) else None
        if not isinstance(entities, list) or len(entities) != len(lot):
            return [SubgraphError(f"subgraph {owner!r} did not say what the identifiers name")] * len(lot)
        faults = {error["path"][1]: error for error in response.errors if len(error.get("path") or ()) > 1}
        return [self._answer(asked, entity, faults.get(n)) for n, (asked, entity) in enumerate(zip(lot, entities, strict=True))]

    def _answer(self, asked: _Asked, entity: Any, fault: Mapping[str, Any] | None) -> Answer:
        if fault is not None:
            return SubgraphError(f"{asked.kind.subgraph!r} could not look {asked.id!r} up: {fault.get('message')}")
        name = entity.get("__typename") if isinstance(entity, dict) else None
        return Found(name, asked.id) if name in asked.kind.objects else None
