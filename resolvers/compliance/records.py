"""What compliance is made of: reports, quality-control data, and the files behind them. No SQL, no GraphQL."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

MAX_MEASUREMENTS = 1_000_000
"""Of one dataset."""
MAX_MEASUREMENTS_AT_ONCE = 100_000
"""In one answer."""
MAX_TIMESTAMP = 2**53

Key: TypeAlias = tuple[str, UUID]
"""City and UUID."""


class ComplianceStatus(StrEnum):
    DRAFT = "DRAFT"
    ISSUED = "ISSUED"
    WITHDRAWN = "WITHDRAWN"


class ComplianceReportOrder(StrEnum):
    """Reports that were never issued come last in both directions."""

    ISSUED_AT_ASC = "ISSUED_AT_ASC"
    ISSUED_AT_DESC = "ISSUED_AT_DESC"
    TITLE_ASC = "TITLE_ASC"


class QualityControlDatasetOrder(StrEnum):
    CREATED_AT_ASC = "CREATED_AT_ASC"
    CREATED_AT_DESC = "CREATED_AT_DESC"
    NAME_ASC = "NAME_ASC"


class ArtefactKind(StrEnum):
    """Whose file it is; the kinds of the identifiers."""

    REPORT = "report"
    DATASET = "dataset"


@dataclass(frozen=True, slots=True)
class Artefact:
    """A stored file: where the object store has it, what it is called, and what its bytes must be."""

    key: str
    name: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ComplianceReport:
    """Times in epoch milliseconds; `period` includes its start and not its end."""

    city: str
    uuid: UUID
    title: str
    standard: str
    status: ComplianceStatus
    model: UUID | None
    period: tuple[int, int] | None
    issued_at: int | None
    issued_by: str | None
    artefact: Artefact


@dataclass(frozen=True, slots=True)
class QualityControlDataset:
    """`measurements` is how many it has; they are numbered from 0, as its file lists them."""

    city: str
    uuid: UUID
    name: str
    description: str | None
    model: UUID | None
    entity: UUID | None
    created_at: int
    measurements: int
    artefact: Artefact


@dataclass(frozen=True, slots=True)
class Measurement:
    """Of one characteristic, in one unit; a limit that is None is open."""

    characteristic: str
    value: float
    unit: str
    lower_limit: float | None
    upper_limit: float | None
    measured_at: int

    @property
    def conforms(self) -> bool:
        """The limits themselves are within the limits."""
        lower = self.lower_limit is None or self.lower_limit <= self.value
        return lower and (self.upper_limit is None or self.value <= self.upper_limit)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A measurement by its place in its dataset."""

    number: int
    measurement: Measurement


@dataclass(frozen=True, slots=True)
class Stretch:
    """The measurements of a dataset from number `start` up to, and without, `end`."""

    dataset: Key
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ReportFilter:
    cities: tuple[str, ...] | None = None
    model: Key | None = None
    status: tuple[ComplianceStatus, ...] | None = None


@dataclass(frozen=True, slots=True)
class DatasetFilter:
    cities: tuple[str, ...] | None = None
    model: Key | None = None
    entity: Key | None = None


@dataclass(frozen=True, slots=True)
class File:
    """What a file to be stored is called, and what it holds."""

    name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class ReportDraft:
    title: str
    standard: str
    file: File
    status: ComplianceStatus = ComplianceStatus.ISSUED
    model: UUID | None = None
    period: tuple[int, int] | None = None
    issued_at: int | None = None
    issued_by: str | None = None


@dataclass(frozen=True, slots=True)
class DatasetDraft:
    name: str
    file: File
    description: str | None = None
    model: UUID | None = None
    entity: UUID | None = None
