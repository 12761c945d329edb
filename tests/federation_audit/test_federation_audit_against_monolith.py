"""Random queries over the audit's suites: the federated answer is that of one schema that knows everything."""

from itertools import islice

import pytest

from tests.federation_audit.audit import Case, read_suite, suite_names
from tests.federation_audit.expectations import check
from tests.federation_audit.gateway import ask, composed_here, planner_of
from tests.federation_audit.monolith import Monolith
from tests.federation_audit.random_queries import random_queries

QUERIES_A_SUITE = 10
DISAGREEING_SUBGRAPHS = {
    "enum-intersection": "a subgraph fails where the other answers",
    "include-skip": "some fields fail wherever they are asked for",
    "input-object-intersection": "the subgraphs take one filter only",
    "nested-provides": "a subgraph that owns a field answers it only where it is provided",
    "null-keys": "a subgraph does not know a book that the others know",
    "simple-interface-object": "two subgraphs answer differently for one field",
}
"""Suites of which no one schema can say what is right."""


@pytest.mark.parametrize("number", range(QUERIES_A_SUITE))
@pytest.mark.parametrize("suite", [name for name in suite_names() if name not in DISAGREEING_SUBGRAPHS])
async def test_random_query_when_federated_then_has_the_monoliths_answer(suite: str, number: int) -> None:
    # given
    supergraph = planner_of(composed_here(suite)).supergraph
    query = next(islice(random_queries(supergraph.api_schema, suite), number, None))
    expected = Monolith(read_suite(suite), supergraph).answer(query)

    # when
    answer = await ask(Case(suite, number, query, expected.data, bool(expected.errors)), composed_here(suite))

    # then
    check(Case(suite, number, query, expected.data, bool(expected.errors)), answer)
