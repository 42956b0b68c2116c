"""The dashboard behind Airflow's own sign-in and roles.

Who may see Airflow's website and read the DAG `dispatch` may look; who may edit that DAG may also
write: acknowledge, snooze, give feedback. `dispatch` tells people of incidents, so whoever may
change what it does may say what it tells. To have a detector watch or its history written, one must
be able to edit the DAGs that do it. Who may also answer the required actions of the DAG `respond`
may take back what it blocked, and stop it. Airflow's plugins have no access control of their own.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import (
    AccessView,
    DagAccessEntity,
    DagDetails,
)
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.configuration import conf
from airflow.models.dag import DagModel
from fastapi import FastAPI, HTTPException

from bartizan.ui import Visitor, create_app
from bartizan.ui.site import ROLES

RIGHTS_OF = "dispatch"
ASKS = "respond"


@cache
def dashboard() -> FastAPI:
    """The app that the API server mounts, made once in a process."""
    key: str = conf.get_mandatory_value("api", "secret_key")
    return create_app(visitor, key.encode())


def visitor(user: GetUserDep) -> Visitor:
    """Who is signed in to Airflow. Raises HTTPException 401 for nobody, 403 without the right."""
    looks = get_auth_manager().is_authorized_view(access_view=AccessView.WEBSITE, user=user)
    if not (looks and _may("GET", user)):
        raise HTTPException(403, f"You may not read the DAG {RIGHTS_OF}, nor this page; {ROLES}.")
    return Visitor(
        user.get_name(),
        may_write=_may("PUT", user),
        may_run=lambda dag_id: _may("PUT", user, dag_id),
        may_block=_may("PUT", user, ASKS, DagAccessEntity.HITL_DETAIL),
    )


def _may(
    method: Literal["GET", "PUT"],
    user: BaseUser,
    dag_id: str = RIGHTS_OF,
    entity: DagAccessEntity | None = None,
) -> bool:
    details = DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id))
    return get_auth_manager().is_authorized_dag(
        method=method, access_entity=entity, details=details, user=user
    )
