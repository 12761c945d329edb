"""Writing Python functions at run time: lines with their indentation, and the values that the text refers to by name.

Only names and literals that are made here reach the text (`repr` of strings, names of `constant`), so nothing that a client or a
subgraph sends can become code.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Source:
    """A module being written. `names` is its namespace, which its functions share."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self._lines: list[str] = []
        self._depth = 0

    def line(self, text: str) -> None:
        self._lines.append(" " * self._depth + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """An indented block under `head` (without its colon)."""
        self.line(f"{head}:")
        self._depth += 1
        yield
        self._depth -= 1

    def constant(self, value: object) -> str:
        """A name for the value."""
        name = f"c{len(self.names)}"
        self.names[name] = value
        return name

    def define(self) -> None:
        """Runs the text: its functions are in `names` afterwards."""
        exec("\n".join(self._lines), self.names)
        self._lines.clear()

    def function(self, name: str) -> Callable[..., Any]:
        function: Callable[..., Any] = self.names[name]
        return function
