"""`citygraph serve`: a city's own slices, and the subgraphs that its configuration adds."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from graph.app import build_city
from graph.commands.serving import address, check_issuer, open_socket, run_server
from graph.commands.terminal import say
from graph.config import load_settings
from graph.server.logs import configure_logs
from graph.sources import SchemaSource


def run(config: Path | None, flags: Mapping[str, object]) -> None:
    source = SchemaSource(partial(load_settings, config, flags), config)
    settings = source.settings
    check_issuer(settings)
    configure_logs(settings.log_level)
    listener = open_socket(settings)
    endpoint = f"{address(listener)}/graphql"
    run_server(settings, listener, partial(build_city, source, scheduled=True), lambda: say(f"{settings.city_id}: GraphQL at {endpoint}"))
