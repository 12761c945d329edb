"""Value types that several slices print alike: time ranges, and why an item of a batch was not stored."""

import strawberry

from graph.errors import BadUserInput
from subgraphs.scalars import Timestamp


@strawberry.input
class TimeRangeInput:
    start_ts: Timestamp = strawberry.field(description="Inclusive.")
    end_ts: Timestamp = strawberry.field(description="Exclusive.")


@strawberry.federation.type(shareable=True)
class TimeRange:
    start_ts: Timestamp
    end_ts: Timestamp


@strawberry.federation.type(shareable=True, description="Why one item of a batch was not stored.")
class Rejection:
    pointer: str = strawberry.federation.field(description="RFC 6901 pointer into `input`, e.g. `/entities/3/points/17`.")
    code: str
    message: str


def read_range(argument: str, given: TimeRangeInput) -> tuple[int, int]:
    """Start and end, in epoch milliseconds; raises `BadUserInput` where the end is before the start."""
    if given.end_ts < given.start_ts:
        raise BadUserInput(f"{argument} ends at {given.end_ts}, before its start at {given.start_ts}")
    return given.start_ts, given.end_ts
