"""Reads the text of OpenStreetMap tags as numbers, years and truth values; what is not certain is None.

Each function takes one tag's value as mappers write it and never raises: a value that cannot be read leaves its typed
attribute out, while the raw tag stays (see `attributes`). The conventions are those of the OpenStreetMap wiki's page on
each key.
"""

import math
import re

_METRES_PER_FOOT = 0.3048
_METRES_PER_INCH = 0.0254
_KMH_PER_UNIT = {"": 1.0, "km/h": 1.0, "kmh": 1.0, "kph": 1.0, "mph": 1.609344, "knots": 1.852}
_MAX_HEIGHT_METRES = 2_000.0
_MAX_SPEED_KMH = 500.0
_MAX_STOREYS = 500
_MAX_LANES = 50

_METRIC_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(?:m|metres?|meters?)?", re.ASCII)
_FEET = re.compile(r"(\d+(?:\.\d+)?)\s*(?:'|ft|feet)\s*(?:(\d+(?:\.\d+)?)\s*(?:\"|in))?", re.ASCII)
_SPEED = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z/]*)", re.ASCII)
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_CERTAIN_DATE = re.compile(r"(\d{4})(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?", re.ASCII)


def metres(text: str) -> float | None:
    """A height: `12`, `12.5`, `12 m`, or feet and inches, `40'`, `40'6"`. A comma, a range or a sign is not certain."""
    value = text.strip().lower()
    if metric := _METRIC_LENGTH.fullmatch(value):
        return _at_most(float(metric[1]), _MAX_HEIGHT_METRES)
    if imperial := _FEET.fullmatch(value):
        length = float(imperial[1]) * _METRES_PER_FOOT + float(imperial[2] or 0) * _METRES_PER_INCH
        return _at_most(round(length, 4), _MAX_HEIGHT_METRES)
    return None


def storeys(text: str) -> int | None:
    """Full storeys: a half one, as in `3.5`, is not counted."""
    value = text.strip()
    if not _NUMBER.fullmatch(value):
        return None
    count = math.floor(float(value))
    return count if count <= _MAX_STOREYS else None


def year(text: str) -> int | None:
    """The year of a date that is certain: `1936`, `1888-06`, `1982-07-01`; not `before 1815`, `1890s`, `1923-1924`."""
    date = _CERTAIN_DATE.fullmatch(text.strip())
    return int(date[1]) if date else None


def lanes(text: str) -> int | None:
    """The number of lanes that the road has all along: of several values, as in `2;3`, the smallest."""
    counts = [part.strip() for part in text.split(";")]
    if not all(_NUMBER.fullmatch(count) for count in counts):
        return None
    smallest = math.floor(min(float(count) for count in counts))
    return smallest if 1 <= smallest <= _MAX_LANES else None


def kilometres_per_hour(text: str) -> float | None:
    """A signed speed: `50`, `50 km/h`, `30 mph`. A country's rule (`FI:urban`), `none` and `walk` are no numbers."""
    speed = _SPEED.fullmatch(text.strip().lower())
    if speed is None or speed[2] not in _KMH_PER_UNIT:
        return None
    value = round(float(speed[1]) * _KMH_PER_UNIT[speed[2]], 3)
    return _at_most(value, _MAX_SPEED_KMH) if value > 0 else None


def oneway(text: str) -> bool | None:
    """Whether traffic goes one way only, whichever way; None where that changes (`reversible`, `alternating`)."""
    match text.strip().lower():
        case "yes" | "true" | "1" | "-1" | "reverse":
            return True
        case "no" | "false" | "0":
            return False
        case _:
            return None


def words(text: str) -> str | None:
    """The text itself, where it says anything."""
    return text.strip() or None


def _at_most(value: float, limit: float) -> float | None:
    return value if value <= limit else None
