"""Which texts are units of measure: UCUM codes in their case-sensitive form.

To read a code costs a parser about a millisecond, and loading that parser half a second, so both are to happen in a thread; what
has been read once is remembered.
"""

from functools import cache, lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from lark.exceptions import LarkError

if TYPE_CHECKING:
    from lark import Lark

MAX_LENGTH = 64
"""Characters; reading a code of that length takes up to 30 ms."""

_READING = Lock()


@lru_cache(maxsize=4_096)
def is_unit(code: str) -> bool:
    """Whether it is a UCUM code (https://ucum.org/ucum): `Cel`, `kW.h`, `ug/m3`, `1`. Blocks: not for the event loop."""
    if not 1 <= len(code) <= MAX_LENGTH:
        return False
    try:
        with _READING:
            _parser().parse(code)
    except LarkError:
        return False
    return True


@cache
def _parser() -> "Lark":
    from ucumvert import get_ucum_parser  # type: ignore[import-untyped]  # here, as it loads the whole of pint

    parser: Lark = get_ucum_parser()
    return parser
