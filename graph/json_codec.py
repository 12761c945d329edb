"""The one way in which JSON is read and written: orjson, and what it does not do by itself.

Reading refuses what is not JSON (NaN, a lone surrogate, more than 1,024 levels). Integers beyond 64 bits, which orjson turns into
floats, are kept exactly where the caller asks for it: looking for them costs about as much as reading. Writing always succeeds for
data that came from JSON: integers of any size, lone surrogates and deep nesting take a slower way.
"""

import json
import math
from typing import Any, Final

import orjson

_DIGITS_TO_ZERO: Final = bytes.maketrans(b"123456789", b"0" * 9)
_TOO_MANY_DIGITS: Final = b"0" * 19


class InvalidJSON(ValueError):
    """The text is not JSON, or the value cannot be written as JSON; the message says why."""


def loads(data: bytes | str, *, exact_integers: bool = False) -> Any:
    """The value of a JSON text; raises `InvalidJSON`."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidJSON(str(error)) from None
    if exact_integers:
        text = data.encode() if isinstance(data, str) else data
        if _TOO_MANY_DIGITS in text.translate(_DIGITS_TO_ZERO):
            return _load_exactly(data)
    return value


def loads_in_steps(data: bytes) -> Any:
    """What `loads` gives, two to five times slower, for large texts in a thread: orjson would let no other run until its end.

    The standard library's reader calls back for each object and number, and so other threads get their turn.
    """
    if b"\\ud" in data or b"\\uD" in data:  # surrogates, of which it would not refuse the lone ones
        return loads(data)
    try:
        return _STEPWISE.decode(data.decode())
    except ValueError as error:
        raise InvalidJSON(str(error)) from None
    except RecursionError:  # it follows fewer levels
        return loads(data)


def dumps(value: Any) -> bytes:
    """The compact JSON text of a value, NaN and infinities as null; raises `InvalidJSON` where a part of it is not data."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return _dump_slowly(value)


def _load_exactly(data: bytes | str) -> Any:
    try:
        return json.loads(data)
    except RecursionError:
        raise InvalidJSON("nested too deeply") from None


def _step(value: Any) -> Any:
    return value


def _integer(text: str) -> int | float:
    """As orjson: a float beyond 64 bits."""
    if len(text) < 19:
        return int(text)
    if len(text) <= 20 and -(2**63) <= (value := int(text)) < 2**64:
        return value
    return _float(text)


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise InvalidJSON("number is infinity when parsed as double")
    return value


def _no_constant(name: str) -> Any:
    raise InvalidJSON(f"{name} is no JSON")


_STEPWISE: Final = json.JSONDecoder(object_hook=_step, parse_int=_integer, parse_float=_float, parse_constant=_no_constant)


def _dump_slowly(value: Any) -> bytes:
    try:
        return _standard(value)
    except ValueError:
        return _standard(_finite(value))
    except (TypeError, RecursionError) as error:
        raise InvalidJSON(str(error)) from None


def _standard(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False, default=_data).encode()


def _data(value: Any) -> Any:
    """UUIDs, times, data classes and enums in the form that orjson gives them."""
    return json.loads(orjson.dumps(value))


def _finite(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {key: _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
        case _:
            return value
