"""The gateway audit on supergraphs that another composition printed: what we plan must not hang on how we print."""

import pytest

from tests.federation_audit.audit import Case, cases, read_suite, suite_names
from tests.federation_audit.expectations import check
from tests.federation_audit.gateway import ask
from tests.federation_audit.oracle.npm_composition import NpmComposed, compose_by_npm

FINDS_UNSATISFIABLE = frozenset({"requires-with-fragments"})
"""Suites of whose satisfiability the other composition is not convinced, though the audit's authors are; it prints them all the same."""

PRINTED_OTHERWISE = dict.fromkeys(
    ("union-intersection-03", "union-intersection-07", "union-intersection-10"),
    "gives a field that is `Book` here and a union there the type `Book`, where the audit's authors ask for other members",
)
"""Queries that the other composition's supergraph cannot serve, and why."""


@pytest.fixture(scope="session")
def npm_supergraphs() -> dict[str, NpmComposed]:
    return compose_by_npm({name: read_suite(name).subgraphs for name in suite_names()})


@pytest.mark.parametrize("suite", suite_names())
def test_npm_composition_when_given_a_suite_then_composes_it(suite: str, npm_supergraphs: dict[str, NpmComposed]) -> None:
    errors = npm_supergraphs[suite].errors

    assert {error.split(":")[0] for error in errors} == ({"SATISFIABILITY_ERROR"} if suite in FINDS_UNSATISFIABLE else set())


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
async def test_an_audit_query_when_asked_of_npms_supergraph_then_has_the_expected_answer(
    case: Case, npm_supergraphs: dict[str, NpmComposed], request: pytest.FixtureRequest
) -> None:
    # given
    if reason := PRINTED_OTHERWISE.get(case.id):
        request.applymarker(pytest.mark.xfail(reason=reason))
    supergraph_sdl = npm_supergraphs[case.suite].supergraph_sdl
    assert supergraph_sdl is not None

    # when
    answer = await ask(case, supergraph_sdl)

    # then
    check(case, answer)
