"""How reports and quality-control data look in GraphQL. What needs another look-up goes through a batching loader."""

from typing import TypeAlias
from uuid import UUID

import strawberry
from strawberry import UNSET

from graph.contracts import GlobalId
from graph.rights import Scope, any_of
from resolvers.compliance import loaders, queries, records
from resolvers.compliance.artefacts import Artefacts, Owner
from resolvers.compliance.records import ArtefactKind, ComplianceReportOrder, ComplianceStatus, Key, QualityControlDatasetOrder
from resolvers.stores.paging import Page
from subgraphs.arguments import given
from subgraphs.connections import Connection, Cursors, Listing, window
from subgraphs.context import Port, SliceContext
from subgraphs.directives import PersonalData
from subgraphs.node import Node
from subgraphs.scalars import Long, Timestamp
from subgraphs.values import TimeRange

MODELS: Port[loaders.Existing] = Port("compliance.models")
"""To be connected to the slice of models."""
ENTITIES: Port[loaders.Existing] = Port("compliance.entities")
"""To be connected to the slice of city objects."""
ARTEFACTS: Port[Artefacts] = Port("compliance.artefacts")
"""To be connected to the object store."""

READ = any_of(Scope.COMPLIANCE_READ)

Info: TypeAlias = strawberry.Info[SliceContext, None]

strawberry.enum(ComplianceStatus)
strawberry.enum(ComplianceReportOrder)
strawberry.enum(QualityControlDatasetOrder)


@strawberry.federation.type(keys=["id"])
class Model:
    """A model by its key alone; another slice knows the rest."""

    id: strawberry.ID

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Model":
        return cls(id=id)


@strawberry.federation.interface_object(name="CityObject", keys=["id"])
class CityObject:
    """A city object by its key alone."""

    id: strawberry.ID

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "CityObject":
        return cls(id=id)


async def _url(root: "Artefact", info: Info) -> str | None:
    context = info.context
    loader = context.loader("compliance.links", lambda: loaders.link_loader(context.service(ARTEFACTS), root.asked_at))
    return await loader.load((root.owner, root.record))


@strawberry.federation.type(requires_scopes=READ, description="A stored file. `url` is signed and expires at `urlExpiresAt`.")
class Artefact:
    owner: strawberry.Private[Owner]
    record: strawberry.Private[records.Artefact]
    asked_at: strawberry.Private[int]

    name: str
    media_type: str
    size: Long = strawberry.field(description="Bytes.")
    sha256: str
    url: str | None = strawberry.field(resolver=_url)
    url_expires_at: Timestamp


def _artefact(context: SliceContext, kind: ArtefactKind, key: Key, record: records.Artefact) -> Artefact:
    now = context.loader("compliance.now", context.now)
    return Artefact(
        owner=Owner(kind, context.tenant, key),
        record=record,
        asked_at=now,
        name=record.name,
        media_type=record.media_type,
        size=Long(record.size),
        sha256=record.sha256,
        url_expires_at=Timestamp(context.service(ARTEFACTS).expiry(now)),
    )


async def _model(context: SliceContext, city: str, uuid: UUID | None) -> Model | None:
    """None where it has been deleted since."""
    if uuid is None or not await _exists(context, "compliance.models", MODELS, uuid):
        return None
    return Model(id=strawberry.ID(str(GlobalId(city, "model", uuid))))


async def _exists(context: SliceContext, name: str, port: Port[loaders.Existing], uuid: UUID) -> bool:
    loader = context.loader(name, lambda: loaders.existence_loader(context.service(port), context.store, context.tenant))
    return await loader.load(uuid)


async def _report_model(root: "ComplianceReport", info: Info) -> Model | None:
    return await _model(info.context, root.record.city, root.record.model)


def _report_artefact(root: "ComplianceReport", info: Info) -> Artefact | None:
    found = root.record
    return _artefact(info.context, ArtefactKind.REPORT, (found.city, found.uuid), found.artefact)


@strawberry.federation.type(keys=["id"], requires_scopes=READ)
class ComplianceReport(Node):
    record: strawberry.Private[records.ComplianceReport]

    uuid: UUID
    title: str
    standard: str = strawberry.field(description="The rule book it answers to; e.g. `ISO 59020:2024`.")
    status: ComplianceStatus
    model: Model | None = strawberry.field(resolver=_report_model)
    period: TimeRange | None
    issued_at: Timestamp | None
    issued_by: str | None = strawberry.federation.field(directives=[PersonalData(pseudonymous=True)])
    artefact: Artefact | None = strawberry.field(resolver=_report_artefact)

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "ComplianceReport | None":
        return await load_report(info.context, id)


def report(record: records.ComplianceReport) -> ComplianceReport:
    period = record.period
    return ComplianceReport(
        id=strawberry.ID(str(GlobalId(record.city, "report", record.uuid))),
        record=record,
        uuid=record.uuid,
        title=record.title,
        standard=record.standard,
        status=record.status,
        period=None if period is None else TimeRange(start_ts=Timestamp(period[0]), end_ts=Timestamp(period[1])),
        issued_at=None if record.issued_at is None else Timestamp(record.issued_at),
        issued_by=record.issued_by,
    )


async def load_report(context: SliceContext, id: str) -> ComplianceReport | None:
    loader = context.loader("compliance.reports", lambda: loaders.report_loader(context.store, context.tenant))
    record = await loader.load(read_key(id, "report", context.home_city))
    return None if record is None else report(record)


@strawberry.federation.type(requires_scopes=READ)
class ComplianceReportEdge:
    cursor: str
    node: ComplianceReport


def _report_edges(root: "ComplianceReportConnection") -> list[ComplianceReportEdge]:
    listing = root.listing
    return [ComplianceReportEdge(cursor=listing.cursor(item), node=listing.node(item)) for item in listing.page.items]


def _report_nodes(root: "ComplianceReportConnection") -> list[ComplianceReport]:
    return root.listing.nodes()


@strawberry.federation.type(requires_scopes=READ)
class ComplianceReportConnection(Connection):
    edges: list[ComplianceReportEdge] = strawberry.field(resolver=_report_edges)
    nodes: list[ComplianceReport] = strawberry.field(resolver=_report_nodes)


@strawberry.federation.type(requires_scopes=READ)
class QualityControlMeasurement:
    characteristic: str
    value: float
    unit: str
    lower_limit: float | None
    upper_limit: float | None
    conforms: bool = strawberry.field(description="True where the value lies within the limits.")
    measured_at: Timestamp


def _measurement(found: records.Numbered) -> QualityControlMeasurement:
    it = found.measurement
    return QualityControlMeasurement(
        characteristic=it.characteristic,
        value=it.value,
        unit=it.unit,
        lower_limit=it.lower_limit,
        upper_limit=it.upper_limit,
        conforms=it.conforms,
        measured_at=Timestamp(it.measured_at),
    )


@strawberry.federation.type(requires_scopes=READ)
class QualityControlMeasurementEdge:
    cursor: str
    node: QualityControlMeasurement


def _measurement_edges(root: "QualityControlMeasurementConnection") -> list[QualityControlMeasurementEdge]:
    listing = root.listing
    return [QualityControlMeasurementEdge(cursor=listing.cursor(item), node=listing.node(item)) for item in listing.page.items]


def _measurement_nodes(root: "QualityControlMeasurementConnection") -> list[QualityControlMeasurement]:
    return root.listing.nodes()


@strawberry.federation.type(requires_scopes=READ)
class QualityControlMeasurementConnection(Connection):
    edges: list[QualityControlMeasurementEdge] = strawberry.field(resolver=_measurement_edges)
    nodes: list[QualityControlMeasurement] = strawberry.field(resolver=_measurement_nodes)


async def _measurements(
    root: "QualityControlDataset",
    info: Info,
    first: int | None = UNSET,
    after: str | None = UNSET,
    last: int | None = UNSET,
    before: str | None = UNSET,
) -> QualityControlMeasurementConnection | None:
    context, dataset = info.context, root.record
    cursors = Cursors.under("measurements", "NUMBER", (int,), "")
    asked = window(cursors, first=given(first), after=given(after), last=given(last), before=given(before))
    stretch, has_next, has_previous = queries.stretch(dataset, asked)
    loader = context.loader("compliance.measurements", lambda: loaders.measurement_loader(context.store, context.tenant))
    page = Page(tuple(await loader.load(stretch)), has_next, has_previous)

    async def count() -> int:
        return dataset.measurements

    return QualityControlMeasurementConnection(listing=Listing(page, cursors, lambda item: (item.number,), _measurement, count))


async def _dataset_model(root: "QualityControlDataset", info: Info) -> Model | None:
    return await _model(info.context, root.record.city, root.record.model)


async def _dataset_entity(root: "QualityControlDataset", info: Info) -> CityObject | None:
    uuid = root.record.entity
    if uuid is None or not await _exists(info.context, "compliance.entities", ENTITIES, uuid):
        return None
    return CityObject(id=strawberry.ID(str(GlobalId(root.record.city, "object", uuid))))


def _dataset_artefact(root: "QualityControlDataset", info: Info) -> Artefact | None:
    found = root.record
    return _artefact(info.context, ArtefactKind.DATASET, (found.city, found.uuid), found.artefact)


@strawberry.federation.type(keys=["id"], requires_scopes=READ)
class QualityControlDataset(Node):
    record: strawberry.Private[records.QualityControlDataset]

    uuid: UUID
    name: str
    description: str | None
    model: Model | None = strawberry.field(resolver=_dataset_model)
    entity: CityObject | None = strawberry.field(resolver=_dataset_entity)
    created_at: Timestamp
    measurements: QualityControlMeasurementConnection | None = strawberry.field(resolver=_measurements)
    artefact: Artefact | None = strawberry.field(resolver=_dataset_artefact)

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "QualityControlDataset | None":
        return await load_dataset(info.context, id)


def dataset(record: records.QualityControlDataset) -> QualityControlDataset:
    return QualityControlDataset(
        id=strawberry.ID(str(GlobalId(record.city, "dataset", record.uuid))),
        record=record,
        uuid=record.uuid,
        name=record.name,
        description=record.description,
        created_at=Timestamp(record.created_at),
    )


async def load_dataset(context: SliceContext, id: str) -> QualityControlDataset | None:
    loader = context.loader("compliance.datasets", lambda: loaders.dataset_loader(context.store, context.tenant))
    record = await loader.load(read_key(id, "dataset", context.home_city))
    return None if record is None else dataset(record)


@strawberry.federation.type(requires_scopes=READ)
class QualityControlDatasetEdge:
    cursor: str
    node: QualityControlDataset


def _dataset_edges(root: "QualityControlDatasetConnection") -> list[QualityControlDatasetEdge]:
    listing = root.listing
    return [QualityControlDatasetEdge(cursor=listing.cursor(item), node=listing.node(item)) for item in listing.page.items]


def _dataset_nodes(root: "QualityControlDatasetConnection") -> list[QualityControlDataset]:
    return root.listing.nodes()


@strawberry.federation.type(requires_scopes=READ)
class QualityControlDatasetConnection(Connection):
    edges: list[QualityControlDatasetEdge] = strawberry.field(resolver=_dataset_edges)
    nodes: list[QualityControlDataset] = strawberry.field(resolver=_dataset_nodes)


def read_key(id: str, kind: str, home_city: str) -> Key:
    """City and UUID of an identifier of that kind."""
    parsed = GlobalId.parse(id, kind=kind, home_city=home_city)
    return parsed.city, parsed.uuid
