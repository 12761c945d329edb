"""Rows that travel into a statement as one JSON text: both stores read what was written."""

from uuid import UUID

import pytest
import sqlalchemy as sa
from asyncpg.pgproto import pgproto  # type: ignore[import-untyped]

from resolvers.stores.engine import Store
from resolvers.stores.rows import json_rows, rows_parameter

ONE, TWO = UUID(int=2**127 + 1), UUID(int=2)


async def test_rows_when_a_statement_reads_them_then_they_are_what_was_written(store: Store) -> None:
    rows = [(1, ONE, 'å "quoted" \\'), (2**63 - 1, pgproto.UUID(TWO.hex), None)]
    given = json_rows("given", "rows", n=sa.BigInteger, uuid=sa.Uuid, text=sa.Text)

    async with store.read() as connection:
        same = sa.select(given).where(given.c.uuid.in_([ONE, TWO])).order_by(given.c.n)
        found = await connection.execute(same, {"rows": rows_parameter(rows)})

    assert found.all() == [(1, ONE, 'å "quoted" \\'), (2**63 - 1, TWO, None)]


@pytest.mark.parametrize(("cell", "text"), [("\ud800", r'[["\ud800"]]'), (2**70, "[[1180591620717411303424]]"), (ONE, f'[["{ONE}"]]')])
def test_rows_when_a_cell_is_unusual_then_it_is_written_all_the_same(cell: str | int | UUID, text: str) -> None:
    assert rows_parameter([(cell,)]) == text


def test_rows_when_a_cell_has_no_place_in_one_then_it_is_refused() -> None:
    with pytest.raises(TypeError, match="has no place in a row"):
        rows_parameter([(object(),)])  # type: ignore[list-item]
