"""`bartizan lake`: keep the lake healthy, and show it to other engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bartizan import jobs
from bartizan.errors import UsageError
from bartizan.model.window import parse_time
from bartizan.terminal import AsJson, DryRun, Home, LakeFolder, configure, only_told, show, table

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""Keep the lake healthy: **expire** old days, **sweep** what nobody needs any more,
    **compact** small files.

    In this order they are what the DAG `lake_maintenance` does every night. **mirror** copies the
    lake to S3. Each of these only tells what it would do; --yes does it. **ddl** prints what shows
    the tables to AWS.
    """,
)


class Service(StrEnum):
    """What a lake can be shown to at AWS."""

    ATHENA = "athena"
    REDSHIFT = "redshift"


console = Console(stderr=True)

At = Annotated[
    str | None,
    typer.Option("--at", help="As if it were this time, UTC.", show_default="now"),
]


@app.command("compact")
def compact_lake(
    dry_run: DryRun = True, home: Home = None, lake: LakeFolder = None, as_json: AsJson = False
) -> None:
    """Merge the small files of each partition into few large ones, sorted.

    Every row stays, in one atomic commit a partition. Readers go on; the old files stay on disk
    until `sweep`.
    """
    configure(home, lake=lake)
    with console.status("looking for small files") as status:
        rows = jobs.compact_lake(
            dry_run, lambda done, of: status.update(f"{done} of {of} partitions")
        )
    lines = only_told(table(rows), dry_run)
    show(rows, lines if rows else ["no partition has more small files than it may"], as_json)


@app.command("expire")
def expire_lake(
    dry_run: DryRun = True,
    at: At = None,
    home: Home = None,
    lake: LakeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Take the days out that are older than BARTIZAN_RETENTION keeps, such as
    `waf.requests=90,agg=400`: days by table, or by all tables of a kind.

    Without that setting everything is kept. The rows can be brought back until `sweep` deletes
    their files.
    """
    configure(home, lake=lake)
    rows = jobs.expire_lake(_moment(at), dry_run)
    lines = only_told(table([row | {"days": _span(row["days"])} for row in rows]), dry_run)
    show(rows, lines if rows else ["BARTIZAN_RETENTION is not set: all is kept"], as_json)


@app.command("sweep")
def sweep_lake(
    dry_run: DryRun = True,
    at: At = None,
    grace_hours: Annotated[
        int, typer.Option(min=1, help="How long a replaced file is kept for those who read it.")
    ] = jobs.upkeep.GRACE_HOURS,
    home: Home = None,
    lake: LakeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Delete files that no reader, writer or unfinished batch can need any more.

    Forgets the snapshots that were replaced before the grace period, then deletes the files that
    only they had, and what killed tasks left behind.
    """
    configure(home, lake=lake)
    grace = timedelta(hours=grace_hours)
    rows = jobs.sweep_lake(_moment(at), grace, dry_run, list_files=as_json)
    show(rows, only_told(table(rows), dry_run), as_json)


@app.command("mirror")
def mirror_lake(
    to: Annotated[
        str | None, typer.Option(help="s3:// prefix of the files.", show_default="BARTIZAN_MIRROR")
    ] = None,
    database_prefix: Annotated[
        str | None,
        typer.Option(
            help="What names of Glue databases begin with.", show_default="BARTIZAN_MIRROR_PREFIX"
        ),
    ] = None,
    dry_run: DryRun = True,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Delete what readers of the mirror cannot need.")
    ] = False,
    grace_hours: Annotated[
        int, typer.Option(min=1, help="How long --sweep keeps what was replaced.")
    ] = jobs.upkeep.GRACE_HOURS,
    home: Home = None,
    lake: LakeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Copy what is committed in the lake to S3, as Iceberg tables in AWS Glue.

    Uploads the files that are new here, then adds them and takes out those that are gone here, by
    one commit a table. Athena and Redshift see a snapshot of the lake, never half of one.
    """
    configure(home, lake=lake)
    if sweep:
        grace, now = timedelta(hours=grace_hours), datetime.now(UTC)
        rows = jobs.sweep_mirror(now, to, database_prefix, grace, dry_run, list_files=as_json)
    else:
        with console.status("comparing") as status:
            rows = jobs.mirror_lake(
                to,
                database_prefix,
                dry_run,
                lambda done, of: status.update(f"{done / 1e6:.1f} of {of / 1e6:.1f} MB uploaded"),
            )
    lines = only_told(table(rows), dry_run)
    show(rows, lines if rows else ["the mirror shows what is here"], as_json)


@app.command("ddl")
def show_ddl(
    engine: Annotated[Service, typer.Option(help="Who is to run it.")],
    location: Annotated[str, typer.Option(help="Athena: s3:// prefix of the tables' files.")] = "",
    role: Annotated[
        str, typer.Option(help="Redshift: ARN of the role that reads Glue and S3.")
    ] = "default",
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to, a file for each statement.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the SQL that makes the lake's tables and the view `waf_logs` at AWS.

    Runs nothing. Athena takes one statement at a time: --out or --json keeps them apart, by name.
    """
    statements = jobs.lake_ddl(engine.value, location, role)
    if out is None:
        show(statements, ["\n".join(statements.values()).rstrip()], as_json)
        return
    out.mkdir(parents=True, exist_ok=True)
    for name, text in statements.items():
        (out / f"{name}.sql").write_text(text, encoding="utf-8")
    written = [str(out / f"{name}.sql") for name in statements]
    show(written, written, as_json)


def _moment(text: str | None) -> datetime:
    now = datetime.now(UTC)
    moment = parse_time(text) if text else now
    if moment > now:
        raise UsageError("--at", f"{text!r} is yet to come", "files in use would look unused")
    return moment


def _span(days: list[str]) -> str:
    return f"{len(days)} from {days[0]} to {days[-1]}" if days else "none"
