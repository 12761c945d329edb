"""The tables of compliance as the migration makes them: gone and made again on data, and read by index."""

import asyncio
from pathlib import Path

import sqlalchemy as sa

from resolvers.compliance import queries
from resolvers.compliance import store as sql
from resolvers.compliance.records import ComplianceReportOrder, ReportFilter, Stretch
from resolvers.stores.engine import Store
from resolvers.stores.migrate import downgrade, migrate
from resolvers.stores.paging import Window
from tests.resolvers.compliance.shelves import CITY, TENANT, dataset, measured, report, shelf_of


async def tables(store: Store) -> set[str]:
    async with store.engine.connect() as connection:
        found: set[str] = await connection.run_sync(lambda plain: set(sa.inspect(plain).get_table_names()))
    return found


async def test_tables_when_taken_back_and_made_again_then_empty_and_in_use(store: Store, store_url: str, tmp_path: Path) -> None:
    shelf = shelf_of(store, tmp_path / "files")
    await report(shelf)
    await dataset(shelf)
    own = {table.name for table in (sql.report, sql.dataset, sql.measurement)}
    assert own <= await tables(store)

    await store.close()
    await asyncio.to_thread(downgrade, store_url, "0007")
    assert own.isdisjoint(await tables(store))

    await store.close()
    await asyncio.to_thread(migrate, store_url)
    uuid = await report(shelf)
    page = await queries.reports(store, TENANT, ReportFilter(), ComplianceReportOrder.ISSUED_AT_DESC, Window(10))
    assert [found.uuid for found in page.items] == [uuid]


async def test_orders_when_explained_then_walked_by_index_without_sorting(sqlite_store: Store) -> None:
    for order in ComplianceReportOrder:
        statement = sql.reports_page(TENANT, ReportFilter(), order, Window(10))
        text = str(statement.compile(sqlite_store.engine.sync_engine, compile_kwargs={"literal_binds": True}))
        async with sqlite_store.read() as connection:
            plan = [row.detail for row in await connection.execute(sa.text(f"EXPLAIN QUERY PLAN {text}"))]
        assert len(plan) == 1, plan
        assert "USING INDEX ix_compliance_report_" in plan[0]


async def test_measurements_when_read_from_the_end_of_a_long_dataset_then_by_range_of_the_key(store: Store, tmp_path: Path) -> None:
    shelf = shelf_of(store, tmp_path / "files")
    first, second = await dataset(shelf, measurements=measured(2_000)), await dataset(shelf, measurements=measured(5))

    found = await queries.measurements(
        store, TENANT, [Stretch((CITY, first), 1_998, 2_000), Stretch((CITY, second), 0, 5), Stretch((CITY, first), 3, 3)]
    )

    assert [[one.number for one in numbered] for numbered in found] == [[1_998, 1_999], [0, 1, 2, 3, 4], []]
    assert await queries.measurements(store, "another", [Stretch((CITY, first), 0, 5)]) == [[]]
