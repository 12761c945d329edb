"""Progressive override: who answers a field depends on the labels that hold for a request."""

from collections.abc import Iterator

import pytest
from graphql import parse

from graph.composition import Composed, SubgraphSDL, compose
from graph.contracts import Principal, RequestContext
from graph.planner import Planner
from graph.planner.labels import OverrideLabels
from graph.supergraph import Supergraph

CONTEXT = RequestContext(Principal("somebody", "FI-HELSINKI"), "request-1", {"x-beta": "yes"})


@pytest.fixture(scope="module")
def supergraph() -> Supergraph:
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@override"])\n'
    old = link + 'type Query { products: [Product] } type Product @key(fields: "id") { id: ID! price: Int stock: Int }'
    new = link + (
        'type Product @key(fields: "id") { id: ID! price: Int @override(from: "old", label: "percent(25)")'
        ' stock: Int @override(from: "old", label: "beta") }'
    )
    composed = compose([SubgraphSDL("old", "http://old", old), SubgraphSDL("new", "http://new", new)])
    assert isinstance(composed, Composed), composed
    return composed.supergraph


@pytest.mark.parametrize(
    ("labels", "subgraphs"),
    [(frozenset[str](), ["old"]), (frozenset({"percent(25)"}), ["old", "new"]), (frozenset({"beta"}), ["old"])],
)
def test_overridden_field_when_its_label_holds_then_the_new_subgraph_answers(
    supergraph: Supergraph, labels: frozenset[str], subgraphs: list[str]
) -> None:
    plan = Planner(supergraph).plan(parse("{ products { price } }"), None, labels)

    assert [fetch.subgraph for fetch in plan.fetches] == subgraphs


def test_percent_label_when_requests_come_then_holds_for_that_share(supergraph: Supergraph) -> None:
    rolls: Iterator[float] = iter([0.0, 0.24, 0.25, 0.9])
    labels = OverrideLabels(supergraph, roll=lambda: next(rolls))

    active = [labels.active(CONTEXT) for _ in range(4)]

    assert active == [{"percent(25)"}, {"percent(25)"}, frozenset(), frozenset()]


def test_own_label_when_decided_by_a_function_then_that_sees_the_request(supergraph: Supergraph) -> None:
    labels = OverrideLabels(supergraph, lambda label, context: label == "beta" and "x-beta" in context.headers, roll=lambda: 1.0)

    assert labels.active(CONTEXT) == {"beta"}
    assert labels.active(RequestContext(CONTEXT.principal, "request-2")) == frozenset()
