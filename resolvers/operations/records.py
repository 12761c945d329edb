"""What the slice of operations speaks of: backups, what an archive holds, the audit log. No GraphQL, no SQL."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from graph.contracts import AuditOutcome

SYSTEM = ""
"""Whose rows those are that the city makes itself, by schedule or by command. No token can name this tenant; every tenant sees them."""

SYSTEM_SUBJECT = "system"


class BackupState(StrEnum):
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Backup:
    """Times in epoch milliseconds; `size` in bytes and `sha256` in hexadecimal are the archive's, `failure` is for an administrator."""

    city: str
    uuid: UUID
    state: BackupState
    started_at: int
    finished_at: int | None = None
    size: int | None = None
    sha256: str | None = None
    verified_at: int | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class BackupPolicy:
    """When backups are made, how long they are kept, and where. `location` holds no secret; an empty `schedule` is none."""

    schedule: str
    retention_days: int
    location: str


@dataclass(frozen=True, slots=True)
class BackupStatus:
    last_success: int | None
    last_verified: int | None
    next: int | None
    policy: BackupPolicy
    recent: tuple[Backup, ...]


@dataclass(frozen=True, slots=True)
class TableContent:
    """How many rows a table has, and a hash of them all in hexadecimal; the two mean the same on stores of one engine only."""

    rows: int
    hash: str


@dataclass(frozen=True, slots=True)
class Content:
    """What a store holds: the revision of its tables, what they take in bytes, and each table's content."""

    revision: str
    size: int
    tables: Mapping[str, TableContent]


class ManifestError(ValueError):
    """A text that is no manifest; the message says in which way."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is in an archive, by which a restored store is recognised.

    `engine` is `sqlite` or `postgresql`, `revision` that of the store's tables, `store_size` what they took before compression.
    """

    city: str
    uuid: UUID
    taken_at: int
    engine: str
    revision: str
    store_size: int
    archive_size: int
    archive_sha256: str
    tables: Mapping[str, TableContent]

    FORMAT = 1

    def to_json(self) -> dict[str, Any]:
        tables = {name: asdict(content) for name, content in sorted(self.tables.items())}
        plain = {name: getattr(self, name) for name in _PLAIN}
        return {"format": self.FORMAT, "uuid": str(self.uuid), **plain, "tables": tables}

    @classmethod
    def from_json(cls, told: object) -> "Manifest":
        """Raises `ManifestError`."""
        if not isinstance(told, dict) or told.get("format") != cls.FORMAT:
            raise ManifestError(f"expected an object of format {cls.FORMAT}")
        try:
            plain: dict[str, Any] = {name: _checked(name, told[name], type_) for name, type_ in _PLAIN.items()}
            contents = {
                name: TableContent(_checked(name, content["rows"], int), _checked(name, content["hash"], str))
                for name, content in _checked("tables", told["tables"], dict).items()
            }
            return cls(uuid=UUID(told["uuid"]), tables=contents, **plain)
        except KeyError as error:
            raise ManifestError(f"{error.args[0]!r} is missing") from None
        except (TypeError, ValueError, AttributeError) as error:
            raise ManifestError(str(error)) from None


_PLAIN: Mapping[str, type] = {
    "city": str,
    "taken_at": int,
    "engine": str,
    "revision": str,
    "store_size": int,
    "archive_size": int,
    "archive_sha256": str,
}


def _checked(name: str, value: Any, type_: type) -> Any:
    if type(value) is not type_:
        raise ManifestError(f"{name!r} is no {type_.__name__}")
    return value


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """`range` is a start, inclusive, and an end, exclusive; None sets no condition."""

    cities: tuple[str, ...] | None = None
    subject: str | None = None
    operation: str | None = None
    range: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """An entry of the audit log as it is kept."""

    city: str
    uuid: UUID
    at: int
    subject: str
    operation: str
    target: str | None
    outcome: AuditOutcome
    request_id: str | None
    trace_id: str | None
