"""Keyset paging: a page is what follows a position in an order, so it stays right while rows come and go.

A position is the tuple of an order's keys at one row; the last keys of every order identify the row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

Position: TypeAlias = tuple[str | int | float | UUID, ...]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Window:
    """So many after `after` and before `before` (both left out), or the last so many of them where `backward`."""

    limit: int
    after: Position | None = None
    before: Position | None = None
    backward: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    items: tuple[Item, ...]
    has_next: bool = False
    has_previous: bool = False


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of an order; never null."""

    expression: ColumnElement[Any]
    descending: bool = False


def window_of(statement: sa.Select[Any], order: Sequence[SortKey], window: Window) -> sa.Select[Any]:
    """The statement's rows within the window, and one more, by which `page_of` knows whether there are more."""
    return statement.where(*between(order, window)).order_by(*ordering(order, backward=window.backward)).limit(window.limit + 1)


def ordering(order: Sequence[SortKey], *, backward: bool = False) -> list[ColumnElement[Any]]:
    return [key.expression.desc() if key.descending is not backward else key.expression.asc() for key in order]


def between(order: Sequence[SortKey], window: Window) -> list[ColumnElement[bool]]:
    """The conditions that keep rows within the window's ends."""
    conditions = []
    if window.after is not None:
        conditions.append(_beyond(order, window.after, backward=False))
    if window.before is not None:
        conditions.append(_beyond(order, window.before, backward=True))
    return conditions


def _beyond(order: Sequence[SortKey], position: Position, *, backward: bool) -> ColumnElement[bool]:
    """Strictly after the position, or before it.

    Keys of one direction compare as a row, which an index can seek; others as a > x, or a = x and (b < y, or b = y and …).
    """
    if len({key.descending for key in order}) == 1:
        row = sa.tuple_(*[key.expression for key in order])
        ends = sa.tuple_(*[sa.literal(value, key.expression.type) for key, value in zip(order, position, strict=True)])
        return row < ends if order[0].descending is not backward else row > ends
    condition: ColumnElement[bool] = sa.false()
    for key, value in reversed(list(zip(order, position, strict=True))):
        smaller = key.descending is not backward
        further = key.expression < value if smaller else key.expression > value
        condition = further if condition is sa.false() else sa.or_(further, sa.and_(key.expression == value, condition))
    return condition


def page_of(rows: Sequence[Item], window: Window) -> Page[Item]:
    """The page that `window_of` read, in the order's own direction, without the row that was one too many."""
    more = len(rows) > window.limit
    kept = tuple(rows[: window.limit])
    if window.backward:
        return Page(kept[::-1], has_next=window.before is not None, has_previous=more)
    return Page(kept, has_next=more, has_previous=window.after is not None)
