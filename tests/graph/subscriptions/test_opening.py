"""Which bus the settings give, and when a process that is cut off says so."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from carrying import heard, numbers, process, told

from graph.config import ConfigError, Settings
from graph.errors import Unavailable
from graph.subscriptions.opening import open_bus
from tests.fakes.redis import Redis


def settings(**values: object) -> Settings:
    return Settings.model_validate(values)


@pytest.mark.parametrize("values", [{}, {"bus_url": "memory://"}, {"redis_url": "redis://localhost", "bus_url": "memory://"}])
def test_bus_when_none_is_configured_then_in_memory_and_never_unready(values: dict[str, object]) -> None:
    opened = open_bus(settings(**values))

    assert (opened.shared, dict(opened.checks)) == (False, {})


def test_bus_when_its_url_is_of_no_known_kind_then_the_setting_is_named() -> None:
    with pytest.raises(ConfigError, match="CITYGRAPH_BUS_URL: 'amqp' is none of redis, rediss, postgres, postgresql, kafka, memory"):
        open_bus(settings(bus_url="amqp://localhost"))


def test_bus_when_a_package_is_missing_then_it_says_which() -> None:
    with pytest.raises(ConfigError, match=r"kafka needs the package aiokafka: pip install 'broadcaster\[kafka\]'"):
        open_bus(settings(bus_url="kafka://localhost:9092"))


async def becomes(check: Callable[[], Awaitable[None]], ready: bool) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                await check()
                found = True
            except Unavailable:
                found = False
            if found is ready:
                return
            await asyncio.sleep(0.05)


async def test_check_when_the_bus_is_away_for_long_then_not_ready_until_it_is_back(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.subscriptions.carrier.PROBE_SECONDS", 0.2)
    opened = open_bus(settings(redis_url=redis.url, bus_grace_s=1.5))
    check = opened.checks["the event bus"]
    await opened.bus.start()
    await check()

    redis.kill()
    await check()
    await becomes(check, ready=False)
    redis.start()
    await becomes(check, ready=True)
    await opened.bus.close()


def test_check_when_the_grace_is_none_then_there_is_none() -> None:
    assert open_bus(settings(redis_url="redis://localhost", bus_grace_s=0)).checks == {}


async def test_buses_when_of_two_cities_then_neither_hears_the_other(redis: Redis) -> None:
    async with (
        process(redis.url) as one,
        process(redis.url, city_id="SE-OTHER") as two,
        one.listen("t", ["c"]) as at_one,
        two.listen("t", ["c"]) as at_two,
    ):
        await one.publish([told(1)])
        await two.publish([told(2)])

        assert numbers(await heard(at_one, 1)) == [1]
        assert numbers(await heard(at_two, 1)) == [2]
