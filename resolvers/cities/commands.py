"""What can be done to cities."""

from zoneinfo import ZoneInfo

import sqlalchemy as sa

from graph.contracts import is_city_id
from graph.errors import BadUserInput
from resolvers.cities.store import city
from resolvers.stores.engine import Store


async def ensure_city(store: Store, *, tenant: str, id: str, name: str, country: str | None = None, timezone: str | None = None) -> None:
    """Adds the city to the tenant, or brings what is known of it up to date; None keeps what is there.

    Raises `BadUserInput` for an identifier of other than letters, digits, `.`, `_`, `-`, and for an unknown time zone.
    """
    if not is_city_id(id):
        raise BadUserInput(f"{id!r} cannot identify a city: expected letters, digits, '.', '_', '-', 64 at most")
    if timezone is not None:
        _check_timezone(timezone)
    known = {"name": name, "country": country, "timezone": timezone}
    given = {column: value for column, value in known.items() if value is not None}
    async with store.write() as connection:
        changed = await connection.execute(sa.update(city).where(city.c.tenant == tenant, city.c.id == id).values(**given))
        if changed.rowcount == 0:
            await connection.execute(sa.insert(city).values(tenant=tenant, id=id, **known))


def _check_timezone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise BadUserInput(f"{name!r} is no time zone: expected a name of the IANA database, e.g. Europe/Helsinki") from None
