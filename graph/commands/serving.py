"""What `demo`, `serve` and `gateway` share: the listening socket, the event loop, and the log."""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable

from graph.commands.terminal import fail
from graph.config import ConfigError, Settings
from graph.server.run import PortTakenError, Served, Serving, listen, serve


def open_socket(settings: Settings) -> socket.socket:
    """Ends the command where the port is taken."""
    try:
        return listen(settings.host, settings.port)
    except PortTakenError as error:
        fail(str(error))


def address(listener: socket.socket) -> str:
    """`http://host:port` as a client on this machine writes it."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run_server(settings: Settings, listener: socket.socket, build: Callable[[], Awaitable[Served]], on_ready: Callable[[], None]) -> None:
    """Serves until it is asked to stop."""
    serving = Serving(settings.shutdown_grace_s, settings.shutdown_timeout_s, settings.live_max_message_kb * 1_000)
    main = serve(build, listener, serving, on_ready)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main)


def check_issuer(settings: Settings) -> None:
    """A server that could believe nobody's tokens must not start, and one that asks for none must not be reachable."""
    if settings.issuer_url is None:
        raise ConfigError(
            "no identity provider is configured: set KEYCLOAK_URL (and KEYCLOAK_REALM), or CITYGRAPH_ISSUER for another one; "
            "`citygraph demo` brings its own"
        )
    if "*" in settings.cors_allowed_origins:
        raise ConfigError("CORS_ALLOWED_ORIGINS: `*` is for the demo only; name the origins that may call")


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    if sys.platform == "win32":
        return asyncio.new_event_loop
    import uvloop

    return uvloop.new_event_loop
