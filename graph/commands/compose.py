"""`citygraph compose`: subgraphs of a configuration in, a supergraph or the reasons why there is none out."""

import asyncio
import sys
from pathlib import Path

from graph.commands.terminal import say, write_result
from graph.composition import Composed, Failed, compose
from graph.config import ConfigError, load_settings
from graph.sources import configured_subgraphs


def run(config: Path, output: Path | None) -> None:
    settings = load_settings(config, environ={})
    if not settings.subgraphs:
        raise ConfigError(f"{config} names no subgraphs: expected `subgraphs: {{name: {{url: …, schema: …}}}}`")
    match compose(asyncio.run(configured_subgraphs(settings))):
        case Composed(supergraph_sdl=sdl, hints=hints):
            for hint in hints:
                say(str(hint))
            write_result(sdl, output)
        case Failed(errors=errors):
            for error in errors:
                print(error)
            sys.exit(1)
