"""What live connections cost: deliveries a second of CPU time, memory, and how soon an event reaches everybody who listens.

    python benchmarks/live.py [--quick] [--only deliveries memory fan-out patch]
    python benchmarks/live.py spread [--subscribers 100000]

The servers run as an operator starts them and stand on a core of their own; the subscribers share another. `spread` has a city of many
workers instead, which share all cores with the subscribers. Every event must reach every subscriber, once and in order, or there are no
figures. benchmarks/README.md says how to read them. Linux only.
"""

import argparse
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from servers import BenchmarkError, Cores, open_files

HERE = Path(__file__).parent
PARTS = ("deliveries", "memory", "fan-out", "patch")
SETTINGS = re.compile(r"KEYCLOAK_|CITYGRAPH_|WEBSOCKET_|CORS_|(REDIS_URL|JWKS_URL|DATABASE_URL|DATA_DIR|CITY_ID|HOST|PORT|LOG_LEVEL)$")
"""What this shell says about a city is not for the one that is measured."""


def parts(arguments: argparse.Namespace, folder: Path, say: Callable[[str], None]) -> Iterator[Iterator[str]]:
    """Each gives the lines of its table as they come."""
    # A process of subscribers loads this file as well, and should be there soon.
    from live_load import deliveries, fan_out, spread

    open_files()
    if arguments.command == "spread":
        yield spread.measure(arguments.subscribers, arguments.workers, arguments.events, folder, say)
        return
    cores = Cores.of_this_machine()
    several = fan_out.QUICK if arguments.quick else fan_out.Sizes()
    for part in arguments.only:
        match part:
            case "deliveries":
                yield deliveries.measure(deliveries.QUICK if arguments.quick else deliveries.Sizes(), cores, folder, say)
            case "memory":
                yield fan_out.memory(several, cores, folder, say)
            case "fan-out":
                yield fan_out.fan_out(several, cores, folder, say)
            case "patch":
                yield fan_out.patch(several, cores, folder, say)


def arguments_of(command_line: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="everything on a small scale, in a minute")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}: these alone")
    commands = parser.add_subparsers(dest="command", metavar="spread")
    many = commands.add_parser("spread", help="over the workers of one city, which share their events by Redis")
    many.add_argument("--subscribers", type=at_least_one, default=100_000, help="(%(default)s)")
    many.add_argument("--workers", type=at_least_one, help="instead of as many as are needed")
    many.add_argument("--events", type=at_least_one, default=5, help="that reach everybody, one after the other (%(default)s)")
    return parser.parse_args(command_line)


def at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def prepare_environment() -> None:
    """For the servers that are started: they find `live_load`, and no settings."""
    for name in [name for name in os.environ if SETTINGS.match(name)]:
        del os.environ[name]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])


def main() -> None:
    arguments = arguments_of()
    prepare_environment()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that whoever ends this ends its servers too
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {text}", file=sys.stderr, flush=True)

    print(f"load of the machine before: {os.getloadavg()[0]:.1f}", flush=True)
    try:
        with tempfile.TemporaryDirectory(prefix="live-benchmark-") as folder:
            for part in parts(arguments, Path(folder), say):
                print(flush=True)
                for line in part:
                    print(line, flush=True)
    except BenchmarkError as error:
        sys.exit(f"live.py: {error}")
    say("done")
    print(f"\nload of the machine after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
