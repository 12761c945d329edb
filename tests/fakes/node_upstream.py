"""A remote subgraph with event streams by npm's `graphql-ws` and `graphql-sse`, in a process that can be killed and started again."""

import asyncio
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.fakes.node import node_with

HERE = Path(__file__).parent / "node_upstream"
SDL = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Query { last: Reading }
type Subscription { readings(from: Int!, until: Int! = 2147483647, everyMs: Int! = 10): Reading!  caller: Caller!  fails: Int! }
type Caller { authorization: String  parameter: String  requestId: String }
type Reading { value: Int!  sensor: Sensor! }
type Sensor @key(fields: "id") { id: ID! }
"""


class NodeUpstream:
    """It keeps its port when it is started again."""

    def __init__(self, node: str) -> None:
        self._node = node
        self.port = 0
        self._process: Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(self._node, str(HERE / "server.mjs"), str(self.port), stdout=PIPE)
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 30)
        assert line.startswith(b"listening "), line
        self.port = int(line.split()[1])

    async def kill(self) -> None:
        """As `kill -9` does."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()

    async def state(self) -> dict[str, Any]:
        """`connections` (WebSockets) that are open, `everConnected`, and `streams` that run."""
        async with httpx.AsyncClient(trust_env=False) as client:
            found: dict[str, Any] = (await client.get(f"http://127.0.0.1:{self.port}/state")).json()
        return found

    async def becomes(self, **expected: int) -> None:
        """Waits until the state is so, for five seconds at most."""
        for _ in range(100):
            state = await self.state()
            if expected.items() <= state.items():
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{state} never became {expected}")


@asynccontextmanager
async def node_upstream() -> AsyncIterator[NodeUpstream]:
    upstream = NodeUpstream(node_with(HERE))
    await upstream.start()
    try:
        yield upstream
    finally:
        await upstream.kill()
