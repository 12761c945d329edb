"""`citygraph compose`: subgraphs of a configuration in, a supergraph or the reasons why there is none out."""

import asyncio
import sys
from functools import partial
from pathlib import Path

from graph.commands.terminal import say, write_result
from graph.composing import narrowed
from graph.composition import Composed, CompositionError, Failed, compose
from graph.config import ConfigError, load_settings
from graph.reloading import Intervals, RefusedError, Reloader
from graph.sources import Schemas, SchemaSource


def run(config: Path, output: Path | None) -> None:
    if errors := _write(asyncio.run(_source(config).read()), output):
        print("\n".join(map(str, errors)))
        sys.exit(1)


def watch(config: Path, output: Path) -> None:
    """Until it is interrupted. What does not compose leaves the file as it is."""
    try:
        asyncio.run(_watch(_source(config), output))
    except KeyboardInterrupt:
        return


def _source(config: Path) -> SchemaSource:
    source = SchemaSource(partial(load_settings, config, environ={}), config)
    if not source.settings.subgraphs:
        raise ConfigError(f"{config} names no subgraphs: expected `subgraphs: {{name: {{url: …, schema: …}}}}`")
    return source


async def _watch(source: SchemaSource, output: Path) -> None:
    async def apply(schemas: Schemas) -> None:
        if errors := await asyncio.to_thread(_write, schemas, output):
            raise RefusedError("\n".join(map(str, errors)), tuple(error.code for error in errors))
        say(f"{output} is written")

    settings = source.settings
    intervals = Intervals(settings.reload_files_s, settings.reload_urls_s)
    reloader = Reloader(source, None, apply, _Terminal(), intervals)
    await reloader.look()
    await reloader.run()


class _Terminal:
    """Composition errors go to stdout, as without `--watch`."""

    def accepted(self) -> None:
        say("it composes again")

    def refused(self, reason: str, codes: tuple[str, ...]) -> None:
        print(reason, flush=True)


def _write(schemas: Schemas, output: Path | None) -> tuple[CompositionError, ...]:
    """The reasons why nothing was written."""
    contract = schemas.settings.contract
    match compose(schemas.subgraphs):
        case Composed(supergraph_sdl=sdl, hints=hints):
            for hint in hints:
                say(str(hint))
            write_result(sdl if contract is None else narrowed(sdl, contract), output)
            return ()
        case Failed(errors=errors):
            return errors
