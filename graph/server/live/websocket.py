"""A session on a WebSocket (ASGI): who may open one, its messages in, its close.

What is written goes past the server's `send`, see `line`; only the handshake and the close are the server's.
"""

import asyncio
from collections.abc import Sequence

from starlette.types import Receive, Send

from graph.errors import Unavailable
from graph.server.exchange import ByteTransport, Exchange
from graph.server.live.connections import Live
from graph.server.live.line import Line
from graph.server.live.session import PROTOCOL, Code, Session

LEGACY = "graphql-ws"


class Socket(Line):
    """A line that is a WebSocket."""

    __slots__ = ("_live", "_send")

    def __init__(self, live: Live, transport: ByteTransport, send: Send) -> None:
        super().__init__(live.limits.backlog, transport)
        self._live, self._send = live, send

    def close(self, code: int, reason: str) -> None:
        self.open = False
        self._live.keep(asyncio.create_task(self._close(code, reason)))
        self.abort_later()

    async def _close(self, code: int, reason: str) -> None:
        """Waits for a client that reads slowly, and no longer than until it is broken off."""
        try:
            await self._send({"type": "websocket.close", "code": code, "reason": reason})
        except (OSError, RuntimeError):
            return  # it has closed meanwhile


async def serve_websocket(live: Live, exchange: Exchange, offered: Sequence[str], receive: Receive, send: Send) -> None:
    """`offered` are the client's subprotocols. Raises `Unavailable` before the handshake is answered."""
    live.check_room()
    if exchange.transport is None:
        raise Unavailable("live connections need the server that `citygraph` starts")
    await send({"type": "websocket.accept", "subprotocol": answered(offered)})
    if PROTOCOL not in offered:
        await send({"type": "websocket.close", "code": int(Code.SUBPROTOCOL_NOT_ACCEPTABLE), "reason": why_not(offered)})
        return
    session = Session(live, Socket(live, exchange.transport, send), exchange.headers, asyncio.get_running_loop().time())
    live.enter(session)
    try:
        while (message := await receive())["type"] != "websocket.disconnect":
            await session.receive(message.get("text"))
    finally:
        session.gone()
        live.leave(session)


def answered(offered: Sequence[str]) -> str | None:
    """Ours, or else the client's first: a browser that is answered with none never sees why the socket is closed."""
    return PROTOCOL if PROTOCOL in offered else next(iter(offered), None)


def why_not(offered: Sequence[str]) -> str:
    if LEGACY in offered:
        return f"Subprotocol not acceptable: {LEGACY} is the legacy protocol, use {PROTOCOL}"
    return f"Subprotocol not acceptable: use {PROTOCOL}"
