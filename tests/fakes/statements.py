"""Listens to a store and keeps the SQL it is sent, so that a test can count statements or explain one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from resolvers.stores.engine import Store


@contextmanager
def count_statements(store: Store) -> Iterator[list[str]]:
    """The SQL of each statement executed inside the block, transactions' BEGIN and COMMIT left out."""
    statements: list[str] = []

    def record(_connection: object, _cursor: object, sql: str, *_: object) -> None:
        if not sql.startswith("BEGIN"):
            statements.append(sql)

    event.listen(store.engine.sync_engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        event.remove(store.engine.sync_engine, "before_cursor_execute", record)


@contextmanager
def count_all_statements() -> Iterator[list[str]]:
    """The same, whatever store they are sent to: for a city that keeps its store to itself."""
    statements: list[str] = []

    def record(_connection: object, _cursor: object, sql: str, *_: object) -> None:
        if not sql.startswith("BEGIN"):
            statements.append(sql)

    event.listen(Engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", record)


@contextmanager
def record_statements(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """The same with each statement's parameters."""
    recorded: list[tuple[str, Any]] = []

    def record(_connection: object, _cursor: object, sql: str, parameters: Any, *_: object) -> None:
        if not sql.startswith("BEGIN"):
            recorded.append((sql, parameters))

    event.listen(store.engine.sync_engine, "before_cursor_execute", record)
    try:
        yield recorded
    finally:
        event.remove(store.engine.sync_engine, "before_cursor_execute", record)
