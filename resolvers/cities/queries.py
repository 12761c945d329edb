"""What can be asked of cities."""

from resolvers.cities import store as sql
from resolvers.cities.records import City
from resolvers.stores.engine import Store

# Far more than a federation has; a bound all the same.
MAX_CITIES = 10_000


async def all_cities(store: Store, tenant: str, home: str) -> list[City]:
    """Every city that the tenant may read, this gateway's own first."""
    async with store.read() as connection:
        rows = await connection.execute(sql.all_of(tenant, home, MAX_CITIES))
        return [City(*row) for row in rows]


async def cities_by_id(store: Store, tenant: str, ids: list[str]) -> dict[str, City]:
    """One statement for all; what is not there, or another tenant's, is left out."""
    async with store.read() as connection:
        rows = await connection.execute(sql.by_ids(tenant, ids))
        return {row.id: City(*row) for row in rows}
