"""Gives every field of an operation its key in the response tree.

A key stands for one (field name, arguments) all over the operation, so that answers of different fetches, for different types, can be
merged into one tree, and shared between its branches, without looking at where they came from. Where the client uses one response key
for two of them (`... on A { x: foo } ... on B { x: bar }`), or where types disagree about a field's shape, one gets a key of its own.
"""

from itertools import count


class KeyAllocator:
    """The keys of one operation."""

    def __init__(self) -> None:
        self._meaning: dict[str, tuple[str, ...]] = {}

    def key(self, response_key: str, name: str, arguments: tuple[tuple[str, str], ...], shape: str = "") -> str:
        """The key for a field under a response key. `shape` sets apart fields of one name whose types differ in some subgraph."""
        if name == "__typename":
            return name
        meaning = (name, shape, *(part for argument in arguments for part in argument))
        wish = f"{response_key}__{shape}" if shape else response_key
        for n in count(1):
            candidate = wish if n == 1 else f"{wish}_{n}"
            if self._meaning.setdefault(candidate, meaning) == meaning:
                return candidate
        raise AssertionError("unreachable")

    def used(self) -> list[str]:
        """Every key that has been given out, in order of first use."""
        return list(self._meaning)
