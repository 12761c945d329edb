"""Fetches an issuer's documents over HTTP, of bounded size and time. Apart from `keys`, because the demo needs no HTTP client."""

import asyncio
from typing import Any

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
        body = b""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS), self._client.stream("GET", url) as response:
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
