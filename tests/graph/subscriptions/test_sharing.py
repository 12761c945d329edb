"""Shared execution: equal subscriptions run once, and none of their subscribers can harm another."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from itertools import pairwise

import pytest

from graph.errors import CityGraphError, InternalError, RateLimited, ResyncRequired
from graph.subscriptions.sharing import Payload, SharedExecutions


class Listener:
    behind = False

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.payloads: list[Payload] = []
        self.ended: list[CityGraphError | None] = []

    def deliver(self, payload: Payload) -> None:
        self.heard.append(payload.text)
        self.payloads.append(payload)

    def end(self, error: CityGraphError | None) -> None:
        self.ended.append(error)


class Source:
    """Streams what is put into it; None completes, an exception breaks off."""

    def __init__(self) -> None:
        self.starts = self.open = 0
        self.queue: asyncio.Queue[str | Exception | None] = asyncio.Queue()

    async def __call__(self) -> AsyncGenerator[Payload, None]:
        self.starts += 1
        self.open += 1
        try:
            while (item := await self.queue.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield Payload(item)
        finally:
            self.open -= 1


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 (what is waited for is no event)
            await asyncio.sleep(0)


async def test_subscriptions_when_equal_then_run_once_and_encoded_once() -> None:
    executions, source, a, b = SharedExecutions(), Source(), Listener(), Listener()

    executions.attach("k", source, a)
    executions.attach("k", source, b)
    source.queue.put_nowait("one")
    await until(lambda: b.heard == ["one"])

    assert (source.starts, executions.running, a.heard) == (1, 1, ["one"])
    assert a.payloads[0] is b.payloads[0]
    await executions.close()


async def test_subscriptions_when_keys_differ_then_run_apart() -> None:
    executions, source, a, b = SharedExecutions(), Source(), Listener(), Listener()

    executions.attach("k", source, a)
    executions.attach("l", source, b)
    await until(lambda: source.starts == 2)

    assert executions.running == 2
    await executions.close()
    assert (source.open, executions.running) == (0, 0)


async def test_subscription_when_its_last_subscriber_leaves_then_its_source_is_closed() -> None:
    executions, source, a, b = SharedExecutions(), Source(), Listener(), Listener()
    first, second = executions.attach("k", source, a), executions.attach("k", source, b)
    await until(lambda: source.open == 1)

    first.detach()
    source.queue.put_nowait("one")
    await until(lambda: b.heard == ["one"])
    second.detach()
    await until(lambda: source.open == 0)

    assert (a.heard, a.ended, b.ended, executions.running) == ([], [], [], 0)


async def test_subscription_when_left_and_asked_for_again_then_started_anew() -> None:
    executions, source, a, b = SharedExecutions(), Source(), Listener(), Listener()

    executions.attach("k", source, a).detach()
    executions.attach("k", source, b)
    source.queue.put_nowait("one")
    await until(lambda: b.heard == ["one"])

    assert a.heard == []
    await executions.close()


@pytest.mark.parametrize(
    ("item", "error"), [(None, type(None)), (ResyncRequired("too far"), ResyncRequired), (ZeroDivisionError(), InternalError)]
)
async def test_subscription_when_it_ends_then_every_subscriber_is_told_how(item: Exception | None, error: type) -> None:
    executions, source, a, b = SharedExecutions(), Source(), Listener(), Listener()
    executions.attach("k", source, a)
    executions.attach("k", source, b)

    source.queue.put_nowait(item)
    await until(lambda: bool(b.ended))

    assert [type(one) for one in a.ended + b.ended] == [error, error]
    assert executions.running == 0


async def test_subscription_when_it_begins_with_the_past_then_joined_only_before_its_first_event() -> None:
    executions, source, early, late = SharedExecutions(), Source(), Listener(), Listener()
    executions.attach("k", source, early, from_the_beginning=True)
    executions.attach("k", source, Listener(), from_the_beginning=True)
    source.queue.put_nowait("one")
    await until(lambda: early.heard == ["one"])

    executions.attach("k", source, late, from_the_beginning=True)
    await until(lambda: source.starts == 2)

    assert late.heard == []
    await executions.close()


async def test_subscriptions_when_too_many_differ_then_the_next_is_refused() -> None:
    executions, source = SharedExecutions(most=2), Source()
    for key in "ab":
        executions.attach(key, source, Listener())

    with pytest.raises(RateLimited):
        executions.attach("c", source, Listener())

    executions.attach("a", source, Listener())
    await executions.close()


async def test_subscribers_when_many_then_the_loop_has_its_turn_between_them() -> None:
    executions, source, turns = SharedExecutions(), Source(), 0
    listeners = [Listener() for _ in range(1_000)]
    for listener in listeners:
        executions.attach("k", source, listener)
    await until(lambda: source.open == 1)

    source.queue.put_nowait("one")
    while not listeners[-1].heard:
        await asyncio.sleep(0)
        turns += bool(listeners[0].heard) and not listeners[-1].heard

    assert turns >= 2
    await executions.close()


@dataclass(eq=False)
class Witness(Listener):
    """Writes down in a list that all share what was said to whom."""

    name: int
    said: list[tuple[int, str]]

    def __post_init__(self) -> None:
        super().__init__()

    def deliver(self, payload: Payload) -> None:
        super().deliver(payload)
        self.said.append((self.name, payload.text))


@pytest.mark.parametrize(
    ("listeners", "texts", "together"),
    [
        (20, ["a", "b", "c"], True),
        (19, ["a", "b", "c"], False),
        (20, ["a" * 8_000, "b", "c"], False),
    ],
)
async def test_events_when_they_come_at_once_then_told_together_to_many_listeners_alone_and_no_more_than_fits(
    listeners: int, texts: list[str], together: bool
) -> None:
    executions, source = SharedExecutions(), Source()
    said: list[tuple[int, str]] = []
    witnesses = [Witness(name, said) for name in range(listeners)]
    for witness in witnesses:
        executions.attach("k", source, witness)
    await until(lambda: source.open == 1)

    for text in texts:
        source.queue.put_nowait(text)
    await until(lambda: witnesses[-1].heard == texts)

    assert all(witness.heard == texts for witness in witnesses)
    assert (said[1] == (0, texts[1])) is together
    await executions.close()


async def test_events_when_many_come_at_once_then_no_more_are_delivered_before_the_loop_has_its_turn() -> None:
    executions, source = SharedExecutions(), Source()
    listeners = [Listener() for _ in range(100)]
    for listener in listeners:
        executions.attach("k", source, listener)
    await until(lambda: source.open == 1)

    for number in range(40):
        source.queue.put_nowait(str(number))
    delivered = [0]
    while delivered[-1] < 4_000:
        await asyncio.sleep(0)
        delivered.append(sum(len(listener.heard) for listener in listeners))

    # Two lots of 16 events go to 15 listeners in one turn, and the last one of 8 to 31.
    assert max(after - before for before, after in pairwise(delivered)) == 248
    assert {tuple(listener.heard) for listener in listeners} == {tuple(map(str, range(40)))}
    await executions.close()


@pytest.mark.parametrize(
    ("item", "error"), [(None, type(None)), (ResyncRequired("too far"), ResyncRequired), (ZeroDivisionError(), InternalError)]
)
async def test_subscription_when_it_ends_behind_events_that_came_at_once_then_all_hear_them_first(
    item: Exception | None, error: type
) -> None:
    executions, source = SharedExecutions(), Source()
    listeners = [Listener() for _ in range(30)]
    for listener in listeners:
        executions.attach("k", source, listener)
    await until(lambda: source.open == 1)

    for each in ("one", "two", item):
        source.queue.put_nowait(each)
    await until(lambda: bool(listeners[-1].ended))

    assert {tuple(listener.heard) for listener in listeners} == {("one", "two")}
    assert {tuple(map(type, listener.ended)) for listener in listeners} == {(error,)}
    assert (source.open, executions.running) == (0, 0)


@pytest.mark.parametrize("turns", range(8))
async def test_subscription_when_many_leave_while_the_next_event_is_awaited_then_its_source_is_closed(turns: int) -> None:
    executions, source = SharedExecutions(), Source()
    listeners = [Listener() for _ in range(30)]
    attachments = [executions.attach("k", source, listener) for listener in listeners]
    await until(lambda: source.open == 1)

    source.queue.put_nowait("one")
    for _ in range(turns):
        await asyncio.sleep(0)
    for attachment in attachments:
        attachment.detach()
    await until(lambda: source.open == 0)

    assert (executions.running, {tuple(listener.ended) for listener in listeners}) == (0, {()})


async def test_stream_when_its_only_listener_is_behind_then_it_waits_and_for_two_it_does_not() -> None:
    executions, source = SharedExecutions(), Source()
    slow, other = Listener(), Listener()
    executions.attach("key", source, slow)
    slow.behind = True
    for item in ("a", "b", "c"):
        source.queue.put_nowait(item)
    await asyncio.sleep(0.1)
    assert slow.heard == ["a"]

    executions.attach("key", source, other)
    await asyncio.sleep(0.1)

    assert (slow.heard, other.heard) == (["a", "b", "c"], ["b", "c"])
    await executions.close()


async def test_stream_when_its_only_listener_has_caught_up_then_it_goes_on() -> None:
    executions, source, slow = SharedExecutions(), Source(), Listener()
    executions.attach("key", source, slow)
    slow.behind = True
    source.queue.put_nowait("a")
    source.queue.put_nowait("b")
    await asyncio.sleep(0.1)

    slow.behind = False
    await asyncio.sleep(0.1)

    assert slow.heard == ["a", "b"]
    await executions.close()
