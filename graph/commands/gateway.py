"""`citygraph gateway`: the federation gateway by itself, over anybody's subgraphs."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from graph.commands.serving import address, check_issuer, open_socket, run_server
from graph.commands.terminal import say
from graph.config import ConfigError, is_loopback, load_settings
from graph.engine import build_gateway
from graph.server.logs import configure_logs
from graph.sources import SchemaSource


def run(supergraph: str | None, config: Path | None, flags: Mapping[str, object], *, no_auth: bool) -> None:
    source = SchemaSource(partial(load_settings, config, flags, defaults={"port": 4000}), config, supergraph)
    settings = source.settings
    if supergraph is None and not settings.subgraphs:
        raise ConfigError(f"{config} names no subgraphs: expected `subgraphs: {{name: {{url: …, schema: …}}}}`")
    if not no_auth:
        check_issuer(settings)
    elif not is_loopback(settings.host):
        raise ConfigError(f"--no-auth lets everybody in, so it is for loopback only: {settings.host!r} is not 127.0.0.1 or ::1")
    configure_logs(settings.log_level)
    listener = open_socket(settings)
    endpoint = f"{address(listener)}/graphql"
    run_server(settings, listener, partial(build_gateway, source, no_auth=no_auth), lambda: say(f"GraphQL at {endpoint}"))
