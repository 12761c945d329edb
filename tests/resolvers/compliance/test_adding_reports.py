"""Adding reports and datasets: a row and its file, or neither. FC-09."""

import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.errors import BadUserInput, NotFound
from resolvers.compliance import queries
from resolvers.compliance import store as sql
from resolvers.compliance.commands import Shelf, add_report
from resolvers.compliance.records import Artefact, ComplianceReport, ComplianceStatus, File, Measurement, ReportDraft
from resolvers.stores.engine import Store
from tests.resolvers.compliance.shelves import CITY, MILL, NOW, PDF, STATION, TENANT, chunks, dataset, measured, report, shelf_of

DRAFT = ReportDraft("Circularity 2025", "ISO 59020:2024", PDF, ComplianceStatus.ISSUED, MILL, (1, 2), None, "5f0c")


@pytest.fixture
def shelf(store: Store, tmp_path: Path) -> Shelf:
    return shelf_of(store, tmp_path / "files")


async def rows(store: Store, table: sa.Table) -> int:
    async with store.read() as connection:
        return int((await connection.execute(sa.select(sa.func.count()).select_from(table))).scalar_one())


async def files(shelf: Shelf) -> list[str]:
    return [found.key async for found in shelf.objects.list()]


async def test_report_when_added_then_read_back_with_its_file(shelf: Shelf) -> None:
    uuid = await add_report(shelf, tenant=TENANT, city=CITY, draft=DRAFT, content=chunks(b"%P", b"DF"), now=NOW)

    key = f"compliance/FI-HELSINKI/FI-HELSINKI/report/{uuid}"
    assert await queries.reports_by_keys(shelf.store, TENANT, [(CITY, uuid)]) == {
        (CITY, uuid): ComplianceReport(
            city=CITY,
            uuid=uuid,
            title="Circularity 2025",
            standard="ISO 59020:2024",
            status=ComplianceStatus.ISSUED,
            model=MILL,
            period=(1, 2),
            issued_at=NOW,
            issued_by="5f0c",
            artefact=Artefact(key, "Käpylä 2025.pdf", "application/pdf", 4, hashlib.sha256(b"%PDF").hexdigest()),
        )
    }
    assert b"".join([piece async for piece in shelf.objects.get(key)]) == b"%PDF"


async def test_report_when_a_draft_then_not_issued_at_any_time(shelf: Shelf) -> None:
    uuid = await report(shelf, status=ComplianceStatus.DRAFT)

    (found,) = (await queries.reports_by_keys(shelf.store, TENANT, [(CITY, uuid)])).values()
    assert (found.status, found.issued_at) == (ComplianceStatus.DRAFT, None)


async def test_report_when_another_tenant_asks_then_it_is_not_found(shelf: Shelf) -> None:
    uuid = await report(shelf)

    assert await queries.reports_by_keys(shelf.store, "another", [(CITY, uuid)]) == {}


async def test_files_when_tenants_have_hostile_names_then_each_lies_apart_and_inside(shelf: Shelf, tmp_path: Path) -> None:
    for tenant in ("../../etc", "a/b", "a_2fb", "Ä"):
        await report(shelf, tenant=tenant)

    folders = sorted(path.name for path in (tmp_path / "files" / "compliance").iterdir())
    assert folders == ["_2e_2e_2f_2e_2e_2fetc", "_c3_84", "a_2fb", "a_5f2fb"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"title": " "}, "The title has 1 characters: expected 1 to 500"),
        ({"title": "a" * 501}, "The title has 501 characters"),
        ({"title": "a\0b"}, r"The title 'a\x00b' holds a control character"),
        ({"standard": ""}, "The standard has 0 characters"),
        ({"issued_by": "x" * 201}, "The issuedBy has 201 characters"),
        ({"period": (2, 1)}, "The period ends at 1, before its start at 2"),
        ({"period": (0, 2**53 + 1)}, "is not a time"),
        ({"file": File("a/b.pdf", "application/pdf")}, "'a/b.pdf' is not a file name: it names a folder too"),
        ({"file": File("a.pdf", "pdf\r\nX: y")}, "is not a media type"),
    ],
)
async def test_draft_when_it_cannot_be_then_refused_and_nothing_stored(shelf: Shelf, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(BadUserInput) as refused:
        await add_report(shelf, tenant=TENANT, city=CITY, draft=replace(DRAFT, **changes), content=chunks(b"x"), now=NOW)  # type: ignore[arg-type]

    assert reason in refused.value.detail
    assert (await rows(shelf.store, sql.report), await files(shelf)) == (0, [])


async def test_model_or_object_when_not_there_then_not_found_and_nothing_stored(shelf: Shelf) -> None:
    with pytest.raises(NotFound, match="There is no model"):
        await report(shelf, model=uuid4())
    with pytest.raises(NotFound, match="There is no city object"):
        await dataset(shelf, entity=uuid4())
    with pytest.raises(NotFound, match="There is no model"):
        await report(shelf, model=MILL, tenant="another")

    assert await files(shelf) == []


async def test_model_when_deleted_while_the_file_is_stored_then_the_file_is_removed_again(shelf: Shelf) -> None:
    there = [True, False]

    async def vanishing(_connection: AsyncConnection, _tenant: str, uuids: Sequence[UUID]) -> set[UUID]:
        return set(uuids) if there.pop(0) else set()

    with pytest.raises(NotFound, match="There is no model"):
        await report(replace(shelf, models=vanishing), model=MILL)

    assert there == []
    assert (await rows(shelf.store, sql.report), await files(shelf)) == (0, [])


async def test_upload_when_it_breaks_off_then_nothing_stored(shelf: Shelf) -> None:
    async def breaking_off() -> AsyncIterator[bytes]:
        yield b"%PDF"
        raise RuntimeError("broken off")

    with pytest.raises(RuntimeError, match="broken off"):
        await add_report(shelf, tenant=TENANT, city=CITY, draft=DRAFT, content=breaking_off(), now=NOW)

    assert (await rows(shelf.store, sql.report), await files(shelf)) == (0, [])


async def test_dataset_when_added_in_several_batches_then_numbered_as_given(shelf: Shelf) -> None:
    uuid = await dataset(shelf, "Run 1", measured(5_500), model=MILL, entity=STATION)

    (found,) = (await queries.datasets_by_keys(shelf.store, TENANT, [(CITY, uuid)])).values()
    assert (found.name, found.measurements, found.model, found.entity, found.created_at) == ("Run 1", 5_500, MILL, STATION, NOW)
    async with shelf.store.read() as connection:
        m = sql.measurement.c
        stored = (await connection.execute(sa.select(m.number, m.value).order_by(m.number))).all()
    assert [tuple(row) for row in stored] == [(number, float(number)) for number in range(5_500)]


async def test_dataset_when_a_row_fails_half_way_then_neither_rows_nor_file_stay(shelf: Shelf) -> None:
    def failing() -> Iterator[Measurement]:
        yield from measured(5_500)
        raise BadUserInput("line 5502: not a number")

    with pytest.raises(BadUserInput, match="line 5502"):
        await dataset(shelf, measurements=failing())  # type: ignore[arg-type]

    assert await rows(shelf.store, sql.measurement) == 0
    assert (await rows(shelf.store, sql.dataset), await files(shelf)) == (0, [])


async def test_commit_when_its_answer_is_lost_then_the_file_of_the_stored_row_stays(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    store_write = shelf.store.write

    @asynccontextmanager
    async def losing_the_answer() -> AsyncIterator[AsyncConnection]:
        async with store_write() as connection:
            yield connection
        raise ConnectionError("the connection was lost after the commit")

    monkeypatch.setattr(shelf.store, "write", losing_the_answer)

    with pytest.raises(ConnectionError):
        await report(shelf)

    assert await rows(shelf.store, sql.report) == 1
    assert len(await files(shelf)) == 1
