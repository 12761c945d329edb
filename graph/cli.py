"""The command line: what can be typed, and nothing of what it does.

Each command's work is in `graph.commands`, imported when it is called, so that `--help` is quick. What a command makes goes to
stdout, everything else to stderr. Exit status: 0 done, 1 failed, 2 wrong use (of a flag, a file or a setting).
"""

import gc
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="citygraph",
    help="A GraphQL federation gateway for cities, and a city to put behind it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
import_app = typer.Typer(help="Bring data into the store.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(import_app, name="import")
report_app = typer.Typer(help="Compliance reports and quality-control data.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(report_app, name="report")
backup_app = typer.Typer(help="Backups of the store.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(backup_app, name="backup")
retention_app = typer.Typer(help="What is too old.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(retention_app, name="retention")


class Format(StrEnum):
    """How a plan is printed."""

    TEXT = "text"
    JSON = "json"


class PlanStage(StrEnum):
    """The stages of `graph.planner.stages`, which takes too long to load for `--help`."""

    GRAPH = "graph"
    PATHS = "paths"
    FETCHES = "fetches"
    PLAN = "plan"


class ReportStatus(StrEnum):
    """The contract's `ComplianceStatus`."""

    DRAFT = "DRAFT"
    ISSUED = "ISSUED"
    WITHDRAWN = "WITHDRAWN"


Config = Annotated[Path | None, typer.Option("--config", help="YAML file: settings, and `subgraphs:`.")]
Host = Annotated[str | None, typer.Option("--host", help="Address to listen on (HOST).")]
Port = Annotated[int | None, typer.Option("--port", min=0, max=65535, help="Port to listen on (PORT); 0 takes a free one.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, max=64, help="Processes that serve the port (CITYGRAPH_WORKERS).")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Folder of the store and the demo's key (DATA_DIR).")]
City = Annotated[str | None, typer.Option("--city", help="Identifier of this gateway's own city (CITY_ID).")]
Tenant = Annotated[str | None, typer.Option("--tenant", help="Whose data; by default the city's identifier.")]


@app.command()
def demo(host: Host = None, port: Port = None, data_dir: DataDir = None) -> None:
    """Serve Helsinki's centre on this machine: migrates, imports, and makes its own access tokens."""
    from graph.commands import demo

    demo.run({"host": host, "port": port, "data_dir": data_dir})


@app.command()
def serve(
    config: Config = None, host: Host = None, port: Port = None, data_dir: DataDir = None, city: City = None, workers: Workers = None
) -> None:
    """Serve this city: its own slices, and the subgraphs of the configuration."""
    from graph.commands import serve

    serve.run(config, {"host": host, "port": port, "data_dir": data_dir, "city_id": city, "workers": workers})


@app.command()
def gateway(
    supergraph: Annotated[str | None, typer.Option(help="A composed supergraph, as SDL: a file or a URL.")] = None,
    config: Config = None,
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    no_auth: Annotated[bool, typer.Option("--no-auth", help="Ask for no token; on loopback only.")] = False,
) -> None:
    """Serve a federation of other people's subgraphs, without a city of its own; it follows its files. The port is 4000 unless set."""
    from graph.commands import gateway

    if supergraph is None and config is None:
        raise typer.BadParameter("give --supergraph, or --config with subgraphs", param_hint="--supergraph / --config")
    gateway.run(supergraph, config, {"host": host, "port": port, "workers": workers}, no_auth=no_auth)


@app.command()
def compose(
    config: Annotated[Path, typer.Argument(help="YAML file with `subgraphs:`.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; stdout where absent.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Compose again whenever a file, or a polled subgraph, changes.")] = False,
) -> None:
    """Compose subgraphs and print the supergraph; errors as `CODE: message` lines."""
    from graph.commands import compose

    if not watch:
        compose.run(config, output)
    elif output is None:
        raise typer.BadParameter("give the file to write: it is written anew on each change", param_hint="--watch needs --output")
    else:
        compose.watch(config, output)


@app.command()
def plan(
    query_file: Annotated[Path, typer.Argument(help="File with the GraphQL document.")],
    supergraph: Annotated[Path, typer.Option(help="A composed supergraph, as SDL.")],
    operation_name: Annotated[str | None, typer.Option(help="Which operation of the document.")] = None,
    stage: Annotated[
        PlanStage, typer.Option(help="What to print: the query graph, the paths found and chosen, the fetches, or the plan.")
    ] = PlanStage.PLAN,
    label: Annotated[list[str] | None, typer.Option(help="A label of `@override` that holds; may be given several times.")] = None,
    format: Annotated[Format, typer.Option(help="How to print the plan; other stages are text.")] = Format.TEXT,
) -> None:
    """Print how an operation would be answered: which fetches, in which order."""
    from graph.commands import plan
    from graph.planner.stages import Stage

    if format is Format.JSON and stage is not PlanStage.PLAN:
        raise typer.BadParameter(f"the stage {stage.value!r} is printed as text only", param_hint="--format")
    plan.run(supergraph, query_file, operation_name, Stage(stage.value), label or [], as_json=format is Format.JSON)


@app.command()
def token(
    role: Annotated[list[str], typer.Option(help="A role to grant; may be given several times.")],
    tenant: Tenant = None,
    subject: Annotated[str, typer.Option(help="Who the token speaks for.")] = "demo",
    ttl: Annotated[int, typer.Option(min=1, help="Seconds that the token is valid for.")] = 3600,
    data_dir: DataDir = None,
) -> None:
    """Print an access token for the demo, signed with its own key."""
    from graph.commands import token

    token.run({"data_dir": data_dir}, roles=role, tenant=tenant, subject=subject, ttl=ttl)


@app.command()
def migrate(config: Config = None, data_dir: DataDir = None) -> None:
    """Bring the store to this version's tables."""
    from graph.commands import migrate

    migrate.run(config, {"data_dir": data_dir})


@import_app.command("osm")
def import_osm(
    file: Annotated[Path, typer.Argument(help="An OpenStreetMap extract: .osm.pbf, .osm, .osm.bz2.")],
    city: Annotated[str, typer.Option("--city", help="The city that the objects belong to, e.g. FI-HELSINKI.")],
    tenant: Tenant = None,
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Import buildings, roads and more; what cannot be taken is listed, by name."""
    from graph.commands import import_osm

    import_osm.run(file, tenant, config, {"data_dir": data_dir, "city_id": city})


@report_app.command("add")
def report_add(
    file: Annotated[Path, typer.Argument(help="The report itself, e.g. a PDF.")],
    title: Annotated[str, typer.Option(help="What it is called.")],
    standard: Annotated[str, typer.Option(help="The rule book it answers to, e.g. 'ISO 59020:2024'.")],
    status: Annotated[ReportStatus, typer.Option(case_sensitive=False, help="How far it is.")] = ReportStatus.ISSUED,
    model: Annotated[str | None, typer.Option(help="Identifier of the model that it is about, which must exist.")] = None,
    period_start: Annotated[str | None, typer.Option(help="Start of what it covers: a date, RFC 3339, or epoch milliseconds.")] = None,
    period_end: Annotated[str | None, typer.Option(help="End of what it covers, not included.")] = None,
    issued_at: Annotated[str | None, typer.Option(help="When it was issued; now, where its status is ISSUED.")] = None,
    issued_by: Annotated[str | None, typer.Option(help="Who issued it: a person's identifier, rather than a name.")] = None,
    media_type: Annotated[str | None, typer.Option(help="E.g. application/pdf; guessed from the file's name.")] = None,
    city: City = None,
    tenant: Tenant = None,
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Store a compliance report and print its identifier."""
    from graph.commands import report

    given = report.ReportFlags(title, standard, status.value, model, period_start, period_end, issued_at, issued_by, media_type)
    report.add(file, given, report.Where(config, {"data_dir": data_dir, "city_id": city}, tenant))


@report_app.command("add-dataset")
def report_add_dataset(
    file: Annotated[
        Path,
        typer.Argument(help="CSV, or JSON, with characteristic, value, unit, measuredAt, and where there are any lowerLimit, upperLimit."),
    ],
    name: Annotated[str, typer.Option(help="What it is called.")],
    description: Annotated[str | None, typer.Option(help="What was measured, and how.")] = None,
    model: Annotated[str | None, typer.Option(help="Identifier of the model that it is about, which must exist.")] = None,
    entity: Annotated[str | None, typer.Option(help="Identifier of the city object that it is about, which must exist.")] = None,
    city: City = None,
    tenant: Tenant = None,
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Store measurements of quality control, a million at most, and print the dataset's identifier."""
    from graph.commands import report

    given = report.DatasetFlags(name, description, model, entity)
    report.add_dataset(file, given, report.Where(config, {"data_dir": data_dir, "city_id": city}, tenant))


@report_app.command("list")
def report_list(city: City = None, tenant: Tenant = None, config: Config = None, data_dir: DataDir = None) -> None:
    """Print reports and datasets, one a line: identifier, status, title, the file's name and length, separated by tabs."""
    from graph.commands import report

    report.show(report.Where(config, {"data_dir": data_dir, "city_id": city}, tenant))


@report_app.command("verify")
def report_verify(city: City = None, tenant: Tenant = None, config: Config = None, data_dir: DataDir = None) -> None:
    """Read every stored file again and compare its SHA-256; print what is damaged, and fail where anything is."""
    from graph.commands import report

    report.verify(report.Where(config, {"data_dir": data_dir, "city_id": city}, tenant))


BackupId = Annotated[str, typer.Argument(metavar="ID", help="A backup's identifier, as `list` prints it, or its UUID.")]


@backup_app.command("run")
def backup_run(city: City = None, config: Config = None, data_dir: DataDir = None) -> None:
    """Make a backup of the store, which may be in use, and print its identifier."""
    from graph.commands import backup

    backup.run(backup.Where(config, {"data_dir": data_dir, "city_id": city}))


@backup_app.command("list")
def backup_list(city: City = None, config: Config = None, data_dir: DataDir = None) -> None:
    """Print backups, one a line, newest first: identifier, state, begin, bytes, last verification, separated by tabs."""
    from graph.commands import backup

    backup.show(backup.Where(config, {"data_dir": data_dir, "city_id": city}))


@backup_app.command("verify")
def backup_verify(id: BackupId, city: City = None, config: Config = None, data_dir: DataDir = None) -> None:
    """Restore a backup into a store that is thrown away, and compare it with its manifest."""
    from graph.commands import backup

    backup.verify(id, backup.Where(config, {"data_dir": data_dir, "city_id": city}))


@backup_app.command("restore")
def backup_restore(
    id: BackupId,
    to: Annotated[str, typer.Option("--to", metavar="URL", help="The database: sqlite:////path/city.db, postgresql://user@host/city.")],
    force: Annotated[bool, typer.Option("--force", help="Put the backup in the place of the tables that are there.")] = False,
    city: City = None,
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Put what a backup holds into an empty database, and compare it with its manifest."""
    from graph.commands import backup

    backup.restore(id, to, backup.Where(config, {"data_dir": data_dir, "city_id": city}), force=force)


@retention_app.command("run")
def retention_run(city: City = None, config: Config = None, data_dir: DataDir = None) -> None:
    """Purge what is older than it is kept; print of what how many rows are gone."""
    from graph.commands import backup

    backup.retain(backup.Where(config, {"data_dir": data_dir, "city_id": city}))


@app.command("export-schema")
def export_schema(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; stdout where absent.")] = None,
) -> None:
    """Print the public API of a city, composed of its slices."""
    from graph.commands import export_schema

    export_schema.run(output)


@app.command()
def rights(
    page: Annotated[Path | None, typer.Option(help="Write the table between the marks of this page, instead of printing it.")] = None,
) -> None:
    """Print which role may use which root field of a city's API."""
    from graph.commands import rights

    rights.run(page)


def main() -> None:
    """The `citygraph` command."""
    # Loading makes objects that stay; looking through them again and again would take a tenth of a start.
    gc.set_threshold(100_000, 50, 100)

    from graph.config import ConfigError

    try:
        app()
    except ConfigError as error:
        print(f"citygraph: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(1)
