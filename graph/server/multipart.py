"""Answers in parts over HTTP: one `multipart/mixed` response, to which each part is added as soon as it is there.

https://github.com/graphql/graphql-over-http/blob/main/rfcs/IncrementalDelivery.md. A boundary is sent right after each part, so that a
client need not wait for the next part to know that this one is whole.
"""

import asyncio
import logging
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

from starlette.types import Receive, Send

from graph import json_codec
from graph.server.exchange import Reply, disconnected, send_piece
from graph.server.in_service import Lease
from graph.server.incremental import BY_ID, BY_PATH, Form
from graph.server.messages import Answer
from graph.server.negotiation import preferences

MULTIPART = "multipart/mixed"
_FORMS = {form.parameter.lower(): form for form in (BY_PATH, BY_ID)}
_HEAD = b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
_BOUNDARY = b"\r\n---"
_END = b"--\r\n"

logger = logging.getLogger(__name__)


@lru_cache(maxsize=256)
def parts_form(accept: str | None) -> Form | None:
    """The form in which the client reads answers in parts, None where it had rather have them in one piece.

    Without a parameter `multipart/mixed` means the form of 2022, which every client reads that does not ask for another one. Parameters
    that are not known ask for something else.
    """
    if accept is None:
        return None
    asked = preferences(accept)
    whole = max((one.quality for one in asked if one.media != MULTIPART), default=0.0)
    for one in sorted(asked, key=lambda one: (-one.quality, one.position)):
        if one.media == MULTIPART and one.quality > 0 and one.quality >= whole:
            named = [parameter for parameter in one.parameters if not parameter.startswith(("boundary=", "q="))]
            form = BY_PATH if not named else _FORMS.get(named[0].replace('"', "")) if len(named) == 1 else None
            if form is not None:
                return form
    return None


def parts_reply(answer: Answer, form: Form, lease: Lease) -> Reply:
    """The response; it holds the lease until it has ended."""
    lease.hold()
    media = f'{MULTIPART}; boundary="-"; {form.parameter}'
    return Reply(answer.status, media=media, live=partial(_respond, answer, form, lease))


async def _respond(answer: Answer, form: Form, lease: Lease, receive: Receive, send: Send) -> None:
    """A body that breaks off is never ended, so that the client knows that it lacks something."""
    sending = asyncio.create_task(_send_parts(answer, form, send))
    gone = asyncio.create_task(disconnected(receive))
    try:
        await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
    except TimeoutError:
        logger.warning("a client took the parts of an answer too slowly")
    finally:
        sending.cancel()
        gone.cancel()
        await asyncio.gather(sending, gone, return_exceptions=True)
        if answer.rest is not None:
            await answer.rest.close()
        lease.release()


async def _send_parts(answer: Answer, form: Form, send: Send) -> None:
    rest = answer.rest
    await send_piece(send, _BOUNDARY + _part(form.first(answer.body, rest.pending if rest is not None else ())))
    if rest is not None:
        async for delivery in rest:
            await send_piece(send, _part(form.following(delivery)))
    await send_piece(send, _END)
    await send({"type": "http.response.body", "body": b""})


def _part(payload: Mapping[str, Any]) -> bytes:
    return _HEAD + json_codec.dumps(payload) + _BOUNDARY
