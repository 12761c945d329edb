"""Load on one server for some seconds, from another process: `wrk` where it is installed, else `gateway_load.client`."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from servers import BenchmarkError, pinned

SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass(frozen=True, slots=True)
class Load:
    """What one round of load measured at the client."""

    requests: int
    seconds: float
    bytes: int
    p50_ms: float
    p99_ms: float
    failed: int


@dataclass(frozen=True, slots=True)
class Generator:
    """How load is made: the posted body is a file, because wrk's script reads one."""

    body: Path
    connections: int
    core: int
    wrk: str | None

    @property
    def name(self) -> str:
        return "wrk" if self.wrk else "its own client (install wrk for more load from the same CPU)"

    def run(self, url: str, seconds: int) -> Load:
        command = self._command(url, seconds)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 60, preexec_fn=pinned(self.core))
        measured = [line for line in done.stdout.splitlines() if line.startswith("MEASURED ")]
        if not measured:
            raise BenchmarkError(f"{command[0]} measured nothing at {url}:\n{(done.stdout + done.stderr)[-2000:]}")
        return Load(**json.loads(measured[0].removeprefix("MEASURED ")))

    def _command(self, url: str, seconds: int) -> list[str]:
        if self.wrk:
            shape = ["-t1", f"-c{self.connections}", f"-d{seconds}s", "--timeout", "20s"]
            return [self.wrk, *shape, "-s", str(SCRIPT), url, "--", str(self.body)]
        return [sys.executable, "-m", "gateway_load.client", url, str(self.body), str(self.connections), str(seconds)]


def generator(body: Path, connections: int, core: int, *, own: bool = False) -> Generator:
    return Generator(body, connections, core, None if own else shutil.which("wrk"))
