"""Who takes part: this gateway, what stands beside it always, and the npm gateways where they are installed."""

import shutil
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from servers import BenchmarkError

HERE = Path(__file__).parent
THIS = "citygraph"


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server to load. `{port}` and `{supergraph}` in its command are filled in."""

    name: str
    command: tuple[str, ...]
    is_gateway: bool
    environment: Mapping[str, str] = field(default_factory=dict)

    def command_at(self, port: int, supergraph: Path) -> list[str]:
        return [part.replace("{port}", str(port)).replace("{supergraph}", str(supergraph)) for part in self.command]


def always() -> list[Contestant]:
    citygraph = Path(sysconfig.get_path("scripts")) / "citygraph"
    if not citygraph.exists():
        raise BenchmarkError(f"{citygraph} is missing; install the project into the environment that runs this: pip install -e .")
    gateway = (str(citygraph), "gateway", "--supergraph", "{supergraph}", "--no-auth", "--host", "127.0.0.1", "--port", "{port}")
    return [Contestant(THIS, gateway, is_gateway=True), _uvicorn("strawberry-monolith", "monolith"), _uvicorn("same-bytes", "same_bytes")]


def _uvicorn(name: str, module: str) -> Contestant:
    flags = (
        "--host",
        "127.0.0.1",
        "--port",
        "{port}",
        "--loop",
        "uvloop",
        "--http",
        "httptools",
        "--no-access-log",
        "--log-level",
        "warning",
    )
    return Contestant(name, (sys.executable, "-m", "uvicorn", f"gateway_load.{module}:app", *flags), is_gateway=False)


def peers(folder: Path) -> list[Contestant]:
    """Those of `hive/` and `apollo/` that are there."""
    found = [
        make(folder / name, _node()) for name, make in (("hive", _hive), ("apollo", _apollo)) if (folder / name / "node_modules").is_dir()
    ]
    if not found:
        raise BenchmarkError(
            f"--peers {folder} has neither hive/node_modules nor apollo/node_modules; benchmarks/README.md says how to install"
        )
    return found


def _hive(folder: Path, node: str) -> Contestant:
    binary = folder / "node_modules/@graphql-hive/gateway/dist/bin.js"
    flags = ("--fork", "1", "--host", "127.0.0.1", "--port", "{port}", "-c", str(HERE / "hive.config.mjs"))
    environment = {"NODE_ENV": "production", "HIVE_FOLDER": str(folder.resolve())}
    return Contestant("hive-rust", (node, str(binary), "supergraph", "{supergraph}", *flags), is_gateway=True, environment=environment)


def _apollo(folder: Path, node: str) -> Contestant:
    command = (node, str(HERE / "apollo.mjs"), str(folder.resolve()), "{supergraph}", "{port}")
    return Contestant("apollo", command, is_gateway=True, environment={"NODE_ENV": "production"})


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        raise BenchmarkError("--peers needs Node 20 or newer: `node` is not on the path")
    return node
