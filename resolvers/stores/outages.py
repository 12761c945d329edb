"""Which errors of a driver mean that the store is out of reach or out of space, rather than that a statement is wrong."""

import sqlite3
from collections.abc import Iterator

import asyncpg  # type: ignore[import-untyped]
import sqlalchemy as sa

__all__ = ["outage", "sqlstate"]

# https://www.sqlite.org/rescode.html, by primary code.
_SQLITE = {
    sqlite3.SQLITE_BUSY: "the store is locked by another writer",
    sqlite3.SQLITE_LOCKED: "the store is locked by another writer",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written, or is full",
    sqlite3.SQLITE_CANTOPEN: "the store's file cannot be opened",
    sqlite3.SQLITE_READONLY: "the store's file cannot be written",
}
# https://www.postgresql.org/docs/current/errcodes-appendix.html, by code or by class.
_POSTGRESQL = {
    "08": "the store cannot be reached",
    "25006": "the store takes no writes at the moment",
    "40001": "other writers came in between",
    "40P01": "other writers came in between",
    "53": "the store lacks resources",
    "53100": "the disk is full",
    "55P03": "the store is locked by another writer",
    "57": "the store is shutting down or starting",
    "57014": "the store took too long",
    "58": "the store's disk cannot be read or written",
}


def outage(error: BaseException) -> str | None:
    """What is the matter with the store; None where the error is about something else."""
    if isinstance(error, sa.exc.TimeoutError):
        return "all connections to the store are in use"
    for cause in _causes(error):
        if isinstance(cause, sqlite3.Error):
            return _SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
        if isinstance(cause, asyncpg.PostgresError):
            code = cause.sqlstate or ""
            return _POSTGRESQL.get(code) or _POSTGRESQL.get(code[:2])
        if isinstance(cause, TimeoutError):
            return "the store took too long"
        if isinstance(cause, ConnectionError) or _is_about_a_lost_connection(cause):
            return "the store cannot be reached"
    return None


def _is_about_a_lost_connection(error: BaseException) -> bool:
    """asyncpg's interface errors are mostly about wrong calls, and arguments of a wrong type.

    A server that goes says so before it closes the connection. In between, asyncpg takes what it said for an answer that is not whole
    yet, and refuses whatever comes next: as another operation being in progress, or as a state that it cannot leave.
    """
    if isinstance(error, asyncpg.InternalClientError):
        return "another operation" in str(error)
    if isinstance(error, asyncpg.InterfaceError):
        return ("closed" in str(error) or "another operation" in str(error)) and not isinstance(error, asyncpg.DataError)
    return isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's code of an error, however it is wrapped."""
    return next((cause.sqlstate for cause in _causes(error) if isinstance(cause, asyncpg.PostgresError)), None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The driver's own error first, then those that wrap it."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = getattr(cause, "orig", None) or cause.__cause__
    yield from reversed(chain)
