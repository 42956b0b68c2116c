"""`bartizan mark`: tell of deploys, which the dashboard shows beside what was unusual."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bartizan import jobs
from bartizan.model.text import short
from bartizan.terminal import AsJson, Home, configure, instant, show

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""Tell of your own changes; Explorer and Series of the dashboard show them as marks.

    They change no score. A pipeline may call **deploy** again and again: the same is kept once.
    """,
)

SHOWN = 200  # characters of a text


@app.command()
def deploy(
    what: Annotated[str, typer.Option(help="What was deployed, at most 200 characters.")],
    at: Annotated[str | None, typer.Option(help="When, UTC.", show_default="now")] = None,
    detector: Annotated[
        str, typer.Option(help="Only shown with it; see `bartizan connector list`.")
    ] = "",
    webacl: Annotated[str, typer.Option(help="Only shown with this web ACL.")] = "",
    by: Annotated[str, typer.Option(help="Who deployed it.")] = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Mark a deploy: `bartizan mark deploy --at 2026-11-16T14:00Z --what "shop 4.2"`."""
    configure(home)
    found = jobs.mark_deploy(instant(at), what, by, detector, webacl)
    show(found, [_line(found), "saved" if found["saved"] else "known"], as_json)


@app.command("list")
def list_deploys(home: Home = None, as_json: AsJson = False) -> None:
    """Deploys by time, with their ids."""
    configure(home)
    found = jobs.list_deploys()
    show(found, [_line(one) for one in found] or ["no deploys"], as_json)


@app.command()
def remove(
    deploy_id: Annotated[str, typer.Argument(help="Id of a deploy, as in the list.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Forget a deploy that was marked by mistake."""
    configure(home)
    found = jobs.remove_deploy(deploy_id)
    show(found, [f"removed {_line(found)}"], as_json)


def _line(row: dict[str, Any]) -> str:
    where = "".join(
        f", {name} {short(row[name], SHOWN)}" for name in ("detector", "webacl") if row[name]
    )
    by = f", by {short(row['by'], SHOWN)}" if row["by"] else ""
    return f"{row['id']}  {row['at']}  {short(row['what'], SHOWN)}{where}{by}"
