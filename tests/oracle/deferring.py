"""Operations with `@defer` put into them, and what a client makes of an answer that comes in parts."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from random import Random
from typing import Any

from graphql import GraphQLSchema, validate

from graph.executor.incremental import Delivery
from tests.oracle.operations import Operation
from tests.oracle.selected import Document, Selected, Variable, read, selection_sets

Path = tuple[str | int, ...]


def deferring(schema: GraphQLSchema, operation: Operation, random: Random) -> Operation | None:
    """The operation, which has no fragments by name, with some of its selections deferred; None where that is not valid."""
    document = read(schema, operation.document)
    named: list[tuple[str, str]] = []
    for selected, scope in list(selection_sets(document.selected, document.root, schema)):
        if document.kind == "query" or scope != document.root:
            _defer_some(document, selected, scope, random, named)
    rewritten = Operation.of(document.text(), document.values)
    return None if validate(schema, rewritten.document, max_errors=1) else rewritten


def _defer_some(document: Document, selected: list[Selected], scope: str, random: Random, named: list[tuple[str, str]]) -> None:
    if not selected or random.randrange(3) == 0:
        return
    first = random.randrange(len(selected))
    last = random.randint(first + 1, len(selected))
    inside = selected[first:last]
    left = inside if random.randrange(4) == 0 else []  # what is deferred may be there at once as well
    if random.randrange(4) == 0:
        inner = Selected(scope, on=random.choice([None, scope]), below=inside, directives=[_directive(document, random)])
        inside = [*inside[:1], inner] if random.randrange(2) else [inner]
    if random.randrange(3) == 0:
        name = f"D{len(named)}"
        named.append((name, scope))
        document.fragments[name] = (scope, inside)
        deferred = Selected(scope, spread=name, directives=[_directive(document, random)])
    else:
        deferred = Selected(scope, on=random.choice([None, scope]), below=inside, directives=[_directive(document, random)])
    selected[first:last] = [*[one.copied(one.below) for one in left], deferred]
    fitting = [name for name, on in named if on == scope]
    if fitting and random.randrange(4) == 0:
        selected.append(Selected(scope, spread=random.choice(fitting)))


def _directive(document: Document, random: Random) -> str:
    match random.randrange(6):
        case 0:
            return f'@defer(label: "l{random.randrange(10**6)}")'
        case 1:
            return "@defer(if: false)"
        case 2:
            name = random.choice(("later", "now"))
            if name not in document.values:
                document.variables.append(Variable(name, "Boolean!"))
                document.values[name] = name == "later"
            return f"@defer(if: ${name})"
    return "@defer"


def merged(deliveries: Sequence[Delivery]) -> tuple[Any, list[dict[str, Any]], list[Path]]:
    """The data, the errors, and the places of parts that failed as a whole."""
    first, *others = deliveries
    assert first.initial is not None
    data = deepcopy(first.initial.data)
    errors, failed = list(first.initial.errors), []
    for delivery in others:
        for part in delivery.parts:
            place = _at(data, part.pending.path)
            assert isinstance(place, dict), f"there is no object at {part.pending.path}"
            errors += part.errors
            if part.data is None:
                failed.append(part.pending.path)
            else:
                _merge(place, deepcopy(part.data))
    return data, errors, failed


def with_nulls(data: Any, paths: Iterable[Path], expected: Any) -> Any:
    """The data with a null where the answer in one piece has the null that comes of a failed part."""
    for path in paths:
        for length in range(len(path) + 1):
            if _at(expected, path[:length]) is None:
                if not length:
                    return None
                above = _at(data, path[: length - 1])
                if above is not None:
                    above[path[length - 1]] = None
                break
        else:
            raise AssertionError(f"a part failed at {path}, and the answer in one piece has an object there")
    return data


def _merge(target: Any, source: Any) -> None:
    keys = range(len(source)) if isinstance(source, list) else source
    for key in keys:
        new = source[key]
        old = target[key] if isinstance(target, list) else target.get(key)
        if isinstance(new, dict | list) and isinstance(old, dict | list):
            _merge(old, new)
        else:
            target[key] = new


def _at(data: Any, path: Path) -> Any:
    for key in path:
        if data is None:
            return None
        data = data[key]
    return data
