"""The printed supergraph as a whole: its form, and that it is always the same."""

from pathlib import Path

import pytest
from composition_corpus import composed, subgraphs_of
from graphql import build_schema, validate_schema

from graph.composition import Composed, SubgraphSDL, compose

AUDIT = Path(__file__).parents[2] / "federation_audit"
SUITES = sorted(path.parent.name for path in AUDIT.glob("*/tests.json"))


def _suite(name: str) -> list[SubgraphSDL]:
    files = sorted((AUDIT / name / "subgraphs").glob("*.graphql"))
    return [SubgraphSDL(file.stem, f"http://{file.stem}/graphql", file.read_text()) for file in files]


def test_supergraph_when_printed_then_it_starts_with_schema_and_links() -> None:
    sdl = composed("# subgraph a\ntype Query { a: Int }\n")

    assert sdl.startswith(
        "schema\n"
        '  @link(url: "https://specs.apollo.dev/link/v1.0")\n'
        '  @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)\n'
        "{\n"
        "  query: Query\n"
        "}\n\n"
        "directive @join__directive("
    )


def test_graphs_when_names_are_no_graphql_names_then_they_become_some() -> None:
    sources = [SubgraphSDL(n, f"http://{n}", f"type Query {{ f{i}: Int }}") for i, n in enumerate(("my-shop", "my_shop", "2nd", "v_1"))]

    outcome = compose(sources)

    assert isinstance(outcome, Composed)
    assert (
        "enum join__Graph {\n"
        '  _2ND @join__graph(name: "2nd", url: "http://2nd")\n'
        '  MY_SHOP_1 @join__graph(name: "my-shop", url: "http://my-shop")\n'
        '  MY_SHOP_2 @join__graph(name: "my_shop", url: "http://my_shop")\n'
        '  V_1_ @join__graph(name: "v_1", url: "http://v_1")\n'
        "}\n"
    ) in outcome.supergraph_sdl


def test_supergraph_when_subgraphs_come_in_another_order_then_the_bytes_are_the_same() -> None:
    sources = _suite("abstract-types")

    assert compose(sources) == compose(sources[::-1])


def test_supergraph_when_composed_of_subgraphs_without_url_then_the_url_is_empty() -> None:
    outcome = compose([SubgraphSDL("a", None, "type Query { a: Int }")])

    assert isinstance(outcome, Composed)
    assert 'A @join__graph(name: "a", url: "")' in outcome.supergraph_sdl


def test_descriptions_when_they_have_several_lines_then_they_are_indented_and_read_back() -> None:
    sdl = composed('# subgraph a\n"""\nFirst \\""" line.\n\n  - second\n"""\ntype Query {\n  "Plain."\n  a: Int\n}\n')

    query = build_schema(sdl).query_type
    assert query is not None
    assert query.description == 'First """ line.\n\n  - second'
    assert query.fields["a"].description == "Plain."


@pytest.mark.parametrize("suite", SUITES)
def test_audit_when_a_suite_is_composed_then_its_supergraph_is_graphql(suite: str) -> None:
    outcome = compose(_suite(suite))

    assert isinstance(outcome, Composed), outcome
    assert validate_schema(build_schema(outcome.supergraph_sdl)) == []


def test_audit_when_listed_then_it_has_all_suites() -> None:
    assert len(SUITES) == 29
    assert subgraphs_of("") == ()


def test_compose_when_two_subgraphs_have_subscriptions_then_each_answers_its_own() -> None:
    sources = [SubgraphSDL(n, None, f"type Query {{ {n}: Int }} type Subscription {{ {n}Changed: Int }}") for n in ("a", "b")]

    outcome = compose(sources)

    assert isinstance(outcome, Composed)
    assert "  aChanged: Int @join__field(graph: A)\n  bChanged: Int @join__field(graph: B)\n" in outcome.supergraph_sdl
