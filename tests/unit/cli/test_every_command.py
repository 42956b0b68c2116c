"""What all commands have in common, read from their declarations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from bartizan.cli import app


def commands(group: Any, *names: str) -> Iterator[tuple[str, Any]]:
    if isinstance(group, TyperGroup):
        for name, command in group.commands.items():
            yield from commands(command, *names, name)
    else:
        yield " ".join(names), group


EVERY = dict(commands(get_command(app)))
ACTING = {
    *("backfill", "dispatch", "connector publish-zeros"),
    *("intel apply", "intel expire", "intel undo", "intel send", "intel receive"),
    *("lake compact", "lake expire", "lake sweep", "lake mirror"),
}


def test_what_acts_only_tells_until_yes_is_given() -> None:
    told = {
        name: option
        for name, command in EVERY.items()
        for option in command.params
        if "--yes" in (*option.opts, *option.secondary_opts)
    }
    assert told.keys() == ACTING
    for option in told.values():
        assert (option.opts, option.secondary_opts) == (["--dry-run"], ["--yes"])
        assert option.default is True


def test_no_other_word_for_it() -> None:
    words = {word for command in EVERY.values() for one in command.params for word in one.opts}
    assert {"--json", "--home"} <= words
    assert not words & {"--write", "--apply", "--execute", "--confirm", "-y"}


def test_every_command_prints_json_for_machines() -> None:
    lacking = {
        name
        for name, command in EVERY.items()
        if not any("--json" in option.opts for option in command.params)
    }
    assert lacking == {"demo", "up"}  # they talk while they run


@pytest.mark.parametrize("name", EVERY)
def test_each_command_says_what_it_does_and_what_its_options_mean(name: str) -> None:
    command = EVERY[name]
    assert command.help
    silent = [one.name for one in command.params if not getattr(one, "help", "")]
    assert silent == []
