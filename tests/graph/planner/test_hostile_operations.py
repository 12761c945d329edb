"""What is written to be expensive is refused early, or planned with work that grows as the document does.

Work is counted in function calls, which are the same on every machine; parsing, limits, validation and planning are counted together.
"""

import sys
from collections.abc import Callable
from types import FrameType

import pytest
from graphql import DocumentNode, parse, validate

from graph.composition import Composed, SubgraphSDL, compose
from graph.errors import CityGraphError, GraphQLValidationFailed
from graph.planner import Planner
from graph.planner.normalize.normalizer import MAX_FIELDS
from graph.planner.plan import Plan
from graph.server.document_limits import DocumentLimits, check_document, check_text
from graph.supergraph import read_supergraph

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n'
SUBGRAPHS = {
    "one": """
      type Query { a: A  list: [A]  node: Node  find(ids: [ID!], where: Where, text: String): [A] }
      interface Node { id: ID!  next: Node }
      input Where { id: ID  and: [Where!] }
      type A implements Node @key(fields: "id") { id: ID!  a: A  b: B  next: Node }
      type B implements Node @key(fields: "id") { id: ID!  a: A  next: Node }
    """,
    "two": """
      type A @key(fields: "id") { id: ID!  c: C  of(ids: [ID!]): String  t: Int }
      type B @key(fields: "id") { id: ID!  t: Int }
      type C @key(fields: "id") { id: ID!  a: A }
    """,
    "three": 'type C @key(fields: "id") { id: ID!  v: Int }',
}
LIMITS = DocumentLimits()
MAX_REFUSAL = 120_000
"""Calls that a refusal may take: the most is for parsing 2,000 aliases."""


@pytest.fixture(scope="module")
def planner() -> Planner:
    composed = compose([SubgraphSDL(name, None, LINK + sdl) for name, sdl in SUBGRAPHS.items()])
    assert isinstance(composed, Composed), composed
    return Planner(read_supergraph(composed.supergraph_sdl))


def prepare(planner: Planner, text: str) -> Plan:
    """The way of a document up to its plan, as the server takes it. Raises `CityGraphError` where it is refused."""
    check_text(text, LIMITS)
    document: DocumentNode = parse(text, max_tokens=LIMITS.tokens)
    check_document(document, LIMITS)
    assert validate(planner.supergraph.api_schema, document, max_errors=20) == []
    return planner.plan(document)


def work(task: Callable[[], object]) -> int:
    """How many Python functions the task calls; a refusal is an end like any other."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        task()
    except CityGraphError:
        pass
    finally:
        sys.setprofile(before)
    return calls


def doubling(times: int) -> str:
    """Each fragment spreads the next one twice: 2 to the power of `times` fields, from a line of text for each."""
    fragments = [f"fragment F{n} on A {{ ...F{n + 1} x{n}: a {{ ...F{n + 1} }} }}" for n in range(times)]
    return "\n".join(["{ a { ...F0 } }", *fragments, f"fragment F{times} on A {{ id }}"])


def branching(times: int) -> str:
    """The same without aliases, and with requests to be planned for every branch."""
    fragments = [f"fragment F{n} on A {{ a {{ ...F{n + 1} }} c {{ a {{ ...F{n + 1} }} }} }}" for n in range(times)]
    return "\n".join(["{ a { ...F0 } }", *fragments, f"fragment F{times} on A {{ id t }}"])


def aliases(number: int, field: str = "id") -> str:
    return "{ a { " + " ".join(f"k{n}: {field}" for n in range(number)) + " } }"


def nested(levels: int, opening: str = "a { ", inner: str = "id") -> str:
    return "{ node { ... on A { " + opening * levels + inner + " }" * (levels * (opening.count("{") - opening.count("}"))) + " } } }"


def typed(levels: int) -> str:
    return "{ node { " + "... on A { t } ... on B { t } next { " * levels + "id" + " }" * levels + " } }"


def long_list(items: int, field: str = "find(ids: [{}]) {{ id }}") -> str:
    return "{ " + field.format('"1" ' * items) + " }"


def conditions(number: int) -> str:
    variables = ", ".join(f"$v{n}: Boolean!" for n in range(number))
    return f"query({variables}) {{ a {{ " + " ".join(f"k{n}: c @include(if: $v{n}) {{ v }}" for n in range(number)) + " } }"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (doubling(26), "selects 268435455 fields, counting a fragment wherever it is spread: at most 5000"),
        (branching(26), "at most"),
        (doubling(150), "nests 121 selection sets and fragments: at most 120"),
        (aliases(10_000), "has more than 10000 tokens"),
        (aliases(2_000), "has 2000 aliases"),
        (nested(200), "nests 65 levels of brackets: at most 64"),
        ("{ a " + "@include(if: true) " * 1_000 + "{ id } }", "has 201 directives: at most 200"),
        ("{ a { " + "... @skip(if: false) { id } " * 1_000 + "} }", "has 201 directives: at most 200"),
        ("{ a { " + "...F " * 1_000 + "} } fragment F on A { id b { id } }", "pairs to compare: at most 60000"),
        (long_list(20_000), "has more than 10000 tokens"),
        ("{ find(where: " + "{and: [" * 100 + "]}" * 100 + ") { id } }", "nests 65 levels of brackets: at most 64"),
    ],
    ids=[
        "doubling",
        "branching",
        "chain",
        "10,000 aliases",
        "2,000 aliases",
        "200 levels",
        "1,000 directives",
        "1,000 conditions",
        "1,000 spreads",
        "long list",
        "nested input",
    ],
)
def test_hostile_operation_when_refused_then_the_limit_is_named_and_little_was_done(planner: Planner, text: str, message: str) -> None:
    with pytest.raises(GraphQLValidationFailed, match=message):
        prepare(planner, text)
    assert work(lambda: prepare(planner, text)) < MAX_REFUSAL


@pytest.mark.parametrize(
    ("write", "size"),
    [
        (aliases, 200),
        (lambda n: aliases(n, "t"), 200),
        (lambda n: aliases(n, "c { a { t } v }"), 60),
        (lambda n: aliases(n, 'of(ids: ["1", "2", "3"])'), 200),
        (lambda n: nested(n), 16),
        (lambda n: nested(n, "c { a { ", "t"), 8),
        (typed, 8),
        (long_list, 2_000),
        (lambda n: long_list(n, "a {{ of(ids: [{}]) }}"), 2_000),
        (conditions, 40),
    ],
    ids=[
        "aliases",
        "remote aliases",
        "aliases with requests",
        "lists",
        "levels",
        "hops",
        "types",
        "long list",
        "remote list",
        "conditions",
    ],
)
def test_large_operation_when_twice_as_large_then_costs_twice_as_much(planner: Planner, write: Callable[[int], str], size: int) -> None:
    # given
    once = work(lambda: prepare(planner, write(size)))

    # when
    twice = work(lambda: prepare(planner, write(2 * size)))

    # then
    assert twice < 2.3 * once


def test_branching_fragments_when_accepted_then_cost_what_they_expand_to(planner: Planner) -> None:
    smaller, larger = (work(lambda n=n: prepare(planner, branching(n))) for n in (6, 8))  # type: ignore[misc]

    assert larger < 3.8 * smaller  # not quite four times as many fields


def test_doubling_fragments_when_no_limit_stands_before_the_planner_then_it_stops_at_its_own(planner: Planner) -> None:
    document = parse(doubling(26))

    with pytest.raises(GraphQLValidationFailed, match="selects more than 20,000 fields, fragments written out"):
        planner.plan(document)

    assert work(lambda: planner.plan(document)) < 30 * MAX_FIELDS
