"""Relay's connections: reading `first after last before`, and the cursors that only their own field accepts.

A cursor is the position of a row in an order, with the names of the field and the order it belongs to and a digest of the
filter; to a client it is opaque.
"""

import asyncio
import binascii
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Generic, TypeVar
from uuid import UUID

import strawberry

from graph.errors import BadUserInput
from resolvers.stores.paging import Page, Position, Window

Item = TypeVar("Item")
Value = TypeVar("Value")

DEFAULT_PAGE = 50
MAX_PAGE = 1_000
_LONGEST_CURSOR = 8_192
_IN_ONE_GO = 50
# A null character, or half of a surrogate pair.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@strawberry.federation.type(shareable=True)
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None
    unanswered_cities: list[strawberry.ID] = strawberry.federation.field(
        description="Cities that were asked and did not answer in time: their part is missing here."
    )


@dataclass(frozen=True, slots=True)
class Cursors:
    """The cursors of one field, in one order, under one filter. `shape` are the types of the order's positions."""

    field: str
    order: str
    shape: tuple[type[str | int | float | UUID], ...]
    filter: str = ""

    @classmethod
    def under(cls, field: str, order: str, shape: tuple[type[str | int | float | UUID], ...], filter: object) -> "Cursors":
        """`filter` is anything whose representation differs where its meaning does."""
        return cls(field, order, shape, blake2b(repr(filter).encode("utf-8", "replace"), digest_size=8).hexdigest())

    def write(self, position: Position) -> str:
        cells = [cell.hex if isinstance(cell, UUID) else cell for cell in position]
        text = json.dumps([self.field, self.order, self.filter, cells], separators=(",", ":"))
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def read(self, cursor: str) -> Position:
        """Raises `BadUserInput` where it is no cursor, or another field's, order's or filter's."""
        field, order, digest, cells = _decoded(cursor)
        if field != self.field:
            raise BadUserInput(f"The cursor comes from {str(field)[:64]!r} and means nothing in {self.field!r}")
        if order != self.order:
            raise BadUserInput(f"The cursor belongs to the order {str(order)[:64]} and not to {self.order}")
        if digest != self.filter:
            raise BadUserInput("The cursor comes from a list with another filter")
        return self._position(cursor, cells)

    def _position(self, cursor: str, cells: Any) -> Position:
        if not isinstance(cells, list) or len(cells) != len(self.shape):
            raise _no_cursor(cursor)
        position: list[str | int | float | UUID] = []
        for cell, kind in zip(cells, self.shape, strict=True):
            if kind is UUID and isinstance(cell, str) and len(cell) == 32:
                position.append(_uuid(cell, cursor))
            elif type(cell) is kind and _storable(cell):
                position.append(cell)
            else:
                raise _no_cursor(cursor)
        return tuple(position)


def _storable(cell: str | float | UUID) -> bool:
    """Whether a store takes the value as a parameter; not so infinities, and what is no number."""
    if isinstance(cell, str):
        return _UNSTORABLE.search(cell) is None
    return isinstance(cell, (int, float)) and abs(cell) < 2**63


def _decoded(cursor: str) -> list[Any]:
    try:
        if len(cursor) > _LONGEST_CURSOR:
            raise _no_cursor(cursor)
        parts = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise _no_cursor(cursor) from None
    if not isinstance(parts, list) or len(parts) != 4:
        raise _no_cursor(cursor)
    return parts


def _uuid(digits: str, cursor: str) -> UUID:
    try:
        return UUID(hex=digits)
    except ValueError:
        raise _no_cursor(cursor) from None


def _no_cursor(cursor: str) -> BadUserInput:
    return BadUserInput(f"{cursor[:64]!r} is not a cursor: expected one that this field returned")


def window(
    cursors: Cursors,
    *,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
    maximum: int = MAX_PAGE,
) -> Window:
    """The page that is asked for: forward by `first`/`after`, backward by `last`/`before`; raises `BadUserInput`."""
    backward = last is not None or before is not None
    if backward and (first is not None or after is not None):
        raise BadUserInput("A page is asked for by `first` and `after`, or by `last` and `before`, not by both")
    limit = page_size("last" if backward else "first", last if backward else first, maximum)
    return Window(
        limit,
        after=None if after is None else cursors.read(after),
        before=None if before is None else cursors.read(before),
        backward=backward,
    )


def page_size(argument: str, count: int | None, maximum: int = MAX_PAGE) -> int:
    if count is None:
        return DEFAULT_PAGE
    if not 0 <= count <= maximum:
        raise BadUserInput(f"`{argument}` is {count}: expected 0 to {maximum:,}")
    return count


def page_info(page: Page[Any], cursors: list[str]) -> PageInfo:
    """`cursors` are those of the page's items."""
    return PageInfo(
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
        unanswered_cities=[],
    )


def in_turns(items: Sequence[Item], make: Callable[[Item], Value]) -> Any:
    """What `make` makes of each item. A long list comes in parts, between which the event loop serves others.

    graphql-core completes a list in one go, 0.1 ms an object, but waits for each item of an asynchronous iterator. What the
    items themselves wait for is still asked for at one time, so data loaders see one batch.
    """
    return [make(item) for item in items] if len(items) <= _IN_ONE_GO else _by_parts(items, make)


async def _by_parts(items: Sequence[Item], make: Callable[[Item], Value]) -> AsyncIterator[Value]:
    for place, item in enumerate(items):
        if place and place % _IN_ONE_GO == 0:
            await asyncio.sleep(0)
        yield make(item)


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    """One page of records, how each is shown and where it stands, and how all of them are counted."""

    page: Page[Item]
    cursors: Cursors
    position: Callable[[Item], Position]
    node: Callable[[Item], Any]
    count: Callable[[], Awaitable[int]]

    def cursor(self, item: Item) -> str:
        return self.cursors.write(self.position(item))

    def nodes(self) -> list[Any]:
        return [self.node(item) for item in self.page.items]


def _page_info(root: "Connection") -> PageInfo:
    page = root.listing.page
    return page_info(page, [root.listing.cursor(item) for item in page.items[:1] + page.items[-1:]])


async def _total_count(root: "Connection") -> int | None:
    return await root.listing.count()


@strawberry.type
class Connection:
    """What every connection has; a slice's own adds `nodes` and `edges`. All is worked out where it is selected."""

    listing: strawberry.Private[Listing[Any]]
    page_info: PageInfo = strawberry.field(resolver=_page_info)
    total_count: int | None = strawberry.field(resolver=_total_count)
