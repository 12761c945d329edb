"""`citygraph demo`: from nothing to an answering city in one command, and again in seconds.

It is its own identity provider, so it listens on loopback only: whoever can reach it can read its data folder anyway.
"""

import sys
from collections.abc import Mapping
from functools import partial

from graph.app import build_city, import_demo, migrate_store
from graph.auth.claims import ROLES
from graph.auth.demo_issuer import DemoIssuer, move_issuer, open_issuer
from graph.commands.progress import say_report, shown_progress
from graph.commands.serving import address, open_socket, run_server
from graph.commands.terminal import say
from graph.config import ConfigError, Settings, is_loopback, load_settings
from graph.server.application import Application
from graph.server.logs import configure_logs
from graph.sources import SchemaSource

TOKEN_SECONDS = 86_400
# The demo's data is older than a city keeps its own.
DEFAULTS: Mapping[str, object] = {"cors_allowed_origins": ["*"], "retention_schedule": ""}
FIRST_QUERY = "{ city { name cityObjectCounts { type count } } }"


def run(flags: Mapping[str, object]) -> None:
    source = SchemaSource(partial(load_settings, None, flags, defaults=DEFAULTS))
    settings = source.settings
    if not is_loopback(settings.host):
        raise ConfigError(f"the demo signs tokens itself, so it is for loopback only: {settings.host!r} is not 127.0.0.1 or ::1")
    configure_logs(settings.log_level)
    listener = open_socket(settings)
    url = address(listener)
    path = settings.data_dir / "issuer.json"
    issuer = move_issuer(path, open_issuer(path, url), url)
    run_server(settings, listener, partial(_build, source, issuer), partial(_welcome, settings, issuer))


async def _build(source: SchemaSource, issuer: DemoIssuer) -> Application:
    settings = source.settings
    await migrate_store(settings)
    with shown_progress() as progress:
        report = await import_demo(settings, progress)
    if report.created or report.updated:
        say_report(report, every=False)
    return await build_city(source, issuer, scheduled=True)


def _welcome(settings: Settings, issuer: DemoIssuer) -> None:
    """To stdout: what somebody, or a script, needs to go on."""
    token = issuer.sign(
        subject="demo",
        tenant=settings.city_id,
        roles=sorted(ROLES),
        audience=settings.keycloak_audience,
        lifetime=min(TOKEN_SECONDS, settings.max_token_lifetime_s),
    )
    print(f"GraphQL   {issuer.url}/graphql")
    print(f"Token     {token}")
    print("\nA first question:\n")
    print(f"curl -sS {issuer.url}/graphql \\")
    print("  -H 'Content-Type: application/json' \\")
    print(f"  -H 'Authorization: Bearer {token}' \\")
    print(f"""  -d '{{"query": "{FIRST_QUERY}"}}'""")
    sys.stdout.flush()
    say("\nCtrl-C ends it.")
