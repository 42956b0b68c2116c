"""Another rule or quiet time: first what it would have told, then the file changed in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bartizan import jobs
from bartizan.dispatch.rules_text import Section
from bartizan.errors import ConfigError, UsageError
from bartizan.store import Store
from bartizan.ui.data.audited import audited
from bartizan.ui.data.rule_fields import RuleFields, entry_of, fields_of


@dataclass(frozen=True)
class RulePage:
    """`entry` is what would stand in the file, None where it is removed; `preview` what that would
    have told, None before anything was tried; `problem` why it cannot be."""

    section: Section
    place: int
    is_new: bool
    fields: RuleFields
    left_alone: tuple[str, ...]
    entry: dict[str, Any] | None
    preview: dict[str, Any] | None
    problem: str
    channels: tuple[str, ...]
    detectors: tuple[str, ...]
    locked: str


def rule_page(
    section: Section, place: int, tried: RuleFields | None, remove: bool = False
) -> RulePage:
    """The form of an entry, filled with what is tried or as it is, with what would come of it.

    Raises UsageError without an alerts.yaml, or for a place that is not there.
    """
    held = jobs.list_rules()
    if held["path"] is None:
        raise UsageError("alerts.yaml", "is not there", "copy examples/alerts.yaml to include/")
    known = held[section]
    if not 0 <= place <= len(known):
        raise UsageError(f"{section}[{place}]", "is not there", "look at Detectors again")
    old = known[place] if place < len(known) else {}
    fields = tried or fields_of(old)
    entry = None if remove else entry_of(fields, section, old)
    preview, problem = None, ""
    if tried or remove:
        try:
            preview = jobs.preview_rule(section, place, entry)
        except ConfigError as error:
            problem = str(error)
    return RulePage(
        section=section,
        place=place,
        is_new=place == len(known),
        fields=fields,
        left_alone=tuple(name for name in old if name in ("only", "without")),
        entry=entry,
        preview=preview,
        problem=problem,
        channels=tuple(jobs.alert_channels()),
        detectors=tuple(jobs.connector_names()),
        locked=held["locked"],
    )


def try_rule(section: Section, place: int, entry: Mapping[str, Any] | None) -> dict[str, Any]:
    """What another entry would have told; a mistake in it is the asker's."""
    try:
        return jobs.preview_rule(section, place, entry)
    except ConfigError as error:
        raise UsageError(error.thing, error.problem, error.remedy) from error


def apply_rule(
    store: Store,
    by: str,
    at: datetime,
    section: Section,
    place: int,
    entry: Mapping[str, Any] | None,
    version: str,
) -> dict[str, Any]:
    """Change the file; the diff stands in the audit. Raises UsageError where it cannot be."""

    def save() -> dict[str, Any]:
        try:
            return jobs.save_rule(section, place, entry, version)
        except ConfigError as error:
            raise UsageError(error.thing, error.problem, error.remedy) from error

    subject = f"alerts.yaml {section}[{place}]"
    return audited(store, at, by, "edit_alerts", subject, version, save, lambda done: done["diff"])
