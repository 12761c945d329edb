"""The subgraph `models`: circular value chain models, what can be asked of them and done to them."""

import asyncio
from functools import cache, partial
from typing import Any

import strawberry
from strawberry import UNSET

from graph.contracts import GlobalId
from graph.errors import BadUserInput, NotFound
from graph.rights import Scope, any_of
from resolvers.models import commands, queries, records
from resolvers.models.patches import read_patch
from resolvers.models.records import ModelDraft, ModelFilter, fold
from subgraphs.arguments import given
from subgraphs.connections import Cursors, Listing, window
from subgraphs.context import Port, SliceContext
from subgraphs.federation import FederationSchema
from subgraphs.models.inputs import (
    CreateModelInput,
    DeleteModelInput,
    ModelOrder,
    ModelType,
    PatchModelInput,
    RestoreModelVersionInput,
    UpdateModelInput,
)
from subgraphs.models.live import CONTRIBUTIONS, EVENTS, Subscription
from subgraphs.models.types import LOADERS, Info, Model, ModelConnection, ModelElement, ModelVersion, load_model, model, model_key

__all__ = ["CONTRIBUTIONS", "DEPENDANTS", "build"]

DEPENDANTS: Port[commands.ModelDependants] = Port("models.dependants")
"""To be connected to the slice that keeps annotations and notes."""

MAX_PAGE = 500
MAX_CITIES = 1_000
MAX_SEARCH = 200
READ = any_of(Scope.MODELS_READ)
WRITE = any_of(Scope.MODELS_WRITE)


async def _model(info: Info, id: strawberry.ID) -> Model | None:
    return await load_model(info.context, model_key(id, info.context.home_city))


async def _models(
    info: Info,
    cities: list[strawberry.ID] | None = UNSET,
    model_type: ModelType | None = UNSET,
    search: str | None = UNSET,
    order_by: ModelOrder = ModelOrder.UPDATED_AT_DESC,
    first: int | None = UNSET,
    after: str | None = UNSET,
    last: int | None = UNSET,
    before: str | None = UNSET,
) -> ModelConnection | None:
    context = info.context
    wanted = _filter(given(cities), given(model_type), given(search))
    cursors = Cursors.under("models", order_by, queries.position_types(order_by), wanted)
    asked = window(cursors, first=given(first), after=given(after), last=given(last), before=given(before), maximum=MAX_PAGE)
    page = await queries.models(context.store, context.tenant, wanted, order_by, asked)
    count = partial(queries.count_models, context.store, context.tenant, wanted)
    return ModelConnection(listing=Listing(page, cursors, partial(queries.position_of, order=order_by), model, count))


def _filter(cities: list[strawberry.ID] | None, type: ModelType | None, search: str | None) -> ModelFilter:
    if cities is not None and len(cities) > MAX_CITIES:
        raise BadUserInput(f"`cities` names {len(cities):,} cities: expected at most {MAX_CITIES:,}")
    for city in cities or ():
        if "\0" in city:
            raise BadUserInput(f"{city!r} is no city: it holds a null character")
    if search is not None and (len(search) > MAX_SEARCH or "\0" in search):
        raise BadUserInput(f"`search` has {len(search):,} characters: expected at most {MAX_SEARCH}, none of them null")
    return ModelFilter(
        cities=None if cities is None else tuple(sorted(set(cities))),
        type=type,
        search=None if search is None else fold(search),
    )


@strawberry.type
class Query:
    model: Model | None = strawberry.federation.field(resolver=_model, requires_scopes=READ)
    models: ModelConnection | None = strawberry.federation.field(resolver=_models, requires_scopes=READ)


@strawberry.federation.type(requires_scopes=WRITE)
class ModelPayload:
    model: Model


@strawberry.federation.type(requires_scopes=WRITE)
class PatchModelPayload:
    new_version: int
    rebased: bool = strawberry.field(description="True where the patch was applied on a version newer than `baseVersion`.")
    model: Model


@strawberry.federation.type(requires_scopes=WRITE)
class DeleteModelPayload:
    deleted_id: strawberry.ID


async def _create_model(info: Info, input: CreateModelInput) -> ModelPayload | None:
    context = info.context
    city = given(input.city) or context.home_city
    if city != context.home_city:
        raise NotFound(f"There is no city {city!r} here")
    uuid = await commands.create(
        context.store,
        tenant=context.tenant,
        city=city,
        subject=context.subject,
        draft=ModelDraft(input.name, input.content, given(input.description), input.model_type, input.format),
        idempotency_key=given(input.idempotency_key),
        now=context.now(),
    )
    created = await load_model(context, (city, uuid))
    if created is None:
        raise NotFound(f"The model {city}/model/{uuid}, which this key made, has been deleted since")
    return ModelPayload(model=created)


async def _update_model(info: Info, input: UpdateModelInput) -> ModelPayload | None:
    context = info.context
    sent: dict[str, Any] = {"name": input.name, "description": input.description, "content": input.content}
    changed = await commands.update(
        context.store,
        tenant=context.tenant,
        key=model_key(input.id, context.home_city),
        subject=context.subject,
        if_match=input.if_match,
        changes={name: value for name, value in sent.items() if value is not UNSET},
        now=context.now(),
    )
    return ModelPayload(model=_changed(context, changed))


async def _patch_model(info: Info, input: PatchModelInput) -> PatchModelPayload | None:
    context = info.context
    changed, rebased = await commands.patch(
        context.store,
        tenant=context.tenant,
        key=model_key(input.id, context.home_city),
        subject=context.subject,
        base_version=input.base_version,
        patch=await asyncio.to_thread(read_patch, input.patch),
        rebase=input.rebase,
        now=context.now(),
    )
    return PatchModelPayload(new_version=changed.version, rebased=rebased, model=_changed(context, changed))


async def _restore_model_version(info: Info, input: RestoreModelVersionInput) -> ModelPayload | None:
    context = info.context
    changed = await commands.restore(
        context.store,
        tenant=context.tenant,
        key=model_key(input.id, context.home_city),
        subject=context.subject,
        if_match=input.if_match,
        version=input.version,
        now=context.now(),
    )
    return ModelPayload(model=_changed(context, changed))


async def _delete_model(info: Info, input: DeleteModelInput) -> DeleteModelPayload | None:
    context = info.context
    key = model_key(input.id, context.home_city)
    dependants = context.service(DEPENDANTS)
    await commands.delete(context.store, dependants, tenant=context.tenant, key=key, if_match=input.if_match, now=context.now())
    _forget(context)
    return DeleteModelPayload(deleted_id=strawberry.ID(str(GlobalId(key[0], "model", key[1]))))


def _changed(context: SliceContext, changed: records.Model) -> Model:
    _forget(context)
    return model(changed)


def _forget(context: SliceContext) -> None:
    """What an earlier field of the request has loaded is older than its change."""
    context.loaders.pop(f"{LOADERS}by_key", None)


@strawberry.type
class Mutation:
    create_model: ModelPayload | None = strawberry.federation.field(resolver=_create_model, requires_scopes=WRITE)
    update_model: ModelPayload | None = strawberry.federation.field(
        resolver=_update_model,
        requires_scopes=WRITE,
        description="Replaces name, description or content. `ifMatch` is the ETag that the caller read.",
    )
    patch_model: PatchModelPayload | None = strawberry.federation.field(
        resolver=_patch_model, requires_scopes=WRITE, description="Applies an RFC 6902 patch on top of `baseVersion`."
    )
    restore_model_version: ModelPayload | None = strawberry.federation.field(
        resolver=_restore_model_version,
        requires_scopes=WRITE,
        description="Makes a new version whose content is that of an earlier one.",
    )
    delete_model: DeleteModelPayload | None = strawberry.federation.field(resolver=_delete_model, requires_scopes=WRITE)


@cache
def build() -> FederationSchema:
    return FederationSchema(Query, mutation=Mutation, subscription=Subscription, types=[ModelVersion, ModelElement, *EVENTS])
