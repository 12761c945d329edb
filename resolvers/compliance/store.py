"""The tables of compliance and their SQL; every statement holds the tenant's condition.

A dataset's measurements are numbered without a gap, so that any page of them is one range of the key's tree, however many it has.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from resolvers.compliance.records import (
    ArtefactKind,
    ComplianceReportOrder,
    DatasetFilter,
    QualityControlDatasetOrder,
    ReportFilter,
)
from resolvers.stores.joins import look_up
from resolvers.stores.metadata import code_point_text, metadata
from resolvers.stores.paging import SortKey, Window, window_of
from resolvers.stores.rows import json_rows


def _identity() -> list[sa.Column[Any]]:
    return [
        sa.Column("tenant", code_point_text(), primary_key=True),
        sa.Column("city", code_point_text(), primary_key=True),
        sa.Column("uuid", sa.Uuid, primary_key=True),
    ]


def _artefact() -> list[sa.Column[Any]]:
    return [
        sa.Column("artefact_key", sa.Text, nullable=False),
        sa.Column("artefact_name", sa.Text, nullable=False),
        sa.Column("artefact_media_type", sa.Text, nullable=False),
        sa.Column("artefact_size", sa.BigInteger, nullable=False),
        sa.Column("artefact_sha256", sa.Text, nullable=False),
    ]


report = sa.Table(
    "compliance_report",
    metadata,
    *_identity(),
    sa.Column("title", code_point_text(), nullable=False),
    sa.Column("standard", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("model", sa.Uuid),
    sa.Column("period_start", sa.BigInteger),
    sa.Column("period_end", sa.BigInteger),
    sa.Column("issued_at", sa.BigInteger),
    sa.Column("issued_by", sa.Text),
    *_artefact(),
)

dataset = sa.Table(
    "quality_dataset",
    metadata,
    *_identity(),
    sa.Column("name", code_point_text(), nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("model", sa.Uuid),
    sa.Column("entity", sa.Uuid),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("measurements", sa.Integer, nullable=False),
    *_artefact(),
)

measurement = sa.Table(
    "quality_measurement",
    metadata,
    sa.Column("tenant", code_point_text(), primary_key=True),
    sa.Column("city", code_point_text(), primary_key=True),
    sa.Column("dataset", sa.Uuid, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("characteristic", sa.Text, nullable=False),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("lower_limit", sa.Double),
    sa.Column("upper_limit", sa.Double),
    sa.Column("measured_at", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

_r, _d, _m = report.c, dataset.c, measurement.c
_TABLES = {ArtefactKind.REPORT: report, ArtefactKind.DATASET: dataset}

# Written without parameters, as the indexes on them are, or these are of no use.
_NEVER_ISSUED = sa.case((_r.issued_at.is_(None), sa.literal_column("1", sa.Integer())), else_=sa.literal_column("0"))
_ISSUED_AT = sa.func.coalesce(_r.issued_at, sa.literal_column("0"), type_=sa.BigInteger())


def _report_keys(order: ComplianceReportOrder) -> list[SortKey]:
    by_id = [SortKey(_r.city), SortKey(_r.uuid)]
    match order:
        case ComplianceReportOrder.TITLE_ASC:
            return [SortKey(_r.title), *by_id]
        case ComplianceReportOrder.ISSUED_AT_ASC:
            return [SortKey(_NEVER_ISSUED), SortKey(_ISSUED_AT), *by_id]
        case ComplianceReportOrder.ISSUED_AT_DESC:
            return [SortKey(_NEVER_ISSUED), SortKey(_ISSUED_AT, descending=True), *by_id]


def _dataset_keys(order: QualityControlDatasetOrder) -> list[SortKey]:
    descending = order is QualityControlDatasetOrder.CREATED_AT_DESC
    first = _d.name if order is QualityControlDatasetOrder.NAME_ASC else _d.created_at
    return [SortKey(column, descending) for column in (first, _d.city, _d.uuid)]


def reports_page(tenant: str, wanted: ReportFilter, order: ComplianceReportOrder, window: Window) -> sa.Select[Any]:
    return window_of(sa.select(report).where(*_report_conditions(tenant, wanted)), _report_keys(order), window)


def reports_count(tenant: str, wanted: ReportFilter) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(report).where(*_report_conditions(tenant, wanted))


def _report_conditions(tenant: str, wanted: ReportFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [_r.tenant == tenant]
    if wanted.cities is not None:
        found.append(_r.city.in_(wanted.cities))
    if wanted.model is not None:
        found += [_r.city == wanted.model[0], _r.model == wanted.model[1]]
    if wanted.status is not None:
        found.append(_r.status.in_([status.value for status in wanted.status]))
    return found


def datasets_page(tenant: str, wanted: DatasetFilter, order: QualityControlDatasetOrder, window: Window) -> sa.Select[Any]:
    return window_of(sa.select(dataset).where(*_dataset_conditions(tenant, wanted)), _dataset_keys(order), window)


def datasets_count(tenant: str, wanted: DatasetFilter) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(dataset).where(*_dataset_conditions(tenant, wanted))


def _dataset_conditions(tenant: str, wanted: DatasetFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [_d.tenant == tenant]
    if wanted.cities is not None:
        found.append(_d.city.in_(wanted.cities))
    if wanted.model is not None:
        found += [_d.city == wanted.model[0], _d.model == wanted.model[1]]
    if wanted.entity is not None:
        found += [_d.city == wanted.entity[0], _d.entity == wanted.entity[1]]
    return found


def by_keys(kind: ArtefactKind, tenant: str) -> sa.Select[Any]:
    """The reports, or datasets, of the rows (city, uuid) in the parameter `keys`."""
    table = _TABLES[kind]
    keys = json_rows("keys", "keys", city=sa.Text, uuid=sa.Uuid)
    same = sa.and_(table.c.tenant == tenant, table.c.city == keys.c.city, table.c.uuid == keys.c.uuid)
    return sa.select(table).select_from(look_up(keys, table, same))


def stretches(tenant: str) -> sa.Select[Any]:
    """Of each stretch in the parameter `asks` (ask, city, dataset, start, end) its `ask` and its measurements, by number."""
    asks = json_rows("asks", "asks", ask=sa.Integer, city=sa.Text, dataset=sa.Uuid, start=sa.Integer, end=sa.Integer)
    same = sa.and_(
        _m.tenant == tenant,
        _m.city == asks.c.city,
        _m.dataset == asks.c.dataset,
        _m.number >= asks.c.start,
        _m.number < asks.c.end,
    )
    columns = (_m.number, _m.characteristic, _m.value, _m.unit, _m.lower_limit, _m.upper_limit, _m.measured_at)
    return sa.select(asks.c.ask, *columns).select_from(look_up(asks, measurement, same)).order_by(asks.c.ask, _m.number)


def artefacts(kind: ArtefactKind, tenant: str, city: str) -> sa.Select[Any]:
    """All artefacts of a kind, each with the UUID of what it belongs to."""
    table = _TABLES[kind]
    columns = [column for column in table.c if column.name.startswith("artefact_")]
    return sa.select(table.c.uuid, *columns).where(table.c.tenant == tenant, table.c.city == city).order_by(table.c.uuid)
