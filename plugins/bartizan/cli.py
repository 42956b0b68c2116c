"""The `bartizan` command: by hand whatever a DAG does."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from bartizan import (
    alerts_cli,
    connector_cli,
    detect_cli,
    feedback_cli,
    incident_cli,
    intel_cli,
    intel_sharing_cli,
    jobs,
    lake_cli,
    landing_cli,
    mark_cli,
    metrics_cli,
    outbox_cli,
    playbook_cli,
)
from bartizan.aws_errors import calling
from bartizan.errors import BartizanError, UsageError
from bartizan.model.window import written_window
from bartizan.overview_text import described
from bartizan.terminal import (
    AsJson,
    DryRun,
    Home,
    LakeFolder,
    configure,
    show,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="""Anomaly detection for AWS WAF logs.

    Data flows one way: simulate → **land** → **aggregate** → **crawl** / **backfill** → **detect**
    → **dispatch** → **report**. Each command does what the DAG of that name does, over a window
    [start, end) of UTC times such as `2026-11-01T00:00Z`; doing it again changes nothing.

    Folders come from the options below or from BARTIZAN_HOME (default `./var`), BARTIZAN_SOURCE,
    BARTIZAN_LAKE, BARTIZAN_METRICS, BARTIZAN_OUTBOX, BARTIZAN_STORE and BARTIZAN_SQL.
    """,
)
app.add_typer(alerts_cli.app, name="alerts")
app.add_typer(connector_cli.app, name="connector")
app.add_typer(feedback_cli.app, name="feedback")
app.add_typer(incident_cli.app, name="incident")
app.add_typer(intel_cli.app, name="intel")
intel_sharing_cli.register(intel_cli.app)
app.add_typer(lake_cli.app, name="lake")
app.add_typer(mark_cli.app, name="mark")
app.add_typer(outbox_cli.app, name="outbox")
app.add_typer(playbook_cli.app, name="playbook")


def main() -> None:
    """Entry point: errors made for people end on one line and a non-zero exit code.

    So do those of AWS that come up through an s3:// folder, and of files that may not be used.
    """
    try:
        with calling("AWS"):
            app()
    except BartizanError as error:
        _end(error)
    except (PermissionError, IsADirectoryError, NotADirectoryError) as error:
        _end(
            UsageError(
                str(error.filename), str(error.strerror), "check the path and who may use it"
            )
        )


def _end(error: BartizanError) -> NoReturn:
    print(f"bartizan: {error}", file=sys.stderr)
    sys.exit(error.exit_code)


for command in (
    *(landing_cli.simulate, landing_cli.land, landing_cli.reconcile),
    *(metrics_cli.aggregate, metrics_cli.crawl, metrics_cli.backfill),
    *(detect_cli.learn, detect_cli.detect, detect_cli.backtest),
):
    app.command()(command)


@app.command()
def dispatch(
    dry_run: DryRun = True,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Tell the channels of alerts.yaml of every change, each once, and try again what is due.

    Only shows what would be sent without --yes. Without alerts.yaml each channel is a folder of the
    outbox. Exits with 1 when a message is given up; `bartizan outbox` shows why.
    """
    configure(home)
    if dry_run:
        found = jobs.preview_dispatch()
        show(found, outbox_cli.planned(found), as_json)
        return
    done = jobs.dispatch()
    show(done, outbox_cli.told(done), as_json)
    if done["dead"]:
        raise BartizanError(
            f"{len(done['dead'])} messages",
            f"were given up, such as {done['dead'][0][0]}",
            "see `bartizan outbox list --state dead`",
        )


app.command()(incident_cli.digest)


@app.command()
def report(
    out: Annotated[Path | None, typer.Option(help="File to write: .html, .md or .json.")] = None,
    window: Annotated[
        str | None,
        typer.Option(help="START/END, UTC: only incidents that start in it.", show_default="all"),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Write the report of everything known, one section per story."""
    configure(home)
    path = jobs.report(out, None if window is None else written_window(window))
    show({"written": path}, [path], as_json)


@app.command()
def status(home: Home = None, lake: LakeFolder = None, as_json: AsJson = False) -> None:
    """What was landed, aggregated, crawled and detected, and what is quarantined."""
    configure(home, lake=lake)
    found = jobs.status()
    show(asdict(found), described(found), as_json)


@app.command()
def demo(
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Loopback port for Airflow's API.")
    ] = 8080,
    hourly_runs: Annotated[
        int, typer.Option(help="Hours of the live day that run one by one.")
    ] = 3,
    records_per_day: Annotated[int, typer.Option(help="Simulated records a day.")] = 70_000,
    home: Home = None,
) -> None:
    """Walk the main job once on simulated traffic in a real Airflow, then report.

    Channels are folders of the outbox here, whatever alerts.yaml says.
    """
    from bartizan.orchestration import demo as walk  # noqa: PLC0415

    configure(home, needs_home=False)
    os.environ["BARTIZAN_ALERTS"] = ""
    plan = walk.DemoPlan(hourly_runs=hourly_runs, records_per_day=records_per_day)
    walk.present(plan, port)


@app.command()
def up(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Loopback port for the UI.")] = 8080,
    home: Home = None,
) -> None:
    """Airflow's UI on loopback with this project and its data, until Ctrl-C."""
    from bartizan.orchestration.local import serve  # noqa: PLC0415

    configure(home, needs_home=False)
    serve(jobs.settings(), port, print)


if __name__ == "__main__":
    main()
