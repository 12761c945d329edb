"""A demo, as `make demo` starts it: its own process, a real socket, a fresh data folder. Started once for all tests."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

CITYGRAPH = Path(sys.executable).parent / "citygraph"
START_SECONDS = 90


@dataclass
class Running:
    """A demo that answers. `output` is what it printed so far on stdout."""

    process: "subprocess.Popen[str]"
    data_dir: Path
    output: str
    log: Path

    @property
    def endpoint(self) -> str:
        return _found(r"^GraphQL +(\S+)$", self.output)

    @property
    def token(self) -> str:
        return _found(r"^Token +(\S+)$", self.output)

    def post(self, query: str, **variables: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}", "accept": "application/graphql-response+json"}
        return httpx.post(self.endpoint, json={"query": query, "variables": variables}, headers=headers, timeout=30)

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer without errors."""
        answer = self.post(query, **variables).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]


def start_demo(data_dir: Path, *flags: str) -> Running:
    """On a free port unless `flags` say otherwise; returns when it has said that it answers."""
    printed, logged = (data_dir.with_name(f"{data_dir.name}.{stream}") for stream in ("stdout", "stderr"))
    with printed.open("w") as stdout, logged.open("w") as stderr:
        command = [str(CITYGRAPH), "demo", "--port", "0", "--data-dir", str(data_dir), *flags]
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr, text=True, env=clean_environment())
    deadline = time.monotonic() + START_SECONDS
    while "cityObjectCounts" not in (output := printed.read_text()):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise AssertionError(f"the demo did not start: {logged.read_text()[-4000:]}")
        time.sleep(0.05)
    return Running(process, data_dir, output, logged)


def stop(running: Running) -> int:
    """SIGTERM, and the exit status."""
    running.process.terminate()
    try:
        return running.process.wait(timeout=15)
    finally:
        running.process.kill()


def clean_environment(**variables: str) -> dict[str, str]:
    """What the tests' own environment says about a city must not count."""
    ours = re.compile(r"KEYCLOAK_|CITYGRAPH_|REDIS_URL|JWKS_URL|DATABASE_URL|DATA_DIR|CITY_ID|HOST|PORT|LOG_LEVEL|CORS_|MAX_PAYLOAD")
    return {**{name: value for name, value in os.environ.items() if not ours.match(name)}, **variables}


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = start_demo(tmp_path_factory.mktemp("demo") / "data")
    yield running
    stop(running)


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    assert match is not None, text
    return match[1]
