"""Every command of the README runs as it stands there, `make test` (that is this) and containers apart."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import clean_environment
from tests.fakes.postgresql import PostgreSQL
from tests.fakes.redis import Redis

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ENDPOINT = re.compile(r"http://\S+/graphql")
EVENT = re.compile(r"^event: .*\ndata: .*$", re.MULTILINE)
SERVERS = ("make demo", "citygraph gateway", "citygraph serve")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def _commands() -> list[str]:
    """One command each, continued lines joined as the shell would."""
    lines = "".join(_blocks("sh")).replace("\\\n", " ").splitlines()
    return [line for line in lines if line != "make test" and not line.startswith("docker ")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clone as far as the commands look at it, with the files that the README shows."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "citygraph").symlink_to(Path(sys.executable).parent / "citygraph")
    (tmp_path / ".venv" / ".installed").touch()
    for name in ("demo", "Makefile", "pyproject.toml", "README.md"):
        (tmp_path / name).symlink_to(ROOT / name)
    for text in _blocks("yaml") + _blocks("graphql"):
        (tmp_path / text.partition("\n")[0].removeprefix("# ")).write_text(text, encoding="utf-8")
    return tmp_path


def test_commands_when_run_as_written_then_each_works(demo: Any, folder: Path, postgresql: PostgreSQL, redis: Redis) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "citygraph.db").write_bytes((demo.data_dir / "citygraph.db").read_bytes())
    environment = clean_environment(DATA_DIR=str(folder / "data"), PORT="0")
    endpoint, database = "", postgresql.url(postgresql.create())
    answers = map(json.loads, _blocks("json"))

    with ExitStack() as running:
        for command in _commands():
            asked = command.replace("postgresql://citygraph@127.0.0.1:5432/citygraph", database)
            asked = asked.replace("redis://127.0.0.1:6379/0", redis.url)
            if any(server in command for server in SERVERS):
                answering = running.enter_context(_served(asked, folder, environment))
                endpoint = endpoint or answering
                continue
            asked = asked.replace("http://127.0.0.1:8000/graphql", endpoint)
            if "subscription" in asked:
                followed = running.enter_context(_followed(asked, folder, environment))
                continue
            done = subprocess.run(
                ["bash", "-c", asked], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=90
            )
            assert done.returncode == 0, f"{command}\n{done.stderr}"
            if command.startswith("curl"):
                assert json.loads(done.stdout) == next(answers)
        assert followed() == _event()

    assert len(_commands()) == 15
    assert list(answers) == []


def _event() -> str:
    """What the README shows of the subscription."""
    (shown,) = [text for text in _blocks("text") if text.startswith("event:")]
    return shown.strip()


@contextmanager
def _followed(command: str, folder: Path, environment: dict[str, str]) -> Iterator[Callable[[], str]]:
    """A command that goes on until it is ended; gives its first event, once that has come."""
    output = folder / "followed"

    def begun() -> str:
        return output.read_text(encoding="utf-8")

    def event() -> str:
        _wait(lambda: EVENT.search(begun()) is not None, begun)
        return "\n".join(match[0] for match in EVENT.finditer(begun()))

    with output.open("w") as stream:
        process = subprocess.Popen(
            ["bash", "-c", command], cwd=folder, env=environment, stdout=stream, stderr=stream, start_new_session=True
        )
    try:
        _wait(lambda: begun() != "", begun)
        yield event
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=20)


@contextmanager
def _served(command: str, folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Where it says that it answers; ended as Ctrl-C ends it."""
    output = folder / f"output-{len(list(folder.iterdir()))}"
    with output.open("w") as stream:
        process = subprocess.Popen(
            ["bash", "-c", command], cwd=folder, env=environment, stdout=stream, stderr=stream, start_new_session=True
        )
    try:
        _wait(lambda: process.poll() is not None or ENDPOINT.search(output.read_text()) is not None, output.read_text)
        found = ENDPOINT.search(output.read_text())
        assert found is not None, f"{command}\n{output.read_text()}"
        yield found[0]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=20)


def _wait(until: Callable[[], bool], told: Callable[[], str]) -> None:
    """A minute at most."""
    deadline = time.monotonic() + 60
    while not until():
        assert time.monotonic() < deadline, told()
        time.sleep(0.05)
