"""The subgraph `compliance`: reports by the rule book that they answer to, and the measurements of quality control."""

from collections.abc import Sequence
from functools import cache, partial

import strawberry
from strawberry import UNSET

from graph.errors import BadUserInput
from resolvers.compliance import queries
from resolvers.compliance.records import (
    ComplianceReportOrder,
    ComplianceStatus,
    DatasetFilter,
    Key,
    QualityControlDatasetOrder,
    ReportFilter,
)
from subgraphs.arguments import given
from subgraphs.compliance.types import (
    READ,
    CityObject,
    ComplianceReport,
    ComplianceReportConnection,
    Info,
    Model,
    QualityControlDataset,
    QualityControlDatasetConnection,
    dataset,
    load_dataset,
    load_report,
    read_key,
    report,
)
from subgraphs.connections import Cursors, Listing, window
from subgraphs.federation import FederationSchema

MAX_CITIES = 1_000


async def _compliance_report(info: Info, id: strawberry.ID) -> ComplianceReport | None:
    return await load_report(info.context, id)


async def _compliance_reports(
    info: Info,
    cities: list[strawberry.ID] | None = UNSET,
    model_id: strawberry.ID | None = UNSET,
    status: list[ComplianceStatus] | None = UNSET,
    order_by: ComplianceReportOrder = ComplianceReportOrder.ISSUED_AT_DESC,
    first: int | None = UNSET,
    after: str | None = UNSET,
    last: int | None = UNSET,
    before: str | None = UNSET,
) -> ComplianceReportConnection | None:
    context = info.context
    wanted = ReportFilter(_cities(given(cities)), _key(given(model_id), "model", context.home_city), _statuses(given(status)))
    cursors = Cursors.under("complianceReports", order_by, queries.REPORT_POSITIONS[order_by], wanted)
    asked = window(cursors, first=given(first), after=given(after), last=given(last), before=given(before))
    page = await queries.reports(context.store, context.tenant, wanted, order_by, asked)
    count = partial(queries.count_reports, context.store, context.tenant, wanted)
    return ComplianceReportConnection(listing=Listing(page, cursors, partial(queries.report_position, order=order_by), report, count))


async def _quality_control_dataset(info: Info, id: strawberry.ID) -> QualityControlDataset | None:
    return await load_dataset(info.context, id)


async def _quality_control_datasets(
    info: Info,
    cities: list[strawberry.ID] | None = UNSET,
    model_id: strawberry.ID | None = UNSET,
    entity_id: strawberry.ID | None = UNSET,
    order_by: QualityControlDatasetOrder = QualityControlDatasetOrder.CREATED_AT_DESC,
    first: int | None = UNSET,
    after: str | None = UNSET,
    last: int | None = UNSET,
    before: str | None = UNSET,
) -> QualityControlDatasetConnection | None:
    context = info.context
    home = context.home_city
    wanted = DatasetFilter(_cities(given(cities)), _key(given(model_id), "model", home), _key(given(entity_id), "object", home))
    cursors = Cursors.under("qualityControlDatasets", order_by, queries.DATASET_POSITIONS[order_by], wanted)
    asked = window(cursors, first=given(first), after=given(after), last=given(last), before=given(before))
    page = await queries.datasets(context.store, context.tenant, wanted, order_by, asked)
    count = partial(queries.count_datasets, context.store, context.tenant, wanted)
    return QualityControlDatasetConnection(
        listing=Listing(page, cursors, partial(queries.dataset_position, order=order_by), dataset, count)
    )


def _cities(named: Sequence[str] | None) -> tuple[str, ...] | None:
    if named is not None and len(named) > MAX_CITIES:
        raise BadUserInput(f"`cities` names {len(named):,} cities: expected at most {MAX_CITIES:,}")
    return None if named is None else tuple(sorted(set(named)))


def _key(id: str | None, kind: str, home_city: str) -> Key | None:
    return None if id is None else read_key(id, kind, home_city)


def _statuses(named: Sequence[ComplianceStatus] | None) -> tuple[ComplianceStatus, ...] | None:
    """Each once, in one order, so that lists that mean the same share their cursors."""
    if named is not None and len(named) > len(ComplianceStatus):
        raise BadUserInput(f"`status` names {len(named)} statuses: there are {len(ComplianceStatus)}")
    return None if named is None else tuple(sorted(set(named)))


@strawberry.type
class Query:
    compliance_report: ComplianceReport | None = strawberry.federation.field(resolver=_compliance_report, requires_scopes=READ)
    compliance_reports: ComplianceReportConnection | None = strawberry.federation.field(resolver=_compliance_reports, requires_scopes=READ)
    quality_control_dataset: QualityControlDataset | None = strawberry.federation.field(
        resolver=_quality_control_dataset, requires_scopes=READ
    )
    quality_control_datasets: QualityControlDatasetConnection | None = strawberry.federation.field(
        resolver=_quality_control_datasets, requires_scopes=READ
    )


@cache
def build() -> FederationSchema:
    return FederationSchema(Query, types=[Model, CityObject])
