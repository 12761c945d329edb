"""Measurements of quality control out of a CSV or JSON file, as whoever measured them writes it.

A file is read twice: `check_measurements` says what is wrong with it, line by line, before anything is stored, and
`read_measurements` then gives its rows one by one. CSV is read as it comes; a JSON file has to be in memory as a whole.
"""

import csv
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from graph.errors import BadUserInput
from resolvers.compliance.records import MAX_MEASUREMENTS, MAX_TIMESTAMP, Measurement

MAX_JSON_BYTES = 64_000_000
SHOWN_PROBLEMS = 20
COLUMNS = ("characteristic", "value", "unit", "lowerLimit", "upperLimit", "measuredAt")
_REQUIRED = frozenset({"characteristic", "value", "unit", "measuredAt"})
_LONGEST = {"characteristic": 200, "unit": 64}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class _ProblemError(ValueError):
    """What is wrong with one measurement."""


Row = tuple[str, Mapping[str, Any] | _ProblemError]
"""Where in the file it stands, and its cells, or why it has none."""


def check_measurements(path: Path) -> int:
    """How many measurements the file has. Raises `BadUserInput`, which tells the first problems by line, one a line."""
    problems: list[str] = []
    count = total = 0
    for place, cells in _rows(path):
        total += 1
        if total > MAX_MEASUREMENTS:
            raise BadUserInput(f"{path}: more than {MAX_MEASUREMENTS:,} measurements: put them into several datasets")
        try:
            _measurement(cells)
        except _ProblemError as problem:
            count += 1
            if count <= SHOWN_PROBLEMS:
                problems.append(f"{path}, {place}: {problem}")
    if count > SHOWN_PROBLEMS:
        problems.append(f"… and {count - SHOWN_PROBLEMS:,} more")
    if problems:
        raise BadUserInput("\n".join(problems))
    if total == 0:
        raise BadUserInput(f"{path} has no measurements")
    return total


def read_measurements(path: Path) -> Iterator[Measurement]:
    """Those of a file that was checked; one that has changed since raises `BadUserInput`."""
    for place, cells in _rows(path):
        try:
            yield _measurement(cells)
        except _ProblemError as problem:
            raise BadUserInput(f"{path}, {place}: {problem}") from None


def _rows(path: Path) -> Iterator[Row]:
    readers: Mapping[str, Callable[[Path], Iterator[Row]]] = {".csv": _csv_rows, ".json": _json_rows}
    read = readers.get(path.suffix.lower())
    if read is None:
        raise BadUserInput(f"{path}: expected a file that ends in .csv or .json")
    try:
        yield from read(path)
    except OSError as error:
        raise BadUserInput(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadUserInput(f"{path} is not UTF-8 text") from None


def _csv_rows(path: Path) -> Iterator[Row]:
    """The first line names the columns, in any order; an empty cell is an absent one."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, strict=True)
        try:
            header = [name.strip() for name in next(lines, [])]
            _check_header(path, header)
            for cells in lines:
                if not cells:
                    continue
                place = f"line {lines.line_num}"
                if len(cells) != len(header):
                    yield place, _ProblemError(f"{len(cells)} cells, where the first line names {len(header)} columns")
                    continue
                given = {name: cell.strip() for name, cell in zip(header, cells, strict=True) if cell.strip()}
                yield place, given
        except csv.Error as error:
            raise BadUserInput(f"{path}, line {lines.line_num}: not CSV: {error}") from None


def _check_header(path: Path, header: Sequence[str]) -> None:
    expected = f"expected {', '.join(COLUMNS)}, of which the two limits may be missing"
    if missing := sorted(_REQUIRED - set(header)):
        raise BadUserInput(f"{path}, line 1: there is no column {missing[0]!r}: {expected}")
    if unknown := [name for name in header if name not in COLUMNS]:
        raise BadUserInput(f"{path}, line 1: the column {unknown[0][:64]!r} is not known: {expected}")
    if len(set(header)) != len(header):
        raise BadUserInput(f"{path}, line 1: a column is named twice")


def _json_rows(path: Path) -> Iterator[Row]:
    """A list of objects, or an object with such a list under `measurements`."""
    if path.stat().st_size > MAX_JSON_BYTES:
        raise BadUserInput(f"{path} is larger than {MAX_JSON_BYTES:,} bytes: write it as CSV, which is read line by line")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise
        raise BadUserInput(f"{path} is not JSON: {error}") from None
    rows = content.get("measurements") if isinstance(content, dict) else content
    if not isinstance(rows, list):
        raise BadUserInput(f"{path}: expected a list of measurements, or an object with such a list as `measurements`")
    for number, row in enumerate(rows):
        place = f"measurement {number}"
        if not isinstance(row, dict):
            yield place, _ProblemError(f"{_shown(row)} is not an object")
        elif unknown := [name for name in row if name not in COLUMNS]:
            yield place, _ProblemError(f"the member {unknown[0][:64]!r} is not known: expected {', '.join(COLUMNS)}")
        else:
            yield place, {name: value for name, value in row.items() if value is not None}


def _measurement(cells: Mapping[str, Any] | _ProblemError) -> Measurement:
    if isinstance(cells, _ProblemError):
        raise cells
    for name in COLUMNS:
        if name in _REQUIRED and name not in cells:
            raise _ProblemError(f"{name} is missing")
    lower, upper = (_number(name, cells[name]) if name in cells else None for name in ("lowerLimit", "upperLimit"))
    if lower is not None and upper is not None and lower > upper:
        raise _ProblemError(f"lowerLimit {lower:g} is above upperLimit {upper:g}")
    return Measurement(
        characteristic=_text("characteristic", cells["characteristic"]),
        value=_number("value", cells["value"]),
        unit=_text("unit", cells["unit"]),
        lower_limit=lower,
        upper_limit=upper,
        measured_at=_time(cells["measuredAt"]),
    )


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _ProblemError(f"{name} is {_shown(value)}: expected text")
    if len(value) > _LONGEST[name]:
        raise _ProblemError(f"{name} has {len(value):,} characters: expected at most {_LONGEST[name]}")
    if _CONTROL.search(value):
        raise _ProblemError(f"{name} is {_shown(value)}: it holds a control character")
    return value


def _number(name: str, value: object) -> float:
    """A finite double. Python would also take `nan`, and `1_000`."""
    try:
        known = isinstance(value, int | float) and not isinstance(value, bool)
        number = float(value) if known or (isinstance(value, str) and _NUMBER.fullmatch(value)) else math.nan  # type: ignore[arg-type]
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _ProblemError(f"{name} is {_shown(value)}: expected a finite number with a decimal point")
    return number


def _time(value: object) -> int:
    """Epoch milliseconds from an integer, or from an RFC 3339 string."""
    expected = f"measuredAt is {_shown(value)}: expected epoch milliseconds, or RFC 3339, e.g. 2025-06-01T12:00:00Z"
    if isinstance(value, str) and not re.fullmatch(r"-?\d{1,16}", value, re.ASCII):
        return _moment(value, expected)
    if isinstance(value, bool) or not isinstance(value, int | str) or abs(int(value)) > MAX_TIMESTAMP:
        raise _ProblemError(expected)
    return int(value)


def _moment(text: str, expected: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _ProblemError(expected) from None
    if "T" not in text.upper() or moment.tzinfo is None:
        raise _ProblemError(expected)
    return math.floor(moment.timestamp()) * 1000 + moment.microsecond // 1000


def _shown(value: object) -> str:
    return repr(value if isinstance(value, str | int | float) else type(value).__name__)[:66]
