"""`bartizan playbook`: what is advised about which incidents."""

from __future__ import annotations

from typing import Annotated

import typer

from bartizan import jobs
from bartizan.terminal import AsJson, Home, configure, show, table

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""Advice about incidents, from YAML files: what to look at, what to do.

    **list** shows them; **check** reads each, and says which fit an incident.
    """,
)


@app.command("list")
def list_playbooks(as_json: AsJson = False) -> None:
    """Playbooks by name, with their titles."""
    found = jobs.list_playbooks()
    show(found, table(found), as_json)


@app.command()
def check(
    incident: Annotated[
        str | None,
        typer.Argument(help="Id of an incident, or how it begins; see `bartizan incident list`."),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Read all playbooks; the first mistake ends it with file, key, value and remedy."""
    configure(home, needs_home=incident is not None)
    result = jobs.check_playbooks(incident and jobs.incident_id(incident))
    lines = [f"{result['playbooks']} playbooks are in order"]
    if incident is not None:
        lines += [f"fits: {name}" for name in result["fitting"]] or ["none fits"]
    show(result, lines, as_json)
