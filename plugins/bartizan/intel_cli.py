"""`bartizan intel`: whom the logs accuse, and what is done about it in IP sets of AWS WAF."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import typer

from bartizan import jobs
from bartizan.errors import BartizanError
from bartizan.jobs.intel_lines import plan_lines, some
from bartizan.model.text import inert, short
from bartizan.model.window import HOUR, Window, floor, given_window
from bartizan.terminal import AsJson, At, DryRun, Home, configure, instant, only_told, show, spans

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""Block addresses for a while, in IP sets of AWS WAF, so that it can be undone.

    **candidates** → **plan** → **apply** → **expire** or **undo**; **status** shows what stands.
    What changes an IP set only tells what it would do until `--yes` is given; **stop** ends it all.
    """,
)

SHOWN = 200  # characters of a text
By = Annotated[str, typer.Option(help="Who does it.")]
Why = Annotated[str, typer.Option(help="Why, in words.")]
Start = Annotated[str | None, typer.Option(help="Of the window.", show_default="a day ago")]
End = Annotated[str | None, typer.Option(help="Of the window.", show_default="the last hour")]
PlanId = Annotated[
    str, typer.Argument(help="Id of a plan, or how it begins, as `intel plan` tells it.")
]

ChangeId = Annotated[
    str, typer.Argument(help="Id of an apply, or how it begins, as `intel status` shows it.")
]


@app.command()
def candidates(
    start: Start = None,
    end: End = None,
    top: Annotated[int, typer.Option(min=1, help="How many, the highest score first.")] = 20,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Addresses that could be blocked, by score, with their evidence."""
    configure(home)
    window = _window(start, end, instant(None))
    found = jobs.find_candidates(window, top)
    show(found, _accused_all(found, window), as_json)


@app.command()
def plan(
    start: Start = None,
    end: End = None,
    by: By = "command",
    at: At = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Make a plan and keep it: what would come into which set, what would go, what is refused."""
    configure(home)
    when = instant(at)
    made = jobs.plan_intel(_window(start, end, when), by, when)
    show(made, plan_lines(made), as_json)


@app.command()
def apply(
    plan_id: PlanId,
    by: By = "command",
    at: At = None,
    dry_run: DryRun = True,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Bring a plan into its IP sets. Giving `--yes` approves it, by name of `--by`."""
    configure(home)
    _tell(jobs.apply_intel(jobs.plan_id(plan_id), by, instant(at), dry_run), dry_run, as_json)


@app.command()
def expire(
    by: By = "command",
    at: At = None,
    dry_run: DryRun = True,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Take out our entries whose time is over. Needs the store and AWS WAF only."""
    configure(home)
    _tell(jobs.expire_intel(by, instant(at), dry_run), dry_run, as_json)


@app.command()
def undo(
    change: ChangeId,
    by: By = "command",
    at: At = None,
    dry_run: DryRun = True,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Take one apply back: what it added goes, what it removed returns."""
    configure(home)
    done = jobs.undo_intel(jobs.change_id(change), by, instant(at), dry_run)
    _tell({"changes": [done], "failed": {}}, dry_run, as_json)


@app.command()
def reject(
    plan_id: PlanId,
    by: By = "command",
    why: Why = "",
    at: At = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Write down that a plan is not to be applied."""
    configure(home)
    _done(jobs.reject_intel(jobs.plan_id(plan_id), by, instant(at), why), as_json)


@app.command()
def stop(
    by: By = "command", why: Why = "", at: At = None, home: Home = None, as_json: AsJson = False
) -> None:
    """From now on nothing is added to any IP set; what is there still expires."""
    configure(home)
    _done(jobs.switch_intel(True, by, why, instant(at)), as_json)


@app.command()
def resume(
    by: By = "command", why: Why = "", at: At = None, home: Home = None, as_json: AsJson = False
) -> None:
    """Let plans be applied again."""
    configure(home)
    _done(jobs.switch_intel(False, by, why, instant(at)), as_json)


@app.command()
def status(at: At = None, home: Home = None, as_json: AsJson = False) -> None:
    """What we hold in which set and until when, the last changes, and who did what."""
    configure(home)
    found = jobs.intel_status(instant(at))
    show(found, _standing(found), as_json)


def _window(start: str | None, end: str | None, at: datetime) -> Window:
    return given_window(start, end) if start or end else jobs.lookback(floor(at, HOUR))


def _tell(result: dict[str, Any], dry_run: bool, as_json: bool) -> None:
    """Show what changed; raises BartizanError for the first set that failed."""
    show(result, only_told(_changed(result), dry_run and bool(result["changes"])), as_json)
    for name, why in result["failed"].items():
        raise BartizanError(f"target {name}", why)


def _done(deed: dict[str, Any], as_json: bool) -> None:
    show(deed, [_deed(deed)], as_json)


def _accused_all(found: dict[str, Any], window: Window) -> Iterator[str]:
    yield from map(_accused, found["candidates"])
    if not found["candidates"]:
        yield f"none from {spans([window])}"
    if more := found["of"] - len(found["candidates"]):
        yield f"and {more} more; see --top"
    if found["unreadable"]:
        yield f"no addresses: {len(found['unreadable'])} clients of the log"


def _accused(row: dict[str, Any]) -> str:
    rules = short(inert(", ".join(row["rules"])), SHOWN)
    many = f"{row['addresses']} addresses, " if row["addresses"] else ""
    did = f"{many}{row['blocked']} of {row['requests']} blocked in {row['hours']} h"
    return (
        f"{row['network']:<20}  score {row['score']:>5.1f}  {did}, {row['uris']} paths  "
        f"[{', '.join(row['reasons'])}]  {rules}"
    )


def _changed(result: dict[str, Any]) -> Iterator[str]:
    for one in result["changes"]:
        yield _change(one)
        yield from some([f"+ {network}" for network in one["added"]])
        yield from some([f"- {network}" for network in one["removed"]])
        yield from some([f"{network}  left out: {why}" for network, why in one["left_out"].items()])
    if not result["changes"] and not result["failed"]:
        yield "nothing to do"
    for name, why in result["failed"].items():
        yield f"{name}: failed: {why}"


def _standing(found: dict[str, Any]) -> Iterator[str]:
    on = "not stopped: plans can be applied"
    yield "stopped: nothing is added to any IP set" if found["stopped"] else on
    if not found["targets"]:
        yield "no IP sets: name them as targets of intel.yaml"
    for one in found["targets"]:
        until = f", next expiry {one['next_expiry']}" if one["next_expiry"] else ""
        late = f", {one['overdue']} overdue" if one["overdue"] else ""
        yield f"{one['target']} ({one['mode']}): {one['held']} of {one['of']:,}{until}{late}"
    yield from (_change(one) for one in found["changes"])
    yield from (_deed(one) for one in found["audit"])


def _change(one: dict[str, Any]) -> str:
    by = short(inert(one["by"]), 60)
    return (
        f"{one['kind']} {one['id']}  {one['target']}  {one['at']} by {by}: "
        f"{one['state']}, {len(one['added'])} added, {len(one['removed'])} removed, "
        f"{one['size']} in the set"
    )


def _deed(one: dict[str, Any]) -> str:
    by, detail = short(inert(one["by"]), 60), short(inert(one["detail"]), SHOWN)
    return f"{one['at']}  {by}  {one['what']} {one['subject']}" + (f": {detail}" if detail else "")
