"""How models, their versions and their elements look in GraphQL. What may be large, or needs a look-up, is read where it is selected."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Annotated, TypeAlias, TypeVar
from uuid import UUID

import strawberry
from strawberry import UNSET

from graph.contracts import GlobalId
from graph.errors import BadUserInput, NotFound
from graph.rights import Scope, any_of
from resolvers.models import loaders, records
from resolvers.models.records import MAX_ELEMENT_ID, ModelKey
from resolvers.stores.engine import Store
from resolvers.stores.paging import Page, Position, Window
from subgraphs.arguments import given
from subgraphs.connections import Connection, Cursors, Listing, window
from subgraphs.context import SliceContext
from subgraphs.directives import PersonalData, semantic
from subgraphs.models.inputs import ModelFormat, ModelType
from subgraphs.node import Node
from subgraphs.scalars import JSON, JSONPatch, Timestamp

Info: TypeAlias = strawberry.Info[SliceContext, None]
Loader = TypeVar("Loader")

VISIBLE = any_of(Scope.MODELS_READ, Scope.MODELS_WRITE)
"""Who may write models sees those that it wrote."""

LOADERS = "models."
"""What the names of this slice's loaders begin with."""


async def _content(root: "Model | ModelVersion", info: Info) -> JSON:
    return JSON(await contents(info.context).load(root.record.content))


async def _patch(root: "ModelVersion", info: Info) -> JSONPatch | None:
    return await load_patch(info.context, root.record)


@strawberry.federation.type(keys=["id"], requires_scopes=VISIBLE)
class ModelVersion(Node):
    record: strawberry.Private[records.ModelVersion]

    id: strawberry.ID
    version: int = strawberry.federation.field(directives=[semantic("model:version")])
    etag: str = strawberry.federation.field(directives=[semantic("http:etag")])
    content: JSON = strawberry.field(resolver=_content)
    patch: JSONPatch | None = strawberry.field(
        resolver=_patch, description="The patch that led here from the version before; null for the first."
    )
    created_at: Timestamp = strawberry.federation.field(directives=[semantic("time:createdAt")])
    created_by: str = strawberry.federation.field(directives=[semantic("iam:principal"), PersonalData(pseudonymous=True)])

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "ModelVersion | None":
        parsed = GlobalId.parse(id, kind="version", home_city=info.context.home_city)
        record = await _loader(info.context, "versions_by_uuid", loaders.VersionLoader).load((parsed.city, parsed.uuid))
        return None if record is None else model_version(record)


@strawberry.federation.type(requires_scopes=VISIBLE)
class ModelVersionEdge:
    cursor: str
    node: ModelVersion


def _version_edges(root: "ModelVersionConnection") -> list[ModelVersionEdge]:
    listing = root.listing
    return [ModelVersionEdge(cursor=listing.cursor(item), node=listing.node(item)) for item in listing.page.items]


def _version_nodes(root: "ModelVersionConnection") -> list[ModelVersion]:
    return root.listing.nodes()


@strawberry.federation.type(requires_scopes=VISIBLE)
class ModelVersionConnection(Connection):
    edges: list[ModelVersionEdge] = strawberry.field(resolver=_version_edges)
    nodes: list[ModelVersion] = strawberry.field(resolver=_version_nodes)


@strawberry.federation.type(
    keys=["modelId elementId"], requires_scopes=VISIBLE, description="An object inside `content` that carries a stable `id`."
)
class ModelElement:
    model_id: strawberry.ID = strawberry.federation.field(directives=[semantic("model:modelId")])
    element_id: str = strawberry.federation.field(directives=[semantic("model:elementId")])
    path: str = strawberry.field(description="An RFC 6901 pointer into `content`.")
    value: JSON

    @classmethod
    async def resolve_reference(cls, info: Info, modelId: strawberry.ID, elementId: str) -> "ModelElement | None":  # noqa: N803
        """Its arguments are named as the key's fields are in a representation."""
        record = await load_record(info.context, model_key(modelId, info.context.home_city))
        return None if record is None else await _load_element(info.context, record, elementId)


async def _versions(
    root: "Model",
    info: Info,
    first: int | None = UNSET,
    after: str | None = UNSET,
    last: int | None = UNSET,
    before: str | None = UNSET,
) -> ModelVersionConnection:
    cursors = Cursors.under("Model.versions", "NEWEST_FIRST", (int,), root.record.uuid)
    asked = window(cursors, first=given(first), after=given(after), last=given(last), before=given(before))
    page = await _version_page(info.context, root.record, asked)

    async def count() -> int:
        return root.record.version

    return ModelVersionConnection(listing=Listing(page, cursors, _version_position, model_version, count))


def _version_position(version: records.ModelVersion) -> Position:
    return (version.version,)


async def _version_page(context: SliceContext, model: records.Model, asked: Window) -> Page[records.ModelVersion]:
    """The numbers have no gap, so the page's own are known before it is read."""
    newest, oldest = model.version, 1
    match asked:
        case Window(after=(int(number),)):
            newest = min(newest, number - 1)
        case Window(before=(int(number),)):
            oldest = max(oldest, number + 1)
    if asked.backward:
        high, low = min(newest, oldest + asked.limit - 1), oldest
    else:
        high, low = newest, max(oldest, newest - asked.limit + 1)
    found = await _load_versions(context, model, low, high)
    return Page(tuple(found), has_next=low > 1, has_previous=high < model.version)


async def _load_versions(context: SliceContext, model: records.Model, low: int, high: int) -> list[records.ModelVersion]:
    if low > high:
        return []
    return await _loader(context, "versions", loaders.VersionRangeLoader).load((model.uuid, low, high))


async def _version_at(root: "Model", info: Info, version: int) -> ModelVersion | None:
    found = await _load_versions(info.context, root.record, max(version, 1), min(version, root.record.version))
    return model_version(found[0]) if found else None


async def _diff(root: "Model", info: Info, from_: Annotated[int, strawberry.argument(name="from")], to: int) -> JSONPatch | None:
    context = info.context
    old, new = await asyncio.gather(*[_content_key(context, root.record, version) for version in (from_, to)])
    loader = context.loader(f"{LOADERS}differences", lambda: loaders.DifferenceLoader(contents(context)))
    return JSONPatch(await loader.load((old, new)))


async def _content_key(context: SliceContext, model: records.Model, version: int) -> records.ContentKey:
    found = await _load_versions(context, model, max(version, 1), min(version, model.version))
    if not found:
        raise NotFound(f"The model {model_id(model.key)} has no version {version}: it has 1 to {model.version}")
    return found[0].content


async def _element(root: "Model", info: Info, element_id: str) -> ModelElement | None:
    return await _load_element(info.context, root.record, element_id)


@strawberry.federation.type(keys=["id"], requires_scopes=VISIBLE)
class Model(Node):
    record: strawberry.Private[records.Model]

    id: strawberry.ID = strawberry.federation.field(directives=[semantic("model:modelId")])
    uuid: UUID
    name: str = strawberry.federation.field(directives=[semantic("model:name")])
    description: str | None = strawberry.federation.field(directives=[semantic("model:description")])
    model_type: ModelType = strawberry.federation.field(directives=[semantic("model:type")])
    format: ModelFormat = strawberry.federation.field(directives=[semantic("model:format")])
    version: int = strawberry.federation.field(
        directives=[semantic("model:version")], description="Increases by one with each change of name, description or content."
    )
    etag: str = strawberry.federation.field(directives=[semantic("http:etag")])
    content: JSON = strawberry.field(resolver=_content)
    created_at: Timestamp = strawberry.federation.field(directives=[semantic("time:createdAt")])
    created_by: str = strawberry.federation.field(directives=[semantic("iam:principal"), PersonalData(pseudonymous=True)])
    updated_at: Timestamp = strawberry.federation.field(directives=[semantic("time:updatedAt")])
    updated_by: str = strawberry.federation.field(directives=[semantic("iam:principal"), PersonalData(pseudonymous=True)])
    versions: ModelVersionConnection = strawberry.field(resolver=_versions, description="Newest first.")
    version_at: ModelVersion | None = strawberry.field(resolver=_version_at)
    diff: JSONPatch | None = strawberry.field(
        resolver=_diff, description="The RFC 6902 patch that turns one version's content into another's."
    )
    element: ModelElement | None = strawberry.field(resolver=_element)

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Model | None":
        return await load_model(info.context, model_key(id, info.context.home_city))


@strawberry.federation.type(requires_scopes=VISIBLE)
class ModelEdge:
    cursor: str
    node: Model


def _edges(root: "ModelConnection") -> list[ModelEdge]:
    listing = root.listing
    return [ModelEdge(cursor=listing.cursor(item), node=listing.node(item)) for item in listing.page.items]


def _nodes(root: "ModelConnection") -> list[Model]:
    return root.listing.nodes()


@strawberry.federation.type(requires_scopes=VISIBLE)
class ModelConnection(Connection):
    edges: list[ModelEdge] = strawberry.field(resolver=_edges)
    nodes: list[Model] = strawberry.field(resolver=_nodes)


def model(record: records.Model) -> Model:
    return Model(
        record=record,
        id=model_id(record.key),
        uuid=record.uuid,
        name=record.name,
        description=record.description,
        model_type=record.type,
        format=record.format,
        version=record.version,
        etag=record.etag,
        created_at=Timestamp(record.created_at),
        created_by=record.created_by,
        updated_at=Timestamp(record.updated_at),
        updated_by=record.updated_by,
    )


def model_version(record: records.ModelVersion) -> ModelVersion:
    return ModelVersion(
        record=record,
        id=strawberry.ID(str(GlobalId(record.city, "version", record.uuid))),
        version=record.version,
        etag=record.etag,
        created_at=Timestamp(record.created_at),
        created_by=record.created_by,
    )


async def load_model(context: SliceContext, key: ModelKey) -> Model | None:
    record = await load_record(context, key)
    return None if record is None else model(record)


async def load_record(context: SliceContext, key: ModelKey) -> records.Model | None:
    return await _loader(context, "by_key", loaders.ModelLoader).load(key)


async def load_patch(context: SliceContext, version: records.ModelVersion) -> JSONPatch | None:
    if version.patch_size is None:
        return None
    key = (version.model, version.version, version.patch_size)
    return JSONPatch(await _loader(context, "patches", loaders.PatchLoader).load(key))


async def load_version(context: SliceContext, model: UUID, version: int) -> records.ModelVersion | None:
    found = await _loader(context, "versions", loaders.VersionRangeLoader).load((model, version, version))
    return found[0] if found else None


async def _load_element(context: SliceContext, record: records.Model, element_id: str) -> ModelElement | None:
    if len(element_id) > MAX_ELEMENT_ID:
        raise BadUserInput(f"`elementId` has {len(element_id):,} characters: expected at most {MAX_ELEMENT_ID}")
    loader = context.loader(f"{LOADERS}elements", lambda: loaders.ElementLoader(contents(context)))
    found = await loader.load((record.content, element_id))
    if found is None:
        return None
    return ModelElement(model_id=model_id(record.key), element_id=element_id, path=found.path, value=JSON(found.value))


def contents(context: SliceContext) -> loaders.ContentLoader:
    return _loader(context, "contents", loaders.ContentLoader)


def _loader(context: SliceContext, name: str, make: Callable[[Store, str], Loader]) -> Loader:
    return context.loader(f"{LOADERS}{name}", partial(make, context.store, context.tenant))


def model_key(id: str, home_city: str) -> ModelKey:
    """City and UUID of a model's identifier."""
    parsed = GlobalId.parse(id, kind="model", home_city=home_city)
    return parsed.city, parsed.uuid


def model_id(key: ModelKey) -> strawberry.ID:
    city, uuid = key
    return strawberry.ID(str(GlobalId(city, "model", uuid)))
