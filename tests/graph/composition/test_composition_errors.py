"""Every error code, on the corpus: refused with that code alone, or composed."""

import pytest
from composition_corpus import FOLDER, Case, cases, subgraphs_of

from graph.composition import Composed, CompositionError, Failed, Location, SubgraphSDL, compose

ALL = cases()


@pytest.mark.parametrize("case", [case for case in ALL if case.refused], ids=str)
def test_compose_when_a_rule_is_broken_then_its_code_alone_is_reported(case: Case) -> None:
    outcome = compose(case.subgraphs)

    assert isinstance(outcome, Failed)
    assert {error.code for error in outcome.errors} == {case.code}


@pytest.mark.parametrize("case", [case for case in ALL if case.refused], ids=str)
def test_compose_when_a_rule_is_broken_then_the_error_names_subgraphs_and_lines(case: Case) -> None:
    outcome = compose(case.subgraphs)

    assert isinstance(outcome, Failed)
    for error in outcome.errors:
        assert set(error.subgraphs) <= {subgraph.name for subgraph in case.subgraphs}
        assert error.subgraphs
        # What is wrong there is in no line of an SDL.
        assert error.locations or error.code in ("INVALID_SUBGRAPH_NAME", "NO_QUERIES")


@pytest.mark.parametrize("case", [case for case in ALL if not case.refused], ids=str)
def test_compose_when_the_rule_is_kept_then_a_supergraph_comes_out(case: Case) -> None:
    outcome = compose(case.subgraphs)

    assert isinstance(outcome, Composed), outcome


def test_corpus_when_a_file_is_read_then_it_has_cases_of_both_kinds() -> None:
    verdicts = {(case.code, case.refused) for case in ALL}

    assert verdicts == {(path.stem, refused) for path in FOLDER.glob("*.graphql") for refused in (True, False)}


def test_compose_when_an_error_is_found_then_it_names_subgraphs_lines_and_a_way_out() -> None:
    first, second = subgraphs_of("# subgraph a\ntype Query { a: Int @shareable }\n# subgraph b\ntype Query { a: Int }\n")

    outcome = compose([second, first])

    assert outcome == Failed(
        (
            CompositionError(
                "INVALID_FIELD_SHARING",
                '"Query.a" is answered by several subgraphs (a, b), but not @shareable in b: mark it @shareable in all of them, or'
                " @external where it is not answered.",
                ("a", "b"),
                (Location("a", 2, 14), Location("b", 2, 14)),
            ),
        )
    )


def test_compose_when_printed_then_an_error_is_its_code_and_message() -> None:
    outcome = compose([SubgraphSDL("a", None, "type Mutation { a: Int }")])

    assert isinstance(outcome, Failed)
    assert [str(error) for error in outcome.errors] == [
        "NO_QUERIES: No subgraph has a query: add a field to the type Query of one of them."
    ]


@pytest.mark.parametrize("name", ["", "__remote"])
def test_compose_when_a_name_cannot_be_a_subgraphs_then_it_is_refused(name: str) -> None:
    outcome = compose([SubgraphSDL(name, None, "type Query { a: Int }")])

    assert isinstance(outcome, Failed)
    assert [error.code for error in outcome.errors] == ["INVALID_SUBGRAPH_NAME"]


def test_compose_when_two_subgraphs_have_one_name_then_it_is_refused() -> None:
    source = SubgraphSDL("a", None, "type Query { a: Int }")

    outcome = compose([source, source])

    assert isinstance(outcome, Failed)
    assert [str(error) for error in outcome.errors] == ['INVALID_SUBGRAPH_NAME: The name "a" is given to 2 subgraphs: each needs its own.']


def test_compose_when_there_are_no_subgraphs_then_there_are_no_queries() -> None:
    outcome = compose([])

    assert isinstance(outcome, Failed)
    assert [error.code for error in outcome.errors] == ["NO_QUERIES"]
