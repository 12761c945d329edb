"""What `demo`, `serve` and `gateway` share: the listening socket, the event loop, the log, and how many processes there are."""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable

from graph.commands.terminal import fail
from graph.commands.workers import Door, Plan, Supervisor, Work, bound, shares_ports
from graph.config import ConfigError, Settings
from graph.server.run import PortTakenError, Served, Serving, listen, serve
from graph.subscriptions.opening import is_shared


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


def run_workers(settings: Settings, work: Work, welcome: Callable[[str], None]) -> None:
    """Does the work here, or in as many processes as the settings say; `welcome` is called once with the address, when all serve."""
    if settings.workers == 1:
        listener = open_socket(settings)
        work(listener, lambda: welcome(address(listener)))
        return
    if not shares_ports():
        listener = open_socket(settings)
        door = Door(settings.host, 0, listener)
    else:
        if settings.port:
            # Another server's port can be shared as well as our own, without a word.
            open_socket(settings).close()
        listener = _reserved(settings)
        door = Door(settings.host, listener.getsockname()[1])
    stop_seconds = settings.shutdown_grace_s + settings.shutdown_timeout_s + 2
    with listener:
        status = Supervisor(Plan(work, settings.workers, door, stop_seconds), lambda: welcome(address(listener))).run()
    if status:
        sys.exit(status)


def _reserved(settings: Settings) -> socket.socket:
    """Ends the command where the port cannot be had."""
    try:
        return bound(settings.host, settings.port)
    except OSError as error:
        fail(f"port {settings.port} on {settings.host} cannot be used: {error.strerror}")


def check_workers(settings: Settings) -> None:
    """Several processes that share nothing would each have their own live events."""
    if settings.workers > 1 and not is_shared(settings):
        raise ConfigError(
            f"{settings.workers} workers need REDIS_URL: what one of them is told, subscribers of the others would not hear, "
            "and a ticket of one would be unknown to the others"
        )


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
