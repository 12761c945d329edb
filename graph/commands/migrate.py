"""`citygraph migrate`: the store's tables, made or brought up to date."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from graph.app import migrate_store
from graph.commands.terminal import say
from graph.config import load_settings


def run(config: Path | None, flags: Mapping[str, object]) -> None:
    asyncio.run(migrate_store(load_settings(config, flags)))
    say("the store is up to date")
