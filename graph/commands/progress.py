"""How far an import is, and what became of it: a bar for a person, one line a stage where nobody watches; all on stderr."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from graph.commands.terminal import say
from resolvers.integrations.report import ImportReport, Progress

SHOWN = 20


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Gives what an import calls; its stages appear as they come, and nothing does where there is nothing to import."""
    with ExitStack() as shown:
        report: Progress | None = None

        def first(done: int, total: int, stage: str) -> None:
            nonlocal report
            if report is None:
                report = shown.enter_context(_bars()) if sys.stderr.isatty() else _line
            report(done, total, stage)

        yield first


@contextmanager
def _bars() -> Iterator[Progress]:
    # Loaded only where something is drawn: a warm start draws nothing.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:<20}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True)) as bars:
        stages: dict[str, TaskID] = {}

        def report(done: int, total: int, stage: str) -> None:
            if stage not in stages:
                stages[stage] = bars.add_task(stage, total=total)
            bars.update(stages[stage], completed=done, total=total)

        yield report


def _line(done: int, total: int, stage: str) -> None:
    if done == total:
        say(f"{stage}: {total}")


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
