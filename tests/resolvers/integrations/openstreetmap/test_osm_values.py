"""Tag values as mappers write them: what is read, and what is left out because it is not certain."""

import pytest

from resolvers.integrations.openstreetmap import values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", 12.0),
        ("12.13 m", 12.13),
        ("12m", 12.0),
        ("0", 0.0),
        ("40'", 12.192),
        ("40'6\"", 12.3444),
        ("40 ft", 12.192),
        ("12,5", None),
        ("-3", None),
        ("~12", None),
        ("10-12", None),
        ("12 cm", None),
        ("99999", None),
        ("nan", None),
        ("١٢", None),
        ("", None),
    ],
)
def test_metres_when_a_height_is_written_then_only_a_certain_one_is_read(text: str, expected: float | None) -> None:
    assert values.metres(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("7", 7), ("0", 0), ("3.5", 3), ("2.0", 2), ("-1", None), ("1;2", None), ("501", None), ("many", None)]
)
def test_storeys_when_half_then_full_ones_are_counted(text: str, expected: int | None) -> None:
    assert values.storeys(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1936", 1936),
        ("1888-06", 1888),
        ("1982-07-01", 1982),
        ("before 1815", None),
        ("after 1905..1908", None),
        ("1923-1924", None),
        ("1865;1890", None),
        ("2013..2014", None),
        ("1890s", None),
        ("2012?", None),
        ("~1900", None),
        ("1888-13", None),
        ("C19", None),
    ],
)
def test_year_when_the_date_is_not_certain_then_none(text: str, expected: int | None) -> None:
    assert values.year(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("2", 2), ("2;3", 2), ("3; 2", 2), ("1.5", 1), ("0", None), ("2;many", None), ("-2", None), ("51", None)]
)
def test_lanes_when_several_values_then_the_smallest(text: str, expected: int | None) -> None:
    assert values.lanes(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50", 50.0),
        ("50 km/h", 50.0),
        ("30 mph", 48.28),
        ("30mph", 48.28),
        ("10 knots", 18.52),
        ("FI:urban", None),
        ("none", None),
        ("walk", None),
        ("50;60", None),
        ("0", None),
        ("501", None),
    ],
)
def test_speed_when_it_has_a_unit_then_kilometres_an_hour(text: str, expected: float | None) -> None:
    assert values.kilometres_per_hour(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("yes", True), ("1", True), ("-1", True), ("no", False), ("reversible", None), ("alternating", None), ("", None)],
)
def test_oneway_when_the_direction_changes_then_none(text: str, expected: bool | None) -> None:
    assert values.oneway(text) is expected
