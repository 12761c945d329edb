"""A shelf of a test's own: a store, a folder of files, and models and city objects that are there because the test says so."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from resolvers.compliance.commands import Shelf, add_dataset, add_report
from resolvers.compliance.records import ComplianceStatus, DatasetDraft, File, Measurement, ReportDraft
from resolvers.stores.engine import Store
from resolvers.stores.objects import ObjectStore

TENANT = CITY = "FI-HELSINKI"
MILL, STATION = uuid4(), uuid4()
"""A model, and a city object."""
PDF = File("Käpylä 2025.pdf", "application/pdf")
CSV = File("run.csv", "text/csv")
NOW = 1_750_000_000_123


async def _known(_connection: AsyncConnection, tenant: str, uuids: Sequence[UUID]) -> set[UUID]:
    return {uuid for uuid in uuids if tenant == TENANT and uuid in (MILL, STATION)}


def shelf_of(store: Store, folder: Path | str) -> Shelf:
    return Shelf(store, ObjectStore.open(str(folder)), _known, _known)


async def chunks(*content: bytes) -> AsyncIterator[bytes]:
    for chunk in content:
        yield chunk


async def report(
    shelf: Shelf,
    title: str = "Circularity",
    *,
    content: bytes = b"%PDF",
    tenant: str = TENANT,
    city: str = CITY,
    status: ComplianceStatus = ComplianceStatus.ISSUED,
    issued_at: int | None = None,
    model: UUID | None = None,
) -> UUID:
    draft = ReportDraft(title, "ISO 59020:2024", PDF, status, model, None, issued_at, None)
    return await add_report(shelf, tenant=tenant, city=city, draft=draft, content=chunks(content), now=NOW)


def measured(count: int) -> list[Measurement]:
    """The n-th has the value n."""
    return [Measurement(f"flatness {number}", float(number), "mm", None, None, 1_000 + number) for number in range(count)]


async def dataset(
    shelf: Shelf,
    name: str = "Run",
    measurements: Sequence[Measurement] = (),
    *,
    tenant: str = TENANT,
    model: UUID | None = None,
    entity: UUID | None = None,
    now: int = NOW,
) -> UUID:
    draft = DatasetDraft(name, CSV, None, model, entity)
    given = measurements or measured(1)
    return await add_dataset(shelf, tenant=tenant, city=CITY, draft=draft, content=chunks(b"csv"), measurements=given, now=now)
