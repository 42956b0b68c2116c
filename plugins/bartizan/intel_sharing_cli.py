"""`bartizan intel export | send | receive | heard`: whom we list, and whom others do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from bartizan import jobs
from bartizan.errors import BartizanError
from bartizan.jobs.intel_lines import some
from bartizan.model.indicator import Format
from bartizan.model.text import inert, short
from bartizan.terminal import AsJson, At, DryRun, Home, configure, instant, only_told, show


def register(app: typer.Typer) -> None:
    """Add the commands to those of `bartizan intel`."""
    for command in (export, send, receive, heard):
        app.command()(command)


def export(
    out: Annotated[str, typer.Option(help="Folder or s3:// prefix of the feed.")],
    formats: Annotated[
        list[Format] | None,
        typer.Option("--format", help="Give it again for more.", show_default="all"),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Write whom we list now as feeds: address, times, counts and rule families, nothing else."""
    configure(home)
    done = jobs.export_intel(formats or list(Format), out)
    show(done, _written(done), as_json)


def send(at: At = None, dry_run: DryRun = True, home: Home = None, as_json: AsJson = False) -> None:
    """Tell the event buses of other accounts whom we list, as far as they were not told yet, and
    take back whom we list no more."""
    configure(home)
    done = jobs.send_intel(instant(at), dry_run)
    show(done, only_told(_sent(done, dry_run), dry_run), as_json)
    for bus, why in done["failed"].items():
        raise BartizanError(bus, why)


def receive(
    file: Annotated[
        Path | None,
        typer.Option("--from", help="Events in a file, one a line, instead of the queue."),
    ] = None,
    at: At = None,
    dry_run: DryRun = True,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Take in whom other accounts list: evidence for the next `bartizan intel plan`."""
    configure(home)
    done = jobs.receive_intel(instant(at), dry_run, file)
    show(done, only_told(_received(done), dry_run and bool(done["events"])), as_json)


def heard(at: At = None, home: Home = None, as_json: AsJson = False) -> None:
    """What other accounts say and still mean, and what of theirs was set aside, with the reason."""
    configure(home)
    found = jobs.heard_intel(instant(at))
    show(found, _heard(found), as_json)


def _written(done: dict[str, Any]) -> Iterator[str]:
    yield f"{done['networks']} networks to {done['out']}{_untold(done)}"
    yield from (f"  {name}  {size:,} bytes" for name, size in done["files"].items())


def _sent(done: dict[str, Any], dry_run: bool) -> Iterator[str]:
    if done["stopped"]:
        yield "stopped: nobody is told of anything new"
    does = "would tell" if dry_run else "told"
    for one in done["buses"]:
        counts = f"{one['networks']} networks, {one['withdrawn']} taken back"
        counts += f", in {one['events']} events"
        yield f"{does} {one['bus']}: {counts}{_untold(one)}"
    if dry_run and done["buses"]:
        yield "AWS was not asked: whether the credentials do and the buses take it is not known"


def _untold(done: dict[str, Any]) -> str:
    return f", {done['untold']} left out: not from our own logs" if done["untold"] else ""


def _received(done: dict[str, Any]) -> Iterator[str]:
    yield ", ".join(f"{n} {what}" for what, n in done["events"].items()) or "no events"
    yield from (f"account {one}: {n} networks" for one, n in done["networks"].items())
    yield from (f"account {one}: {n} taken back" for one, n in done["withdrawn"].items())
    lines = [f"{one['fault']}: {short(inert(one['why']), 200)}" for one in done["set_aside"]]
    yield from some(lines)


def _heard(found: dict[str, Any]) -> Iterator[str]:
    for one in found["said"]:
        yield (
            f"{one['network']:<20}  score {one['score']:>5.1f}  {one['blocked']} of "
            f"{one['requests']} blocked  until {one['until']}  account {one['account']}"
        )
    for one in found["set_aside"]:
        why = short(inert(one["why"]), 200)
        yield f"{one['at']}  {one['fault']}: {why}  ({one['size']:,} bytes, {one['times']} times)"
    if not any(found.values()):
        yield "nothing"
