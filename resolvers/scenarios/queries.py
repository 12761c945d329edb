"""What can be asked of scenarios. Each question is one statement, however many objects ask it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from resolvers.scenarios import store as sql
from resolvers.scenarios.records import Scenario, ScenarioFilter, ScenarioKey, ScenarioOrder, ScenarioStatus, TimeSpan
from resolvers.stores.engine import Store
from resolvers.stores.paging import Page, Position, Window, page_of
from resolvers.stores.rows import rows_parameter

POSITIONS: dict[ScenarioOrder, tuple[type[str | int | float | UUID], ...]] = {
    ScenarioOrder.CREATED_AT_ASC: (int, str, UUID),
    ScenarioOrder.CREATED_AT_DESC: (int, str, UUID),
    ScenarioOrder.NAME_ASC: (str, str, UUID),
}
"""The types of a position in each order."""


def position_of(scenario: Scenario, order: ScenarioOrder) -> Position:
    first: str | int = scenario.name if order is ScenarioOrder.NAME_ASC else scenario.created_at
    return first, scenario.city, scenario.uuid


async def scenarios(store: Store, tenant: str, wanted: ScenarioFilter, order: ScenarioOrder, window: Window) -> Page[Scenario]:
    async with store.read() as connection:
        rows = await connection.execute(sql.page(tenant, wanted, order, window))
        return page_of([record(row) for row in rows], window)


async def count_scenarios(store: Store, tenant: str, wanted: ScenarioFilter) -> int:
    async with store.read() as connection:
        number: int = (await connection.execute(sql.count(tenant, wanted))).scalar_one()
        return number


async def by_keys(store: Store, tenant: str, keys: Sequence[ScenarioKey]) -> dict[ScenarioKey, Scenario]:
    """What is not there, or another tenant's, is left out."""
    async with store.read() as connection:
        rows = await connection.execute(sql.by_keys(tenant), {"keys": rows_parameter(keys)})
        found = [record(row) for row in rows]
    return {scenario.key: scenario for scenario in found}


async def of_entities(
    store: Store, tenant: str, entities: Sequence[ScenarioKey], wanted: ScenarioFilter, order: ScenarioOrder, window: Window
) -> list[Page[Scenario]]:
    """Of each entity (city, UUID) a page of its scenarios."""
    found: list[list[Scenario]] = [[] for _ in entities]
    async with store.read() as connection:
        for row in await connection.execute(sql.of_entities(tenant, wanted, order, window), {"keys": _numbered(entities)}):
            found[row.n].append(record(row))
    return [page_of(rows, window) for rows in found]


async def counts_of_entities(store: Store, tenant: str, entities: Sequence[ScenarioKey], wanted: ScenarioFilter) -> list[int]:
    async with store.read() as connection:
        rows = await connection.execute(sql.counts_of_entities(tenant, wanted), {"keys": _numbered(entities)})
        counts: dict[int, int] = {row.n: row.number for row in rows}
    return [counts.get(n, 0) for n in range(len(entities))]


def _numbered(keys: Sequence[ScenarioKey]) -> str:
    return rows_parameter([(n, *key) for n, key in enumerate(keys)])


def record(row: Any) -> Scenario:
    start, end = row.start_ts, row.end_ts
    return Scenario(
        city=row.city,
        uuid=row.uuid,
        entity=row.entity,
        name=row.name,
        description=row.description,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
        status=ScenarioStatus(row.status),
        parameters=row.parameters,
        time_range=None if start is None or end is None else TimeSpan(start, end),
        version=row.version,
    )
