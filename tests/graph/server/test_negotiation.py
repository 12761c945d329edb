"""Which media type is answered with."""

import pytest

from graph.server.negotiation import answer_type, prefers_html

RESPONSE = "application/graphql-response+json"
JSON = "application/json"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (RESPONSE, RESPONSE),
        (f"{RESPONSE}, {JSON};q=0.9", RESPONSE),
        (f"{JSON}, {RESPONSE}", JSON),
        (f"{JSON};q=0.5, {RESPONSE};q=0.7", RESPONSE),
        (f"{JSON};q=0, */*", RESPONSE),
        ("Application/JSON; charset=utf-8", JSON),
        ("text/html", None),
        (f"{JSON};q=0", None),
        (f"{JSON};q=many", None),
    ],
)
def test_answer_type_when_accept_is_given_then_best_offer_or_none(accept: str | None, expected: str | None) -> None:
    assert answer_type(accept) == expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("text/html, application/json", False),
        ("*/*", False),
        (None, False),
    ],
)
def test_prefers_html_when_a_browser_asks_then_true(accept: str | None, expected: bool) -> None:
    assert prefers_html(accept) is expected
