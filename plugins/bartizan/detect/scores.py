"""Stored scores: one Parquet file per detector and UTC day, replaced whole."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bartizan.model.connector import Connector
from bartizan.model.window import DAY, Window, naive
from bartizan.store.scores import scores_path


def save_scores(root: Path, connector: Connector, window: Window, scores: pd.DataFrame) -> None:
    """Replace the stored scores of `window`, which lies within one UTC day."""
    path = scores_path(root, connector, window.start)
    if path.exists():
        stored = pd.read_parquet(path)
        scores = pd.concat([_outside(stored, window), scores], ignore_index=True)
    scores = scores.sort_values(
        ["interval_start", "measure", *connector.dimensions], ignore_index=True
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    scores.to_parquet(temporary, compression="zstd")
    temporary.replace(path)


def load_scores(root: Path, connector: Connector, window: Window) -> pd.DataFrame:
    """Stored scores of `window`, by interval; an empty frame when there are none."""
    paths = [scores_path(root, connector, day.start) for day in window.pieces(DAY)]
    frames = [pd.read_parquet(path) for path in paths if path.exists()]
    if not frames:
        return pd.DataFrame(
            columns=["interval_start", *connector.dimensions, "measure", "severity"]
        )
    scores = pd.concat(frames, ignore_index=True)
    start, end = naive(window.start), naive(window.end)
    inside = (scores["interval_start"] >= start) & (scores["interval_start"] < end)
    return scores[inside].reset_index(drop=True)


def _outside(scores: pd.DataFrame, window: Window) -> pd.DataFrame:
    start, end = naive(window.start), naive(window.end)
    return scores[(scores["interval_start"] < start) | (scores["interval_start"] >= end)]
