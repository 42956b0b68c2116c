"""Athena's query executions: started, watched, cancelled, and their ends in the project's words."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from typing import Any, Literal

from bartizan.engines.aws import calling, client, pauses
from bartizan.engines.connections import Athena
from bartizan.errors import BartizanError, ConfigError, TransientError, UsageError
from bartizan.model.text import short

log = logging.getLogger(__name__)

_LONGEST_REASON = 300  # characters
_RUNNING = ("QUEUED", "RUNNING")
_SYSTEM = 1  # ErrorCategory: neither the query nor the set-up is at fault
_DENIED = ("PERMISSION_DENIED", "Access denied", "Insufficient permissions", "Access Denied")


class Executions:
    """Speaks to Athena in one workgroup.

    Errors: ConfigError for a query that Athena refuses or that fails by its own fault, UsageError
    for the set-up, TransientError when a later try may do.
    """

    def __init__(
        self, connection: Athena, pause: Callable[[float], None], clock: Callable[[], float]
    ) -> None:
        self._connection, self._pause, self._clock = connection, pause, clock
        self._thing = f"Athena workgroup {connection.workgroup}"
        self._client = client("athena", connection.region)

    def start(self, sql: str, run: str | None, origin: str) -> str:
        """The id of the execution; the same for the same text of the same run."""
        request = self._request(sql)
        if run is not None:
            token = f"{self._connection.workgroup}\n{run}\n{sql}"
            request["ClientRequestToken"] = hashlib.sha256(token.encode()).hexdigest()
        refused = self._client.exceptions.InvalidRequestException
        with calling(self._thing):
            try:
                return str(self._client.start_query_execution(**request)["QueryExecutionId"])
            except refused as error:
                if error.response.get("AthenaErrorCode") != "MALFORMED_QUERY":
                    raise
                raise _query_error(origin, error.response["Error"]["Message"]) from error

    def state(self, execution: str, origin: str) -> Literal["running", "finished"]:
        """Raises for an execution that failed or was cancelled."""
        finished = self._finished(self._describe(execution), origin)
        return "finished" if finished else "running"

    def wait(self, execution: str, origin: str) -> None:
        """Returns when the execution has succeeded; one that is given up on is cancelled."""
        timeout = self._connection.timeout.total_seconds()
        deadline = self._clock() + timeout
        state = "QUEUED"
        try:
            for pause in pauses():
                described = self._describe(execution)
                state = described["Status"]["State"]
                if self._finished(described, origin):
                    return
                if self._clock() >= deadline:
                    raise TransientError(
                        origin,
                        f"ran longer than {timeout:,.0f} s in {self._thing} and was cancelled",
                        "narrow the query or raise the timeout in BARTIZAN_ATHENA",
                    )
                self._pause(pause)
        finally:
            if state in _RUNNING:
                self.cancel(execution)

    def cancel(self, execution: str) -> None:
        """Ends an execution; a failure to do so is only logged, as another error is on its way."""
        try:
            with calling(self._thing):
                self._client.stop_query_execution(QueryExecutionId=execution)
        except BartizanError as error:
            log.warning("query %s may still run: %s", execution, error)

    def columns(self, execution: str) -> list[Mapping[str, Any]]:
        """ColumnInfo of a finished query's columns."""
        with calling(self._thing):
            page = self._client.get_query_results(QueryExecutionId=execution, MaxResults=1)
        return list(page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"])

    def result(self, execution: str) -> str:
        """The s3:// URI of a finished query's result object."""
        location = self._describe(execution)["ResultConfiguration"].get("OutputLocation")
        if not location:
            raise UsageError(
                self._thing,
                "keeps its results to itself (managed query results)",
                "use a workgroup whose results go to S3",
            )
        return str(location)

    def _request(self, sql: str) -> dict[str, Any]:
        request: dict[str, Any] = {
            "QueryString": sql,
            "WorkGroup": self._connection.workgroup,
            "QueryExecutionContext": {"Catalog": self._connection.catalog},
            # A workgroup that enforces its own settings overrides this.
            "ResultConfiguration": {"OutputLocation": self._connection.output},
        }
        if minutes := self._connection.reuse_minutes:
            by_age = {"Enabled": True, "MaxAgeInMinutes": minutes}
            request["ResultReuseConfiguration"] = {"ResultReuseByAgeConfiguration": by_age}
        return request

    def _describe(self, execution: str) -> dict[str, Any]:
        with calling(self._thing):
            answer = self._client.get_query_execution(QueryExecutionId=execution)
        return dict(answer["QueryExecution"])

    def _finished(self, described: Mapping[str, Any], origin: str) -> bool:
        """Whether there are rows to fetch; False while there may be some later."""
        status = described["Status"]
        if status["State"] in _RUNNING:
            return False
        if status["State"] != "SUCCEEDED":
            raise self._failure(status, origin)
        _log_statistics(described["QueryExecutionId"], described["Statistics"])
        return True

    def _failure(self, status: Mapping[str, Any], origin: str) -> BartizanError:
        reason = status.get("StateChangeReason", "without a reason")
        if status["State"] == "CANCELLED":
            return TransientError(origin, f"was cancelled: {reason}", "run it again")
        error = status.get("AthenaError", {})
        if error.get("Retryable") or error.get("ErrorCategory") == _SYSTEM:
            return TransientError(origin, _first_line(reason), "retry later")
        if reason.startswith(_DENIED):
            return UsageError(self._thing, _first_line(reason), "grant what the query reads")
        return _query_error(origin, reason)


def _query_error(origin: str, reason: str) -> ConfigError:
    return ConfigError(origin, _first_line(reason), "correct the query")


def _first_line(reason: str) -> str:
    return short(reason.strip().split("\n", maxsplit=1)[0], _LONGEST_REASON)


def _log_statistics(execution: str, statistics: Mapping[str, Any]) -> None:
    reuse = statistics.get("ResultReuseInformation", {})
    log.info(
        "Athena query %s scanned %s bytes%s",
        execution,
        f"{statistics.get('DataScannedInBytes', 0):,}",
        ", an earlier result was reused" if reuse.get("ReusedPreviousResult") else "",
    )
