"""Many write to one model while others come, go and come back: each hears every version once and in order (FC-07, FC-08, TC-08).

In the suite 20 writers with 3 patches each; by `make soak` with 50.
"""

import asyncio
import random
from typing import Any

import pytest

from tests.fakes.city import City
from tests.soak import scaled
from tests.subgraphs.models.test_model_events import VERSIONS
from tests.subgraphs.models.test_models_in_a_city import create, replace

WRITERS, SUBSCRIBERS = 20, 20
PATCHES = scaled(suite=3, soak=50)
LAST = 1 + WRITERS * PATCHES

PATCH = "mutation ($input: PatchModelInput!) { patchModel(input: $input) { newVersion } }"
VERSION = "query ($id: ID!) { model(id: $id) { version } }"


async def write(city: City, model: str, writer: int) -> None:
    base = 1
    for number in range(PATCHES):
        operation = replace(f"/counters/{writer}", number + 1)
        answer = await city.ask(PATCH, {"input": {"id": model, "baseVersion": base, "rebase": True, "patch": [operation]}})
        base = answer["patchModel"]["newVersion"]


async def follow(city: City, model: str, moment: float, patience: random.Random) -> tuple[int, list[int]]:
    """The version that a subscriber had when it came, and those that it heard; it goes and comes back now and then."""
    await asyncio.sleep(moment)
    newest: int = (await city.ask(VERSION, {"id": model}))["model"]["version"]
    since = patience.randint(1, newest)
    place: dict[str, Any] = {"since": since}
    heard: list[int] = []
    while since + len(heard) < LAST:
        async with city.live(VERSIONS, {"model": model, **place}) as live:
            stays_for = patience.randrange(1, LAST)
            while stays_for and since + len(heard) < LAST:
                event = (await live.next())["modelEvents"]
                heard.append(event["newVersion"])
                place = {"after": event["cursor"]}
                stays_for -= 1
    return since, heard


@pytest.mark.soak
@pytest.mark.timeout(scaled(suite=120, soak=3_600))
async def test_versions_when_many_write_while_others_come_and_go_then_each_is_heard_once_and_in_order(city: City) -> None:
    model = (await create(city, {"counters": [0] * WRITERS}))["id"]
    chance = random.Random(8)

    async with asyncio.TaskGroup() as group:
        moments = [chance.uniform(0, PATCHES * 0.5) for _ in range(SUBSCRIBERS)]
        following = [group.create_task(follow(city, model, moment, random.Random(moment))) for moment in moments]
        for writer in range(WRITERS):
            group.create_task(write(city, model, writer))

    told = [task.result() for task in following]
    assert [heard for _, heard in told] == [list(range(since + 1, LAST + 1)) for since, _ in told]
    assert (await city.ask(VERSION, {"id": model}))["model"]["version"] == LAST
