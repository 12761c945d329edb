"""Apollo Client, in both of its forms, and urql read answers in parts from a server on a real socket (issue 5, "Protocols")."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.node import node_with
from tests.fakes.servers import served
from tests.graph.server.guarded import Recording, guarded, principal

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def node() -> str:
    return node_with(HERE)


@pytest.mark.parametrize("client", ["apollo by path", "apollo by id", "urql"])
async def test_client_when_a_part_is_slow_then_shows_the_rest_before(node: str, client: str) -> None:
    city = guarded()
    city.application._parts.authenticator._principal = principal(["price:read"])  # type: ignore[attr-defined]
    prices = city.application.in_service.current.version.pipeline._executor._transports["prices"]
    assert isinstance(prices, Recording)
    prices.may_answer = asyncio.Event()

    pipe = asyncio.subprocess.PIPE
    async with served(city.application) as url, asyncio.timeout(40):
        process = await asyncio.create_subprocess_exec(node, str(HERE / "defer.mjs"), client, f"{url}/graphql", stdin=pipe, stdout=pipe)
        assert process.stdout is not None
        try:
            first = json.loads(await process.stdout.readline())
            prices.may_answer.set()
            following = [json.loads(line) async for line in process.stdout]
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    assert first == {"data": {"docs": [doc("d1", "One"), doc("d2", "Two")]}, "errors": [], "state": "streaming"}
    slow: dict[str, Any] = {"price": 7, "length": None, "nested": None}
    assert following[-1] == {
        "data": {"docs": [doc("d1", "One", **slow), doc("d2", "Two", **slow)]},
        "errors": [["docs", 0, "length"], ["docs", 1, "length"]],
        "state": "complete",
    }


def doc(identifier: str, title: str, **more: Any) -> dict[str, Any]:
    return {"__typename": "Doc", "id": identifier, "title": title, **more}
