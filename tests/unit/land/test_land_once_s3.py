"""Listing and landing from s3://, on a server in this process that counts what it is asked."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from landing_house import START, House
from landing_worker import accept
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem
from upath import UPath
from waf_logs import lines, record

from bartizan.errors import UsageError
from bartizan.land.listing import list_objects
from bartizan.land.plan import plan
from bartizan.land.run import LandReport, land
from bartizan.model.window import HOUR, Window

BUCKET = "aws-waf-logs-example"
ACL = "logs/AWSLogs/o-exampleorgid/111122223333/WAFLogs/us-east-1/_shop_site"


class Bucket:
    """A bucket, and the prefixes it was asked to list."""

    def __init__(self, client: Any, server: Any) -> None:
        self.client = client
        self.server = server
        self.listed: list[str] = []

    def put(self, key: str, *numbers: int, compress: bool = True) -> None:
        content = lines(record(number) for number in numbers)
        body = gzip.compress(content, mtime=0) if compress else content
        self.client.put_object(Bucket=BUCKET, Key=key, Body=body)

    def counting(self, app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
        def counted(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            query = parse_qs(environ["QUERY_STRING"])
            if "list-type" in query:
                self.listed.append(query.get("prefix", [""])[0])
            return app(environ, start_response)

        return counted


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    s3_backends["123456789012"]["aws"].reset()  # servers of one process share what they hold
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    S3FileSystem.clear_instance_cache()
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    bucket = Bucket(client, server._server)
    bucket.server.app = bucket.counting(bucket.server.app)
    yield bucket
    S3FileSystem.clear_instance_cache()
    server.stop()


def land_from(house: House, prefix: str) -> LandReport:
    source = UPath(f"s3://{BUCKET}/{prefix}")
    return land(house.store, house.lake, source, validator=accept, workers=1)


def test_every_layout_lands_once(bucket: Bucket, tmp_path: Path) -> None:
    house = House(tmp_path)
    bucket.put(f"{ACL}/2026/11/04/00/05/111122223333_waflogs_us-east-1__shop_site_x.log.gz", 1, 2)
    bucket.put("logs/2026/11/04/00/stream-1-2026-11-04-00-01-02-ab.gz", 2, 3)
    bucket.put("logs/2026/11/04/00/06/stream.waf-1-2026-11-04-00-06-02-ab", 4, compress=False)
    bucket.put("logs/year=2026/month=11/day=04/hour=01/stream-1-2026-11-04-01-ab.gz", 3600)
    bucket.put("logs/exportedlogs/0a1b/us-east-1_shop_site_0/000000.gz", 5)
    bucket.client.put_object(
        Bucket=BUCKET,
        Key="logs/exportedlogs/aws-logs-write-test",
        Body=b"Permission Check Successful",
    )
    for key in ("logs/", f"{ACL}/2026/"):  # what the console makes of a new folder
        bucket.client.put_object(Bucket=BUCKET, Key=key, Body=b"")

    report = land_from(house, "logs")
    assert (report.objects, report.skipped) == (5, 1)
    assert (report.counts.requests, report.counts.duplicates) == (6, 1)
    assert report.quarantined == ()
    again = land_from(house, "logs/")
    assert (again.objects, again.objects_known, again.changed) == (0, 5, ())


def test_another_etag_is_seen_and_set_aside(bucket: Bucket, tmp_path: Path) -> None:
    house = House(tmp_path)
    key = f"{ACL}/2026/11/04/00/05/a.log.gz"
    bucket.put(key, 1)
    land_from(house, "logs")
    bucket.put(key, 1)  # written again as it was: the same etag
    assert land_from(house, "logs").changed == ()
    bucket.put(key, 1, 2)
    [changed] = land_from(house, "logs").changed
    etag = bucket.client.head_object(Bucket=BUCKET, Key=key)["ETag"].strip('"')
    assert (changed.uri, changed.version) == (f"s3://{BUCKET}/{key}", etag)
    assert house.rows("waf.requests").total() == 1
    assert house.rows("waf.quarantine").total() == 1


def test_a_window_enters_only_the_folders_it_must(bucket: Bucket, tmp_path: Path) -> None:
    backend = s3_backends["123456789012"]["aws"]
    for minutes in range(0, 3 * 24 * 60, 5):  # three days, an object each five minutes
        delivered = START + timedelta(minutes=minutes)
        backend.put_object(BUCKET, f"{ACL}/{delivered:%Y/%m/%d/%H/%M}/a.log.gz", b"")
    for year in (2024, 2025):
        backend.put_object(BUCKET, f"{ACL}/{year}/12/31/00/05/a.log.gz", b"")
    for number in range(1500):  # more than one page in one folder
        backend.put_object(BUCKET, f"{ACL}/2026/11/05/03/15/{number}.log.gz", b"")
    for folder in ("2026/11/05/", "2026/11/05/03/", "2026/11/05/03/15/"):
        backend.put_object(BUCKET, f"{ACL}/{folder}", b"")
    source = UPath(f"s3://{BUCKET}/logs")

    window = Window(START + 27 * HOUR, START + 29 * HOUR)
    found = list_objects(source, window).logs
    assert len(found) == 24 + 1500
    above = ["AWSLogs", "o-exampleorgid", "111122223333", "WAFLogs", "us-east-1", "_shop_site"]
    times = ["2024", "2025", "2026", "2026/11", "2026/11/05", "2026/11/05/03", "2026/11/05/04"]
    folders = ["logs/", *(f"logs/{'/'.join(above[:n])}/" for n in range(1, 7))]
    folders += [f"{ACL}/{time}/" for time in times]
    assert {prefix.rstrip("/") + "/" for prefix in bucket.listed} == set(folders)
    assert len(bucket.listed) <= len(folders) + 2  # is it a folder; the second page

    bucket.put(f"{ACL}/2026/11/08/00/05/next-day.log.gz", 1)
    day = Window(START + 96 * HOUR, START + 120 * HOUR)
    assert plan(House(tmp_path).store, source, day).objects_new == 1  # no listing is remembered


def test_a_bucket_that_may_not_be_listed_is_named(bucket: Bucket) -> None:
    bucket.put(f"{ACL}/2026/11/08/00/05/a.log.gz", 1)

    def denied(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("403 Forbidden", [("Content-Type", "application/xml")])
        return [b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"]

    bucket.server.app = denied
    with pytest.raises(UsageError, match=f"s3://{BUCKET}/logs: AccessDenied: .* — renew"):
        list_objects(UPath(f"s3://{BUCKET}/logs"))
