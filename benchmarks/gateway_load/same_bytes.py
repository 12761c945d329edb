"""The ceiling of the server: an ASGI application that sends the right answer's bytes to whatever it is asked.

Loaded by `uvicorn gateway_load.same_bytes:app`.
"""

import orjson
from starlette.types import Receive, Scope, Send

from gateway_load import shop

BODY = orjson.dumps({"data": shop.right_answer()})
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})
