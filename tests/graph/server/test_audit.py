"""What the gateway hands to the audit log: mutations before their answer leaves, refusals, reads of what is sensitive; nothing else."""

import asyncio
from typing import Any

import pytest
from guarded import Guarded, guarded

from graph.composing import composed
from graph.contracts import AuditEntry, AuditOutcome, SubgraphSDL
from graph.errors import Unavailable
from graph.server.audit import MAX_TARGET

ALLOWED, DENIED, FAILED = AuditOutcome.ALLOWED, AuditOutcome.DENIED, AuditOutcome.FAILED


@pytest.fixture
def city() -> Guarded:
    return guarded()


def _brief(entries: list[AuditEntry]) -> list[tuple[str, str | None, AuditOutcome]]:
    return [(one.operation, one.target, one.outcome) for one in entries]


async def test_mutation_when_it_ran_then_it_is_written_with_who_what_and_which(city: Guarded) -> None:
    await city.answer('mutation { erase(id: "d1") { deletedId } }', scopes=["doc:erase"])

    (entry,) = city.audit.written
    assert (entry.tenant, entry.subject, entry.operation, entry.target) == ("T", "ada", "Mutation.erase", "d1")
    assert (entry.outcome, entry.request_id, entry.trace_id) == (ALLOWED, "request-1", "f" * 32)
    assert entry.at > 1_700_000_000_000
    assert city.audit.noted == []


async def test_mutation_when_denied_then_it_is_written_as_denied_and_its_neighbours_are_not(city: Guarded) -> None:
    query = 'mutation($id: ID!) { gone: erase(id: $id) { deletedId } write(input: {title: "x"}) { doc { id } } }'

    await city.answer(query, {"id": "d9"})

    assert _brief(city.audit.written) == [("Mutation.erase", "d9", DENIED)]
    assert city.sent == []


async def test_mutations_when_one_fails_then_each_has_its_own_outcome(city: Guarded) -> None:
    await city.answer('mutation { a: fail(id: "d1") { doc { id } } b: write(input: {title: "x"}) { doc { body id } } }')

    assert _brief(city.audit.written) == [("Mutation.fail", "d1", FAILED), ("Mutation.write", "d1", ALLOWED)]


@pytest.mark.parametrize(
    ("query", "variables", "target"),
    [
        ('mutation { write(input: {title: "secret", about: "m1"}) { doc { id } } }', {}, "m1"),
        ('mutation($of: ID) { write(input: {title: "secret", about: $of}) { doc { id } } }', {"of": "m2"}, "m2"),
        ("mutation($in: WriteInput!) { write(input: $in) { doc { title } } }", {"in": {"title": "secret", "about": "m3"}}, "m3"),
        ("mutation($in: WriteInput!) { write(input: $in) { doc { title } } }", {"in": {"title": "secret", "nested": ["m4"]}}, None),
        ('mutation { write(input: {title: "secret"}) { made: doc { id: title key: id } } }', {}, "d1"),
        ('mutation { write(input: {title: "secret"}) { doc { id: title } } }', {}, None),
        ("mutation($in: WriteInput!) { write(input: $in) { doc { id } } }", {"in": {"title": "s", "about": "x" * 5_000}}, "x" * MAX_TARGET),
    ],
)
async def test_target_when_an_identifier_is_named_or_made_then_it_is_that_and_never_contents(
    city: Guarded, query: str, variables: dict[str, Any], target: str | None
) -> None:
    await city.answer(query, variables)

    assert _brief(city.audit.written) == [("Mutation.write", target, ALLOWED)]
    assert "secret" not in repr(city.audit.written)


async def test_mutation_when_a_variable_leaves_it_out_then_nothing_is_written(city: Guarded) -> None:
    query = 'mutation($yes: Boolean!) { write(input: {title: "x"}) @include(if: $yes) { doc { id } } }'

    await city.answer(query, {"yes": False})

    assert city.audit.written == []


async def test_query_when_nothing_sensitive_is_asked_then_nothing_is_told(city: Guarded) -> None:
    await city.answer("{ open docs { title parent { id } } top @skip(if: true) }")

    assert (city.audit.written, city.audit.noted) == ([], [])


async def test_query_when_it_reads_personal_data_then_it_is_noted(city: Guarded) -> None:
    await city.answer('{ open doc(id: "d2") { ...Who } } fragment Who on Doc { owner }')

    assert _brief(city.audit.noted) == [("Query.doc", "d2", ALLOWED)]
    assert city.audit.written == []


async def test_query_when_denied_then_it_is_noted(city: Guarded) -> None:
    await city.answer("{ open top }")

    assert _brief(city.audit.noted) == [("Query.top", None, DENIED)]


async def test_query_when_a_sensitive_scope_opens_what_it_reads_then_it_is_noted() -> None:
    sdls = [SubgraphSDL("one", None, REPORTS)]
    city = guarded(sdls, composed(sdls))

    await city.answer("{ open }", roles=["compliance_reader"])
    await city.answer("{ open }", roles=["dt_viewer"])

    assert _brief(city.audit.noted) == [("Query.open", None, ALLOWED), ("Query.open", None, DENIED)]


REPORTS = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@requiresScopes"])
type Query { open: String @requiresScopes(scopes: [["compliance:read"]]) }
"""


async def test_audit_when_it_cannot_be_written_now_then_the_answer_stands_and_the_entry_waits(
    city: Guarded, caplog: pytest.LogCaptureFixture
) -> None:
    city.audit.failure = Unavailable("the store does not answer")

    answer = await city.answer('mutation { write(input: {title: "x"}) { doc { id } } }')

    assert answer.body == {"data": {"write": {"doc": {"id": "d1"}}}}
    assert _brief(city.audit.noted) == [("Mutation.write", "d1", ALLOWED)]
    assert "audit entries of request request-1 could not be written yet: the store does not answer" in caplog.text


async def test_mutation_when_its_request_is_broken_off_then_it_is_written_as_failed(city: Guarded) -> None:
    """Nobody knows what became of it, so it must not be missing."""
    city.may_answer.clear()
    request = asyncio.create_task(city.answer('mutation { erase(id: "d1") { deletedId } }', scopes=["doc:erase"]))
    await city.asked.wait()

    request.cancel()
    await asyncio.gather(request, return_exceptions=True)

    assert request.cancelled()
    assert _brief(city.audit.written) == [("Mutation.erase", "d1", FAILED)]
