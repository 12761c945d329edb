"""The subgraph `cities`: the cities that a tenant may read, by what is known of them; other slices add the rest."""

from functools import cache
from typing import TypeAlias

import strawberry

from graph.contracts import is_city_id
from graph.rights import Scope, any_of
from resolvers.cities import queries, records
from resolvers.cities.loaders import CityLoader
from subgraphs.arguments import given
from subgraphs.context import SliceContext
from subgraphs.federation import FederationSchema
from subgraphs.node import Node

Info: TypeAlias = strawberry.Info[SliceContext, None]
READ = any_of(Scope.CITIES_READ)


@strawberry.federation.type(keys=["id"], requires_scopes=READ)
class City(Node):
    id: strawberry.ID = strawberry.federation.field(description="E.g. `KR-SEOUL-2025`.")
    name: str
    country: str | None
    timezone: str | None

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "City | None":
        return await _city(info.context, id)


async def _city(context: SliceContext, id: str) -> City | None:
    if not is_city_id(id):
        return None
    loader = context.loader("cities.by_id", lambda: CityLoader(context.store, context.tenant))
    city = await loader.load(id)
    return None if city is None else _from_record(city)


def _from_record(city: records.City) -> City:
    return City(id=strawberry.ID(city.id), name=city.name, country=city.country, timezone=city.timezone)


async def _all_cities(info: Info) -> list[City]:
    context = info.context
    found = await queries.all_cities(context.store, context.tenant, context.home_city)
    return [_from_record(city) for city in found]


async def _one_city(info: Info, id: strawberry.ID | None = strawberry.UNSET) -> City | None:
    return await _city(info.context, given(id) or info.context.home_city)


@strawberry.type
class Query:
    cities: list[City] = strawberry.federation.field(
        resolver=_all_cities,
        requires_scopes=READ,
        description="Every city of the federation that the caller may read, this gateway's own first.",
    )
    city: City | None = strawberry.federation.field(
        resolver=_one_city, requires_scopes=READ, description="Without an identifier: this gateway's own city."
    )


@cache
def build() -> FederationSchema:
    return FederationSchema(Query)
