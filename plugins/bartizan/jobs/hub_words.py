"""What people set in Security Hub, taken over as what they did about incidents."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bartizan.errors import BartizanError, TransientError, UsageError
from bartizan.jobs.alerting import alerts
from bartizan.jobs.feedback import give_feedback
from bartizan.jobs.handling import acknowledge_incident
from bartizan.jobs.here import open_store

if TYPE_CHECKING:
    from bartizan.model.hub_word import HubWord
    from bartizan.store import Store


def read_hub(
    at: datetime,
    secret_elsewhere: Callable[[str], str | None] | None = None,
    dry_run: bool = False,
) -> list[dict[str, Any]]:
    """Read what people set on our findings, and take over what is new of open incidents.

    Any status is an acknowledgement at a time; with a note that names a kind of feedback it is that
    too. The same word is taken over once. A dry run reads only. Channels that cannot be asked hold
    up no other: raises TransientError that names them when all are done.
    """
    store, found = open_store(), alerts(secret_elsewhere)
    taken: list[dict[str, Any]] = []
    failed: list[str] = []
    for name, channel in found.channels.items():
        try:
            words = {one.incident: one for one in channel.heard(found.context)}
        except BartizanError as error:
            failed.append(f"{name}: {error}")
        else:
            taken += _taken_over(store, name, words, at, dry_run)
    if failed:
        raise TransientError("reading back", "; ".join(failed))
    return taken


def _taken_over(
    store: Store, channel: str, words: dict[str, HubWord], at: datetime, dry_run: bool
) -> list[dict[str, Any]]:
    from bartizan.store.hub_words import forget_words, keep_word, load_words

    before = load_words(store, channel)
    news = [one for one in words.values() if before.get(one.incident) != one]
    done = []
    for word in news:
        if _is_open(store, word.incident):
            refused = "" if dry_run else _take_over(word, at)
            done.append(_row(channel, word, refused))
            if not dry_run:
                keep_word(store, channel, word)
    if not dry_run:
        forget_words(store, channel, before.keys() - words.keys())
    return done


def _take_over(word: HubWord, at: datetime) -> str:
    """Returns what of it was refused and why, empty when nothing was."""
    refused, why = "", word.in_words
    if (kind := word.feedback) is not None:
        refused = _refused(
            lambda: give_feedback(word.incident, kind, at, note=word.note, by=word.by)
        )
    if refused:
        why = f"{why} (no feedback: {refused})"
    also = _refused(lambda: acknowledge_incident(word.incident, word.by, at, why))
    return "; ".join(text for text in (refused, also) if text)


def _refused(save: Callable[[], object]) -> str:
    try:
        save()
    except UsageError as error:
        return str(error)
    return ""


def _is_open(store: Store, incident: str) -> bool:
    from bartizan.model.anomaly import IncidentState
    from bartizan.store.incidents import load_incident

    found = load_incident(store, incident)
    return found is not None and found.incident.state is IncidentState.OPEN


def _row(channel: str, word: HubWord, refused: str) -> dict[str, Any]:
    return {
        "incident": word.incident,
        "channel": channel,
        "status": word.status.value,
        "by": word.by,
        "feedback": None if word.feedback is None else word.feedback.value,
        "refused": refused,
        "note": word.note,
    }
