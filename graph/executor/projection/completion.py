"""Where a value is not what the API schema promises: the slow side of the generated code.

Each function gets the value, its path as linked pairs `((…, "users"), 0)`, the running `Completion` and the `Place`, says what is wrong
once, and leaves null behind. In a non-null place it raises `Bubble`, which the nearest enclosing object or list turns into its own null.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from graphql import GraphQLEnumType, GraphQLSchema, is_object_type

from graph.errors import Forbidden
from graph.executor.faults import FAILED, Faults, PathKey
from graph.executor.projection.deferred import Found
from graph.executor.shape import TYPENAME
from graph.supergraph.demands import Refusal

LinkedPath = tuple[Any, PathKey] | None
WRONG: Final = object()


class Bubble(Exception):
    """A non-null place is null; why has been said."""


@dataclass(frozen=True, slots=True)
class Place:
    """A field, or the items of its list. `kind` is the Python type of its right values, for an object or a list."""

    coordinate: str
    expected: str
    kind: type | None = None
    convert: Callable[[Any], Any] = lambda _value: WRONG
    """The right value for one that is right but unusual (an integer as an ID), None for one that is hidden, else `WRONG`."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """What the supergraph has and the API schema does not show (`@inaccessible`): null for the client, without an error.

    `types` are object types, `values` those of each enum.
    """

    types: frozenset[str] = frozenset()
    values: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def hides(self, typename: object) -> bool:
        return isinstance(typename, str) and typename in self.types

    @classmethod
    def between(cls, full_schema: GraphQLSchema, api_schema: GraphQLSchema) -> "Hidden":
        types = {name for name, one in full_schema.type_map.items() if is_object_type(one)} - api_schema.type_map.keys()
        values: dict[str, frozenset[str]] = {}
        for name, shown in api_schema.type_map.items():
            known = full_schema.type_map.get(name)
            if isinstance(shown, GraphQLEnumType) and isinstance(known, GraphQLEnumType):
                values[name] = frozenset(known.values.keys() - shown.values.keys())
        return cls(frozenset(types), values)


@dataclass(frozen=True, slots=True)
class Completion:
    """One run of a projection. `on` are the values of the operation's conditions, in the order of the projection.

    Where something may be told later, objects with deferred fields are added to `later`.
    """

    faults: Faults
    on: tuple[bool, ...]
    hidden: Hidden
    service_of: Callable[[list[PathKey]], str | None]
    later: list[Found] | None = None

    def report(self, message: str, path: LinkedPath) -> None:
        keys = unlinked(path)
        self.faults.add(message, keys, service=self.service_of(keys))


def unlinked(path: LinkedPath) -> list[PathKey]:
    keys: list[PathKey] = []
    while path is not None:
        path, key = path
        keys.append(key)
    keys.reverse()
    return keys


def leaf(value: Any, path: LinkedPath, run: Completion, place: Place) -> Any:
    """A value that failed the quick check, in a nullable place."""
    if value is None or value is FAILED:
        return None
    converted = place.convert(value)
    if converted is WRONG:
        run.report(_mismatch(value, place), path)
        return None
    return converted


def required_leaf(value: Any, path: LinkedPath, run: Completion, place: Place) -> Any:
    converted = None if value is None or value is FAILED else place.convert(value)
    if converted is WRONG:
        run.report(_mismatch(value, place), path)
        raise Bubble
    if converted is None:
        _bubble(value, path, run, place)
    return converted


def wrong_shape(value: Any, path: LinkedPath, run: Completion, place: Place) -> None:
    """Neither an object (a list) nor null, in a nullable place."""
    if value is not None and value is not FAILED:
        run.report(_mismatch(value, place), path)


def required_shape(value: Any, path: LinkedPath, run: Completion, place: Place) -> Any:
    """A non-null object or list that is missing, is something else, or became null while it was projected."""
    if value is None:
        _bubble(value, path, run, place)
    if type(value) is not place.kind:
        wrong_shape(value, path, run, place)
        raise Bubble
    if type(value) is dict and run.hidden.hides(value.get(TYPENAME)):
        _bubble(None, path, run, place)
    raise Bubble


def refused(path: LinkedPath, run: Completion, refusal: Refusal) -> None:
    """In the place of what the caller may not see; nothing of it was fetched, or it is not looked at."""
    run.faults.add(refusal.message, unlinked(path), code=Forbidden.code, extensions=refusal.extensions)


def required_refused(path: LinkedPath, run: Completion, refusal: Refusal) -> NoReturn:
    refused(path, run, refusal)
    raise Bubble


def _bubble(value: Any, path: LinkedPath, run: Completion, place: Place) -> NoReturn:
    """A null that nobody has told of yet is told here: `value` is what stands in its place."""
    if value is not FAILED:
        run.report(f"{place.coordinate} may not be null, and is", path)
    raise Bubble


def _mismatch(value: Any, place: Place) -> str:
    return f"{place.coordinate} should be {place.expected}, and is {describe(value)}"


def describe(value: Any) -> str:
    """A value in words, never long: it comes from a subgraph."""
    match value:
        case None:
            return "missing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value!r}"[:60]
        case str():
            return f"the text {value!r}" if len(value) <= 40 else f"the text {value[:40]!r}…"
        case dict():
            return "an object"
        case list():
            return "a list"
        case _:
            return f"a value of type {type(value).__name__}"
