"""`citygraph gateway`: the federation gateway by itself, over anybody's subgraphs.

It has no events and no tickets of its own, so several workers of it need nothing that they share.
"""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from graph.commands.serving import check_issuer, run_server, run_workers
from graph.commands.terminal import say
from graph.config import ConfigError, Settings, is_loopback, load_settings
from graph.server.logs import configure_logs
from graph.sources import SchemaSource


@dataclass(frozen=True, slots=True)
class Given:
    """What was typed."""

    supergraph: str | None
    config: Path | None
    flags: Mapping[str, object]
    no_auth: bool

    def settings(self) -> Settings:
        return load_settings(self.config, self.flags, defaults={"port": 4000})


def run(supergraph: str | None, config: Path | None, flags: Mapping[str, object], *, no_auth: bool) -> None:
    given = Given(supergraph, config, flags, no_auth)
    settings = given.settings()
    if supergraph is None and not settings.subgraphs:
        raise ConfigError(f"{config} names no subgraphs: expected `subgraphs: {{name: {{url: …, schema: …}}}}`")
    if not no_auth:
        check_issuer(settings)
    elif not is_loopback(settings.host):
        raise ConfigError(f"--no-auth lets everybody in, so it is for loopback only: {settings.host!r} is not 127.0.0.1 or ::1")
    configure_logs(settings.log_level)
    run_workers(settings, partial(_work, given), lambda address: say(f"GraphQL at {address}/graphql"))


def _work(given: Given, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    # Whoever only watches over those that serve needs none of this.
    from graph.engine import build_gateway

    source = SchemaSource(given.settings, given.config, given.supergraph)
    configure_logs(source.settings.log_level)
    run_server(source.settings, listener, partial(build_gateway, source, no_auth=given.no_auth), on_ready)
