"""How far an import is, and what became of it: a bar for a person, one line a stage where nobody watches; all on stderr."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from graph.commands.terminal import say
from resolvers.integrations.report import ImportReport
from resolvers.integrations.report import Progress as Report

SHOWN = 20


@contextmanager
def shown_progress() -> Iterator[Report]:
    """Gives what an import calls; its stages appear as they come."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<20}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        stages = {}

        def report(done: int, total: int, stage: str) -> None:
            if stage not in stages:
                stages[stage] = bars.add_task(stage, total=total)
            bars.update(stages[stage], completed=done, total=total)
            if done == total and not console.is_terminal:
                say(f"{stage}: {total}")

        yield report


def say_report(report: ImportReport, *, every: bool) -> None:
    """Counts, and the things that could not be taken by name: `every` one, or as many as fit a screen."""
    say(f"{report.created} created, {report.updated} updated, {report.unchanged} unchanged")
    for title, things in (("not imported", report.skipped), ("imported in part", report.incomplete)):
        if not things:
            continue
        say(f"{len(things)} {title}:")
        shown = things if every else things[:SHOWN]
        for thing in shown:
            say(f"  {thing}")
        if len(shown) < len(things):
            say(f"  … and {len(things) - len(shown)} more: `citygraph import osm` names each")
