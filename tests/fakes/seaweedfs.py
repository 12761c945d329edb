"""An S3 server of the tests' own: SeaweedFS, from its package on PyPI, in a folder of its own and on free ports."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import httpx

ACCESS_KEY, SECRET_KEY = "citygraph", "a-secret-of-the-tests"
_PORTS = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc", "s3.port", "s3.port.grpc")
_START_SECONDS = 60
_WEED = Path(sys.executable).parent / "weed"


@dataclass(frozen=True, slots=True)
class SeaweedFS:
    """A running server. It makes a bucket when something is first put there."""

    endpoint: str

    def url(self, bucket: str, prefix: str = "") -> str:
        """The bucket as CityGraph's settings name it."""
        return f"s3://{bucket}/{prefix}?endpoint={self.endpoint}&region=us-east-1&path_style=true&allow_http=true"

    @property
    def environment(self) -> dict[str, str]:
        """The credentials, where the client looks for them."""
        return {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}


def installed() -> bool:
    return _WEED.exists()


@contextmanager
def running_seaweedfs() -> Iterator[SeaweedFS]:
    """A server that lives as long as the block."""
    folder = Path(mkdtemp(prefix="citygraph-seaweedfs-"))
    ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(_command(folder, ports), cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        server = SeaweedFS(f"http://127.0.0.1:{ports['s3.port']}")
        _wait(server, process, folder / "log")
        yield server
    finally:
        process.kill()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _command(folder: Path, ports: dict[str, int]) -> list[str]:
    keys = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
    config = {"identities": [{"name": "tests", "credentials": keys, "actions": ["Admin", "Read", "List", "Tagging", "Write"]}]}
    (folder / "s3.json").write_text(json.dumps(config))
    (folder / "data").mkdir()
    options = {
        "dir": folder / "data",
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "filer": "true",
        "filer.localSocket": folder / "filer.sock",
        "s3": "true",
        "s3.config": folder / "s3.json",
        "s3.localSocket": folder / "s3.sock",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "volume.max": 20,
        "volume.minFreeSpace": "1MiB",
        "master.volumeSizeLimitMB": 64,
        "master.electionTimeout": "1s",
        "master.telemetry": "false",  # it would report to its makers
        **ports,
    }
    return [str(_WEED), "server", *(f"-{name}={value}" for name, value in options.items())]


def _wait(server: SeaweedFS, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"{server.endpoint}/healthz", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"SeaweedFS did not start: {log.read_text(errors='replace')[-2000:]}")


def _free_ports(count: int) -> list[int]:
    """Taken together, so that they differ."""
    with ExitStack() as open_sockets:
        listeners = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in listeners]
