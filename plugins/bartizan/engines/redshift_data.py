"""The Redshift Data API: statements sent, looked at, cancelled; where and as whom they run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bartizan.engines.aws import calling, client, pauses
from bartizan.engines.connections import Redshift
from bartizan.engines.redshift_failure import failure
from bartizan.errors import ConfigError, TransientError, UsageError

_FULL = {"ActiveStatementsExceededException", "ActiveSessionsExceededException"}
_ENDED = {"FINISHED", "FAILED", "ABORTED"}
_TOO_LONG = "larger than"  # "Cannot process query string larger than 100kB"


class DataApi:
    """Runs statements at one cluster or workgroup.

    Every method raises TransientError when the service is busy or out of reach, UsageError when
    the set-up is wrong.
    """

    def __init__(
        self, connection: Redshift, pause: Callable[[float], None], clock: Callable[[], float]
    ) -> None:
        self._connection = connection
        self._pause, self._clock = pause, clock
        self._client: Any = client("redshift-data", connection.region)
        self._target = _target(connection)
        self._thing = connection.target or connection.secret or "redshift"

    def submit(self, statements: Sequence[str], token: str, origin: str) -> str:
        """Starts the statements as one transaction; the id of the whole.

        A second call with the same `token` answers the id of the first, and starts nothing. Waits
        while the service already runs as many statements as it may.
        """
        deadline, waits = self._deadline(), pauses()
        while True:
            with calling(self._thing):
                try:
                    started = self._client.batch_execute_statement(
                        Sqls=list(statements), ClientToken=token, **self._target
                    )
                    return str(started["Id"])
                except ClientError as error:
                    self._require_full(error, deadline, origin)
            self._pause(next(waits))

    def _require_full(self, error: ClientError, deadline: float, origin: str) -> None:
        """Raises unless the start may be tried again."""
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if code == "ValidationException" and _TOO_LONG in message:
            raise ConfigError(origin, message, "shorten the query") from error
        if code not in _FULL:
            raise error
        if self._clock() >= deadline:
            raise TransientError(self._thing, f"{code}: {message}", "retry later") from error

    def describe(self, statement: str, origin: str) -> dict[str, Any]:
        """What is known of a statement. Raises as `failure` says for one that failed."""
        described = self._described(statement)
        self._require_success(described, origin)
        return described

    def wait(self, statement: str, origin: str) -> None:
        """Returns when the statement has finished; cancels it when the wait ends otherwise."""
        deadline = self._deadline()
        ended = False
        try:
            for pause in pauses():
                described = self._described(statement)
                ended = described["Status"] in _ENDED
                if ended:
                    self._require_success(described, origin)
                    return
                if self._clock() >= deadline:
                    limit = self._connection.timeout
                    raise TransientError(
                        origin, f"not ready after {limit}; cancelled", "retry, or raise the timeout"
                    )
                self._pause(pause)
        finally:
            if not ended:
                self.cancel(statement)

    def _described(self, statement: str) -> dict[str, Any]:
        with calling(self._thing):
            described: dict[str, Any] = self._client.describe_statement(Id=statement)
        return described

    def _require_success(self, described: dict[str, Any], origin: str) -> None:
        if described["Status"] in ("FAILED", "ABORTED"):
            raise failure(described.get("Error") or "was aborted", origin, self._connection)

    def cancel(self, statement: str) -> None:
        """Ends the statement where it still runs."""
        try:
            self._client.cancel_statement(Id=statement)
        except (ClientError, BotoCoreError):
            return  # it has ended, or is out of reach: the error that led here is the one to show

    def result(self, statement: str) -> dict[str, Any]:
        """The first page of a statement's rows, with the types of its columns."""
        with calling(self._thing):
            result: dict[str, Any] = self._client.get_statement_result(Id=statement)
        return result

    def _deadline(self) -> float:
        return self._clock() + self._connection.timeout.total_seconds()


def _target(connection: Redshift) -> dict[str, str]:
    """The members of a request that say where, and as whom."""
    target, database = connection.target, connection.database
    if connection.secret and not (target and database):
        secret = _secret(connection.secret, connection.region)
        if connection.serverless and not target:
            raise UsageError("redshift", "names no workgroup", "write redshift://WORKGROUP/…")
        target = target or _key(secret, "dbClusterIdentifier", connection.secret)
        database = database or _key(secret, "db", connection.secret)
    if not (target and database):
        raise UsageError("redshift", "names no cluster and database", "write them, or a secret")
    members = {"WorkgroupName" if connection.serverless else "ClusterIdentifier": target}
    members["Database"] = database
    if connection.secret:
        members["SecretArn"] = connection.secret
    elif connection.user:
        members["DbUser"] = connection.user
    return members


def _secret(name: str, region: str | None) -> dict[str, Any]:
    with calling(name):
        text = client("secretsmanager", region).get_secret_value(SecretId=name).get("SecretString")
    try:
        secret = json.loads(text or "")
    except json.JSONDecodeError:
        secret = None  # the parser's own message would show a piece of the secret
    if not isinstance(secret, dict):
        raise UsageError(name, "is no JSON object", "store it as Lookout's connectors did")
    return secret


def _key(secret: dict[str, Any], key: str, name: str) -> str:
    if not secret.get(key):
        raise UsageError(name, f"lacks the key {key!r}", "add it, or write it in the URL")
    return str(secret[key])
