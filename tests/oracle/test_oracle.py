"""One gateway over many subgraphs gives the answer that one schema over the same data gives, for any operation.

2,000 operations over all worlds, the same ones each time; by `make soak` it is 50,000, other ones each time.
"""

import asyncio
import re
from collections.abc import Iterator
from functools import lru_cache

import pytest
from graphql import GraphQLSchema, build_schema, lexicographic_sort_schema, print_type, validate
from hypothesis import HealthCheck, Phase, given, settings

from graph.planner.explain import plan_to_text
from tests.oracle.comparison import as_text, difference
from tests.oracle.gateway import Gateway
from tests.oracle.monolith import Monolith
from tests.oracle.operations import REWRITTEN, Drawn, Operation, documents, operations
from tests.oracle.reduction import reduced
from tests.oracle.worlds import WORLDS
from tests.soak import SOAK, scaled

OPERATIONS = scaled(suite=2_000, soak=50_000)
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


@pytest.mark.soak
@pytest.mark.timeout(scaled(suite=300, soak=0))
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
def test_operations_of_a_world_are_valid(world: str) -> None:
    schema = monolith(world).schema

    for operation in _some_operations(schema, 5):
        assert validate(schema, operation.document) == []


def test_operations_have_everything_that_clients_write() -> None:
    asked = [operation.text for operation in _some_operations(monolith("clashes").schema, 25)]

    for sign in (r"\$v\d", r"@skip\(if: \$", r"@include\(if: \$", r"\(if: (true|false)", r"\b[abc]: ", r"\.\.\.F0", "__typename", r"= "):
        assert any(re.search(sign, text) for text in asked), sign


def _some_operations(schema: GraphQLSchema, examples: int) -> list[Operation]:
    found: list[Operation] = []

    @settings(max_examples=examples, derandomize=True, deadline=None, database=None, phases=[Phase.generate])
    @given(documents(schema))
    def collect(drawn: Drawn) -> None:
        found.extend(operations(schema, drawn))

    collect()
    return found


@pytest.mark.parametrize("world", WORLDS)
def test_composition_of_a_world_gives_the_whole_graph(world: str) -> None:
    assert _types(gateway(world).supergraph.api_schema) == _types(build_schema(WORLDS[world].graph))


def _types(schema: GraphQLSchema) -> dict[str, str]:
    return {name: print_type(one) for name, one in lexicographic_sort_schema(schema).type_map.items()}
