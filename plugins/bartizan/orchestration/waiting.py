"""Lets a task wait for Athena without holding a worker, by the Amazon provider's own trigger.

def execute(self, context):
    execution = engine.start(sql, run=f"{ti.dag_id} {ti.run_id} {ti.task_id} {ti.try_number}")
    self.defer(trigger=athena_trigger(execution, connection), method_name="resume")

def resume(self, context, event):
    rows = awaited_rows(engine, event, origin)
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import pyarrow as pa
from airflow.providers.amazon.aws.triggers.athena import AthenaTrigger

from bartizan.engines.athena import AthenaEngine
from bartizan.engines.connections import Athena
from bartizan.errors import TransientError

_DELAY = 5  # seconds between two looks


def athena_trigger(execution: str, connection: Athena) -> AthenaTrigger:
    """Fires when the execution has ended, or after the connection's timeout.

    It speaks to Athena as the engine does: boto3's own credentials, no Airflow connection.
    """
    return AthenaTrigger(
        query_execution_id=execution,
        waiter_delay=_DELAY,
        waiter_max_attempts=math.ceil(connection.timeout.total_seconds() / _DELAY),
        aws_conn_id=None,
        region_name=connection.region,
    )


def awaited_rows(engine: AthenaEngine, event: Mapping[str, str], origin: str) -> pa.Table:
    """Rows of the execution that the trigger's event names.

    Raises as `engine.query` does; a query that still runs is cancelled.
    """
    execution = event["value"]
    if engine.state(execution, origin) == "running":
        engine.cancel(execution)
        raise TransientError(origin, "ran longer than its timeout and was cancelled", "retry")
    return engine.fetch(execution, origin)
