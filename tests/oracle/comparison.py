"""When two answers are the same. This is the one place that says where a gateway may differ from one schema.

- Messages and codes are anybody's.
- Where several fields under one non-null parent fail, the specification (§6.4.4) wants one of their errors reported, and lets each
  server choose; it may also stop, or go on, resolving what stands beside them. So an error counts where its null ends up: at its path,
  or at the nearest object or list above that became null because of it.

Two differences are kept out of the worlds, since no comparison could allow for them: mutations that stand side by side in one subgraph
share a request, so that what is fetched after them sees the effects of both; and a field whose `@requires` cannot be had is null because
of the error that is told of its input, where one schema would tell an error of the field.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from graphql import ExecutionResult

from tests.oracle.gateway import Answered

Path = tuple[str | int, ...]


def difference(answer: Answered, expected: ExecutionResult) -> str | None:
    """What is not as it should be, None if all is."""
    if answer.invalid:
        return f"a request is not valid ({answer.invalid[0]})"
    if as_text(answer.data) != as_text(expected.data):
        return "the data differ"
    told = nulls(answer.data, (error.get("path", ()) for error in answer.errors))
    wanted = nulls(expected.data, (error.path or () for error in expected.errors or ()))
    if told != wanted:
        return f"errors are told at {sorted(told - wanted, key=str)}, and not at {sorted(wanted - told, key=str)}"
    return None


def as_text(data: Any) -> str:
    """Data with its keys in their order."""
    return json.dumps(data, ensure_ascii=False)


def nulls(data: Any, paths: Iterable[Sequence[str | int]]) -> set[Path]:
    """Where the nulls of errors at these paths ended up; an error that left no null counts at its own path."""
    return {_ending(data, tuple(path)) for path in paths}


def _ending(data: Any, path: Path) -> Path:
    for length, key in enumerate(path):
        if data is None:
            return path[:length]
        if isinstance(data, list) != isinstance(key, int) or (isinstance(data, dict) and key not in data):
            return path
        data = data[key]
    return path
