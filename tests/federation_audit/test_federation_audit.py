"""The public gateway audit: every query has exactly the answer that its authors expect, and no request is one that a subgraph refuses."""

import logging

import pytest

from tests.federation_audit.audit import Case, cases
from tests.federation_audit.gateway import Answer, ask, composed_here


@pytest.fixture(autouse=True)
def _quiet_subgraphs(caplog: pytest.LogCaptureFixture) -> None:
    """Some suites make a subgraph fail on purpose; what fails by accident is in the answer's errors."""
    caplog.set_level(logging.CRITICAL, logger="graph.executor")


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
async def test_an_audit_query_when_asked_of_our_supergraph_then_has_the_expected_answer(case: Case) -> None:
    # given
    supergraph_sdl = composed_here(case.suite)

    # when
    answer = await ask(case, supergraph_sdl)

    # then
    check(case, answer)


def check(case: Case, answer: Answer) -> None:
    assert answer.invalid == []
    if not case.errors:
        assert answer.errors == []
    assert answer.data == case.data
    assert bool(answer.errors) == case.errors
