"""Which part of an answer an error belongs to: the first one that has its place, or a null above it; and which nulls it has left."""

from collections.abc import Iterable
from typing import Any

from graph.executor.faults import PathKey

Path = tuple[PathKey, ...]


class Errors:
    """The errors of an answer that is told in parts.

    A field may be in several parts. Where one of them had to make an object or a list null, the others must not bring it back.
    """

    def __init__(self) -> None:
        self._without_path: list[dict[str, Any]] = []
        self._untold: dict[Path, list[dict[str, Any]]] = {}
        self._nulls: dict[Path, list[Path]] = {}
        """Both by every path that theirs begin with."""

    def add(self, errors: Iterable[dict[str, Any]]) -> None:
        """Errors whose part is not known yet."""
        for error in errors:
            path = tuple(error.get("path", ()))
            if not path:
                self._without_path.append(error)
            for length in range(len(path)):
                self._untold.setdefault(path[:length], []).append(error)

    def withdraw(self, data: Any, path: Path) -> None:
        """Makes null in a part what an earlier one had to make null."""
        for null in self._nulls.get(path, ()):
            *above, key = null[len(path) :]
            found = _at(data, above)
            if isinstance(found, dict | list) and _at(found, [key]) is not None:
                found[key] = None  # type: ignore[index]

    def take(self, data: Any, path: Path, told: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """The errors of a part: those that are `told` of it, and those added that have their place in it."""
        errors = [*told, *self._without_path]
        self._without_path.clear()
        for error in list(self._untold.get(path, ())):
            place = tuple(error["path"])
            if _is_told(data, place[len(path) :]):
                errors.append(error)
                for length in range(len(place)):
                    self._untold[place[:length]].remove(error)
        for error in errors:
            self._note_null(data, path, tuple(error.get("path", ())))
        return errors

    def _note_null(self, data: Any, path: Path, place: Path) -> None:
        for length in range(len(path) + 1, len(place) + 1):
            null = place[:length]
            if _at(data, null[len(path) :]) is None:
                for start in range(length):
                    self._nulls.setdefault(null[:start], []).append(null)
                return


def _is_told(data: Any, path: Iterable[PathKey]) -> bool:
    """Whether the place is in the data, or below a null."""
    for key in path:
        if data is None:
            return True
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _at(data: Any, path: Iterable[PathKey]) -> Any:
    """What stands at the place; None where there is nothing."""
    for key in path:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def is_object(data: Any, path: Iterable[PathKey]) -> bool:
    """Whether there is an object at the place: nothing above it became null."""
    return _at(data, path) is not None
