"""Processes that ask each other by Redis: who is asked, who answers, and what is said where nobody does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from graph.config import Settings
from graph.errors import Unavailable
from graph.redis_client import redis_client
from graph.subscriptions import redis_peers as module
from graph.subscriptions.opening import open_peers
from graph.subscriptions.peers import NobodyListensError, NoPeers, Question
from graph.subscriptions.redis_peers import RedisPeers
from tests.fakes.redis import Redis


@pytest.fixture
async def peers(redis: Redis) -> AsyncIterator[list[RedisPeers]]:
    """Three processes."""
    made = [RedisPeers(redis_client(redis.url), "peers") for _ in range(3)]
    yield made
    for one in made:
        await one.close()


def answering(answer: Callable[[Question], Any]) -> Callable[[Question], Awaitable[Any]]:
    async def said(question: Question) -> Any:
        return answer(question)

    return said


async def test_question_when_one_process_listens_then_its_answer_comes_back_whoever_asks(peers: list[RedisPeers]) -> None:
    first, second, _ = peers
    heard: list[Question] = []

    async def hear(question: Question) -> Any:
        heard.append(question)
        return {"of": question.body}

    await first.listen("n", hear)

    answers = [await asker.ask("n", {"big": 2**70, "text": "Åsa"}) for asker in (first, second)]

    assert answers == [{"of": {"big": 2**70, "text": "Åsa"}}] * 2
    assert [question.own for question in heard] == [True, False]


async def test_question_when_nobody_listens_any_more_then_that_is_known_at_once(peers: list[RedisPeers]) -> None:
    first, second, third = peers
    await first.listen("n", answering(lambda question: "first"))
    await third.listen("other", answering(lambda question: "third"))
    first.leave("n")

    async with asyncio.timeout(1):
        for asker in (first, second):
            with pytest.raises(NobodyListensError):
                await asker.ask("n", None)
        with pytest.raises(NobodyListensError):
            await second.ask("never", None)


async def test_question_when_several_listen_then_who_says_it_is_not_theirs_is_passed_over(peers: list[RedisPeers]) -> None:
    first, second, third = peers

    async def late_refusal() -> Any:
        await asyncio.sleep(0.05)
        raise NobodyListensError

    await first.listen("n", lambda question: None)
    await second.listen("n", lambda question: late_refusal())
    with pytest.raises(NobodyListensError):
        await third.ask("n", 1)

    await third.listen("n", answering(lambda question: "third"))

    assert [await asker.ask("n", 2) for asker in peers] == ["third"] * 3


async def test_questions_when_two_listen_then_both_hear_them_in_one_order(peers: list[RedisPeers]) -> None:
    heard: list[list[int]] = [[], []]

    def hear(mine: list[int], question: Question) -> None:
        mine.append(question.body)

    for listener, mine in zip(peers, heard, strict=False):
        await listener.listen("n", partial(hear, mine))

    await asyncio.gather(
        *(asker.ask("n", 10 * number + place) for place, asker in enumerate(peers) for number in range(20)), return_exceptions=True
    )

    assert heard[0] == heard[1]
    assert sorted(heard[0]) == sorted(10 * number + place for place in range(3) for number in range(20))


async def test_answer_when_it_takes_longer_than_the_patience_then_it_is_waited_for(
    peers: list[RedisPeers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(module, "WORKING_SECONDS", 0.05)

    async def slow() -> str:
        await asyncio.sleep(0.8)
        return "late"

    await peers[0].listen("n", lambda question: slow())

    assert await peers[1].ask("n", None) == "late"


async def test_process_when_it_dies_over_an_answer_then_whoever_asks_is_told_soon(
    peers: list[RedisPeers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.3)
    began = asyncio.Event()

    async def never() -> None:
        began.set()
        await asyncio.Event().wait()

    await peers[0].listen("n", lambda question: never())
    asking = asyncio.create_task(peers[1].ask("n", None))
    await began.wait()
    await peers[0].close()

    async with asyncio.timeout(1):
        with pytest.raises(Unavailable, match="does not answer"):
            await asking
        with pytest.raises(NobodyListensError):
            await peers[1].ask("n", None)


async def test_question_when_too_many_wait_then_no_more_are_asked(peers: list[RedisPeers], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ASKED", 2)
    going_on = asyncio.Event()

    async def waits() -> str:
        await going_on.wait()
        return "done"

    await peers[0].listen("n", lambda question: waits())
    waiting = [asyncio.create_task(peers[1].ask("n", None)) for _ in range(2)]
    await asyncio.sleep(0)

    with pytest.raises(Unavailable, match="2 questions wait"):
        await peers[1].ask("n", None)
    going_on.set()
    assert await asyncio.gather(*waiting) == ["done", "done"]


async def test_listener_when_it_fails_or_is_sent_nonsense_then_it_hears_on(
    peers: list[RedisPeers], redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    def hear(question: Question) -> Awaitable[Any]:
        if question.body == "bad":
            raise LookupError("our fault")
        return answering(lambda question: "good")(question)

    await peers[0].listen("n", hear)
    client = redis_client(redis.url)
    for nonsense in ("", "[]", "{}", '["x", "y", 1]', "[1, 2"):
        assert await client.publish("peers:questions:n", nonsense) == 1
    await client.aclose()

    with pytest.raises(NobodyListensError):
        await peers[1].ask("n", "bad")
    assert await peers[1].ask("n", "well") == "good"
    assert "our fault" in caplog.text


async def test_redis_when_it_goes_and_comes_back_empty_then_listeners_are_found_again(redis: Redis) -> None:
    first, second = (RedisPeers(redis_client(redis.url), "p") for _ in range(2))
    await first.listen("n", answering(lambda question: "here"))
    assert await second.ask("n", None) == "here"

    redis.kill()
    async with asyncio.timeout(3):
        with pytest.raises(Unavailable):
            await second.ask("n", None)
        with pytest.raises(Unavailable):
            await second.listen("m", answering(lambda question: "m"))
    redis.start()

    # Until all are back, nobody says that there is nobody.
    async with asyncio.timeout(8):
        while True:
            try:
                answer = await second.ask("n", None)
                break
            except Unavailable:
                await asyncio.sleep(0.01)
    assert answer == "here"
    with pytest.raises(Unavailable, match="just come back"):
        await second.ask("unknown", None)
    for one in (first, second):
        await one.close()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, type(None)),
        ({"redis_url": "redis://127.0.0.1:1/0"}, RedisPeers),
        ({"workers": 2, "bus_url": "postgres://h/d"}, NoPeers),
        ({"bus_url": "postgres://h/d"}, NoPeers),
        ({"workers": 2}, NoPeers),
    ],
)
async def test_peers_when_settings_name_a_place_to_meet_then_they_meet_there(settings: dict[str, Any], expected: type) -> None:
    opened = open_peers(Settings.model_validate(settings))

    assert type(opened) is expected
    if opened is not None:
        await opened.close()


async def test_peers_when_there_is_no_place_to_meet_then_what_is_missing_is_said() -> None:
    with pytest.raises(Unavailable, match="REDIS_URL"):
        await NoPeers().listen("n", answering(lambda question: None))
    with pytest.raises(NobodyListensError):
        await NoPeers().ask("n", None)
