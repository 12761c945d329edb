"""An answer in parts, put together by its client, is the answer in one piece: for any operation, and any `@defer` in it.

400 operations over all worlds, the same ones each time; by `make soak` it is 20,000, other ones each time.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from graph.planner.explain import plan_to_text
from tests.oracle.comparison import nulls
from tests.oracle.deferring import deferring, merged, with_nulls
from tests.oracle.operations import Drawn, Operation, documents
from tests.oracle.test_oracle import gateway, monolith
from tests.oracle.worlds import WORLDS
from tests.soak import SOAK, scaled

OPERATIONS = scaled(suite=400, soak=20_000)
REWRITTEN = 4
EXAMPLES = OPERATIONS // len(WORLDS) // REWRITTEN


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as one:
        yield one


def difference(world: str, operation: Operation, runner: asyncio.Runner, seen: Counter[str]) -> str | None:
    """What is not the same, None if all is."""
    one = gateway(world)
    whole = runner.run(one.ask(operation.document, operation.variables))
    deliveries = runner.run(one.ask_in_parts(operation.document, operation.variables))
    data, errors, failed = merged(deliveries)
    seen["deliveries"] += len(deliveries)
    seen["parts"] += sum(len(delivery.parts) for delivery in deliveries)
    seen["failed"] += len(failed)
    assert [delivery.has_next for delivery in deliveries] == [True] * (len(deliveries) - 1) + [False]
    announced = [pending for delivery in deliveries for pending in delivery.pending]
    assert sorted(pending.number for pending in announced) == sorted(p.pending.number for d in deliveries for p in d.parts)
    shown = with_nulls(data, failed, whole.data)
    if shown != whole.data:
        return f"the data differ\n{shown}\n{whole.data}\nfailed: {failed}"
    told, wanted = nulls(shown, (e.get("path", ()) for e in errors)), nulls(whole.data, (e.get("path", ()) for e in whole.errors))
    if told != wanted:
        return f"errors are told at {sorted(told - wanted, key=str)}, and not at {sorted(wanted - told, key=str)}"
    return None


@pytest.mark.soak
@pytest.mark.timeout(scaled(suite=120, soak=0))
@pytest.mark.parametrize("world", WORLDS)
def test_parts_of_an_answer_when_put_together_then_are_the_answer_in_one_piece(world: str, runner: asyncio.Runner) -> None:
    schema = gateway(world).supergraph.api_schema
    seen: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES,
        derandomize=not SOAK,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(documents(monolith(world).schema))
    def parts_are_the_whole(drawn: Drawn) -> None:
        document, seed = drawn
        random = Random(seed)
        for _ in range(REWRITTEN):
            operation = deferring(schema, Operation("", {}, document), random)
            if operation is None:
                continue
            if (found := difference(world, operation, runner, seen)) is not None:
                plan = plan_to_text(gateway(world).plan(operation.document))
                pytest.fail(f"{found}, in the world of {world}:\n{operation.text}\n{operation.variables}\n{plan}")

    parts_are_the_whole()
    print(seen)
