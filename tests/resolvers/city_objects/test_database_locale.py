"""A database with a language's own order changes nothing: names, conditions and ties go by code point."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from resolvers.cities.commands import ensure_city
from resolvers.city_objects import queries
from resolvers.city_objects.records import CityObjectFilter, CityObjectOrder
from resolvers.stores.engine import Store
from resolvers.stores.json_pointer import Comparison, PointerCondition
from resolvers.stores.migrate import migrate
from resolvers.stores.paging import Window
from tests.fakes.postgresql import PostgreSQL
from tests.resolvers.city_objects.drafts import CITY, TENANT, draft, put


@pytest.fixture
async def english(postgresql: PostgreSQL) -> AsyncIterator[Store]:
    """A store in a database that sorts as English does: a before B, whatever their case."""
    await asyncio.to_thread(
        postgresql.sql, "CREATE DATABASE english TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C.UTF-8'"
    )
    await asyncio.to_thread(migrate, postgresql.url("english"))
    store = Store(postgresql.url("english"))
    yield store
    await store.close()
    await asyncio.to_thread(postgresql.drop, "english")


async def test_order_when_the_database_sorts_as_english_does_then_names_go_by_code_point(english: Store) -> None:
    await ensure_city(english, tenant=TENANT, id=CITY, name="Helsinki")
    names = ["Z", "a", "b", "ä", "\uffee", "\U0001f3e0"]
    await put(english, *(draft(name, name=name, attributes={"name": name}) for name in reversed(names)))

    async def listed(wanted: CityObjectFilter, window: Window) -> list[str | None]:
        page = await queries.city_objects(english, TENANT, wanted, CityObjectOrder.NAME_ASC, window)
        return [found.object.name for found in page.items]

    first = await queries.city_objects(english, TENANT, CityObjectFilter(), CityObjectOrder.NAME_ASC, Window(2))
    after = queries.position_of(first.items[-1], CityObjectOrder.NAME_ASC)
    smaller = PointerCondition(("name",), Comparison.LT, "b")

    assert await listed(CityObjectFilter(), Window(10)) == names
    assert await listed(CityObjectFilter(), Window(10, after=after)) == names[2:]
    assert await listed(CityObjectFilter(attributes=(smaller,)), Window(10)) == ["Z", "a"]
