"""What a subgraph answered, held against what it was asked.

An answer is merged as far as it is right. Whatever is not (errors, a wrong shape, nothing at all) is told once, at the client's path, and
marked in the response tree. Paths and messages of a subgraph are taken as claims: a path that leads nowhere does no harm.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from graph.contracts import SubgraphResponse
from graph.errors import CityGraphError, SubgraphError
from graph.executor.client_paths import client_keys, client_path
from graph.executor.faults import FAILED, Faults, PathKey
from graph.executor.merge import merge
from graph.executor.prepared import PreparedCall, PreparedFetch
from graph.executor.shape import TYPENAME, JSONObject, Shape
from graph.executor.targets import locate, locate_all
from graph.planner.normalize.operation import Operation

MAX_MESSAGE = 4_000


@dataclass(frozen=True, slots=True)
class SentCall:
    """The representations of one call in one request, and the objects that wait for each."""

    prepared: PreparedCall
    representations: Sequence[JSONObject]
    owners: Sequence[Sequence[JSONObject]]


@dataclass(frozen=True, slots=True)
class Claim:
    """An error object of a subgraph, as far as it is one."""

    message: str
    path: tuple[PathKey, ...]
    extensions: Mapping[str, Any]

    @property
    def code(self) -> str:
        code = self.extensions.get("code")
        return code if isinstance(code, str) and code else SubgraphError.code


@dataclass(frozen=True, slots=True)
class Answers:
    """Where the answers of one operation go."""

    operation: Operation
    tree: JSONObject
    faults: Faults
    object_types: frozenset[str]
    shared: bool = True
    """Whether places of one entity share its objects: not where what a field answers depends on what stands above it."""

    def root(self, fetch: PreparedFetch, response: SubgraphResponse) -> str | None:
        """Merges the answer of a root fetch. Returns what is wrong with it as a whole, if anything is."""
        data = response.data
        if type(data) is dict:
            for claim in claims(response):
                mark(data, claim.path, fetch.shape)
                self._tell(claim, client_path(self.operation, claim.path), fetch)
            merge(self.tree, data, fetch.shape, self.object_types)
            return None
        if data is not None or not response.errors:
            wrong = SubgraphError(f"subgraph {fetch.fetch.subgraph!r} answered without data")
            self.root_failed(fetch, wrong)
            return wrong.detail
        self._mark_keys(self.tree, fetch.shape)
        for claim in claims(response):
            self._tell(claim, client_path(self.operation, claim.path), fetch)
        return None

    def entities(self, fetch: PreparedFetch, sent: Sequence[SentCall], response: SubgraphResponse) -> str | None:
        """Merges the answers for entities. Returns what is wrong with them as a whole, if anything is."""
        wrong: str | None = None
        data = response.data if type(response.data) is dict else {}
        self._entity_errors(fetch, sent, response)
        for one in sent:
            found = data.get(one.prepared.call.alias)
            if type(found) is list and len(found) == len(one.owners):
                self._merge_entities(fetch, one, found)
                continue
            self.mark_owners(one.owners, one.prepared.shape)
            if found is not None or (one.owners and not response.errors):
                wrong = self._wrong_entities(fetch, one, found)
        return wrong

    def root_failed(self, fetch: PreparedFetch, error: CityGraphError) -> None:
        """No answer: each field that the client asked for has the error."""
        self._mark_keys(self.tree, fetch.shape)
        keys = client_keys(self.operation, (), fetch.shape.all_keys())
        for path in [[key] for key in keys] or [[]]:
            self.faults.add_exception(error, list[PathKey](path), fetch.fetch.subgraph)

    def entities_failed(self, fetch: PreparedFetch, sent: Iterable[SentCall], error: CityGraphError) -> None:
        """No answer: each field has the error where the first object of each path misses it."""
        for one in sent:
            self.mark_owners(one.owners, one.prepared.shape)
            wanted = {id(owner) for owners in one.owners for owner in owners}
            for path in one.prepared.call.paths:
                place = locate(self.tree, path, wanted)
                if place is None:
                    continue
                shown = client_path(self.operation, place)
                keys = client_keys(self.operation, place, one.prepared.shape.all_keys())
                for found in [[*shown, key] for key in keys] or [shown]:
                    self.faults.add_exception(error, found, fetch.fetch.subgraph)

    def mark_owners(self, owners: Iterable[Iterable[JSONObject]], shape: Shape) -> None:
        """Marks what an answer of that shape would have brought to the objects and nothing else has."""
        for same in owners:
            for owner in same:
                self._mark_keys(owner, shape)

    def _mark_keys(self, target: JSONObject, shape: Shape) -> None:
        for key in shape.all_keys():
            value = target.get(key)
            if value is None or (key == TYPENAME and not (isinstance(value, str) and value in self.object_types)):
                target[key] = FAILED

    def _merge_entities(self, fetch: PreparedFetch, one: SentCall, entities: list[Any]) -> None:
        shape = one.prepared.shape
        flat = shape.flat
        object_types = self.object_types
        for owners, entity in zip(one.owners, entities, strict=True):
            if type(entity) is dict:
                for owner in owners:
                    if flat:
                        owner.update(entity)
                    else:
                        merge(owner, entity if self.shared else deepcopy(entity), shape, object_types)
            elif entity is not None:
                self.mark_owners([owners], shape)
                message = f"subgraph {fetch.fetch.subgraph!r} answered with something that is not an object"
                self._tell_of(Claim(message, (), {}), one, owners, (), fetch)

    def _wrong_entities(self, fetch: PreparedFetch, one: SentCall, found: Any) -> str:
        number = len(found) if type(found) is list else "no"
        message = f"subgraph {fetch.fetch.subgraph!r} answered with {number} entities, where {len(one.owners)} were asked for"
        self.entities_failed(fetch, [one], SubgraphError(message))
        return message

    def _entity_errors(self, fetch: PreparedFetch, sent: Sequence[SentCall], response: SubgraphResponse) -> None:
        if not response.errors:
            return
        by_alias = {one.prepared.call.alias: one for one in sent}
        data = response.data if type(response.data) is dict else {}
        asked = next((one for one in sent if one.owners), sent[0])
        for claim in claims(response):
            match claim.path:
                case (str() as alias, int() as index, *rest) if alias in by_alias and 0 <= index < len(by_alias[alias].owners):
                    one = by_alias[alias]
                    owners = one.owners[index]
                    found = data.get(alias)
                    entity = found[index] if type(found) is list and index < len(found) else None
                    if type(entity) is dict:
                        mark(entity, rest, one.prepared.shape)
                    else:
                        self.mark_owners([owners], one.prepared.shape)
                case _:
                    one = by_alias.get(str(claim.path[0]), asked) if claim.path else asked
                    owners, rest = one.owners[0] if one.owners else [], []
            self._tell_of(claim, one, owners, rest, fetch)

    def _tell_of(self, claim: Claim, one: SentCall, owners: Sequence[JSONObject], rest: Sequence[PathKey], fetch: PreparedFetch) -> None:
        """Tells an error wherever the client finds the objects: an entity is asked for once, and may stand at many places."""
        places = self._places(one, owners, rest) if not self.faults.full else []
        for place in places or [[]]:
            self._tell(claim, place, fetch)

    def _places(self, one: SentCall, owners: Sequence[JSONObject], rest: Sequence[PathKey]) -> list[list[PathKey]]:
        """The client's paths, each once, of what stands below the objects."""
        wanted = {id(owner) for owner in owners}
        found = (place for path in one.prepared.call.paths for place in locate_all(self.tree, path, wanted))
        return [list(path) for path in dict.fromkeys(tuple(client_path(self.operation, [*place, *rest])) for place in found)]

    def _tell(self, claim: Claim, path: list[PathKey], fetch: PreparedFetch) -> None:
        self.faults.add(claim.message, path, code=claim.code, service=fetch.fetch.subgraph, extensions=claim.extensions)


def claims(response: SubgraphResponse) -> Iterator[Claim]:
    for error in response.errors:
        told: Any = error if isinstance(error, dict) else {}
        message, path, extensions = told.get("message"), told.get("path"), told.get("extensions")
        yield Claim(
            message[:MAX_MESSAGE] if isinstance(message, str) and message else "the subgraph told an error without a message",
            tuple(path) if isinstance(path, list) and all(type(key) is str or type(key) is int for key in path) else (),
            extensions if isinstance(extensions, dict) else {},
        )


def mark(data: Any, path: Sequence[PathKey], shape: Shape) -> None:
    """Puts `FAILED` in the place of the first null on a path; not inside leaves, whose contents are the subgraph's."""
    for step in path:
        leaf = step in shape.leaves
        if type(data) is dict and (leaf or step in shape.objects):
            shape = shape.objects.get(str(step), shape)
        elif not (type(data) is list and type(step) is int and 0 <= step < len(data)):
            return
        value = data.get(step) if type(data) is dict else data[step]
        if value is None:
            data[step] = FAILED
        if value is None or leaf:
            return
        data = value
