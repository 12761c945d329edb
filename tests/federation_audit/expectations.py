"""When an answer is the one that the audit's authors expect."""

from graph.planner.explain import plan_to_text
from tests.federation_audit.audit import Case
from tests.federation_audit.gateway import Answer


def check(case: Case, answer: Answer) -> None:
    """The same data, errors where some are expected and none where not, and no request that its subgraph would refuse."""
    print(case.query, plan_to_text(answer.plan) if answer.plan else "(refused)", sep="\n")
    assert answer.invalid == []
    if not case.errors:
        assert answer.errors == []
    assert answer.data == case.data
    assert bool(answer.errors) == case.errors


def is_met(case: Case, answer: Answer) -> bool:
    return not answer.invalid and answer.data == case.data and bool(answer.errors) == case.errors
