"""Amazon Athena's operations over a warehouse: executions that start, run, end, can be stopped."""

from __future__ import annotations

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import duckdb

from aws_sql.athena_catalog import Catalog
from aws_sql.athena_checks import Refused
from aws_sql.athena_dialect import Malformed, parse, unload_parts
from aws_sql.athena_results import column_info, data_rows
from aws_sql.athena_statements import Outcome, Statement, Statements, reason
from aws_sql.server import Api, AwsError
from aws_sql.warehouse import Session, Warehouse

_ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
_LONGEST = 262144  # bytes of a query text


@dataclass
class _Execution:
    request: dict[str, Any]
    statement: Statement
    identity: str
    workgroup: str
    state: str = "QUEUED"
    why: str | None = None
    outcome: Outcome | None = None
    reused: bool = False
    submitted: float = field(default_factory=time.time)
    completed: float | None = None
    session: Session | None = None


class AthenaApi:
    """`operations` are for `serve`; `workgroups` are the settings by name.

    `failure`, if a test sets it, is how every further execution ends: StateChangeReason and the
    members of AthenaError.
    """

    def __init__(self, warehouse: Warehouse, glue_endpoint: str) -> None:
        self._warehouse = warehouse
        self._statements = Statements(warehouse, Catalog(warehouse, glue_endpoint))
        self._executions: dict[str, _Execution] = {}
        self._tokens: dict[str, tuple[str, str]] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._workers = ThreadPoolExecutor(4, "athena")
        self.workgroups: dict[str, dict[str, Any]] = {"primary": {}}
        self.failure: dict[str, Any] | None = None

    @property
    def operations(self) -> Api:
        return {
            "StartQueryExecution": self._start,
            "GetQueryExecution": lambda request: {"QueryExecution": self._shown(self._of(request))},
            "StopQueryExecution": self._stop,
            "GetQueryResults": self._results,
            "GetWorkGroup": self._workgroup,
            "CreateWorkGroup": self._create_workgroup,
            "ListQueryExecutions": lambda request: {
                "QueryExecutionIds": [*reversed(self._executions)]
            },
        }

    def wait(self, seconds: float) -> None:
        """Returns when an execution has ended since the last call, or after so long."""
        self._ended.wait(seconds)
        self._ended.clear()

    def close(self) -> None:
        """Ends what runs."""
        for execution in list(self._executions.values()):
            if execution.state not in _ENDED and execution.session:
                execution.session.interrupt()
        self._workers.shutdown(cancel_futures=True)

    def _start(self, request: dict[str, Any]) -> dict[str, Any]:
        text, token = request["QueryString"], request["ClientRequestToken"]
        workgroup = request.get("WorkGroup", "primary")
        if workgroup not in self.workgroups:
            raise _invalid(f"WorkGroup {workgroup} is not found.")
        if len(text.encode()) > _LONGEST:
            raise _invalid(f"Query string length exceeds {_LONGEST} bytes")
        self._refuse_malformed(text)
        with self._lock:
            if token in self._tokens:
                identity, before = self._tokens[token]
                if before != text:
                    raise _invalid("Idempotent parameters do not match")
                return {"QueryExecutionId": identity}
            execution = self._new(request, workgroup, text)
            self._tokens[token] = (execution.identity, text)
            self._executions[execution.identity] = execution
            if earlier := self._reusable(execution):
                execution.outcome, execution.reused = earlier.outcome, True
                execution.state, execution.completed = "SUCCEEDED", time.time()
            else:
                self._workers.submit(self._run, execution)
        return {"QueryExecutionId": execution.identity}

    def _refuse_malformed(self, text: str) -> None:
        parts = unload_parts(text)
        words = text.split(maxsplit=1)
        if words and words[0].lower() == "explain":
            return
        try:
            parse(parts[0] if parts else text)
        except Malformed as error:
            raise _invalid(str(error), "MALFORMED_QUERY") from error

    def _new(self, request: dict[str, Any], workgroup: str, text: str) -> _Execution:
        settings = self.workgroups[workgroup]
        output = request.get("ResultConfiguration", {}).get("OutputLocation")
        if settings.get("EnforceWorkGroupConfiguration") or not output:
            output = settings.get("ResultConfiguration", {}).get("OutputLocation")
        if not output:
            raise _invalid(
                "No output location provided. An output location is required either through the "
                "Workgroup result configuration setting or as an API input."
            )
        identity = str(uuid.uuid4())
        database = request.get("QueryExecutionContext", {}).get("Database")
        statement = Statement(text, database, f"{output.rstrip('/')}/{identity}")
        return _Execution(request, statement, identity, workgroup)

    def _reusable(self, new: _Execution) -> _Execution | None:
        reuse = new.request.get("ResultReuseConfiguration", {}).get("ResultReuseByAgeConfiguration")
        if not reuse or not reuse["Enabled"]:
            return None
        oldest = new.submitted - 60 * reuse.get("MaxAgeInMinutes", 60)
        for earlier in reversed(self._executions.values()):
            alike = earlier.statement.text == new.statement.text and earlier is not new
            if alike and earlier.state == "SUCCEEDED" and (earlier.completed or 0) >= oldest:
                kept = earlier.outcome and self._warehouse.objects.list(earlier.outcome.location)
                return earlier if kept else None
        return None

    def _run(self, execution: _Execution) -> None:
        with self._warehouse.session() as session:
            with self._lock:
                if execution.state != "QUEUED":
                    return
                execution.session, execution.state = session, "RUNNING"
            state, why = "SUCCEEDED", None
            try:
                if self.failure:
                    raise Refused(self.failure["StateChangeReason"])
                execution.outcome = self._statements.run(execution.statement, session)
            except duckdb.InterruptException:
                state, why = "CANCELLED", "Query cancelled by user"
            except (Refused, Malformed) as error:
                state, why = "FAILED", str(error)
            except duckdb.Error as error:
                state, why = "FAILED", reason(error)
            except Exception as error:  # a defect of the stand-in: shown to the test, not hidden
                state, why = "FAILED", f"stand-in: {type(error).__name__}: {error}"
            with self._lock:
                execution.session, execution.completed = None, time.time()
                execution.state, execution.why = state, why
            self._ended.set()

    def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        execution = self._of(request)
        with self._lock:
            session = execution.session
            if execution.state == "QUEUED":
                execution.state, execution.why = "CANCELLED", "Query cancelled by user"
        if session:
            session.interrupt()
        return {}

    def _of(self, request: dict[str, Any]) -> _Execution:
        identity = request["QueryExecutionId"]
        if identity not in self._executions:
            raise _invalid(f"QueryExecution {identity} was not found")
        return self._executions[identity]

    def _shown(self, execution: _Execution) -> dict[str, Any]:
        status: dict[str, Any] = {
            "State": execution.state,
            "SubmissionDateTime": execution.submitted,
        }
        if execution.completed:
            status["CompletionDateTime"] = execution.completed
        if execution.why:
            status["StateChangeReason"] = execution.why
        if execution.state == "FAILED":
            status["AthenaError"] = {
                "ErrorCategory": 2,
                "ErrorType": 1006,
                "Retryable": False,
                "ErrorMessage": execution.why,
                **(self.failure or {}).get("AthenaError", {}),
            }
        scanned = execution.outcome.rows.nbytes if execution.outcome and not execution.reused else 0
        location = execution.outcome.location if execution.outcome else execution.statement.output
        return {
            "QueryExecutionId": execution.identity,
            "Query": execution.statement.text,
            "StatementType": execution.outcome.kind if execution.outcome else "DML",
            "ResultConfiguration": {"OutputLocation": location},
            "QueryExecutionContext": execution.request.get("QueryExecutionContext", {}),
            "Status": status,
            "Statistics": {
                "DataScannedInBytes": scanned,
                "ResultReuseInformation": {"ReusedPreviousResult": execution.reused},
            },
            "WorkGroup": execution.workgroup,
        }

    def _results(self, request: dict[str, Any]) -> dict[str, Any]:
        """The first page begins with a row of column names, as Athena's does for a SELECT."""
        execution = self._of(request)
        if execution.state != "SUCCEEDED" or execution.outcome is None:
            raise _invalid(
                f"Query did not finish successfully. Final query state: {execution.state}"
            )
        rows = execution.outcome.rows
        header = execution.outcome.kind == "DML" and rows.num_columns > 0
        start = int(request.get("NextToken", 0))
        size = request.get("MaxResults", 1000)
        stop = start + size - (1 if header and start == 0 else 0)
        page = data_rows(rows, start, min(stop, rows.num_rows))
        if header and start == 0:
            page.insert(0, {"Data": [{"VarCharValue": name} for name in rows.column_names]})
        answer: dict[str, Any] = {
            "UpdateCount": 0,
            "ResultSet": {"Rows": page, "ResultSetMetadata": {"ColumnInfo": column_info(rows)}},
        }
        if stop < rows.num_rows:
            answer["NextToken"] = str(stop)
        return answer

    def _workgroup(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["WorkGroup"]
        if name not in self.workgroups:
            raise _invalid(f"WorkGroup {name} is not found.")
        return {
            "WorkGroup": {"Name": name, "State": "ENABLED", "Configuration": self.workgroups[name]}
        }

    def _create_workgroup(self, request: dict[str, Any]) -> dict[str, Any]:
        self.workgroups[request["Name"]] = request.get("Configuration", {})
        return {}


def _invalid(message: str, code: str = "INVALID_INPUT") -> AwsError:
    return AwsError("InvalidRequestException", message, AthenaErrorCode=code)
