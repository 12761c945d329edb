"""The contract's scalars, shared by every slice: their Python types, and how each is read and written.

A value that cannot be read raises `BadUserInput`, which names the value and says what is expected.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NewType
from uuid import UUID

import strawberry
from strawberry.types.scalar import ScalarDefinition

from graph.contracts import parse_uuid
from graph.errors import BadUserInput

Timestamp = NewType("Timestamp", int)
Long = NewType("Long", int)
JSON = NewType("JSON", object)
JSONObject = NewType("JSONObject", dict[str, Any])
TelemetryValue = NewType("TelemetryValue", object)
GeoJSON = NewType("GeoJSON", dict[str, Any])
JSONPatch = NewType("JSONPatch", list[dict[str, Any]])

LARGEST_LONG = 2**53
# RFC 3339, section 5.6; seconds' fractions of any length, of which milliseconds are kept.
_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def read_timestamp(value: object) -> Timestamp:
    """Epoch milliseconds from an integer, or from an RFC 3339 string."""
    if isinstance(value, str):
        return _read_rfc_3339(value)
    return Timestamp(_read_integer(value, "a Timestamp: expected milliseconds since the epoch, or an RFC 3339 string"))


def _read_rfc_3339(text: str) -> Timestamp:
    parts = _RFC_3339.fullmatch(text) if len(text) <= 64 else None
    if parts is None:
        raise BadUserInput(f"{text[:64]!r} is not a Timestamp: expected RFC 3339, e.g. '2025-06-01T12:00:00Z'")
    day, time, fraction, zone = parts.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time}{zone.upper()}")
        seconds = int(moment.astimezone(UTC).timestamp())
    except (ValueError, OverflowError):
        raise BadUserInput(f"{text!r} is not a Timestamp: there is no such moment") from None
    return Timestamp(seconds * 1000 + int((fraction or ".0")[1:4].ljust(3, "0")))


def read_long(value: object) -> Long:
    return Long(_read_integer(value, "a Long: expected an integer within ±2^53"))


def _read_integer(value: object, expected: str) -> int:
    # JSON knows one kind of number: 5.0 is an integer, and True is none.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > LARGEST_LONG:
        raise BadUserInput(f"{str(value)[:64]!r} is not {expected}")
    return value


def read_uuid(value: object) -> UUID:
    if isinstance(value, UUID):
        return value
    if not isinstance(value, str):
        raise BadUserInput(f"{str(value)[:64]!r} is not a UUID: expected a string")
    return parse_uuid(value)


def read_json_object(value: object) -> JSONObject:
    if not isinstance(value, Mapping):
        raise BadUserInput(f"{str(value)[:64]!r} is not a JSONObject")
    return JSONObject(dict(value))


def read_telemetry_value(value: object) -> TelemetryValue:
    if isinstance(value, float) and not math.isfinite(value):
        raise BadUserInput(f"{value!r} is not a TelemetryValue: a number must be finite")
    if not isinstance(value, (str, bool, int, float, Mapping)):
        raise BadUserInput(f"{str(value)[:64]!r} is not a TelemetryValue: expected a number, string, boolean or object")
    return TelemetryValue(value)


def read_geojson(value: object) -> GeoJSON:
    """Checks the outside only; whoever uses the geometry reads its coordinates."""
    if not isinstance(value, Mapping) or not isinstance(value.get("type"), str):
        raise BadUserInput(f"{str(value)[:64]!r} is not GeoJSON: expected a geometry object with `type` (RFC 7946)")
    return GeoJSON(dict(value))


def read_json_patch(value: object) -> JSONPatch:
    """Checks the outside only; whoever applies the patch reads its operations."""
    if not isinstance(value, list) or not all(isinstance(operation, Mapping) for operation in value):
        raise BadUserInput(f"{str(value)[:64]!r} is not a JSONPatch: expected a list of operations (RFC 6902)")
    return JSONPatch([dict(operation) for operation in value])


_RFC = "https://www.rfc-editor.org/rfc/rfc"

SCALARS: Mapping[object, ScalarDefinition] = {
    Timestamp: strawberry.scalar(
        name="Timestamp",
        description="Milliseconds since the Unix epoch, UTC. Output: an integer. Input: an integer, or an RFC 3339 string.",
        parse_value=read_timestamp,
    ),
    UUID: strawberry.scalar(
        name="UUID",
        description="A UUID in its canonical 8-4-4-4-12 form (RFC 9562).",
        specified_by_url=f"{_RFC}9562",
        serialize=str,
        parse_value=read_uuid,
    ),
    Long: strawberry.scalar(name="Long", description="A 64-bit integer, as a JSON number; within ±2^53.", parse_value=read_long),
    JSONObject: strawberry.scalar(name="JSONObject", description="Any JSON object.", parse_value=read_json_object),
    TelemetryValue: strawberry.scalar(
        name="TelemetryValue",
        description="A number, string, boolean or JSON object.",
        parse_value=read_telemetry_value,
    ),
    JSON: strawberry.scalar(name="JSON", description="Any JSON value."),
    JSONPatch: strawberry.scalar(
        name="JSONPatch",
        description='An RFC 6902 patch: a list of operations, `[{"op": "replace", "path": "/nodes/0/name", "value": "Mill"}]`.',
        specified_by_url=f"{_RFC}6902",
        parse_value=read_json_patch,
    ),
    GeoJSON: strawberry.scalar(
        name="GeoJSON",
        description="A GeoJSON geometry (RFC 7946): WGS 84, longitude before latitude, optional height in metres.",
        specified_by_url=f"{_RFC}7946",
        parse_value=read_geojson,
    ),
}
"""For `StrawberryConfig.scalar_map`; a schema prints only those it uses."""
