"""Arguments that a client left out: Strawberry's UNSET, which prints no default into the schema, read as None."""

from typing import TypeVar

import strawberry

Value = TypeVar("Value")


def given(value: Value | None) -> Value | None:
    """None where the argument is null or absent."""
    return None if value is strawberry.UNSET else value
