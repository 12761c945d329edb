"""What `benchmarks/live.py` measures with: subscribers that are counted one by one, beside a server that really runs."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from live_load import spread, wire
from live_load.audience import Sent, audience
from live_load.peer import Posted, running_peer
from servers import BenchmarkError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the benchmark reads /proc and uses epoll")

SENSORS = [f"FI-HELSINKI/object/5f0c8a52-3a8e-4a53-9d0e-7a1b8d3f9c{number:02}" for number in range(3)]


@pytest.fixture(scope="module")
def posted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Posted]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", str(Path(wire.__file__).parents[1]))
        with running_peer(tmp_path_factory.mktemp("peer"), None, SENSORS) as (_, source):
            yield source


def test_audience_when_events_are_made_then_each_reaches_everybody_and_is_timed(posted: Posted) -> None:
    with audience(posted, 7, crowds=2, say=lambda _: None) as listeners:
        delivered = listeners.hears(3)

    assert len(delivered.latencies) == 21
    assert delivered.latencies == sorted(delivered.latencies)
    assert 0 < delivered.percentile(0.5) <= delivered.percentile(1) == delivered.latencies[-1] < 60_000
    assert 250 < delivered.frame_bytes < 400


class Skipping(Posted):
    """Leaves a number out each time."""

    def send(self, count: int) -> Sent:
        self.next_number += 1
        return super().send(count)


def test_audience_when_an_event_is_left_out_then_there_are_no_figures(posted: Posted) -> None:
    skipping = Skipping(posted.port, SENSORS)

    with (
        pytest.raises(BenchmarkError, match="a subscriber heard event 2 where 1 was to come"),
        audience(skipping, 2, say=lambda _: None),
    ):
        pass


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frames_when_cut_anywhere_then_whole_ones_are_found_and_the_rest_is_kept(size: int) -> None:
    sent = b"".join(unmasked(payload) for payload in (b"a" * size, b"bc"))

    for cut in (0, 1, 2, 3, 9, len(sent) - 1):
        found, rest = wire.frames(sent[:cut])
        later, nothing = wire.frames(rest + sent[cut:])
        assert (found + later, nothing) == ([(wire.TEXT, b"a" * size), (wire.TEXT, b"bc")], b"")


def unmasked(payload: bytes) -> bytes:
    """As a server sends it: a client's frame without its mask."""
    framed = wire.frame(wire.TEXT, payload)
    head = framed[: len(framed) - len(payload) - 4]
    return bytes((head[0], head[1] & 0x7F)) + head[2:] + payload


def test_spread_when_files_are_few_then_as_many_workers_as_it_takes() -> None:
    assert spread.layout(100_000, 20_000) == spread.Layout(100_000, workers=6, crowds=6)
    assert spread.layout(100_000, 1_000_000) == spread.Layout(100_000, workers=6, crowds=4)
    assert spread.layout(500, 1_024) == spread.Layout(500, workers=2, crowds=1)


def test_spread_when_it_cannot_be_then_the_message_says_what_it_would_take() -> None:
    with pytest.raises(BenchmarkError, match="5 workers do not hold 100,000 subscribers: with 20,000 open files each, 6 are needed"):
        spread.layout(100_000, 20_000, 5)
    with pytest.raises(BenchmarkError, match="a process may have 256 open files, which is too few"):
        spread.layout(10, 256)
    with pytest.raises(BenchmarkError, match="need some 8,859 MiB of memory, and 4,096 MiB are available"):
        spread.check_memory(spread.layout(100_000, 20_000), 4_096)
