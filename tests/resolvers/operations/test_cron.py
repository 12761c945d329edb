"""Cron expressions: which ticks they have, in UTC."""

from datetime import UTC, datetime

import pytest

from resolvers.operations.schedule import Cron


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def cron(expression: str) -> Cron:
    found = Cron.parse(expression)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("expression", "after", "tick"),
    [
        ("0 2 * * *", "2025-11-22T01:59:59", "2025-11-22T02:00"),
        ("0 2 * * *", "2025-11-22T02:00", "2025-11-23T02:00"),
        ("*/15 * * * *", "2025-11-22T02:31", "2025-11-22T02:45"),
        ("0 2 * * 0", "2025-11-22T00:00", "2025-11-23T02:00"),  # Sunday
        ("0 2 * * 7", "2025-11-22T00:00", "2025-11-23T02:00"),
        ("0 2 * * 1-5", "2025-11-22T00:00", "2025-11-24T02:00"),  # Monday
        ("0 2 * * 5-7", "2025-11-24T00:00", "2025-11-28T02:00"),  # Friday
        ("0 2 * * mon", "2025-11-22T00:00", "2025-11-24T02:00"),
        ("0 2 * * */3", "2025-11-24T03:00", "2025-11-26T02:00"),  # Sunday, Wednesday, Saturday
        ("0 2 1 * 1", "2025-11-25T00:00", "2025-12-01T02:00"),  # the first is a Monday
        ("0 2 15 * 1", "2025-12-09T00:00", "2025-12-15T02:00"),
        ("0 2 13 * 5", "2025-12-06T00:00", "2025-12-12T02:00"),  # either will do
        ("0 0 29 2 *", "2025-01-01T00:00", "2028-02-29T00:00"),
    ],
)
def test_next_when_asked_then_the_first_tick_after(expression: str, after: str, tick: str) -> None:
    assert cron(expression).next(at(after)) == at(tick)


@pytest.mark.parametrize(
    ("expression", "now", "tick"),
    [
        ("0 2 * * *", "2025-11-22T02:00", "2025-11-22T02:00"),
        ("0 2 * * *", "2025-11-22T01:59:59.999", "2025-11-21T02:00"),
        ("* * * * *", "2025-11-22T01:59:30", "2025-11-22T01:59"),
        ("0 2 1 1 *", "2025-11-22T00:00", "2025-01-01T02:00"),
        ("0 0 29 2 *", "2027-11-22T00:00", "2024-02-29T00:00"),
    ],
)
def test_latest_when_asked_then_the_newest_tick_that_is_not_later(expression: str, now: str, tick: str) -> None:
    assert cron(expression).latest(at(now)) == at(tick)


@pytest.mark.parametrize("expression", ["", "  ", "none"])
def test_expression_when_it_says_none_then_no_schedule(expression: str) -> None:
    assert Cron.parse(expression) is None


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("daily", "has 1 fields: expected five"),
        ("0 0 2 * * *", "has 6 fields: expected five"),
        ("61 2 * * *", "'61 2 \\* \\* \\*' is no cron expression"),
        ("x 2 * * *", "is no cron expression"),
        ("0 2 * * 8", "is no cron expression"),
        ("0 2 * * 5-1", "ends before it begins"),
        ("0 2 30 2 *", "names a day that no month has"),
    ],
)
def test_expression_when_wrong_then_the_message_says_what_is_expected(expression: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Cron.parse(expression)
