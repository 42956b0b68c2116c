"""Rules and quiet times of alerts.yaml: shown, tried on what was scored, changed in the file."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bartizan.errors import UsageError
from bartizan.jobs.alerting import alerts, alerts_of
from bartizan.jobs.file_diff import file_diff
from bartizan.jobs.here import open_store, settings
from bartizan.jobs.metrics import connector_names, load_connector
from bartizan.jobs.replayed import groups_at, listeners, scored_points
from bartizan.model.window import DAY, Window, format_time, parse_time

if TYPE_CHECKING:
    from bartizan.dispatch.alerts import Alerts
    from bartizan.dispatch.rules_text import Section
    from bartizan.model.anomaly import Incident

IN_PLACE = "BARTIZAN_ALERTS_IN_PLACE"
MOST_DAYS = 90


def list_rules() -> dict[str, Any]:
    """Rules and quiet times as they are written, and whether they can be changed in place.

    `version` tells this content of the file from any other; `locked` says why it is not changed
    from here, empty where it can be. Without a file there is nothing to change. Raises ConfigError
    for a file that `dispatch` refuses.
    """
    from bartizan.dispatch.rules_text import entries

    path, text = (None, "") if settings().alerts is None else _file()
    return {
        "path": None if path is None else str(path),
        "version": _version(text),
        "locked": _locked(path),
        "rules": entries(text, "rules"),
        "quiet": entries(text, "quiet"),
    }


def alert_channels() -> list[str]:
    """Names of the channels in use."""
    return list(alerts().channels)


def preview_rule(
    section: Section, place: int, entry: Mapping[str, Any] | None, days: int = 30
) -> dict[str, Any]:
    """What another rule or quiet time at a place would have told in the last days; writes nothing.

    `place` may be one after the last, for a new one; `entry` None removes one. `diff` can be
    applied to the file. Raises ConfigError, as `dispatch` would, for an entry that cannot be.
    """
    path, text = _file()
    new = _with(path, text, section, place, entry)
    return {
        "version": _version(text),
        "locked": _locked(path),
        "diff": _diff(text, new),
        **_replayed(alerts(), alerts_of(new, path), days),
    }


def try_alerts(path: Path, days: int = 30) -> dict[str, Any]:
    """What another alerts.yaml would have told in the last days, beside the one in use."""
    return _replayed(alerts(), alerts_of(_read(path), path), days)


def save_rule(
    section: Section, place: int, entry: Mapping[str, Any] | None, version: str
) -> dict[str, Any]:
    """Change the file in place; comments and all other lines stay. Returns the diff.

    Raises UsageError where that is not allowed here, and where the file is no longer the version
    that was looked at; ConfigError for an entry that cannot be.
    """
    from upath import UPath

    from bartizan.files import put
    from bartizan.store.lock import locked

    with locked(open_store(), "alerts"):
        path, text = _file()
        if why := _locked(path):
            raise UsageError(str(path), why, "apply the diff where the file is kept")
        if version != _version(text):
            raise UsageError(str(path), "was changed meanwhile", "look at the rule again")
        new = _with(path, text, section, place, entry)
        target = path.resolve()
        mode = target.stat().st_mode
        try:
            put(UPath(target), new.encode())
            target.chmod(mode)
        except OSError as error:
            problem = f"cannot be written: {error.strerror}"
            raise UsageError(str(path), problem, "apply the diff by hand") from error
    return {"version": _version(new), "diff": _diff(text, new)}


def _file() -> tuple[Path, str]:
    """Raises ConfigError for a file that `dispatch` refuses: no place of it can be told apart."""
    path = settings().alerts
    if path is None:
        raise UsageError("alerts.yaml", "is not there", "copy examples/alerts.yaml to include/")
    text = _read(path)
    alerts_of(text, path)
    return path, text


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            str(path), f"cannot be read: {error}", "correct BARTIZAN_ALERTS"
        ) from error


def _version(text: str) -> str:
    from bartizan.model.ids import digest

    return digest([text])


def _locked(path: Path | None) -> str:
    if path is None:
        return "there is no alerts.yaml: everybody is told of everything, in folders"
    if os.environ.get(IN_PLACE) != "true":
        return f"is changed in its repository: {IN_PLACE} is not true"
    folder = path.resolve().parent
    return "" if os.access(path, os.W_OK) and os.access(folder, os.W_OK) else "cannot be written"


def _with(
    path: Path, text: str, section: Section, place: int, entry: Mapping[str, Any] | None
) -> str:
    """The new text, which `dispatch` can read."""
    from bartizan.dispatch.rules_text import with_entry

    new = with_entry(text, section, place, entry)
    alerts_of(new, path)
    return new


def _diff(old: str, new: str) -> str:
    return file_diff("include/alerts.yaml", old, new)


def _replayed(before: Alerts, after: Alerts, days: int) -> dict[str, Any]:
    """How many incidents each channel would have been told of, and which are told no more, or only
    now. How long rules wait, and what they tell of updates, changes no count."""
    from bartizan.dispatch.rulebook import Rulebook

    if not 1 <= days <= MOST_DAYS:
        raise UsageError("days", f"{days} is not from 1 to {MOST_DAYS}", "write 30")
    reached = dict.fromkeys(connector_names(), 0.0)  # each incident has reached its threshold
    old, new = (Rulebook(one.rules, one.quiet, reached) for one in (before, after))
    was, now, lines, count = Counter[str](), Counter[str](), [], 0
    for one in _incidents(days):
        count += 1
        told = set(listeners(one, old, tuple(before.channels)))
        would = set(listeners(one, new, tuple(after.channels)))
        was.update(told)
        now.update(would)
        if told != would:
            lines.append(_line(one, told - would, would - told))
    channels = sorted({*before.channels, *after.channels})
    return {
        "days": days,
        "incidents": count,
        "channels": [{"channel": one, "before": was[one], "after": now[one]} for one in channels],
        "differs": sorted(lines, key=lambda one: (one["start"], one["headline"]), reverse=True),
    }


def _incidents(days: int) -> Iterator[Incident]:
    """Those in the last scored days of every detector, at its own threshold."""
    from bartizan.store.detectors import load_detectors

    known = set(connector_names())
    for record in load_detectors(open_store()):
        if record.scored_through is not None and record.name in known:
            connector, end = load_connector(record.name), parse_time(record.scored_through)
            points = scored_points(connector, Window(end - days * DAY, end))
            yield from groups_at(points, connector.alert_threshold)


def _line(one: Incident, no_longer: set[str], now: set[str]) -> dict[str, Any]:
    from bartizan.model.story import headline

    return {
        "start": format_time(one.window.start),
        "severity": round(one.severity),
        "detector": one.detector,
        "headline": headline(one),
        "no_longer": sorted(no_longer),
        "now": sorted(now),
    }
