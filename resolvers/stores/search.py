"""What is asked of a search for the nearest shapes: how far, how many, and among which."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement


@dataclass(frozen=True, slots=True)
class Search:
    """How far to look, for how many of each probe (None: all), and between which (metres, tie) positions, both left out.

    `from_farthest` asks for the last `limit` of what is found, not the first.
    """

    radius: float
    limit: int | None = None
    after: tuple[float, str] | None = None
    before: tuple[float, str] | None = None
    from_farthest: bool = False


@dataclass(frozen=True, slots=True)
class Candidates:
    """A table of shapes to search, the conditions that its rows must meet, and what orders those equally far.

    `among` has the column `pk` of the rows that alone are looked at, where these are few and known.
    """

    table: sa.Table
    conditions: Sequence[ColumnElement[bool]]
    tie: ColumnElement[str]
    among: sa.CTE | None = None
