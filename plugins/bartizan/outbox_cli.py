"""`bartizan outbox`: what was sent, what waits, what was given up; and another try."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import typer

from bartizan import jobs
from bartizan.errors import UsageError
from bartizan.model.outbox import DeliveryState
from bartizan.model.text import short
from bartizan.terminal import AsJson, Home, configure, show

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""What became of every message: one change of an incident for one channel.

    **list** shows state, attempts, receipt or reason; **retry** gives dead messages another try.
    """,
)


@app.command("list")
def list_messages(
    state: Annotated[list[DeliveryState] | None, typer.Option(help="May be repeated.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only of this channel.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Messages as they stand, by channel, incident and change."""
    configure(home)
    rows = jobs.list_outbox([one.value for one in state or ()], channel)
    lines = [
        f"{row['state']:<10}  {row['attempts']:>2} tries  {row['id']}  "
        f"{short(row['receipt'] or row['reason'], 120)}"
        for row in rows
    ]
    show(rows, lines or ["none"], as_json)


@app.command()
def retry(
    ids: Annotated[list[str] | None, typer.Argument(help="As `outbox list` shows them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that are dead.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Have dead messages sent by the next dispatch, with their old idempotency keys.

    A message whose incident has changed since stays dead: the change has its own.
    """
    configure(home)
    if every == bool(ids):
        raise UsageError("retry", "needs either ids or --all", "see `bartizan outbox list`")
    done = jobs.retry_outbox(None if every else ids)
    show(done, [*done, f"{len(done)} will be tried again"], as_json)


def told(done: dict[str, Any]) -> Iterator[str]:
    """What a dispatch did: counts, then what did not arrive and why."""
    yield (
        f"delivered {len(done['delivered'])}, to be tried again {len(done['waiting'])}, "
        f"given up {len(done['dead'])}, changes not for every channel {done['skipped']}"
    )
    for state in ("waiting", "dead"):
        for payload_id, why in done[state]:
            yield f"  {state:<8}  {payload_id}  {short(why, 200)}"


def planned(found: Iterable[dict[str, Any]]) -> Iterator[str]:
    """What a dispatch would send, a line each."""
    answers = {True: "send", False: "skip", None: "wait"}
    nothing = True
    for row in found:
        nothing = False
        yield (
            f"{answers[row['sends']]}  {row['channel']}/{row['incident']}/{row['change']}  "
            f"{short(row['why'], 100)}  {short(row['headline'], 120)}"
        )
    yield "nothing to send" if nothing else "nothing was sent; --yes sends it"
