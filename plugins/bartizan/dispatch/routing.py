"""Routes all changes that are not routed yet, in the light of what else there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from bartizan.dispatch.around import Around
from bartizan.dispatch.channels.base import Clock
from bartizan.dispatch.rulebook import Rulebook
from bartizan.dispatch.rules import route
from bartizan.model.anomaly import Incident
from bartizan.model.window import DAY, Window
from bartizan.store import Store
from bartizan.store.flaps import NO_FLAPS, Flaps, flaps_of
from bartizan.store.incidents import IncidentChange, load_overlapping
from bartizan.store.routing import Beside, Route, informed, past_of, unrouted


def routed(
    store: Store, channels: Iterable[str], book: Rulebook, clock: Clock
) -> Iterator[tuple[IncidentChange, tuple[Route, ...]]]:
    """Each change with its routes; writes nothing.

    Those of fewer dimensions come first, so that what is decided of a whole holds for its parts.
    """
    names = tuple(channels)
    changes = sorted(unrouted(store), key=lambda one: len(one.incident.anomalies[0].dimensions))
    around = Around.of(_of_their_time(store, changes))
    promised: dict[str, frozenset[str]] = defaultdict(frozenset)
    for change in changes:
        beside = tuple(
            Beside(one, informed(store, one.id) | promised[one.id])
            for one in around.explaining(change.incident)
        )
        before = flaps(store, change, names, book)
        past = replace(past_of(store, change), beside=beside, flaps=before)
        routes = route(change, past, names, book, clock())
        promised[change.incident.id] = frozenset(one.channel for one in routes if one.sends)
        yield change, routes


def flaps(store: Store, change: IncidentChange, channels: Collection[str], book: Rulebook) -> Flaps:
    """How often what is alike has ended before a change, where the rules ask for it here."""
    rule = book.flapping
    if rule is None or rule.channels.isdisjoint(channels):
        return NO_FLAPS
    return flaps_of(store, change, rule.within, rule.after)


def _of_their_time(store: Store, changes: Sequence[IncidentChange]) -> list[Incident]:
    """Incidents of the time of the changes, widened by as much as an interval can be long."""
    if not changes:
        return []
    windows = [one.incident.window for one in changes]
    start, end = min(one.start for one in windows), max(one.end for one in windows)
    return load_overlapping(store, Window(start - DAY, end + DAY))
