"""The circuit breaker: after 5 failures in a row nobody asks for 30 s, then one does, and after 3 successes all may again."""

import pytest

from graph.errors import Unavailable
from graph.executor.health import CircuitState, SubgraphHealth


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def opened(clock: Clock) -> SubgraphHealth:
    health = SubgraphHealth(clock=clock)
    for _ in range(5):
        health.admit("s")
        health.failed("gone")
    return health


def test_circuit_when_four_failures_and_a_success_then_stays_closed() -> None:
    health = SubgraphHealth()

    for _ in range(3):
        for _ in range(4):
            health.failed("gone")
        health.succeeded()

    assert health.circuit is CircuitState.CLOSED
    health.admit("s")


def test_circuit_when_five_failures_in_a_row_then_open_and_nothing_is_sent() -> None:
    clock = Clock()
    health = opened(clock)

    clock.seconds += 29.4
    with pytest.raises(Unavailable, match="'s' has failed 5 times in a row and is left alone") as refused:
        health.admit("s")

    assert health.circuit is CircuitState.OPEN
    assert refused.value.extensions == {"circuit": "OPEN", "retryAfterSeconds": 1}


def test_circuit_when_30_seconds_have_passed_then_one_probe_goes_and_others_wait() -> None:
    clock = Clock()
    health = opened(clock)

    clock.seconds += 30
    assert health.circuit is CircuitState.HALF_OPEN
    health.admit("s")

    with pytest.raises(Unavailable):
        health.admit("s")


def test_circuit_when_the_probe_fails_then_open_for_another_30_seconds() -> None:
    clock = Clock()
    health = opened(clock)
    clock.seconds += 30
    health.admit("s")

    health.failed("still gone")

    clock.seconds += 29
    assert health.circuit is CircuitState.OPEN
    clock.seconds += 1
    assert health.circuit is CircuitState.HALF_OPEN


def test_circuit_when_three_probes_succeed_then_closed() -> None:
    clock = Clock()
    health = opened(clock)
    clock.seconds += 30

    states = []
    for _ in range(3):
        health.admit("s")
        health.succeeded()
        states.append(health.circuit)

    assert states == [CircuitState.HALF_OPEN, CircuitState.HALF_OPEN, CircuitState.CLOSED]
