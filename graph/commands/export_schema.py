"""`citygraph export-schema`: the public API that a city's slices compose to; `schema.graphql` is its output."""

from pathlib import Path

from graph.app import city_schema
from graph.commands.terminal import write_result


def run(output: Path | None) -> None:
    write_result(city_schema(), output)
