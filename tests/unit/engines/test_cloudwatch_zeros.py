"""`bartizan connector publish-zeros`: which zeros are written where, once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cloudwatch_house import WAF, Cloud, cloudwatch_server
from commands import bartizan_command

from bartizan.config import PROJECT
from bartizan.model.window import HOUR, floor

STEP = timedelta(minutes=5)
START = floor(datetime.now(UTC), HOUR) - 2 * HOUR  # what is older than two weeks is refused
OURS = "Shop/Zeros"
SERIES = {"WebACL": "shop", "Rule": "ALL", "Region": "eu-west-1"}
Publish = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with cloudwatch_server() as url:
        yield url


@pytest.fixture
def cloud(server: str, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    cloud = Cloud(server, monkeypatch)
    cloud.count(START, 5)
    cloud.count(START + STEP, 3)
    cloud.count(START + STEP, 2)
    return cloud


@pytest.fixture
def publish(
    cloud: Cloud,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Publish:
    connectors = tmp_path / "sql" / "connectors"
    shutil.copytree(PROJECT / "examples" / "cloudwatch" / "aws_waf_counters", connectors / "waf")
    query = connectors / "waf" / "query.cloudwatch.yaml"
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    monkeypatch.setenv("BARTIZAN_SQL", str(tmp_path / "sql"))

    publish_zeros = bartizan_command(monkeypatch, capsys, "connector", "publish-zeros")

    def run(
        *words: str, to: str = OURS, start: datetime = START, fill: str = "zero"
    ) -> tuple[int, str, str]:
        query.write_text(query.read_text().replace("fill: zero", f"fill: {fill}"))
        window = ("--start", start.isoformat(), "--end", (START + HOUR).isoformat())
        return publish_zeros("waf", "--to", to, *window, *words)

    return run


def test_zeros_are_written_once_where_nothing_is(cloud: Cloud, publish: Publish) -> None:
    due = 4 * 12 - 2  # four metrics in twelve periods, but for those counted

    code, out, _ = publish("--json")
    assert (code, cloud.sums(OURS, START, START + HOUR, **SERIES)) == (0, {})
    facts = json.loads(out)
    assert (facts["have"], facts["there"], facts["due"], facts["dry_run"]) == (2, 0, due, True)

    assert json.loads(publish("--yes", "--json")[1])["due"] == due
    zeros = {START + n * STEP: (0.0, 1.0) for n in range(2, 12)}
    assert cloud.sums(OURS, START, START + HOUR, **SERIES) == zeros

    again = json.loads(publish("--yes", "--json")[1])
    assert (again["have"], again["there"], again["due"]) == (2, due, 0)
    assert cloud.sums(OURS, START, START + HOUR, **SERIES) == zeros
    assert cloud.sums(WAF, START, START + HOUR, **SERIES) == {
        START: (5.0, 1.0),
        START + STEP: (5.0, 2.0),
    }


def test_a_late_datapoint_is_not_written_over(cloud: Cloud, publish: Publish) -> None:
    publish("--yes")
    cloud.count(START + 2 * STEP, 7)

    facts = json.loads(publish("--yes", "--json")[1])

    assert (facts["have"], facts["due"]) == (3, 0)
    assert cloud.sums(OURS, START, START + HOUR, **SERIES)[START + 2 * STEP] == (0.0, 1.0)


@pytest.mark.parametrize("namespace", ["AWS/WAFV2", "AWS/Shop", "aws/x", "", "a\x1b[31m"])
def test_never_into_a_namespace_of_aws(cloud: Cloud, publish: Publish, namespace: str) -> None:
    before = cloud.sums(WAF, START, START + HOUR, **SERIES)

    code, _, err = publish("--yes", to=namespace)

    assert code == 2 and "--to: " in err and "no namespace of your own" in err
    assert cloud.sums(WAF, START, START + HOUR, **SERIES) == before


def test_what_cloudwatch_would_not_take_is_refused(publish: Publish) -> None:
    code, _, err = publish("--yes", start=START - timedelta(days=15))
    assert (code, "older than CloudWatch lets anyone write" in err) == (2, True)

    code, _, err = publish("--yes", fill="none")
    assert (code, "publish-zeros: Sum without a datapoint is no zero" in err) == (2, True)
