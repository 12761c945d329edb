"""`citygraph report …`: compliance reports and quality-control data into a city, by whoever answers for them.

What is added is printed by its identifier on stdout; everything else is for a person, and goes to stderr.
"""

import asyncio
import mimetypes
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from graph.app import check_migrated, open_shelf
from graph.commands.progress import shown_progress
from graph.commands.terminal import fail, say
from graph.config import ConfigError, Settings, load_settings
from graph.contracts import GlobalId
from graph.errors import BadUserInput, CityGraphError, InternalError
from resolvers.compliance import artefacts, commands, queries
from resolvers.compliance.records import (
    Artefact,
    ArtefactKind,
    ComplianceReportOrder,
    ComplianceStatus,
    DatasetDraft,
    DatasetFilter,
    File,
    Measurement,
    QualityControlDatasetOrder,
    ReportDraft,
    ReportFilter,
)
from resolvers.integrations.measurement_files import check_measurements, read_measurements
from resolvers.stores.objects import PIECE, file_chunks
from resolvers.stores.paging import Page, Position, Window
from subgraphs.scalars import read_timestamp

_STRAY_AFTER_MS = 3_600_000
"""A file without a row may belong to what is being added just now."""
_PAGE = 500
_COUNTED_AT_ONCE = 1_000

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Where:
    """Which store, city and tenant: the flags that every one of these commands has."""

    config: Path | None
    flags: Mapping[str, object]
    tenant: str | None

    def settings(self) -> Settings:
        return load_settings(self.config, self.flags)

    def tenant_of(self, settings: Settings) -> str:
        return self.tenant or settings.city_id


@dataclass(frozen=True, slots=True)
class ReportFlags:
    """What is said of a report at the command line, not read yet."""

    title: str
    standard: str
    status: str
    model: str | None
    period_start: str | None
    period_end: str | None
    issued_at: str | None
    issued_by: str | None
    media_type: str | None


@dataclass(frozen=True, slots=True)
class DatasetFlags:
    """The same of quality-control data."""

    name: str
    description: str | None
    model: str | None
    entity: str | None


def add(file: Path, given: ReportFlags, where: Where) -> None:
    settings = where.settings()
    if (given.period_start is None) != (given.period_end is None):
        raise ConfigError("--period-start and --period-end: give both, or neither")
    start, end = _time("--period-start", given.period_start), _time("--period-end", given.period_end)
    draft = ReportDraft(
        title=given.title,
        standard=given.standard,
        file=_file(file, given.media_type),
        status=ComplianceStatus(given.status),
        model=_uuid("--model", given.model, "model", settings),
        period=None if start is None or end is None else (start, end),
        issued_at=_time("--issued-at", given.issued_at),
        issued_by=given.issued_by,
    )

    async def added() -> UUID:
        async with open_shelf(settings) as shelf:
            await check_migrated(shelf.store)
            with _read_with_progress(file) as content:
                tenant, now = where.tenant_of(settings), _now()
                return await commands.add_report(shelf, tenant=tenant, city=settings.city_id, draft=draft, content=content, now=now)

    print(GlobalId(settings.city_id, "report", _run(added)))


def add_dataset(file: Path, given: DatasetFlags, where: Where) -> None:
    settings = where.settings()
    draft = DatasetDraft(
        name=given.name,
        file=_file(file, None),
        description=given.description,
        model=_uuid("--model", given.model, "model", settings),
        entity=_uuid("--entity", given.entity, "object", settings),
    )

    async def added() -> UUID:
        number = await asyncio.to_thread(check_measurements, file)
        async with open_shelf(settings) as shelf:
            await check_migrated(shelf.store)
            with _read_with_progress(file) as content, _counted(read_measurements(file), number) as measurements:
                uuid = await commands.add_dataset(
                    shelf,
                    tenant=where.tenant_of(settings),
                    city=settings.city_id,
                    draft=draft,
                    content=content,
                    measurements=measurements,
                    now=_now(),
                )
        return uuid

    print(GlobalId(settings.city_id, "dataset", _run(added)))


def show(where: Where) -> None:
    """One line each: identifier, status (of a report), title or name, the file's name and length; separated by tabs."""
    settings = where.settings()

    async def listed() -> None:
        tenant = where.tenant_of(settings)
        async with open_shelf(settings) as shelf:
            store = shelf.store
            await check_migrated(store)
            by_title, by_name = ComplianceReportOrder.TITLE_ASC, QualityControlDatasetOrder.NAME_ASC
            async for report in _all(
                lambda window: queries.reports(store, tenant, ReportFilter(), by_title, window),
                lambda last: queries.report_position(last, by_title),
            ):
                cells = (GlobalId(report.city, "report", report.uuid), report.status, report.title, report.artefact)
                _print_row(*cells)
            async for dataset in _all(
                lambda window: queries.datasets(store, tenant, DatasetFilter(), by_name, window),
                lambda last: queries.dataset_position(last, by_name),
            ):
                _print_row(GlobalId(dataset.city, "dataset", dataset.uuid), "-", dataset.name, dataset.artefact)

    _run(listed)


def verify(where: Where) -> None:
    """Reads every stored file again. Ends with status 1 where one is missing or not what was stored."""
    settings = where.settings()

    async def verified() -> tuple[int, int]:
        tenant, city = where.tenant_of(settings), settings.city_id
        checked = damaged = 0
        async with open_shelf(settings) as shelf:
            await check_migrated(shelf.store)
            for kind in ArtefactKind:
                known: set[str] = set()
                async for uuid, artefact in queries.artefacts(shelf.store, tenant, city, kind):
                    known.add(artefact.key)
                    checked += 1
                    try:
                        await artefacts.check(shelf.objects, artefact)
                    except InternalError:
                        damaged += 1
                        print(GlobalId(city, kind, uuid))
                async for found in shelf.objects.list(artefacts.prefix(tenant, city, kind)):
                    if found.key not in known and found.changed_at < _now() - _STRAY_AFTER_MS:
                        say(f"{found.key} belongs to nothing: an upload that was broken off; it can be deleted")
        return checked, damaged

    checked, damaged = _run(verified)
    if damaged:
        fail(f"{damaged} of {checked} files are damaged")
    say(f"{checked} files are as they were stored")


def _run(work: Callable[[], Awaitable[Item]]) -> Item:
    """Wrong input ends with status 2, as a wrong flag does; what could not be done, with 1."""

    async def main() -> Item:
        return await work()

    try:
        return asyncio.run(main())
    except BadUserInput as error:
        raise ConfigError(error.detail) from None
    except CityGraphError as error:
        fail(error.detail)


async def _all(page_of: Callable[[Window], Awaitable[Page[Item]]], position: Callable[[Item], Position]) -> AsyncIterator[Item]:
    window = Window(_PAGE)
    while True:
        page = await page_of(window)
        for item in page.items:
            yield item
        if not page.has_next:
            return
        window = Window(_PAGE, after=position(page.items[-1]))


def _print_row(id: GlobalId, status: str, title: str, file: Artefact) -> None:
    sys.stdout.write("\t".join((str(id), status, title, file.name, str(file.size))) + "\n")


@contextmanager
def _read_with_progress(file: Path) -> Iterator[AsyncIterator[bytes]]:
    """The file's content; a long one shows how far it is."""
    try:
        kilobytes = file.stat().st_size // 1000
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None
    if kilobytes * 1000 <= PIECE:
        yield file_chunks(file)
        return
    done = 0
    with shown_progress() as progress:

        def read(length: int) -> None:
            nonlocal done
            done += length
            progress(min(done // 1000, kilobytes), kilobytes, "kilobytes stored")

        yield file_chunks(file, read=read)


@contextmanager
def _counted(measurements: Iterator[Measurement], total: int) -> Iterator[Iterator[Measurement]]:
    """The same measurements, and how far they are."""
    with shown_progress() as progress:

        def counted() -> Iterator[Measurement]:
            for number, measurement in enumerate(measurements, 1):
                yield measurement
                if number % _COUNTED_AT_ONCE == 0 or number == total:
                    progress(number, total, "measurements stored")

        yield counted()


def _file(path: Path, media_type: str | None) -> File:
    if not path.is_file():
        raise ConfigError(f"{path} is not a file" if path.exists() else f"{path} cannot be read: No such file or directory")
    return File(path.name, media_type or mimetypes.guess_type(path.name)[0] or "application/octet-stream")


def _time(flag: str, text: str | None) -> int | None:
    """Milliseconds since the epoch, RFC 3339, or a date, which means its first moment in UTC."""
    if text is None:
        return None
    number = int(text) if text.removeprefix("-").isdecimal() and len(text) < 20 else None
    try:
        return read_timestamp(number if number is not None else f"{text}T00:00:00Z" if len(text) == len("2025-06-01") else text)
    except BadUserInput as error:
        raise ConfigError(f"{flag}: {error.detail}") from None


def _uuid(flag: str, text: str | None, kind: str, settings: Settings) -> UUID | None:
    if text is None:
        return None
    try:
        parsed = GlobalId.parse(text, kind=kind, home_city=settings.city_id)
    except BadUserInput as error:
        raise ConfigError(f"{flag}: {error.detail}") from None
    if parsed.city != settings.city_id:
        raise ConfigError(f"{flag}: {text!r} is of another city than {settings.city_id}")
    return parsed.uuid


def _now() -> int:
    return time.time_ns() // 1_000_000
