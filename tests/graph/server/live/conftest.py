"""A server of live connections for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.graph.server.live.streaming import Server, live_server


@pytest.fixture
async def server(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """With the settings of a test's mark `settings`."""
    mark = request.node.get_closest_marker("settings")
    async with live_server(tmp_path, **(mark.kwargs if mark else {})) as server:
        yield server
