"""The mutations of city objects: what a client sends, and what it is told of each object."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeAlias
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.contracts import GlobalId
from graph.errors import CityGraphError, NotFound
from graph.rights import Scope, any_of
from resolvers.city_objects import commands, records
from resolvers.city_objects.records import CityObjectDraft, Refusal
from resolvers.stores.geojson import read_geometry
from resolvers.stores.idempotency import once
from subgraphs.arguments import given
from subgraphs.city_objects.inputs import listed, object_key
from subgraphs.city_objects.types import CityObject, load_city_object
from subgraphs.context import Port, SliceContext
from subgraphs.scalars import GeoJSON, JSONObject
from subgraphs.values import Rejection

DEPENDANTS: Port[Sequence[commands.Dependants]] = Port("city_objects.dependants")
"""To be connected to the slices that keep what goes with a city object."""

Info: TypeAlias = strawberry.Info[SliceContext, None]

WRITE = any_of(Scope.OBJECTS_WRITE)
# The members that an object keeps where the input leaves them out.
_OPTIONAL = {"name": "name", "source": "source", "source_id": "source_id", "attributes": "attributes", "parent_id": "parent"}


@strawberry.input
class CityObjectInput:
    id: strawberry.ID | None = strawberry.UNSET
    type: records.CityObjectType
    name: str | None = strawberry.UNSET
    source: str | None = strawberry.UNSET
    source_id: str | None = strawberry.UNSET
    geometry: GeoJSON
    attributes: JSONObject | None = strawberry.UNSET
    parent_id: strawberry.ID | None = strawberry.UNSET


@strawberry.input
class UpsertCityObjectsInput:
    objects: list[CityObjectInput] = strawberry.field(
        description="At most 1,000. Matched by `id`, else by `source` and `sourceId`, else created."
    )
    idempotency_key: str | None = strawberry.UNSET
    city: strawberry.ID | None = strawberry.UNSET


@strawberry.input
class DeleteCityObjectInput:
    id: strawberry.ID


async def _objects(root: "UpsertCityObjectsPayload", info: Info) -> list[CityObject]:
    """What has been deleted since the first answer to an idempotency key is left out."""
    found = await asyncio.gather(*(load_city_object(info.context, (root.city, uuid)) for uuid in root.uuids))
    return [it for it in found if it is not None]


@strawberry.federation.type(requires_scopes=WRITE)
class UpsertCityObjectsPayload:
    city: strawberry.Private[str]
    uuids: strawberry.Private[list[UUID]]

    created: int
    updated: int
    unchanged: int
    objects: list[CityObject] = strawberry.field(resolver=_objects)
    rejections: list[Rejection] = strawberry.field(description="One for each object that was not stored; the others were.")


@strawberry.federation.type(requires_scopes=WRITE)
class DeleteCityObjectPayload:
    deleted_id: strawberry.ID


@dataclass(frozen=True, slots=True)
class _Sent:
    """The call's drafts and what of it could not be read, by place in the input; `told` is the same for the same input."""

    drafts: dict[int, CityObjectDraft]
    unread: list[Refusal]
    told: str


async def _upsert_city_objects(info: Info, input: UpsertCityObjectsInput) -> UpsertCityObjectsPayload | None:
    context, city = info.context, info.context.home_city
    if (given(input.city) or city) != city:
        raise NotFound(f"There is no city {input.city!r} here")
    listed("objects", input.objects, commands.LOT)
    sent = await asyncio.to_thread(_read, input.objects, city)
    now = context.now()

    async def change(connection: AsyncConnection) -> dict[str, Any]:
        drafts = list(sent.drafts.values())
        outcome = await commands.upsert_in(connection, tenant=context.tenant, city=city, drafts=drafts, now=now)
        places = list(sent.drafts)
        refused = [*sent.unread, *(Refusal(places[it.place], it.member, it.error) for it in outcome.refused)]
        return {
            "counts": [outcome.created, outcome.updated, outcome.unchanged],
            "uuids": [uuid.hex for uuid in outcome.uuids],
            "rejections": [_rejection(it) for it in sorted(refused, key=lambda it: it.place)],
        }

    key = given(input.idempotency_key)
    answer = await once(
        context.store, tenant=context.tenant, operation="upsertCityObjects", key=key, told=sent.told, now=now, change=change
    )
    created, updated, unchanged = answer["counts"]
    return UpsertCityObjectsPayload(
        city=city,
        uuids=[UUID(hex=digits) for digits in answer["uuids"]],
        created=created,
        updated=updated,
        unchanged=unchanged,
        rejections=[Rejection(pointer=pointer, code=code, message=message) for pointer, code, message in answer["rejections"]],
    )


def _rejection(refusal: Refusal) -> list[str]:
    pointer = f"/objects/{refusal.place}" + (f"/{refusal.member}" if refusal.member else "")
    return [pointer, refusal.error.code, refusal.error.detail]


def _read(objects: Sequence[CityObjectInput], home_city: str) -> _Sent:
    """Slow for a thousand: not for the event loop."""
    drafts: dict[int, CityObjectDraft] = {}
    unread: list[Refusal] = []
    digest = blake2b(digest_size=32)
    for place, sent in enumerate(objects):
        digest.update(_told(sent))
        read = _draft(place, sent, home_city)
        if isinstance(read, Refusal):
            unread.append(read)
        else:
            drafts[place] = read
    return _Sent(drafts, unread, digest.hexdigest())


def _told(sent: CityObjectInput) -> bytes:
    """What was sent, absent members told from null ones."""
    members = {name: getattr(sent, name) for name in CityObjectInput.__dataclass_fields__}
    present = {name: value for name, value in members.items() if value is not strawberry.UNSET}
    try:
        return json.dumps(present, sort_keys=True).encode() + b"\n"
    except RecursionError:
        # Whatever is nested so deep is refused.
        return b"\n"


def _draft(place: int, sent: CityObjectInput, home_city: str) -> CityObjectDraft | Refusal:
    member = "id"
    try:
        uuid = _of_home(given(sent.id), home_city)
        member = "parentId"
        parent = _of_home(given(sent.parent_id), home_city)
        member = "geometry"
        geometry = read_geometry(sent.geometry)
    except CityGraphError as error:
        return Refusal(place, member, error)
    return CityObjectDraft(
        type=sent.type,
        name=given(sent.name),
        source=given(sent.source),
        source_id=given(sent.source_id),
        geometry=geometry,
        attributes=given(sent.attributes) or {},
        uuid=uuid,
        parent=parent,
        kept=frozenset(field for name, field in _OPTIONAL.items() if getattr(sent, name) is strawberry.UNSET),
    )


def _of_home(id: str | None, home_city: str) -> UUID | None:
    if id is None:
        return None
    city, uuid = object_key(id, home_city)
    if city != home_city:
        raise NotFound(f"There is no city object {id!r} here")
    return uuid


async def _delete_city_object(info: Info, input: DeleteCityObjectInput) -> DeleteCityObjectPayload | None:
    context = info.context
    city, uuid = object_key(input.id, context.home_city)
    if city != context.home_city:
        raise NotFound(f"There is no city object {input.id!r} here")
    dependants = context.service(DEPENDANTS)
    await commands.delete(context.store, dependants, tenant=context.tenant, city=city, uuid=uuid, now=context.now())
    return DeleteCityObjectPayload(deleted_id=strawberry.ID(str(GlobalId(city, "object", uuid))))


@strawberry.type
class Mutation:
    upsert_city_objects: UpsertCityObjectsPayload | None = strawberry.federation.field(resolver=_upsert_city_objects, requires_scopes=WRITE)
    delete_city_object: DeleteCityObjectPayload | None = strawberry.federation.field(resolver=_delete_city_object, requires_scopes=WRITE)
