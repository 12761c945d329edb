"""Where schemas come from: files, URLs, and other people's subgraphs themselves (`_service { sdl }`)."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from graph.config import ConfigError, Settings, read_subgraph_schema
from graph.contracts import Principal, RequestContext, SubgraphRequest, SubgraphSDL, Transport
from graph.errors import CityGraphError
from graph.executor.transports.header_rules import headers_by
from graph.executor.transports.http import HttpTransport
from graph.federation_config import SubgraphSource

SDL_QUERY = "query SubgraphSDL { _service { sdl } }"
MAX_SUPERGRAPH_BYTES = 16_000_000
TIMEOUT_SECONDS = 10.0
_NOBODY = RequestContext(Principal("gateway", ""), "startup")


@dataclass(frozen=True, slots=True)
class Schemas:
    """What a federation is made of, as read: a supergraph, or subgraphs to compose. Equal schemas make equal federations."""

    settings: Settings
    supergraph: str | None
    subgraphs: tuple[SubgraphSDL, ...] = ()


@dataclass(slots=True)
class SchemaSource:
    """The places of a federation's schemas. `supergraph` is a path or a URL, None where the subgraphs are to be composed.

    Settings are read anew each time, because they name subgraphs; `settings` are those that could be read last.
    """

    read_settings: Callable[[], Settings]
    config: Path | None = None
    supergraph: str | None = None
    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        self.settings = self.read_settings()

    def files(self) -> Sequence[Path]:
        files = [self.config] if self.config is not None else []
        if self.supergraph is None:
            files += [source.schema_file for source in self.settings.subgraphs.values() if source.schema_file is not None]
        elif not is_url(self.supergraph):
            files.append(Path(self.supergraph))
        return files

    def is_remote(self) -> bool:
        if self.supergraph is not None:
            return is_url(self.supergraph)
        return any(source.schema_file is None for source in self.settings.subgraphs.values())

    async def read(self) -> Schemas:
        """Raises `ConfigError`."""
        self.settings = await asyncio.to_thread(self.read_settings)
        if self.supergraph is None:
            return Schemas(self.settings, None, tuple(await configured_subgraphs(self.settings)))
        if is_url(self.supergraph):
            return Schemas(self.settings, await _download(self.supergraph))
        return Schemas(self.settings, await asyncio.to_thread(_read_file, Path(self.supergraph)))


def is_url(place: str) -> bool:
    return place.startswith(("http://", "https://"))


def http_transport(settings: Settings, name: str, url: str) -> Transport:
    """How a subgraph of somebody else's is reached: at the URL, unless its own settings say otherwise. Raises `ConfigError`."""
    source = settings.subgraphs.get(name) or SubgraphSource(url=url)
    try:
        tls = ssl.create_default_context(cafile=source.ca_file) if source.ca_file is not None else None
        return HttpTransport(
            name,
            source.url,
            headers=headers_by((*settings.headers, *source.headers)),
            tls=tls,
            persisted_queries=source.persisted_queries,
            max_batch=source.max_batch,
            subscriptions=source.subscriptions,
        )
    except (OSError, ValueError) as error:
        raise ConfigError(f"subgraph {name} cannot be reached: {error}") from None


async def configured_subgraphs(settings: Settings) -> list[SubgraphSDL]:
    """All subgraphs of the configuration, asked at the same time. Raises `ConfigError` for the first that says nothing."""
    return list(await asyncio.gather(*(_read(settings, name, source) for name, source in settings.subgraphs.items())))


async def _read(settings: Settings, name: str, source: SubgraphSource) -> SubgraphSDL:
    if source.schema_file is not None:
        return SubgraphSDL(name, source.url, await asyncio.to_thread(read_subgraph_schema, name, source.schema_file))
    transport = http_transport(settings, name, source.url)
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            response = await transport.execute(SubgraphRequest(SDL_QUERY, {}), _NOBODY)
    except TimeoutError:
        raise ConfigError(f"subgraph {name} at {source.url} did not say its schema within {TIMEOUT_SECONDS:g} s") from None
    except CityGraphError as error:
        raise ConfigError(f"subgraph {name} at {source.url} could not be asked for its schema: {error.detail}") from None
    finally:
        await transport.close()
    service = response.data.get("_service") if isinstance(response.data, dict) else None
    sdl = service.get("sdl") if isinstance(service, dict) else None
    if not isinstance(sdl, str):
        said = f": {response.errors[0].get('message')}" if response.errors else ""
        raise ConfigError(f"subgraph {name} at {source.url} did not answer `{{ _service {{ sdl }} }}` with its schema{said}")
    return SubgraphSDL(name, source.url, sdl)


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"supergraph {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"supergraph {path} is not UTF-8 text") from None


async def _download(url: str) -> str:
    import httpx  # takes long to load, and most gateways read files

    body = bytearray()
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS), httpx.AsyncClient() as client, client.stream("GET", url) as response:
            if response.status_code != 200:
                raise ConfigError(f"supergraph {url} answered with status {response.status_code}")
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_SUPERGRAPH_BYTES:
                    raise ConfigError(f"supergraph {url} has more than {MAX_SUPERGRAPH_BYTES} bytes")
        return body.decode()
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
        raise ConfigError(f"supergraph {url} does not answer: {type(error).__name__}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"supergraph {url} is not UTF-8 text") from None
