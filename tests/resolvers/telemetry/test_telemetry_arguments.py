"""What a question about telemetry may not be, and that the message says so (FC-01)."""

from collections.abc import Mapping
from typing import Any

import pytest

from graph.errors import BadUserInput
from resolvers.telemetry import queries
from resolvers.telemetry.records import Aggregation, SeriesFilter, TelemetrySourceFilter
from tests.resolvers.telemetry.series import window

FINE: Mapping[str, Any] = {
    "keys": ["a"],
    "start": 0,
    "end": 10,
    "aggregation": Aggregation.NONE,
    "interval": None,
    "series": SeriesFilter(),
    "limit": 10,
}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"start": 11}, r"endTs \(10\) is before startTs \(11\)"),
        ({"limit": 0}, "limit is 0: expected 1 to 1,000,000"),
        ({"limit": -5}, "limit is -5"),
        ({"limit": 1_000_001}, "limit is 1000001"),
        ({"keys": [str(number) for number in range(101)]}, "101 keys: at most 100"),
        ({"aggregation": Aggregation.AVG}, "intervalMs is missing: aggregation AVG"),
        ({"aggregation": Aggregation.COUNT, "interval": 0}, "intervalMs is 0: expected at least 1"),
        ({"aggregation": Aggregation.COUNT, "interval": -60}, "intervalMs is -60"),
        ({"aggregation": Aggregation.LTTB, "interval": 60}, "aggregation LTTB has no buckets"),
        ({"interval": 60}, "aggregation NONE has no buckets"),
        ({"end": 2**53 + 1}, "endTs is 9007199254740993"),
        ({"start": -(2**53) - 1}, "startTs is -9007199254740993"),
    ],
)
def test_window_when_an_argument_is_wrong_then_it_is_bad_user_input(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(BadUserInput, match=message):
        queries.window(**{**FINE, **wrong})


def test_window_when_a_key_is_named_twice_then_it_counts_once_in_the_order_asked() -> None:
    assert window(0, 1, keys=["b", "a", "b"]).keys == ("b", "a")


def test_latest_when_there_are_too_many_keys_then_it_is_bad_user_input() -> None:
    with pytest.raises(BadUserInput, match="101 keys"):
        queries.latest([str(number) for number in range(101)], SeriesFilter(TelemetrySourceFilter.REAL))
