"""A RedshiftEngine before the local stand-in of the Data API, with S3 and Secrets Manager."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import boto3
import pyarrow as pa
from aws_sql.redshift_api import RedshiftApi
from aws_sql.redshift_results import plain
from aws_sql.server import serve
from aws_sql.warehouse import Warehouse
from moto.server import ThreadedMotoServer

from bartizan.engines.connections import Redshift
from bartizan.engines.redshift import RedshiftEngine

BUCKET = "amzn-s3-demo-bucket"
UNLOAD = f"s3://{BUCKET}/unload/"
CONNECTION = Redshift(
    unload=UNLOAD,
    role="arn:aws:iam::111122223333:role/unload",
    target="shop-cluster",
    database="shop",
)


@dataclass(frozen=True)
class House:
    """The stand-in of the Data API, its data and S3, and the client that boto3 makes for it."""

    api: RedshiftApi
    warehouse: Warehouse
    client: Any

    def engine(self, connection: Redshift = CONNECTION, **settings: Any) -> RedshiftEngine:
        """An engine that pauses between polls no longer than the statement takes."""
        return RedshiftEngine(connection, **{"pause": lambda _: self.api.settle(0.05), **settings})

    def run(self, sql: str, **members: Any) -> dict[str, Any]:
        """What DescribeStatement says of a statement once it has ended."""
        where = {"ClusterIdentifier": "shop-cluster", "Database": "shop"}
        return self.ended(self.client.execute_statement(Sql=sql, **{**where, **members}))

    def ended(self, started: dict[str, Any]) -> dict[str, Any]:
        """What DescribeStatement says of what a call started, once that has ended."""
        described = self.client.describe_statement(Id=started["Id"], WaitTimeSeconds=30)
        assert described["Status"] in ("FINISHED", "FAILED", "ABORTED")
        return dict(described)

    def rows(self, sql: str, **members: Any) -> list[list[Any]]:
        """Rows of a statement, through every page of GetStatementResult."""
        described = self.run(sql, **members)
        assert described["Status"] == "FINISHED", described["Error"]
        pages = self.client.get_paginator("get_statement_result").paginate(Id=described["Id"])
        records = [record for page in pages for record in page["Records"]]
        assert described["ResultRows"] == len(records)
        return [plain(record) for record in records]

    def objects(self, prefix: str = UNLOAD) -> list[str]:
        return self.warehouse.objects.list(prefix)


@contextmanager
def open_house(
    tables: Mapping[str, pa.Table],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    page_rows: int = 1000,
) -> Iterator[House]:
    """Starts the servers, points boto3 at them by the standard variables, and ends them."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    variables = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    try:
        with (
            patch.dict(os.environ, kept | variables, clear=True),
            Warehouse(tables, variables["AWS_ENDPOINT_URL"]) as warehouse,
        ):
            boto3.client("s3").create_bucket(Bucket=BUCKET)
            api = RedshiftApi(warehouse, clock=clock, page_rows=page_rows)
            with serve({"RedshiftData": api.operations}) as url:
                os.environ["AWS_ENDPOINT_URL_REDSHIFT_DATA"] = url
                yield House(api, warehouse, boto3.client("redshift-data"))
    finally:
        server.stop()


@contextmanager
def open_redshift(tables: Mapping[str, pa.Table]) -> Iterator[RedshiftEngine]:
    """An engine whose tables `<schema>.<table>` hold these rows."""
    with open_house(tables) as house:
        yield house.engine()
