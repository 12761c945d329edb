"""The public gateway audit: every query has exactly the answer that its authors expect, and no request is one that a subgraph refuses."""

import pytest

from tests.federation_audit.audit import Case, cases
from tests.federation_audit.expectations import check
from tests.federation_audit.gateway import ask, composed_here


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
async def test_an_audit_query_when_asked_of_our_supergraph_then_has_the_expected_answer(case: Case) -> None:
    # given
    supergraph_sdl = composed_here(case.suite)

    # when
    answer = await ask(case, supergraph_sdl)

    # then
    check(case, answer)
