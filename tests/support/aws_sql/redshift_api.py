"""The operations of the Redshift Data API that run, describe, list and cancel statements."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlglot.errors import SqlglotError

from aws_sql.redshift_dialect import Refused, parsed, placeholders
from aws_sql.redshift_results import column_metadata, records
from aws_sql.redshift_run import RUNNING, Part, Started, run
from aws_sql.redshift_session import RedshiftSession
from aws_sql.server import Api, AwsError
from aws_sql.warehouse import Warehouse

_LONGEST = 100_000  # bytes of one statement


class RedshiftApi:
    """The Data API in front of a warehouse. Its clock is `clock`, in UTC.

    `refusals` are error codes that the next starts are answered with, one each; `started` are the
    ids of what really started, in order.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        clusters: Sequence[str] = ("shop-cluster",),
        workgroups: Sequence[str] = ("shop-workgroup",),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        page_rows: int = 1000,
    ) -> None:
        self._warehouse, self._clock, self._page_rows = warehouse, clock, page_rows
        self._clusters, self._workgroups = clusters, workgroups
        self._known: dict[str, Started] = {}
        self._tokens: dict[str, str] = {}
        self._starting = threading.Lock()
        self.refusals: list[str] = []
        self.started: list[str] = []
        self.operations: Api = {
            "ExecuteStatement": self._execute,
            "BatchExecuteStatement": self._execute_batch,
            "DescribeStatement": self._describe,
            "GetStatementResult": self._result,
            "ListStatements": self._list,
            "CancelStatement": self._cancel,
        }

    def settle(self, seconds: float) -> None:
        """Waits until what started last has ended, `seconds` at the most."""
        if self.started:
            self._known[self.started[-1]].ended.wait(seconds)

    def _execute(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._start(request, [request["Sql"]], batch=False)

    def _execute_batch(self, request: dict[str, Any]) -> dict[str, Any]:
        if not 1 <= len(request["Sqls"]) <= 40:
            raise _invalid("Sqls must have 1 to 40 statements.")
        return self._start(request, request["Sqls"], batch=True)

    def _start(self, request: dict[str, Any], sqls: list[str], batch: bool) -> dict[str, Any]:
        self._require_valid(request, sqls)
        with self._starting:
            if self.refusals:
                code = self.refusals.pop(0)
                raise AwsError(code, "The number of active statements exceeds the limit.")
            token = request.get("ClientToken") or uuid.uuid4().hex
            if token not in self._tokens:
                session = RedshiftSession(self._warehouse, self._clock)
                parts = [Part(sql) for sql in sqls]
                new = Started(str(uuid.uuid4()), request, parts, batch, session)
                self._known[new.id] = new
                self._tokens[token] = new.id
                self.started.append(new.id)
                threading.Thread(target=run, args=(new,), daemon=True).start()
            started = self._known[self._tokens[token]]
        return {"Id": started.id, "CreatedAt": started.created, **_where(started.request)}

    def _require_valid(self, request: dict[str, Any], sqls: list[str]) -> None:
        cluster, workgroup = request.get("ClusterIdentifier"), request.get("WorkgroupName")
        if bool(cluster) == bool(workgroup):
            raise _invalid("Exactly one of ClusterIdentifier and WorkgroupName must be specified.")
        if not request.get("Database"):
            raise _invalid("Database is required.")
        if request.get("DbUser") and (workgroup or request.get("SecretArn")):
            raise _invalid("DbUser is only for a cluster without SecretArn.")
        if cluster and cluster not in self._clusters:
            raise _invalid("Redshift endpoint doesn't exist in this region.")
        if workgroup and workgroup not in self._workgroups:
            raise _invalid("Redshift Serverless workgroup doesn't exist in this region.")
        if any(len(sql.encode()) > _LONGEST for sql in sqls):
            raise _invalid("Cannot process query string larger than 100kB")
        if request.get("SessionId") or request.get("SessionKeepAliveSeconds"):
            raise _invalid("The stand-in keeps no sessions.")
        given = {entry["name"] for entry in request.get("Parameters", [])}
        used = set().union(*(_parameters(sql) for sql in sqls))
        if unused := sorted(given - used):
            raise _invalid(
                f"Parameters list contains unused parameters. Unused parameters: {unused}"
            )
        if missing := sorted(used - given):
            raise _invalid(f"Parameters list is missing parameters: {missing}")

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        started, number = self._find(request["Id"])
        started.ended.wait(request.get("WaitTimeSeconds", 0))
        if number is not None:
            return _about(started, number)
        parts = started.parts
        described = {
            "Id": started.id,
            "Status": started.status,
            "CreatedAt": started.created,
            "UpdatedAt": time.time(),
            "Duration": int(sum(part.seconds for part in parts) * 1e9),
            "HasResultSet": any(part.rows is not None for part in parts),
            "ResultRows": parts[-1].count,
            "ResultSize": -1,
            **_where(started.request),
        }
        if started.error:
            described["Error"] = started.error
        if started.batch:
            described["SubStatements"] = [_about(started, i) for i in range(len(parts))]
        else:
            described["QueryString"] = parts[0].sql
        return described

    def _result(self, request: dict[str, Any]) -> dict[str, Any]:
        started, number = self._find(request["Id"])
        rows = started.parts[number or 0].rows
        if rows is None or (started.batch and number is None):
            raise AwsError(
                "ResourceNotFoundException",
                "Query does not have result. Please check query status with DescribeStatement.",
                ResourceId=request["Id"],
            )
        first = int(request.get("NextToken") or 0)
        page = rows.slice(first, self._page_rows)
        result = {
            "Records": records(page),
            "ColumnMetadata": column_metadata(rows.schema),
            "TotalNumRows": rows.num_rows,
        }
        if first + self._page_rows < rows.num_rows:
            result["NextToken"] = str(first + self._page_rows)
        return result

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted = request.get("Status") or "FINISHED"
        prefix = request.get("StatementName", "")
        first, size = int(request.get("NextToken") or 0), request.get("MaxResults") or 100
        found = [
            {
                "Id": started.id,
                "Status": started.status,
                "CreatedAt": started.created,
                "StatementName": started.request.get("StatementName", ""),
                "IsBatchStatement": started.batch,
            }
            for started in reversed(self._known.values())
            if wanted in ("ALL", started.status)
            and started.request.get("StatementName", "").startswith(prefix)
        ]
        more = {"NextToken": str(first + size)} if first + size < len(found) else {}
        return {"Statements": found[first : first + size], **more}

    def _cancel(self, request: dict[str, Any]) -> dict[str, Any]:
        started, _ = self._find(request["Id"])
        if started.status not in RUNNING:
            raise _invalid(f"Could not cancel a query that is already in {started.status} state.")
        started.session.interrupt()
        return {"Status": True}

    def _find(self, text: str) -> tuple[Started, int | None]:
        """What an id with or without the number of a statement names; the number from 0."""
        key, _, number = text.partition(":")
        started = self._known.get(key)
        if started is None or (number and not 1 <= int(number) <= len(started.parts)):
            raise AwsError("ResourceNotFoundException", "Query does not exist.", ResourceId=text)
        return started, int(number) - 1 if number else None


def _about(started: Started, number: int) -> dict[str, Any]:
    part = started.parts[number]
    return {
        "Id": f"{started.id}:{number + 1}",
        "Status": part.status,
        "QueryString": part.sql,
        "HasResultSet": part.rows is not None,
        "ResultRows": part.count,
        "Duration": int(part.seconds * 1e9),
        "CreatedAt": started.created,
        **({"Error": part.error} if part.error else {}),
    }


def _parameters(sql: str) -> set[str]:
    try:
        return placeholders(parsed(sql))
    except (Refused, SqlglotError):
        return set()  # such a statement fails when it runs; UNLOAD and COPY take none


def _where(request: dict[str, Any]) -> dict[str, Any]:
    names = ("ClusterIdentifier", "WorkgroupName", "Database", "DbUser", "SecretArn")
    return {name: request[name] for name in names if request.get(name)}


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
