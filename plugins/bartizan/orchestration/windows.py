"""The windows of a run: given by hand, by the events that started it, or by its schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import Asset, Param
from airflow.sdk.exceptions import AirflowSkipException

from bartizan.errors import UsageError
from bartizan.model.window import HOUR, Window, aware, floor, given_window, merged

WINDOWS = "windows"


def window_params() -> dict[str, Param]:
    """The two form fields with which a person gives a run its window."""
    return {
        "start": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Start (UTC)",
            description="Beginning of the window, inclusive. Empty: the run's own window.",
        ),
        "end": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="End (UTC)",
            description="End of the window, exclusive. Give both or neither.",
        ),
    }


def run_windows(context: Mapping[str, Any]) -> list[Window]:
    """The run's windows, merged and in order. Never derived from the present time.

    Raises UsageError for a run that has none, such as a manual run without start and end.
    """
    if is_by_hand(context):
        params = context["params"]
        return [given_window(params["start"], params["end"])]
    if events := context.get("triggering_asset_events"):
        heard = merged(
            Window.from_json(item)
            for asset_events in events.values()
            for event in asset_events
            for item in event.extra.get(WINDOWS, ())
        )
        if not heard:
            raise AirflowSkipException("the events that started this run name no windows")
        return heard
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    if start is None or end is None or start == end:
        raise UsageError(
            f"run {context['run_id']}", "has no window", "trigger it with start and end in the form"
        )
    # A schedule may run some minutes past the hour to let deliveries arrive; hours stay whole.
    return [Window(floor(aware(start), HOUR), floor(aware(end), HOUR))]


def is_by_hand(context: Mapping[str, Any]) -> bool:
    """Whether a person gave the run its window."""
    params = context["params"]
    return bool(params.get("start") or params.get("end"))


def announce(context: Mapping[str, Any], asset: Asset, windows: Sequence[Window]) -> None:
    """Ring the asset's bell for the windows; with none, skip the task so that no event is made."""
    if not windows:
        raise AirflowSkipException("nothing to announce")
    context["outlet_events"][asset].extra = {WINDOWS: [window.as_json() for window in windows]}
