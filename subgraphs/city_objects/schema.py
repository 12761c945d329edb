"""The subgraph `city_objects`: what stands where in the city."""

from functools import cache
from typing import TypeAlias

import strawberry
from strawberry.types.enum import has_enum_definition

from graph.errors import BadUserInput
from resolvers.city_objects import queries, records
from subgraphs.arguments import given
from subgraphs.city_objects.inputs import CityObjectFilter, filter_of, object_key
from subgraphs.city_objects.live import Subscription
from subgraphs.city_objects.mutations import DEPENDANTS, Mutation
from subgraphs.city_objects.types import (
    READ,
    Building,
    CityObject,
    CityObjectConnection,
    GenericCityObject,
    Road,
    Sensor,
    load_city_object,
)
from subgraphs.connections import Cursors, window
from subgraphs.context import SliceContext
from subgraphs.federation import FederationSchema

__all__ = ["DEPENDANTS", "build"]

Info: TypeAlias = strawberry.Info[SliceContext, None]

strawberry.enum(records.CityObjectOrder)
# The records know no GraphQL, so the one value that needs a word gets it here.
if has_enum_definition(records.CityObjectOrder):
    for value in records.CityObjectOrder.__strawberry_definition__.values:
        value.description = "Needs `filter.near`." if value.name == "DISTANCE_ASC" else None


async def _city_object(info: Info, id: strawberry.ID) -> CityObject | None:
    return await load_city_object(info.context, object_key(id, info.context.home_city))


async def _city_objects(
    info: Info,
    cities: list[strawberry.ID] | None = strawberry.UNSET,
    filter: CityObjectFilter | None = strawberry.UNSET,
    order_by: records.CityObjectOrder = records.CityObjectOrder.ID_ASC,
    first: int | None = strawberry.UNSET,
    after: str | None = strawberry.UNSET,
    last: int | None = strawberry.UNSET,
    before: str | None = strawberry.UNSET,
) -> CityObjectConnection | None:
    context = info.context
    wanted = await filter_of(given(filter), given(cities), context.home_city)
    if order_by is records.CityObjectOrder.DISTANCE_ASC and wanted.near is None:
        raise BadUserInput("The order DISTANCE_ASC needs `filter.near`: distance from where?")
    cursors = Cursors.under("cityObjects", order_by, queries.POSITIONS[order_by], wanted)
    asked = window(cursors, first=given(first), after=given(after), last=given(last), before=given(before))
    return CityObjectConnection(
        page=await queries.city_objects(context.store, context.tenant, wanted, order_by, asked),
        order=order_by,
        cursors=cursors,
        count=lambda: queries.count_city_objects(context.store, context.tenant, wanted),
    )


@strawberry.type
class Query:
    city_object: CityObject | None = strawberry.federation.field(resolver=_city_object, requires_scopes=READ)
    city_objects: CityObjectConnection | None = strawberry.federation.field(
        resolver=_city_objects,
        requires_scopes=READ,
        description="Across every city that the caller may read, or the ones named in `cities`.",
    )


@cache
def build() -> FederationSchema:
    types = (Building, Road, Sensor, GenericCityObject)
    return FederationSchema(Query, mutation=Mutation, subscription=Subscription, types=types)
