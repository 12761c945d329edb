"""Where the SDL of other people's subgraphs comes from: a file of the configuration, or the subgraph itself (`_service { sdl }`)."""

import asyncio
from collections.abc import Mapping

from graph.composition import SubgraphSDL
from graph.config import ConfigError, Settings, SubgraphSource, read_subgraph_schema
from graph.contracts import Principal, RequestContext, SubgraphRequest, Transport
from graph.errors import CityGraphError
from graph.executor.transports.http import HttpTransport

SDL_QUERY = "query SubgraphSDL { _service { sdl } }"
_NOBODY = RequestContext(Principal("gateway", ""), "startup")


def http_transport(name: str, url: str) -> Transport:
    """How every subgraph of somebody else's is reached."""
    return HttpTransport(name, url)


async def configured_subgraphs(settings: Settings, transports: Mapping[str, Transport]) -> list[SubgraphSDL]:
    """All subgraphs of the configuration, asked at the same time. Raises `ConfigError` for the first that says nothing."""
    return list(await asyncio.gather(*(_read(name, source, transports[name]) for name, source in settings.subgraphs.items())))


async def _read(name: str, source: SubgraphSource, transport: Transport) -> SubgraphSDL:
    if source.schema_file is not None:
        return SubgraphSDL(name, source.url, read_subgraph_schema(name, source.schema_file))
    try:
        response = await transport.execute(SubgraphRequest(SDL_QUERY, {}), _NOBODY)
    except CityGraphError as error:
        raise ConfigError(f"subgraph {name} at {source.url} could not be asked for its schema: {error.detail}") from None
    sdl = response.data.get("_service", {}).get("sdl") if isinstance(response.data, dict) else None
    if not isinstance(sdl, str):
        said = f": {response.errors[0].get('message')}" if response.errors else ""
        raise ConfigError(f"subgraph {name} at {source.url} did not answer `{{ _service {{ sdl }} }}` with its schema{said}")
    return SubgraphSDL(name, source.url, sdl)
