"""An Athena engine over given tables: stand-ins for Athena, and for the S3 and Glue beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from unittest import mock

import boto3
import pyarrow as pa
from aws_sql.athena_api import AthenaApi
from aws_sql.server import serve
from aws_sql.warehouse import Warehouse
from moto.server import ThreadedMotoServer

from bartizan.engines.athena import AthenaEngine
from bartizan.engines.connections import Athena

BUCKET = "athena-results"
CONNECTION = Athena(workgroup="primary", output=f"s3://{BUCKET}/out/")


@dataclass(frozen=True)
class AthenaHouse:
    """The stand-ins behind an engine, for tests that look at them."""

    api: AthenaApi
    warehouse: Warehouse

    def engine(
        self, connection: Athena = CONNECTION, pause: Callable[[float], None] | None = None
    ) -> AthenaEngine:
        """An engine whose pauses end when the stand-in has an answer."""
        return AthenaEngine(connection, pause or self.api.wait)

    def files(self) -> list[str]:
        """What lies in S3, tables and results alike."""
        return self.warehouse.objects.list(f"s3://{BUCKET}/")


@contextmanager
def open_athena(tables: Mapping[str, pa.Table]) -> Iterator[AthenaEngine]:
    """An engine whose `<schema>.<table>` tables hold these rows."""
    with athena_house(tables) as house:
        yield house.engine()


@contextmanager
def athena_house(tables: Mapping[str, pa.Table]) -> Iterator[AthenaHouse]:
    """The stand-ins, with the environment that leads boto3 to them."""
    moto = ThreadedMotoServer(port=0, verbose=False)
    moto.start()
    aws = "http://{}:{}".format(*moto.get_host_and_port())
    try:
        with mock.patch.dict(os.environ, _environment(aws)), Warehouse(tables, aws) as warehouse:
            bucket = boto3.resource("s3").create_bucket(Bucket=BUCKET)
            with (
                closing(AthenaApi(warehouse, aws)) as api,
                serve({"AmazonAthena": api.operations}) as athena,
            ):
                os.environ["AWS_ENDPOINT_URL_ATHENA"] = athena
                yield AthenaHouse(api, warehouse)
            bucket.objects.all().delete()  # moto keeps it for the next server of this process
    finally:
        moto.stop()


def _environment(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
