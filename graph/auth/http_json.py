"""Fetches an issuer's documents over HTTP, of bounded size and time. Apart from `keys`, because the demo needs no HTTP client."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import quote_plus

import httpx

from graph import json_codec
from graph.errors import Unavailable

MAX_DOCUMENT_BYTES = 1_000_000
TIMEOUT_SECONDS = 5.0


class HttpJson:
    """JSON documents over HTTP, of bounded size and time."""

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False)

    async def get(self, url: str) -> Any:
        return await self._document(self._client.build_request("GET", url), url)

    async def post(self, url: str, form: Mapping[str, str], *, user: str, password: str) -> Any:
        """With the client's own credentials (RFC 6749 §2.3.1)."""
        credentials = b64encode(f"{quote_plus(user)}:{quote_plus(password)}".encode()).decode()
        headers = {"authorization": f"Basic {credentials}", "accept": "application/json"}
        return await self._document(self._client.build_request("POST", url, data=form, headers=headers), url)

    async def _document(self, request: httpx.Request, url: str) -> Any:
        body = b""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS), aclosing(await self._client.send(request, stream=True)) as response:
                if response.status_code != 200:
                    raise Unavailable(f"{url} answered with status {response.status_code}")
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > MAX_DOCUMENT_BYTES:
                        raise Unavailable(f"{url} answered with more than {MAX_DOCUMENT_BYTES} bytes")
            return json_codec.loads(body)
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            raise Unavailable(f"{url} does not answer: {type(error).__name__}") from None
        except ValueError:
            raise Unavailable(f"{url} answered with something that is not JSON") from None

    async def close(self) -> None:
        await self._client.aclose()
