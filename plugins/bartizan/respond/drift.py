"""Notices what others changed in an IP set since we looked last, or wrote."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from bartizan.model.intel import Network, by_place
from bartizan.store.database import Store
from bartizan.store.intel_drift import Drift, load_seen, save_drift, save_seen


def notice(
    store: Store,
    target: str,
    there: Collection[Network],
    unsettled: Collection[Network],
    by: str,
    at: datetime,
    before: datetime,
) -> None:
    """Write down what is in the set now and what others changed.

    `unsettled` are networks that a change of ours which never ended may have moved. What we wrote
    after `before` may not show yet, so nothing is said of it.
    """
    now, moved = frozenset(there), frozenset(unsettled)
    seen = load_seen(store, target)
    if seen is None:
        save_seen(store, target, now, at)
        return
    known = (seen.networks - moved) | (now & moved)
    if seen.at > before:
        save_seen(store, target, known, seen.at)
    elif now == known:
        save_seen(store, target, now, at)
    else:
        drift = Drift(target, at, _ordered(now - known), _ordered(known - now))
        save_drift(store, drift, now, by)


def _ordered(networks: Collection[Network]) -> tuple[Network, ...]:
    return tuple(sorted(networks, key=by_place))
