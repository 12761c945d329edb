"""`citygraph serve`: a city's own slices, and the subgraphs that its configuration adds."""

import socket
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from graph.commands.serving import check_issuer, check_workers, run_server, run_workers
from graph.commands.terminal import say
from graph.config import load_settings
from graph.server.logs import configure_logs
from graph.sources import SchemaSource


def run(config: Path | None, flags: Mapping[str, object]) -> None:
    settings = load_settings(config, flags)
    check_issuer(settings)
    check_workers(settings)
    configure_logs(settings.log_level)
    run_workers(settings, partial(_work, config, flags), lambda address: say(f"{settings.city_id}: GraphQL at {address}/graphql"))


def _work(config: Path | None, flags: Mapping[str, object], listener: socket.socket, on_ready: Callable[[], None]) -> None:
    # Whoever only watches over those that serve needs none of this.
    from graph.app import build_city

    source = SchemaSource(partial(load_settings, config, flags), config)
    configure_logs(source.settings.log_level)
    run_server(source.settings, listener, partial(build_city, source, scheduled=True), on_ready)
