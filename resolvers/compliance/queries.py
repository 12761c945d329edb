"""What can be asked of compliance. Each question is one statement, however many objects ask it."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from graph.errors import BadUserInput
from resolvers.compliance import store as sql
from resolvers.compliance.records import (
    MAX_MEASUREMENTS_AT_ONCE,
    Artefact,
    ArtefactKind,
    ComplianceReport,
    ComplianceReportOrder,
    ComplianceStatus,
    DatasetFilter,
    Key,
    Measurement,
    Numbered,
    QualityControlDataset,
    QualityControlDatasetOrder,
    ReportFilter,
    Stretch,
)
from resolvers.stores.engine import Store
from resolvers.stores.paging import Page, Position, Window, page_of
from resolvers.stores.rows import rows_parameter

_ROWS_AT_A_TIME = 500

Shape = tuple[type[str | int | float | UUID], ...]

REPORT_POSITIONS: dict[ComplianceReportOrder, Shape] = {
    ComplianceReportOrder.ISSUED_AT_ASC: (int, int, str, UUID),
    ComplianceReportOrder.ISSUED_AT_DESC: (int, int, str, UUID),
    ComplianceReportOrder.TITLE_ASC: (str, str, UUID),
}
DATASET_POSITIONS: dict[QualityControlDatasetOrder, Shape] = {
    QualityControlDatasetOrder.CREATED_AT_ASC: (int, str, UUID),
    QualityControlDatasetOrder.CREATED_AT_DESC: (int, str, UUID),
    QualityControlDatasetOrder.NAME_ASC: (str, str, UUID),
}
"""The types of a position in each order."""


def report_position(found: ComplianceReport, order: ComplianceReportOrder) -> Position:
    if order is ComplianceReportOrder.TITLE_ASC:
        return found.title, found.city, found.uuid
    return int(found.issued_at is None), found.issued_at or 0, found.city, found.uuid


def dataset_position(found: QualityControlDataset, order: QualityControlDatasetOrder) -> Position:
    first: str | int = found.name if order is QualityControlDatasetOrder.NAME_ASC else found.created_at
    return first, found.city, found.uuid


async def reports(store: Store, tenant: str, wanted: ReportFilter, order: ComplianceReportOrder, window: Window) -> Page[ComplianceReport]:
    async with store.read() as connection:
        rows = await connection.execute(sql.reports_page(tenant, wanted, order, window))
        return page_of([_report(row) for row in rows], window)


async def count_reports(store: Store, tenant: str, wanted: ReportFilter) -> int:
    async with store.read() as connection:
        return int((await connection.execute(sql.reports_count(tenant, wanted))).scalar_one())


async def datasets(
    store: Store, tenant: str, wanted: DatasetFilter, order: QualityControlDatasetOrder, window: Window
) -> Page[QualityControlDataset]:
    async with store.read() as connection:
        rows = await connection.execute(sql.datasets_page(tenant, wanted, order, window))
        return page_of([_dataset(row) for row in rows], window)


async def count_datasets(store: Store, tenant: str, wanted: DatasetFilter) -> int:
    async with store.read() as connection:
        return int((await connection.execute(sql.datasets_count(tenant, wanted))).scalar_one())


async def reports_by_keys(store: Store, tenant: str, keys: Sequence[Key]) -> dict[Key, ComplianceReport]:
    """What is not there, or another tenant's, is left out."""
    async with store.read() as connection:
        rows = await connection.execute(sql.by_keys(ArtefactKind.REPORT, tenant), {"keys": rows_parameter(keys)})
        return {(row.city, row.uuid): _report(row) for row in rows}


async def datasets_by_keys(store: Store, tenant: str, keys: Sequence[Key]) -> dict[Key, QualityControlDataset]:
    """What is not there, or another tenant's, is left out."""
    async with store.read() as connection:
        rows = await connection.execute(sql.by_keys(ArtefactKind.DATASET, tenant), {"keys": rows_parameter(keys)})
        return {(row.city, row.uuid): _dataset(row) for row in rows}


async def artefact(store: Store, tenant: str, kind: ArtefactKind, key: Key) -> Artefact | None:
    """The file of one report or dataset."""
    async with store.read() as connection:
        row = (await connection.execute(sql.by_keys(kind, tenant), {"keys": rows_parameter([key])})).one_or_none()
    return None if row is None else _artefact(row)


async def artefacts(store: Store, tenant: str, city: str, kind: ArtefactKind) -> AsyncIterator[tuple[UUID, Artefact]]:
    """Every file of the kind, by the UUID of what it belongs to."""
    async with store.read() as connection:
        async for row in await connection.stream(sql.artefacts(kind, tenant, city)):
            yield row.uuid, _artefact(row)


def stretch(found: QualityControlDataset, window: Window) -> tuple[Stretch, bool, bool]:
    """Which measurements a page is, whether there are more after them, and more before."""
    first = 0 if window.after is None else int(str(window.after[0])) + 1
    beyond = found.measurements if window.before is None else min(int(str(window.before[0])), found.measurements)
    if window.backward:
        first = max(first, beyond - window.limit)
    last = max(min(beyond, first + window.limit), first)
    return Stretch((found.city, found.uuid), first, last), last < found.measurements, first > 0


async def measurements(store: Store, tenant: str, asks: Sequence[Stretch]) -> list[list[Numbered]]:
    """The measurements of each stretch; raises `BadUserInput` where all together are too many."""
    count = sum(ask.end - ask.start for ask in asks)
    if count > MAX_MEASUREMENTS_AT_ONCE:
        raise BadUserInput(
            f"The answer would have {count:,} measurements, where at most {MAX_MEASUREMENTS_AT_ONCE:,} are given:"
            " ask for fewer datasets, or fewer measurements of each"
        )
    found: list[list[Numbered]] = [[] for _ in asks]
    parameter = rows_parameter([(place, *ask.dataset, ask.start, ask.end) for place, ask in enumerate(asks)])
    async with store.read() as connection:
        result = await connection.stream(sql.stretches(tenant), {"asks": parameter})
        async for rows in result.partitions(_ROWS_AT_A_TIME):
            for ask, number, *cells in rows:
                found[ask].append(Numbered(number, Measurement(*cells)))
    return found


def _report(row: Any) -> ComplianceReport:
    start, end = row.period_start, row.period_end
    return ComplianceReport(
        city=row.city,
        uuid=row.uuid,
        title=row.title,
        standard=row.standard,
        status=ComplianceStatus(row.status),
        model=row.model,
        period=None if start is None or end is None else (start, end),
        issued_at=row.issued_at,
        issued_by=row.issued_by,
        artefact=_artefact(row),
    )


def _dataset(row: Any) -> QualityControlDataset:
    return QualityControlDataset(
        city=row.city,
        uuid=row.uuid,
        name=row.name,
        description=row.description,
        model=row.model,
        entity=row.entity,
        created_at=row.created_at,
        measurements=row.measurements,
        artefact=_artefact(row),
    )


def _artefact(row: Any) -> Artefact:
    return Artefact(row.artefact_key, row.artefact_name, row.artefact_media_type, row.artefact_size, row.artefact_sha256)
