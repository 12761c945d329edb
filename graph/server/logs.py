"""The log: one line an event on stderr, as JSON where a program reads it, as plain text where a person does (ICD-09 §9.4).

Whoever logs uses the standard library's `logging`, our own code and other people's alike. What ties a line to its request is taken
from a context variable, so that nobody has to pass it on.
"""

import logging
import sys
import traceback
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from graph import json_codec
from graph.server.problems import Trace


@dataclass(slots=True)
class LoggedRequest:
    """What every line of a request says of it; filled in as it becomes known."""

    trace: Trace
    principal: str | None = None
    tenant: str | None = None
    operation: str | None = None


REQUEST: ContextVar[LoggedRequest | None] = ContextVar("logged_request", default=None)


def configure_logs(level: str) -> None:
    """`level` is DEBUG, INFO, WARNING or ERROR; libraries are heard from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainLines() if sys.stderr.isatty() else JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for ours in ("graph", "resolvers", "subgraphs"):
        logging.getLogger(ours).setLevel(level)


class JsonLines(logging.Formatter):
    """The fields that ICD-09 names; those without a value are null."""

    def format(self, record: logging.LogRecord) -> str:
        request = REQUEST.get()
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
            "traceId": request.trace.trace_id if request else None,
            "requestId": request.trace.request_id if request else None,
            "principal": request.principal if request else None,
            "tenantId": request.tenant if request else None,
            "operation": request.operation if request else None,
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = "".join(traceback.format_exception(*record.exc_info))
        return json_codec.dumps(line).decode()


class PlainLines(logging.Formatter):
    """For a terminal: time, level, message, and the request where there is one."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        request = REQUEST.get()
        line = super().format(record)
        return f"{line} [request {request.trace.request_id}]" if request else line
