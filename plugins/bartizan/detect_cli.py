"""`bartizan detect` and `backtest`: score a connector's windows, its history, or files alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bartizan import jobs
from bartizan.errors import UsageError
from bartizan.model.text import number, short
from bartizan.model.window import HOUR, Window, given_window, parse_time
from bartizan.terminal import (
    AsJson,
    ConnectorName,
    Home,
    configure_for,
    detector_lines,
    show,
    table,
)

console = Console(stderr=True)


def learn(
    name: ConnectorName,
    day: Annotated[str, typer.Option(help="The UTC day whose intervals will be scored.")],
    step: Annotated[
        str | None,
        typer.Option(
            help="One step of it: plan, a share such as 2/6, or join.",
            show_default="all in this process",
        ),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Learn from up to 35 days of metrics before a day.

    Very many series can be learned by several processes that have one lake folder: `--step plan`
    says how many shares there are, `--step 1/6` learns the first of six, in any order and again
    where it was cut short, and `--step join` puts them together. The result is the same.
    """
    configure_for(name, home)
    at = parse_time(day)
    match step:
        case None:
            found = jobs.learn(name, at)
            show(found, detector_lines(found), as_json)
        case "plan":
            shares = jobs.plan_learning(name, [Window(at, at + HOUR)], again=True)
            show(shares, _steps(name, day, len(shares)), as_json)
        case "join":
            found = jobs.join_shares(name, _planned(name, at))
            show(found, detector_lines(found), as_json)
        case _:
            share = jobs.learn_share(name, _share(step, _planned(name, at)))
            show(share, [f"learned {share}"], as_json)


def _steps(name: str, day: str, shares: int) -> Iterator[str]:
    """What is to be done after planning."""
    if not shares:
        yield f"{name} is no more than one share: learned"
        return
    command = f"bartizan learn {name} --day {day} --step"
    yield f"{shares} shares, in any order and at once:"
    yield from (f"  {command} {number}/{shares}" for number in range(1, shares + 1))
    yield f"then:\n  {command} join"


def _planned(name: str, day: datetime) -> list[str]:
    shares = jobs.planned_shares(name, day)
    if not shares:
        raise UsageError("--step", "nothing is planned for this day", "begin with --step plan")
    return shares


def _share(step: str, shares: list[str]) -> str:
    """The planned share that a step such as 2/6 is."""
    steps = {f"{number}/{len(shares)}": share for number, share in enumerate(shares, start=1)}
    if step not in steps:
        last = f"{len(shares)}/{len(shares)}"
        raise UsageError("--step", f"{step!r} is none", f"give plan, join, or 1/… up to {last}")
    return steps[step]


class Relearn(StrEnum):
    """When files alone are learned from anew: at each midnight as live, or not at all."""

    DAILY = "daily"
    NEVER = "never"


def detect(
    name: Annotated[
        str | None, typer.Argument(help="Name of a connector; see `bartizan connector list`.")
    ] = None,
    start: Annotated[str | None, typer.Option(help="Beginning of the window, UTC.")] = None,
    end: Annotated[str | None, typer.Option(help="End of the window, exclusive, UTC.")] = None,
    files: Annotated[
        str | None,
        typer.Option(
            "--input", help="Metric files instead: a file, a folder, s3:// or a path template."
        ),
    ] = None,
    connector: Annotated[
        Path | None,
        typer.Option(help="connector.yaml for --input.", show_default="read from the columns"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the results of --input.")] = None,
    train_share: Annotated[
        float | None,
        typer.Option(help="Part of --input to learn from.", show_default="0.7"),
    ] = None,
    train_until: Annotated[
        str | None, typer.Option(help="Learn from what is before this time, instead.")
    ] = None,
    relearn: Annotated[
        Relearn | None,
        typer.Option(help="Learn anew from --input as live, or once.", show_default="daily"),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Score a connector's intervals, open incidents and explain them. With --input: files alone.

    `bartizan detect NAME --start … --end …` works on the lake and its store.

    `bartizan detect --input metrics.csv --out DIR` needs neither: it learns from the first 70 % of
    the intervals, scores the rest as live and writes scores, incidents and a report into DIR.
    """
    if files is not None:
        if name is not None:
            raise UsageError("detect", f"both {name} and --input", "give one of them")
        if out is None:
            raise UsageError("--out", "is missing", "name a folder for the results of --input")
        if train_share is not None and train_until is not None:
            raise UsageError("--train-until", "both it and --train-share", "give one of them")
        with console.status("reading files") as status:
            found = jobs.detect_alone(
                files,
                out,
                connector,
                given_window(start, end) if start or end else None,
                parse_time(train_until) if train_until else None,
                0.7 if train_share is None else train_share,
                relearn is not Relearn.NEVER,
                lambda done, of: status.update(f"scored {done} of {of} days"),
            )
        show(found, _told(found, out), as_json)
        return
    if name is None:
        raise UsageError("detect", "neither a connector nor --input", "name what to work on")
    for option, value in (
        ("--connector", connector),
        ("--out", out),
        ("--train-until", train_until),
        ("--train-share", train_share),
        ("--relearn", relearn),
    ):
        if value is not None:
            raise UsageError(option, "is only of --input", "leave it out")
    configure_for(name, home)
    result = jobs.detect(name, [jobs.not_to_come(given_window(start, end))])
    found = result | {"explained": jobs.explain()}
    show(found, _detected(found), as_json)


def backtest(
    name: ConnectorName,
    start: Annotated[str | None, typer.Option(help="Beginning of the window, UTC.")] = None,
    end: Annotated[str | None, typer.Option(help="End of the window, exclusive, UTC.")] = None,
    train_share: Annotated[
        float | None,
        typer.Option(help="Part of the intervals to learn from.", show_default="0.7"),
    ] = None,
    train_until: Annotated[
        str | None, typer.Option(help="Learn from what is before this time, instead.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the results.", show_default="report/backtest_NAME"),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """What a connector's detector would have said of its history, and a report of it.

    Learns from the first part of its metric files and goes through the rest as live: whatever was
    backfilled and scored, or --start to --end. Counts alarms at thresholds 50 to 95, and lists
    those at the connector's own. The live detector and its incidents stay as they are.
    """
    if train_share is not None and train_until is not None:
        raise UsageError("--train-until", "both it and --train-share", "give one of them")
    configure_for(name, home)
    with console.status("reading metrics") as status:
        found = jobs.backtest(
            name,
            given_window(start, end) if start or end else None,
            out,
            parse_time(train_until) if train_until else None,
            0.7 if train_share is None else train_share,
            lambda done, of: status.update(f"scored {done} of {of} days"),
        )
    show(found, _told(found, Path(found["folder"])), as_json)


def _told(found: dict[str, Any], out: Path) -> Iterator[str]:
    files = f" in {found['files']:,} files" if "files" in found else ""
    yield f"{found['connector']}: {found['rows']:,} rows{files}"
    for note in found.get("notes", ()):
        yield f"  note      {short(note, 300)}"
    for reason, count in found["rejected"].items():
        yield f"  not used  {count:,} rows: {reason}"
    for bad in found["examples"]:
        where = f"{bad['column']} is " if bad["column"] else ""
        text = f"{bad['file']}: row {bad['row']}: {where}{bad['value']!r}"
        yield f"            {short(text, 200)}"
    yield f"  learned   {found['learned']}: {found['reason']}"
    yield f"  series    {found['series_ready']:,} of {found['series']:,} ready"
    yield f"  scored    {found['scored']}: {found['scores']:,} scores"
    for one in found["tally"]["thresholds"]:
        chosen = " (alert threshold)" if one["threshold"] == found["threshold"] else ""
        count = f"{one['incidents']:,} incidents, {one['per_week']:.2f} a week"
        yield f"  at {one['threshold']:<5.0f}  {count}{chosen}"
    yield f"  written   {out}: {', '.join(found['written'])}"
    yield f"  live      {found['switch_on']}"
    if found["state"] != "ACTIVE":
        yield "The detector is not ready: it has seen too little to call anything unusual."
    elif not found["incidents"]:
        yield "No incidents."
    else:
        yield from table([_row(one) for one in found["incidents"]])


def _detected(found: dict[str, Any]) -> Iterator[str]:
    yield f"{found['detector']}: {found['state']}, {found['reason']}"
    yield f"  scored    {found['intervals']:,} intervals, {found['scores']:,} scores"
    for reason, count in found["rejected"].items():
        yield f"  not used  {count:,} rows: {reason}"
    yield f"  incidents {len(found['changed'])} opened or changed: see `bartizan incident list`"
    if not found["intervals"] and found["state"] == "ACTIVE":
        yield "No metrics of this window: `bartizan crawl` writes them."


def _row(incident: dict[str, Any]) -> dict[str, str]:
    return {
        "start": incident["start"],
        "end": incident["end"],
        "severity": f"{incident['severity']:.1f}",
        "measure": incident["measure"],
        "value": number(incident["value"]),
        "expected": number(incident["expected"]),
        "what": incident["headline"],
    }
