"""City objects' live events: what enters a filter, changes inside it, and leaves it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from enum import Enum
from typing import TypeAlias

import strawberry
from strawberry import UNSET

from graph.contracts import GlobalId
from graph.errors import BadUserInput
from resolvers.city_objects.live import ObjectChange, Place, object_changes
from subgraphs.arguments import given
from subgraphs.city_objects.inputs import CityObjectFilter, filter_of
from subgraphs.city_objects.types import READ, CityObject, city_object
from subgraphs.context import SliceContext
from subgraphs.subscriptions import read_cursor, write_cursor

Info: TypeAlias = strawberry.Info[SliceContext, None]

FIELD = "cityObjectChanged"


@strawberry.enum
class CityObjectChangeKind(Enum):
    """The record `Seen`, with what GraphQL says about its values."""

    CREATED = "CREATED"
    ENTERED = strawberry.enum_value("ENTERED", description="It changed, and matches the filter now.")
    UPDATED = "UPDATED"
    LEFT = strawberry.enum_value("LEFT", description="It changed, and no longer matches.")
    DELETED = "DELETED"


def _object(root: "CityObjectChange") -> CityObject | None:
    return None if root.change.object is None else city_object(root.change.object)


@strawberry.federation.type(requires_scopes=READ)
class CityObjectChange:
    change: strawberry.Private[ObjectChange]

    cursor: str
    kind: CityObjectChangeKind
    object_id: strawberry.ID
    object: CityObject | None = strawberry.field(resolver=_object, description="Null where it was deleted or has left the filter.")


async def _city_object_changed(
    info: Info, cities: list[strawberry.ID] | None = UNSET, filter: CityObjectFilter | None = UNSET, after: str | None = UNSET
) -> AsyncGenerator[CityObjectChange, None]:
    context = info.context
    wanted = await filter_of(given(filter), given(cities), context.home_city)
    cursor = given(after)
    start = None if cursor is None else read_place(cursor)
    async with aclosing(object_changes(context.store, context.events, context.tenant, wanted, start)) as changes:
        async for change in changes:
            yield CityObjectChange(
                change=change,
                cursor=write_place(change.place),
                kind=CityObjectChangeKind(change.seen.value),
                object_id=strawberry.ID(str(GlobalId(change.city, "object", change.uuid))),
            )


def write_place(place: Place) -> str:
    return write_cursor(FIELD, place.seq if place.objects is None else f"{place.seq}.{place.objects}")


def read_place(cursor: str) -> Place:
    """Raises `BadUserInput`."""
    numbers = read_cursor(FIELD, cursor).split(".")
    if len(numbers) > 2 or not all(one.isdecimal() and one.isascii() and len(one) <= 18 for one in numbers):
        raise BadUserInput(f"{cursor[:64]!r} is not a cursor: expected one that an event of {FIELD} had")
    seq, *objects = map(int, numbers)
    return Place(seq, *objects)


@strawberry.type
class Subscription:
    city_object_changed: AsyncGenerator[CityObjectChange, None] = strawberry.federation.field(
        resolver=_city_object_changed,
        is_subscription=True,
        requires_scopes=READ,
        description="City objects that enter, change inside, or leave the filter.",
    )
