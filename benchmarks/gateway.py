"""How many operations a second the gateway answers, beside others that answer the same one in the same run.

    python benchmarks/gateway.py [--seconds 10] [--rounds 3] [--peers FOLDER]

One process under load, on a core of its own; subgraphs and load generator on another. Each contestant must give the right answer before
it is loaded. Rounds are interleaved, so that what else the machine does meets all of them. benchmarks/README.md says how to read the table.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.request import urlopen

from gateway_load import shop
from gateway_load.contestants import THIS, Contestant, always, peers
from gateway_load.load import Generator, Load, generator
from servers import (
    BenchmarkError,
    Cores,
    Server,
    cpu_seconds,
    first_answer,
    free_port,
    post,
    printed_port,
    resident_mb,
    start,
    stop,
)

from graph.composition import Composed, SubgraphSDL, compose

HERE = Path(__file__).parent
BODY = json.dumps({"query": shop.QUERY}).encode()
BUSY = 0.9
"""CPU share below which a row shows what the server waited for, not what it can do."""
LATENCIES = 8
"""Median latencies that a round should be long: what is in flight when it ends cost CPU time and is not counted."""


@dataclass(frozen=True, slots=True)
class Running:
    contestant: Contestant
    server: Server
    url: str
    answer_bytes: int


@dataclass(frozen=True, slots=True)
class Round:
    load: Load
    cpu_s: float
    fetches: int


@dataclass(frozen=True, slots=True)
class Row:
    """All rounds of one contestant."""

    name: str
    requests_per_s: float
    cpu_share: float
    requests_per_cpu_s: float
    p50_ms: float
    p99_ms: float
    resident_mb: float
    fetches: float
    marks: str


@contextmanager
def running_subgraphs(core: int, folder: Path) -> Iterator[str]:
    """The URL under which all four answer."""
    command = [sys.executable, "-m", "gateway_load.subgraphs"]
    server = start("subgraphs", command, core, folder)
    try:
        yield f"http://127.0.0.1:{printed_port(server)}"
    finally:
        stop(server)


def supergraph_over(url: str) -> str:
    composed = compose([SubgraphSDL(name, f"{url}/{name}", shop.LINK + sdl) for name, sdl in shop.SUBGRAPHS.items()])
    if not isinstance(composed, Composed):
        raise BenchmarkError(f"the subgraphs do not compose: {composed}")
    return composed.supergraph_sdl


@contextmanager
def running(contestant: Contestant, supergraph: Path, subgraphs: str, core: int, folder: Path) -> Iterator[Running]:
    """Started, and known to answer rightly."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/graphql"
    server = start(contestant.name, contestant.command_at(port, supergraph), core, folder, contestant.environment)
    try:
        check(contestant.name, first_answer(server, url, BODY))
        requests_since(subgraphs)
        answer = post(url, BODY)  # the second one comes from a plan that is remembered
        check(contestant.name, answer)
        print(f"{contestant.name}: right, {len(answer)} bytes, {requests_since(subgraphs)} fetches", file=sys.stderr)
        yield Running(contestant, server, url, len(answer))
    finally:
        stop(server)


def check(name: str, answer: bytes) -> None:
    got = json.loads(answer)
    if got.get("errors") or got.get("data") != shop.right_answer():
        raise BenchmarkError(f"{name} gives a wrong answer: {answer[:500]!r}")


def requests_since(subgraphs: str) -> int:
    """Requests that the subgraphs had since this was asked last."""
    with urlopen(f"{subgraphs}/requests", timeout=5) as response:
        return sum(json.load(response).values())


def warm_up(one: Running, load: Generator, cpu_s: int) -> None:
    """By the server's own CPU time: on a busy machine a second of the clock warms a just-in-time compiler by less."""
    wanted, given_up = cpu_seconds(one.server) + cpu_s, time.monotonic() + 4 * cpu_s
    while cpu_seconds(one.server) < wanted and time.monotonic() < given_up:
        load.run(one.url, min(4, cpu_s))
    settle(one.server)


def settle(server: Server) -> None:
    """Waits until the server has worked off what the load generator left, which would take from the next one's core."""
    given_up, before = time.monotonic() + 15, -1.0
    while (now := cpu_seconds(server)) - before > 0.02 and time.monotonic() < given_up:
        before = now
        time.sleep(0.25)


def one_round(one: Running, load: Generator, subgraphs: str, seconds: int) -> Round:
    requests_since(subgraphs)
    before = cpu_seconds(one.server)
    measured = load.run(one.url, seconds)
    cpu_s = cpu_seconds(one.server) - before
    fetches = requests_since(subgraphs)
    settle(one.server)
    if measured.failed or measured.bytes < measured.requests * one.answer_bytes:
        raise BenchmarkError(f"{one.contestant.name} failed {measured.failed} of {measured.requests} requests, or answered them in part")
    return Round(measured, cpu_s, fetches)


def row(one: Running, rounds: Sequence[Round]) -> Row:
    requests, seconds = sum(r.load.requests for r in rounds), sum(r.load.seconds for r in rounds)
    cpu_s, p50_ms = sum(r.cpu_s for r in rounds), median(r.load.p50_ms for r in rounds)
    marks = ("*" if cpu_s < BUSY * seconds else "") + ("†" if p50_ms * LATENCIES * len(rounds) > seconds * 1000 else "")
    return Row(
        name=one.contestant.name,
        requests_per_s=requests / seconds,
        cpu_share=cpu_s / seconds,
        requests_per_cpu_s=requests / max(cpu_s, 0.01),
        p50_ms=p50_ms,
        p99_ms=median(r.load.p99_ms for r in rounds),
        resident_mb=resident_mb(one.server),
        fetches=sum(r.fetches for r in rounds) / max(1, requests),
        marks=marks,
    )


def measure(contestants: Sequence[Contestant], arguments: argparse.Namespace, folder: Path) -> list[Row]:
    cores = Cores.of_this_machine()
    body = folder / "body.json"
    body.write_bytes(BODY)
    load = generator(body, arguments.connections, cores.others, own=arguments.own_client)
    with ExitStack() as stack:
        subgraphs = stack.enter_context(running_subgraphs(cores.others, folder))
        supergraph = folder / "supergraph.graphql"
        supergraph.write_text(supergraph_over(subgraphs))
        ready = [stack.enter_context(running(one, supergraph, subgraphs, cores.server, folder)) for one in contestants]
        print(f"answer {ready[0].answer_bytes / 1000:.1f} kB · {arguments.connections} connections · load by {load.name}", flush=True)
        if arguments.check_only:
            return []
        return measured_in_rounds(ready, load, subgraphs, arguments)


def measured_in_rounds(ready: Sequence[Running], load: Generator, subgraphs: str, arguments: argparse.Namespace) -> list[Row]:
    for one in ready:
        warm_up(one, load, arguments.warm)
    rounds: list[list[Round]] = [[] for _ in ready]
    for number in range(arguments.rounds):
        for one, own in zip(ready, rounds, strict=True):
            own.append(one_round(one, load, subgraphs, arguments.seconds))
            print(f"round {number + 1}: {one.contestant.name} {own[-1].load.requests / own[-1].load.seconds:.0f}/s", file=sys.stderr)
    return [row(one, own) for one, own in zip(ready, rounds, strict=True)]


def table(rows: Sequence[Row]) -> Iterator[str]:
    this = next(row for row in rows if row.name == THIS)
    columns = ("req/s", "CPU", "req/CPU-s", "p50 ms", "p99 ms", "MB", "fetches")
    yield f"{'':24}" + "".join(f"{column:>11}" for column in columns) + f"{THIS + ' per CPU-s':>24}"
    for row in rows:
        ratio = f"{this.requests_per_cpu_s / max(row.requests_per_cpu_s, 0.01):.3g} × as many"
        cells = (
            f"{row.requests_per_s:.0f}",
            f"{row.cpu_share:.2f}",
            f"{row.requests_per_cpu_s:.0f}",
            f"{row.p50_ms:.1f}",
            f"{row.p99_ms:.1f}",
            f"{row.resident_mb:.0f}",
            f"{row.fetches:.1f}",
        )
        yield f"{row.name + ' ' + row.marks:24}" + "".join(f"{cell:>11}" for cell in cells) + f"{'' if row is this else ratio:>24}"
    if any("*" in row.marks for row in rows):
        yield f"* less than {BUSY:.0%} of a core: requests/s and latency are of what the server waited for"
    if any("†" in row.marks for row in rows):
        yield f"† a round was not {LATENCIES} median latencies long: more --seconds, or fewer --connections"


def arguments_of(command_line: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10, help="of load in each round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of all contestants in turn (%(default)s)")
    parser.add_argument("--warm", type=int, default=10, help="seconds of CPU time under load before the rounds (%(default)s)")
    parser.add_argument("--connections", type=int, default=50, help="kept busy at once (%(default)s)")
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help="where hive/ and apollo/ have their node_modules")
    parser.add_argument("--only", nargs="+", metavar="NAME", help=f"contestants beside {THIS}: these alone")
    parser.add_argument("--own-client", action="store_true", help="load by our own client even where wrk is installed")
    parser.add_argument("--check-only", action="store_true", help="the right answer, and no load")
    return parser.parse_args(command_line)


def chosen(arguments: argparse.Namespace) -> list[Contestant]:
    everybody = always() + (peers(arguments.peers) if arguments.peers else [])
    unknown = set(arguments.only or ()) - {one.name for one in everybody}
    if unknown:
        raise BenchmarkError(f"--only {sorted(unknown)}: there are {[one.name for one in everybody]}")
    return [one for one in everybody if arguments.only is None or one.name in {THIS, *arguments.only}]


def main() -> None:
    arguments = arguments_of()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])  # servers find gateway_load
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that whoever ends this ends its servers too
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="gateway-benchmark-") as folder:
            rows = measure(chosen(arguments), arguments, Path(folder))
    except BenchmarkError as error:
        sys.exit(f"gateway.py: {error}")
    if rows:
        print("\n".join(table(rows)))
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
