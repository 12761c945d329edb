"""Which headers a subgraph gets, by rules and in spite of them."""

from typing import Any

import pytest

from graph.contracts import Principal, RequestContext
from graph.executor.transports.header_rules import headers_by
from graph.federation_config import HeaderRule

CLIENT = {
    "authorization": "Bearer secret",
    "cookie": "session=1",
    "host": "city.example",
    "content-length": "17",
    "content-type": "application/json",
    "connection": "keep-alive, x-hop",
    "keep-alive": "timeout=5",
    "transfer-encoding": "chunked",
    "te": "trailers",
    "x-hop": "for this connection only",
    "x-city-lang": "fi",
    "x-city-zone": "north",
    "accept-language": "fi",
    "traceparent": "00-1-2-01",
}
TOLD = {"x-request-id": "request-1", "traceparent": "00-1-2-01"}


def _sent(*rules: dict[str, Any]) -> dict[str, str]:
    headers = headers_by([HeaderRule.model_validate(rule) for rule in rules])
    return dict(headers(RequestContext(Principal("anna", "T"), "request-1", CLIENT)))


@pytest.mark.parametrize(
    ("rules", "sent"),
    [
        ([], TOLD),
        ([{"propagate": {"named": "Authorization"}}], {**TOLD, "authorization": "Bearer secret"}),
        ([{"propagate": {"named": "x-absent"}}], TOLD),
        ([{"propagate": {"named": "x-absent", "default": "d"}}], {**TOLD, "x-absent": "d"}),
        ([{"propagate": {"named": "accept-language", "rename": "X-Lang"}}], {**TOLD, "x-lang": "fi"}),
        ([{"propagate": {"matching": "X-City-.*"}}], {**TOLD, "x-city-lang": "fi", "x-city-zone": "north"}),
        ([{"propagate": {"matching": "city"}}], TOLD),
        ([{"propagate": {"matching": ".*"}}], {**TOLD, "x-city-lang": "fi", "x-city-zone": "north", "accept-language": "fi"}),
        ([{"propagate": {"named": "x-hop"}}], TOLD),
        ([{"insert": {"name": "x-gateway", "value": "city"}}], {**TOLD, "x-gateway": "city"}),
        ([{"insert": {"name": "x-city-lang", "value": "sv"}}, {"propagate": {"named": "x-city-lang"}}], {**TOLD, "x-city-lang": "fi"}),
        ([{"propagate": {"named": "x-city-lang"}}, {"insert": {"name": "x-city-lang", "value": "sv"}}], {**TOLD, "x-city-lang": "sv"}),
        ([{"remove": {"named": "traceparent"}}], {"x-request-id": "request-1"}),
        ([{"propagate": {"matching": "x-city-.*"}}, {"remove": {"matching": "x-city-z.*"}}], {**TOLD, "x-city-lang": "fi"}),
        ([{"remove": {"matching": ".*"}}], {}),
    ],
)
def test_headers_when_rules_are_applied_in_order_then_exactly_these_are_sent(rules: list[dict[str, Any]], sent: dict[str, str]) -> None:
    assert _sent(*rules) == sent


def test_rule_when_it_holds_a_secret_then_printed_nowhere() -> None:
    rule = HeaderRule.model_validate({"insert": {"name": "x-key", "value": "hunter2"}})

    assert "hunter2" not in repr(rule)
