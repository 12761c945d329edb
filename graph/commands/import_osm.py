"""`citygraph import osm`: an OpenStreetMap extract into a city."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from graph.app import import_osm_file
from graph.commands.progress import say_report, shown_progress
from graph.commands.terminal import fail
from graph.config import load_settings
from graph.errors import CityGraphError


def run(file: Path, tenant: str | None, config: Path | None, flags: Mapping[str, object]) -> None:
    settings = load_settings(config, flags)
    try:
        with shown_progress() as progress:
            report = asyncio.run(import_osm_file(settings, file, tenant=tenant or settings.city_id, progress=progress))
    except CityGraphError as error:
        fail(error.detail)
    say_report(report, every=True)
