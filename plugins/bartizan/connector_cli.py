"""`bartizan connector`: list, check, scaffold and import connectors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from bartizan import jobs
from bartizan.errors import BartizanError, ConfigError
from bartizan.model.text import inert, short
from bartizan.model.window import given_window
from bartizan.terminal import (
    AsJson,
    ConnectorName,
    DryRun,
    Home,
    configure,
    detector_lines,
    instant,
    only_told,
    reads,
    show,
    table,
)

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""Any query becomes watched metrics: a folder with connector.yaml and query.sql.

    **new** scaffolds one, **import** converts one of Lookout for Metrics, **check** tries it on the
    lake, **list** shows all. A folder in place has its DAGs crawl_, detect_ and backfill_.
    """,
)

SHOWN = 80  # characters of a value


@app.command("list")
def list_connectors(home: Home = None, as_json: AsJson = False) -> None:
    """Name, interval, dimensions, measures and state of the detector of every connector.

    A folder that is none is listed with what is wrong.
    """
    configure(home, needs_home=False)
    rows = jobs.list_connectors()
    show(rows, _listed(rows), as_json)


@app.command()
def check(
    connector: Annotated[str, typer.Argument(help="Name of a connector, or its folder.")],
    start: Annotated[str | None, typer.Option(help="Beginning of the window, UTC.")] = None,
    end: Annotated[str | None, typer.Option(help="End of the window, exclusive, UTC.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Check a connector's files and run its query, without writing anything.

    Over one interval, the last for which data were landed, unless a window is given. Prints rows,
    series, size, what is read, and warnings. Exits with 1 when the connector cannot run.
    """
    configure(home, needs_home=False)
    window = given_window(start, end) if start or end else None
    try:
        result = jobs.check_connector(connector, window)
    except ConfigError as error:
        raise BartizanError(error.thing, error.problem, error.remedy) from error
    show(result, _checked(result), as_json)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="1-63 letters, digits, - and _.")],
    measure: Annotated[list[str], typer.Option(help="A column to add up; may be repeated.")],
    table: Annotated[str, typer.Option("--from", help="An aggregate, such as agg.agg_rule_5m.")],
    dimension: Annotated[
        list[str] | None, typer.Option(help="A column that tells series apart; may be repeated.")
    ] = None,
    frequency: Annotated[
        str | None, typer.Option(help="PT1H or P1D.", show_default="that of the table")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Scaffold a connector over an aggregate table, commented; never over one that is there."""
    folder = jobs.new_connector(name, measure, dimension or [], table, frequency)
    written = [f"{folder}/{file}" for file in ("connector.yaml", "query.sql")]
    lines = [*written, f"next: edit them, then `bartizan connector check {name}`"]
    show({"name": name, "written": written}, lines, as_json)


@app.command("import")
def import_connector(
    folder: Annotated[Path, typer.Argument(help="Folder with params.json and query files.")],
    name: Annotated[str, typer.Option(help="Name of the new connector.")],
    engine: Annotated[
        str | None,
        typer.Option(
            help="What runs its query: duckdb, athena, redshift or postgresql.",
            show_default="the lake for tables of the lake, else the original's database",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Convert a custom connector of Lookout for Metrics; its folder stays as it is.

    Prints what was changed, what was dropped, and what a person must look at.
    """
    result = jobs.import_connector(folder, name, engine)
    show(result, _imported(result), as_json)


@app.command("publish-zeros")
def publish_zeros(
    name: Annotated[str, typer.Argument(help="A connector over CloudWatch.")],
    to: Annotated[str, typer.Option(help="A namespace of your own, never one of AWS.")],
    start: Annotated[str, typer.Option(help="Beginning of the window, UTC.")],
    end: Annotated[str, typer.Option(help="End of the window, exclusive, UTC.")],
    dry_run: DryRun = True,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Write zeros to CloudWatch where a connector's metrics have no datapoint.

    For alarms and dashboards that read CloudWatch itself: Bartizan fills in zeros without it.
    Running it again writes nothing.
    """
    configure(home, needs_home=False)
    result = jobs.publish_zeros(name, to, given_window(start, end), not dry_run)
    show(result, only_told(_zeros(result), dry_run), as_json)


@app.command()
def calendar(
    file: Annotated[Path, typer.Argument(help="A calendar that was exported as .ics.")],
    timezone: Annotated[str, typer.Option(help="That of the connector's calendar.")] = "UTC",
    as_json: AsJson = False,
) -> None:
    """Print the events of an .ics file as entries for `mute:`, `exclude:` or `quiet:`.

    Paste them into connector.yaml or alerts.yaml. What cannot be said there is a comment. In
    connector.yaml an entry may be of some series: add `only: {webacl: [shop, api]}` to it.
    """
    result = jobs.calendar_entries(file, timezone)
    text = yaml.safe_dump(result["entries"], sort_keys=False, allow_unicode=True, width=1000)
    lines = [*text.splitlines(), *(f"# left out: {one}" for one in result["left_out"])]
    show(result, lines, as_json)


@app.command()
def preview(
    name: ConnectorName,
    at: Annotated[str | None, typer.Option(help="As of when, UTC.", show_default="now")] = None,
    look: Annotated[
        bool, typer.Option("--look", help="Run its query over the last interval, too.")
    ] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """What a connector's detector would begin with: history, and what learning would cost.

    Every connector has a detector, inactive until it has learned. To begin: `bartizan backfill`
    over the history proposed here, then `bartizan learn`, or the DAGs of these names. Writes
    nothing.
    """
    configure(home)
    found = jobs.preview_detector(name, instant(at), look)
    show(found, _previewed(found), as_json)


@app.command()
def deactivate(name: ConnectorName, home: Home = None, as_json: AsJson = False) -> None:
    """Stop a connector's detector: its runs say so and score nothing, until it is activated.

    It keeps what it learned; metrics are crawled on.
    """
    configure(home)
    found = jobs.set_active(name, active=False)
    show(found, detector_lines(found), as_json)


@app.command()
def activate(name: ConnectorName, home: Home = None, as_json: AsJson = False) -> None:
    """Start a connector's detector again. What passed meanwhile is scored by `bartizan detect`."""
    configure(home)
    found = jobs.set_active(name, active=True)
    show(found, detector_lines(found), as_json)


@app.command()
def tune(
    name: ConnectorName,
    threshold: Annotated[float, typer.Option(help="Severity from which on it alerts, 50 to 100.")],
    days: Annotated[int, typer.Option(help="How far back, 1 to 90.")] = 30,
    absolute: Annotated[float, typer.Option(help="Least change, in the measure's unit.")] = 0,
    percent: Annotated[float, typer.Option(help="Least change, of what was expected.")] = 0,
    at_least: Annotated[int, typer.Option(help="Anomalous intervals that an alert needs.")] = 1,
    among: Annotated[int, typer.Option(help="In how many in a row.")] = 1,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Replay stored scores with another threshold and rule; writes nothing.

    Prints how many alerts there would have been, which of those that people confirmed or called
    false would still have been told, and what to change in the files.
    """
    configure(home)
    knobs = jobs.Knobs(threshold, absolute, percent, at_least, among)
    found = jobs.tune(name, knobs, days)
    show(found, _tuned(found, days), as_json)


def _listed(rows: list[dict[str, Any]]) -> Iterator[str]:
    names = ("name", "from", "every", "detector", "measures", "dimensions")
    yield from table([{key: row[key] for key in names} for row in rows if "error" not in row])
    for row in rows:
        if "error" in row:
            yield f"{short(inert(row['name']), SHOWN)}: {short(inert(row['error']), 300)}"


def _zeros(found: dict[str, Any]) -> Iterator[str]:
    yield f"{found['series']:,} series in {found['namespace']}"
    yield f"  have a datapoint  {found['have']:,} periods"
    yield f"  zeros are there   {found['there']:,}"
    yield f"  {'would be' if found['dry_run'] else 'were'} written   {found['due']:,}"


def _tuned(found: dict[str, Any], days: int) -> Iterator[str]:
    yield f"last {days} days: {found['before']} -> {found['after']} alerts"
    for name in ("confirmed", "false_alarms"):
        told = sum(one["told"] for one in found[name])
        yield f"  {name.replace('_', ' '):<13} {told} of {len(found[name])} would still be told"
    for name in ("gone", "new"):
        for one in found[name]:
            yield f"  {name:<6} {one['start']}  {one['severity']:>3}  {one['headline']}"
    if found["diff"]:
        yield found["diff"]


def _imported(result: dict[str, Any]) -> Iterator[str]:
    yield str(result["folder"])
    for name in ("changed", "dropped", "look_at"):
        for text in result[name]:
            yield f"  {name.replace('_', ' '):<8}  {short(text, 300)}"
    yield f"next: `bartizan connector check {result['folder'].name}`"


def _checked(result: dict[str, Any]) -> Iterator[str]:
    yield f"{result['connector']} over {result['window']}"
    yield f"  rows      {result['rows']:,} in {result['intervals']:,} intervals"
    by = ", ".join(f"{name} {count:,}" for name, count in result["cardinality"].items())
    yield f"  series    {result['series']:,}" + (f" (distinct: {by})" if by else "")
    if left_out := result["returned"] - result["rows"]:
        yield f"  left out  {left_out:,} rows"
    if "csv_bytes" in result:
        yield f"  CSV       {result['csv_bytes']:,} bytes"
    yield from reads(result["reads"])
    for row in result["sample"]:
        yield "  sample    " + _on_one_line(row)
    for warning in result["warnings"]:
        yield "  warning   " + short(warning, 200)


def _previewed(found: dict[str, Any]) -> Iterator[str]:
    yield f"{found['connector']}: {found['state']}"
    by, proposed, cost = ", ".join(found["dimensions"]), found["proposed"], found["cost"]
    yield f"  measures  {', '.join(found['measures'])} by {by or 'nothing'}, every {found['every']}"
    yield f"  ready     after {found['intervals_needed']} intervals, {found['ready_after']}"
    if there := found["backfilled"]:
        yield f"  there     {there['start']}/{there['end']} was backfilled"
    yield f"  history   {proposed['start']}/{proposed['end']}" if proposed else "  history   none"
    if cost:
        yield f"  backfill  {cost['chunks']} chunks, {cost['kept']} of them there already"
        yield from reads(cost["reads"])
    if found["problem"]:
        yield f"  problem   {short(found['problem'], 300)}"
    if found["check"]:
        yield from _checked(found["check"])


def _on_one_line(row: dict[str, Any]) -> str:
    """Names and values, which may come from attackers, harmless to a terminal."""
    cells = (f"{short(name, SHOWN)}={short(str(value), SHOWN)}" for name, value in row.items())
    return "  ".join(cells)
