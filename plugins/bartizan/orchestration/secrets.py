"""Secrets of channels that Airflow keeps."""

from __future__ import annotations

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException


def password(name: str) -> str | None:
    """The password of connection `bartizan_<name>`; None where there is no such connection."""
    try:
        found: str | None = Connection.get(f"bartizan_{name}").password
    except AirflowNotFoundException:
        return None
    return found
