"""Which headers a subgraph gets, by an operator's rules: each in its order, on what the rules before it left.

Without rules it gets the request's name and trace, and nothing that the client sent. Credentials must be named one by one: no pattern
forwards them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from graph.contracts import RequestContext
from graph.executor.transports.http import Headers, trace_headers
from graph.federation_config import NEVER_FORWARDED, HeaderRule, Insert, Propagate, Remove

CREDENTIALS: Final = frozenset({"authorization", "cookie"})
Step = Callable[[dict[str, str], Mapping[str, str]], None]


def headers_by(rules: Sequence[HeaderRule]) -> Headers:
    """What `HttpTransport` calls for each request."""
    if not rules:
        return trace_headers
    steps = [_step(rule) for rule in rules]

    def headers(context: RequestContext) -> Mapping[str, str]:
        sent = dict(trace_headers(context))
        for step in steps:
            step(sent, context.headers)
        return sent

    return headers


def _step(rule: HeaderRule) -> Step:
    match rule:
        case HeaderRule(propagate=Propagate(named=str(name)) as propagate):
            return _propagate_one(name, propagate)
        case HeaderRule(propagate=Propagate(matching=str(pattern))):
            return _propagate_all(re.compile(pattern, re.IGNORECASE))
        case HeaderRule(insert=Insert() as insert):
            value = insert.value.get_secret_value()
            return lambda sent, client: sent.update({insert.name: value})
        case HeaderRule(remove=Remove(named=str(name))):
            return _remove(re.compile(re.escape(name)))
        case HeaderRule(remove=Remove(matching=str(pattern))):
            return _remove(re.compile(pattern, re.IGNORECASE))
    raise AssertionError(rule)


def _propagate_one(name: str, rule: Propagate) -> Step:
    target = rule.rename or name
    default = rule.default.get_secret_value() if rule.default is not None else None

    def step(sent: dict[str, str], client: Mapping[str, str]) -> None:
        value = default if name in _of_connection(client) else client.get(name, default)
        if value is not None:
            sent[target] = value

    return step


def _propagate_all(pattern: re.Pattern[str]) -> Step:
    def step(sent: dict[str, str], client: Mapping[str, str]) -> None:
        held_back = NEVER_FORWARDED | CREDENTIALS | _of_connection(client)
        sent.update({name: value for name, value in client.items() if name not in held_back and pattern.fullmatch(name)})

    return step


def _remove(pattern: re.Pattern[str]) -> Step:
    def step(sent: dict[str, str], client: Mapping[str, str]) -> None:
        for name in [name for name in sent if pattern.fullmatch(name)]:
            del sent[name]

    return step


def _of_connection(client: Mapping[str, str]) -> frozenset[str]:
    """What the client's `Connection` names is between it and us (RFC 9110 §7.6.1)."""
    listed = client.get("connection")
    return frozenset(name.strip().lower() for name in listed.split(",")) if listed else frozenset()
