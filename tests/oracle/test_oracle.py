"""One gateway over many subgraphs gives the answer that one schema over the same data gives, for any operation.

2,000 operations over all worlds, the same ones each time; with CITYGRAPH_SOAK=1 it is 50,000, other ones each time.
"""

import asyncio
import os
import re
from collections.abc import Iterator
from functools import lru_cache

import pytest
from graphql import build_schema, lexicographic_sort_schema, print_schema, validate
from hypothesis import HealthCheck, Phase, given, settings

from graph.planner.explain import plan_to_text
from tests.oracle.comparison import as_text, difference
from tests.oracle.gateway import Gateway
from tests.oracle.monolith import Monolith
from tests.oracle.operations import REWRITTEN, Drawn, Operation, documents, operations
from tests.oracle.reduction import reduced
from tests.oracle.worlds import WORLDS

SOAK = bool(os.environ.get("CITYGRAPH_SOAK"))
OPERATIONS = 50_000 if SOAK else 2_000
EXAMPLES = OPERATIONS // len(WORLDS) // (1 + REWRITTEN)


@lru_cache
def gateway(world: str) -> Gateway:
    return Gateway(WORLDS[world])


@lru_cache
def monolith(world: str) -> Monolith:
    return Monolith(WORLDS[world])


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as one:
        yield one


def differs(world: str, operation: Operation, runner: asyncio.Runner) -> bool:
    expected = monolith(world).ask(operation.document, operation.variables)
    return difference(runner.run(gateway(world).ask(operation.document, operation.variables)), expected) is not None


def report(world: str, operation: Operation, runner: asyncio.Runner) -> str:
    expected = monolith(world).ask(operation.document, operation.variables)
    answer = runner.run(gateway(world).ask(operation.document, operation.variables))
    parts = [
        f"{difference(answer, expected)}, in the world of {world}:\n{operation.text}\n{operation.variables}",
        plan_to_text(answer.plan),
        f"got      {as_text(answer.data)} {answer.errors}",
        f"expected {as_text(expected.data)} {expected.errors}",
    ]
    return "\n".join(parts)


@pytest.mark.timeout(0 if SOAK else 300)
@pytest.mark.parametrize("world", WORLDS)
def test_gateway_for_any_operation_answers_as_one_schema(world: str, runner: asyncio.Runner) -> None:
    schema = monolith(world).schema

    @settings(
        max_examples=EXAMPLES,
        derandomize=not SOAK,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # a failing operation is made small by cutting it, see reduction.py
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(documents(schema))
    def answers_are_the_same(drawn: Drawn) -> None:
        for operation in operations(schema, drawn):
            if differs(world, operation, runner):
                pytest.fail(report(world, reduced(schema, operation, lambda smaller: differs(world, smaller, runner)), runner))

    answers_are_the_same()


@pytest.mark.parametrize("world", WORLDS)
def test_operations_of_a_world_are_valid_and_of_many_kinds(world: str) -> None:
    schema = monolith(world).schema
    asked: list[Operation] = []

    @settings(max_examples=12, derandomize=True, deadline=None, database=None, phases=[Phase.generate])
    @given(documents(schema))
    def collect(drawn: Drawn) -> None:
        asked.extend(operations(schema, drawn))

    collect()

    assert [error.message for one in asked for error in validate(schema, one.document)] == []
    for sign in (
        r"\$v\d",
        r"@skip\(if: \$",
        r"@include\(if: \$",
        r"@(skip|include)\(if: (true|false)",
        r"\b[abc]: ",
        r"\.\.\.F0",
        "__typename",
    ):
        assert any(re.search(sign, one.text) for one in asked), sign


@pytest.mark.parametrize("world", WORLDS)
def test_composition_of_a_world_gives_the_whole_graph(world: str) -> None:
    composed, whole = gateway(world).supergraph.api_schema, build_schema(WORLDS[world].graph)

    assert print_schema(lexicographic_sort_schema(composed)) == print_schema(lexicographic_sort_schema(whole))
