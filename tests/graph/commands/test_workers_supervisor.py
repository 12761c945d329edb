"""What watches over workers: who ends is replaced, who cannot be is given up, who does not stop is ended."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from graph.commands import workers as module
from graph.commands.serving import check_workers
from graph.commands.workers import Door, Plan, Supervisor, Work, bound
from graph.config import ConfigError, Settings
from graph.server.run import listen


def stays(listener: socket.socket, on_ready: Callable[[], None]) -> None:
    on_ready()
    time.sleep(600)


def answers(listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Each connection with its process."""
    listener.setblocking(True)
    listener.listen()
    on_ready()
    while True:
        with listener.accept()[0] as connection:
            connection.sendall(str(os.getpid()).encode())


def ends(listener: socket.socket, on_ready: Callable[[], None]) -> None:
    on_ready()
    sys.exit(7)


def cannot_start(listener: socket.socket, on_ready: Callable[[], None]) -> None:
    raise ConfigError("no such store")


def never_stops(listener: socket.socket, on_ready: Callable[[], None]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    on_ready()
    time.sleep(600)


@contextmanager
def door(*, shared: bool = False) -> Iterator[Door]:
    with listen("127.0.0.1", 0) if shared else bound("127.0.0.1", 0) as held:
        yield Door("127.0.0.1", held.getsockname()[1], held if shared else None)


def run(work: Work, at: Door, on_ready: Callable[[], None], *, count: int = 2, stop_seconds: float = 20) -> int:
    return Supervisor(Plan(work, count, at, stop_seconds), on_ready).run()


def stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_workers_when_all_are_ready_then_it_is_said_once_and_a_signal_ends_them() -> None:
    said: list[float] = []

    with door() as at:
        status = run(stays, at, lambda: (said.append(time.monotonic()), stop())[1])

    assert (status, len(said)) == (0, 1)


@pytest.mark.parametrize("shared", [False, True], ids=["a socket each", "one socket"])
def test_worker_when_killed_then_another_answers_at_the_same_port(shared: bool) -> None:
    seen: list[int] = []

    def kill_one_then_stop(port: int) -> None:
        while len(set(seen)) < 3:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                seen.append(int(connection.recv(20) or seen[-1]))
            if len(seen) == 1:
                os.kill(seen[0], signal.SIGKILL)
            time.sleep(0.01)
            if shared and len(set(seen)) == 2:
                break  # one of two may take all connections of a shared socket
        stop()

    with door(shared=shared) as at:
        status = run(answers, at, lambda: threading.Thread(target=kill_one_then_stop, args=(at.port,)).start())

    assert status == 0
    assert seen.count(seen[0]) < len(seen)


def test_workers_when_each_ends_at_once_then_they_are_given_up(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)

    with door() as at:
        status = run(ends, at, lambda: None, count=1)

    assert status == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 4 + ["ERROR"]
    assert "ended with status 7: 5 in a row ended within 10 s, so no other is started" in caplog.text


def test_workers_when_the_first_cannot_start_then_its_status_is_theirs(capfd: pytest.CaptureFixture[str]) -> None:
    with door() as at:
        status = run(cannot_start, at, lambda: None, count=4)

    assert (status, capfd.readouterr().err) == (2, "citygraph: no such store\n")


def test_workers_when_one_does_not_stop_then_it_is_ended_and_that_is_a_failure() -> None:
    with door() as at:
        status = run(never_stops, at, stop, count=1, stop_seconds=0.5)

    assert status == 1


@pytest.mark.parametrize("settings", [{}, {"redis_url": "redis://localhost", "bus_url": "memory://"}])
def test_workers_when_they_would_share_nothing_then_what_is_missing_is_said(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="2 workers need REDIS_URL: "):
        check_workers(Settings.model_validate({"workers": 2, **settings}))


@pytest.mark.parametrize(
    "settings", [{"workers": 1}, {"workers": 2, "redis_url": "redis://h"}, {"workers": 2, "bus_url": "postgres://h/d"}]
)
def test_workers_when_they_share_a_bus_then_they_may_be_several(settings: dict[str, object]) -> None:
    check_workers(Settings.model_validate(settings))
