"""What else happened at a time, as far as the house knows: deploys, blocks, late data,
calendars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain

from bartizan.model.connector import Connector
from bartizan.model.recurrence import Occurrence, occurrences
from bartizan.model.story import shown
from bartizan.model.text import number
from bartizan.model.window import HOUR, Window
from bartizan.store import Store
from bartizan.store.deploys import load_deploys
from bartizan.store.late import late_hours
from bartizan.store.set_changes import SetChange, load_set_changes
from bartizan.ui.selection import Selection

DEPLOY, BLOCKS, LATE, CALENDAR = "deploys", "blocks", "late data", "calendar"
MOMENT = timedelta(minutes=1)  # how long what has no length is shown
WEBACL = "webacl"


@dataclass(frozen=True, order=True)
class Mark:
    """`kind` is one of the four; `text` says what, for people. `deploy` is the id of one, by which
    it can be removed."""

    kind: str
    window: Window
    text: str
    deploy: str = ""

    @property
    def is_moment(self) -> bool:
        return self.kind in (DEPLOY, BLOCKS)


def marks(store: Store, connectors: Sequence[Connector], selection: Selection) -> tuple[Mark, ...]:
    """Those that overlap the window of a selection of these connectors, by kind and time, each
    once."""
    window = selection.window
    found = chain(
        _deploys(store, connectors, selection),
        _blocks(store, window),
        _late(store, window),
        _calendars(connectors, selection),
    )
    return tuple(sorted(set(found)))


def _deploys(store: Store, connectors: Iterable[Connector], selection: Selection) -> Iterator[Mark]:
    """Of these detectors, and of the web ACL that is chosen, or of any where none is."""
    detectors, values = {"", *(one.name for one in connectors)}, selection.values
    for one in load_deploys(store, selection.window):
        chosen = values.get(WEBACL, one.webacl)
        if one.detector in detectors and one.webacl in ("", chosen):
            where = f" ({shown(one.webacl)})" if one.webacl else ""
            by = f", by {shown(one.by)}" if one.by else ""
            window = Window(one.at, one.at + MOMENT)
            yield Mark(DEPLOY, window, f"{one.what}{where}{by}", one.id)


def _blocks(store: Store, window: Window) -> Iterator[Mark]:
    for one in load_set_changes(store, window):
        yield Mark(BLOCKS, Window(one.at, one.at + MOMENT), _changed(one))


def _changed(one: SetChange) -> str:
    counts = ((one.added, "blocked"), (one.removed, "freed"))
    what = ", ".join(f"{number(count)} {word}" for count, word in counts if count)
    return f"{what} in {one.target} ({one.kind} by {shown(one.by)})"


def _late(store: Store, window: Window) -> Iterator[Mark]:
    for hour, requests in late_hours(store, window).items():
        yield Mark(LATE, Window(hour, hour + HOUR), f"{number(requests)} requests came too late")


def _calendars(connectors: Iterable[Connector], selection: Selection) -> Iterator[Mark]:
    """Those of all series, and those that are only of some of which one may be chosen."""
    for connector in connectors:
        calendar = connector.calendar
        for entries, what in ((calendar.muted, "muted"), (calendar.excluded, "excluded")):
            for one in occurrences(entries, calendar.timezone, selection.window):
                if one.only.names(selection.where):
                    yield Mark(CALENDAR, one.window, f"{what}: {shown(one.why)}{_only(one)}")


def _only(one: Occurrence) -> str:
    """The series that a range is only of, where it is not of all."""
    named = (
        f"{name} {' or '.join(shown(value) for value in values)}"
        for name, values in one.only.values
    )
    return f" ({', '.join(named)} only)" if one.only.values else ""
