"""The same store in SQLite and in PostgreSQL makes the same views."""

from __future__ import annotations

from typing import Any

import pytest
from dashboard_house import DashboardHouse
from dashboard_scene import AGAIN, INJECTION, scene
from engine_postgresql import database
from intel_scene import blocks

EXPLORER = "explorer?window=2026-11-16/2026-11-17"
VIEWS = (EXPLORER, "marks", "now", f"incidents/{INJECTION.id}", "intel", "health", "detectors")


def views(house: DashboardHouse) -> dict[str, Any]:
    """Every view after an answer, and the audit of it."""
    scene(house)
    blocks(house.store, house.now)
    preview = f"incidents/{INJECTION.id}/answers/false_alarm"
    before = house.client.get(f"/api/v1/{preview}").json()
    assert [one for one, _ in before["removed"]] == [INJECTION.id, AGAIN.id]
    for _ in range(2):  # told twice, it is one
        told = {"at": "2026-11-16T02:00:00Z", "what": "shop 4.2"}
        assert house.post("/api/v1/marks", told).status_code == 200
    said = {"kind": "confirmed", "why": "seen"}
    assert house.post(f"/api/v1/incidents/{INJECTION.id}/answers", said).status_code == 200
    shown = {path: house.client.get(f"/api/v1/{path}").json() for path in (*VIEWS, "audit")}
    return shown | {preview: before}


def test_views_do_not_depend_on_the_database(
    house: DashboardHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_sqlite = views(house)
    assert len(in_sqlite["now"]["stories"]) == 3
    assert (in_sqlite["intel"]["blocked"], in_sqlite["intel"]["expiring"]) == (2, 1)
    assert len(in_sqlite["audit"]) == 3
    assert [one["text"] for one in in_sqlite[EXPLORER]["marks"]] == [
        "1 blocked in edge-v6 (apply by dana)",
        "1 blocked in shop-v4 (apply by dana)",
        "shop 4.2, by anna",
    ]
    with database() as url:
        monkeypatch.setenv("BARTIZAN_STORE", url.replace("postgresql://", "postgresql+psycopg://"))
        other = DashboardHouse()
        in_postgresql = views(other)
        for path in (
            "/",
            f"/incident?id={INJECTION.id}",
            "/intel",
            "/health",
            "/detectors",
            "/tuning",
        ):
            assert other.client.get(path).status_code == 200
        for path in ("/incident?id=%00", "/batch?id=%00", "/explorer?detector=%00"):
            assert other.client.get(path).status_code == 400  # PostgreSQL holds no such text
        other.store.engine.dispose()
        other.client.app.state.site.store().engine.dispose()  # type: ignore[attr-defined]
    for name, found in in_sqlite.items():
        assert in_postgresql[name] == found, name
