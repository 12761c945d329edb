"""When a subgraph that went away is tried again, by a clock that the test moves."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from graph.executor.transports import upstream_backoff
from graph.executor.transports.upstream_backoff import Backoff


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the time on; nothing is cut from delays."""
    moved = 0.0

    def advance(seconds: float) -> None:
        nonlocal moved
        moved += seconds

    monkeypatch.setattr(upstream_backoff, "_now", lambda: moved)
    monkeypatch.setattr(random, "uniform", lambda _low, high: high)
    monkeypatch.setattr(asyncio, "timeout_at", lambda _when: asyncio.timeout(0.01))
    return advance


async def turns(backoff: Backoff, advance: Callable[[float], None], seconds: int) -> list[int]:
    """In which seconds somebody who keeps failing may try."""
    found = []
    for second in range(seconds):
        trying = asyncio.create_task(backoff.turn(10_000))
        await asyncio.sleep(0)
        if trying.done():
            found.append(second)
        trying.cancel()
        advance(1)
    return found


async def test_turns_when_the_subgraph_stays_away_then_they_come_after_1_2_4_4_seconds(clock: Callable[[float], None]) -> None:
    backoff = Backoff()

    backoff.lost()
    backoff.lost()

    assert await turns(backoff, clock, 16) == [1, 3, 7, 11, 15]


async def test_turns_when_many_wait_then_one_tries_and_all_go_on_once_it_is_back(clock: Callable[[float], None]) -> None:
    backoff = Backoff()
    backoff.lost()
    waiting = [asyncio.create_task(backoff.turn(100)) for _ in range(50)]
    await asyncio.sleep(0)
    clock(1)
    await asyncio.sleep(0.05)
    trying = sum(one.done() for one in waiting)

    backoff.reached()
    await asyncio.wait_for(asyncio.gather(*waiting), 1)

    assert trying == 1


@pytest.mark.parametrize(("up_for", "after"), [(11, [1]), (9, [])])
async def test_turns_when_it_goes_away_again_then_delays_begin_anew_only_if_it_was_there_for_a_while(
    clock: Callable[[float], None], up_for: int, after: list[int]
) -> None:
    backoff = Backoff()
    backoff.lost()
    await turns(backoff, clock, 4)
    backoff.reached()
    clock(up_for)

    backoff.lost()

    assert await turns(backoff, clock, 2) == after


async def test_turns_when_time_is_over_then_it_is_told_also_if_the_subgraph_comes_and_goes(clock: Callable[[float], None]) -> None:
    backoff = Backoff()
    backoff.lost()
    clock(0.5)

    for until in (0.4, 0.5):
        with pytest.raises(TimeoutError):
            await backoff.turn(until)
    backoff.reached()
    with pytest.raises(TimeoutError):
        await backoff.turn(0.5)


async def test_failure_when_it_is_fresh_then_it_answers_for_those_who_come_after_it(clock: Callable[[float], None]) -> None:
    backoff = Backoff()
    backoff.failed("refused")

    told: list[Any] = [backoff.fresh_failure()]
    clock(0.6)
    told.append(backoff.fresh_failure())
    backoff.failed("refused")
    backoff.reached()
    told.append(backoff.fresh_failure())

    assert told == ["refused", None, None]
