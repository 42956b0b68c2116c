"""Jobs from metric files to what scores a day; a large learning is spread over tasks."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from bartizan.jobs.here import open_store, settings
from bartizan.jobs.metrics import load_connector
from bartizan.model.window import Window


def learn(name: str, day: datetime) -> dict[str, Any]:
    """Learn what scores the UTC day that holds `day`, in this process."""
    from bartizan.detect.learning import learn_for
    from bartizan.store.detectors import load_detector

    here, store = settings(), open_store()
    learn_for(store, here.lake, here.metrics, load_connector(name), day, again=True)
    return asdict(load_detector(store, name))


def learns_in_shares() -> bool:
    """Whether tasks share the learning of very many series (BARTIZAN_LEARN_SHARE)."""
    return settings().learn_share > 0


def plan_learning(name: str, windows: Sequence[Window], again: bool = False) -> list[str]:
    """Names of the shares in which to learn what scores the days of the windows: of what is not
    there, or `again`. What is no more than one share (BARTIZAN_LEARN_SHARE) is learned at once.
    """
    from bartizan.detect.learning import plan

    here, connector = settings(), load_connector(name)
    return plan(open_store(), here.lake, here.metrics, connector, windows, here.learn_share, again)


def planned_shares(name: str, day: datetime) -> list[str]:
    """Names of the planned shares of what scores the UTC day that holds `day`, in order."""
    from bartizan.detect.learning import planned

    return planned(settings().lake, load_connector(name), day)


def learn_share(name: str, share: str) -> str:
    """Learn a planned share, unless that was done; returns its name."""
    from bartizan.detect.learning import learn_planned

    learn_planned(settings().lake, load_connector(name), share)
    return share


def join_shares(name: str, shares: Sequence[str]) -> dict[str, Any]:
    """Put the shares of a learning, all of them learned, together for scoring."""
    from bartizan.detect.learning import join
    from bartizan.store.detectors import load_detector

    store = open_store()
    join(store, settings().lake, load_connector(name), shares)
    return asdict(load_detector(store, name))
