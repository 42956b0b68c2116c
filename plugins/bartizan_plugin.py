"""Bartizan in Airflow's UI: a page in the navigation, and a tab on every DAG run."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin


async def dashboard(scope: Any, receive: Any, send: Any) -> None:
    """Made at the first request: every process of Airflow loads this file, one serves the page."""
    from bartizan.orchestration import ui_access  # noqa: PLC0415

    await ui_access.dashboard()(scope, receive, send)


_ICONS = {
    "icon": "bartizan/static/icon.svg",
    "icon_dark_mode": "bartizan/static/icon-dark.svg",
}


class BartizanPlugin(AirflowPlugin):
    name = "bartizan"
    fastapi_apps = [{"app": dashboard, "url_prefix": "/bartizan", "name": "Bartizan"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            "name": "Bartizan",
            "href": "bartizan/",
            "destination": "nav",
            "url_route": "bartizan",
            "nav_top_level": True,
            **_ICONS,
        },
        {
            "name": "Bartizan",
            "href": "bartizan/run?dag_id={DAG_ID}&run_id={RUN_ID}",
            "destination": "dag_run",
            "url_route": "bartizan-run",
            **_ICONS,
        },
    ]
