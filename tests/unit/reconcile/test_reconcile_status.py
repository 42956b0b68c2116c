"""What `bartizan status` and `bartizan reconcile` show of drift, balance and reconciliation."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import pytest
from lakes import SmallLake, requests
from sqlalchemy import update

from bartizan import cli
from bartizan.config import Settings
from bartizan.model.landing import BatchCounts, BatchState, ObjectCounts
from bartizan.model.reconciliation import Verdict
from bartizan.model.window import DAY, HOUR
from bartizan.overview import look
from bartizan.overview_text import described
from bartizan.store.drift import Drift, DriftKind, save_drift
from bartizan.store.landing import save_counts, set_state
from bartizan.store.reconciliation import ComparedHour, save_hours, unbalanced
from bartizan.store.tables import landing_batches, landing_objects

START = datetime(2026, 11, 4, tzinfo=UTC)
ARN = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222"


def compared(
    hour: int, logged: int, counted: int, verdict: Verdict, name: str = "shop"
) -> ComparedHour:
    arn, when = ARN.replace("shop", name), START + hour * HOUR
    return ComparedHour(arn, when, {"ALLOW": logged}, {"ALLOW": counted}, verdict, name, "file")


def shown(small: SmallLake, home: Path) -> list[str]:
    here = Settings.from_env({"BARTIZAN_HOME": str(home)})
    return list(described(look(small.store, small.lake, here, {})))


def test_drift_and_reconciliation_are_told(tmp_path: Path) -> None:
    small = SmallLake.open(tmp_path)
    batch = small.land("a", requests=requests([START]))
    assert any("schema drift" in line and "none" in line for line in shown(small, tmp_path))
    assert any("reconciliation" in line and "not done" in line for line in shown(small, tmp_path))

    paths = [f"path{n}" for n in range(6)]
    drifts = [
        Drift(path, DriftKind.UNKNOWN_FIELD, "object", 2000 + n, START)
        for n, path in enumerate(paths)
    ]
    evil = Drift("labels[].\x1b[2J\u202e", DriftKind.OTHER_TYPE, "number", 99_999, START + HOUR)
    save_drift(small.store, batch.id, [*drifts, evil])
    save_hours(
        small.store,
        [
            compared(0, 100, 100, Verdict.COMPLETE),
            compared(1, 900, 1000, Verdict.MISSING),
            compared(2, 300, 100, Verdict.SURPLUS),
            compared(3, 3, 10, Verdict.MISSING),
            compared(4, 0, 9, Verdict.MISSING, "a"),
            compared(4, 90, 100, Verdict.MISSING, "b"),
            compared(5, 0, 1, Verdict.MISSING, "b"),
            compared(4, 0, 8, Verdict.MISSING, "c"),
            compared(4, 50, 50, Verdict.COMPLETE, "d"),
        ],
    )
    text = "\n".join(shown(small, tmp_path))
    assert "99,999 x labels[].\\u001b[2J\\u202e: value of another type (number)" in text
    assert "since 2026-11-04T01:00:00Z" in text
    assert "7 paths" in text
    assert "and 2 more" in text
    assert "path5" in text
    assert "path0" not in text
    assert "hours: 2 complete, 6 missing, 1 more than counted; the last 2026-11-04T05:00" in text
    # The worst hour of the three worst web ACLs.
    told = [line.strip() for line in text.splitlines() if "/webacl/" in line]
    assert told == [
        f"2026-11-04T02:00:00Z {ARN}: more than counted, 300 logged, 100 counted",
        f"2026-11-04T04:00:00Z {ARN.replace('shop', 'b')}: missing, 90 logged, 100 counted (10.0%)",
        f"2026-11-04T04:00:00Z {ARN.replace('shop', 'a')}: missing, 0 logged, 9 counted (100.0%)",
    ]
    assert all(line.isprintable() for line in text.splitlines())


def test_what_does_not_add_up_is_counted(tmp_path: Path) -> None:
    small = SmallLake.open(tmp_path)
    store = small.store
    batch = small.land("a", requests=requests([START]))
    staged = set_state(store, batch, BatchState.STAGED)
    good = ObjectCounts(batch.objects[0].uri, 10, 7, 2, 1)
    counts = BatchCounts(records=10, requests=7, duplicates=2, quarantined=1)
    save_counts(store, replace(staged, counts=counts), [good])
    assert unbalanced(store) == 0

    for table, values, wrong in (
        (landing_objects, {"requests": 8}, 1),  # the object itself
        (landing_objects, {"records": 11}, 1),  # its batch has other records than it
        (landing_batches, {"records": 11}, 1),  # the batch itself
        (landing_objects, {"duplicates": 5}, 2),
    ):
        with store.transaction() as connection:
            connection.execute(update(table).values(values))
        assert unbalanced(store) == wrong
    assert any("do not add up" in line and "2" in line for line in shown(small, tmp_path))


def command(*words: str, env: Mapping[str, str]) -> int:
    given = {k: v for k, v in os.environ.items() if not k.startswith(("BARTIZAN_", "AWS_"))}
    with (
        patch.dict(os.environ, given | dict(env), clear=True),
        patch.object(sys, "argv", ["bartizan", *words]),
        pytest.raises(SystemExit) as ended,
    ):
        cli.main()
    return int(ended.value.code or 0)


def test_the_command_without_credentials(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    window = ("--start", f"{today - 2 * DAY:%Y-%m-%d}", "--end", f"{today - DAY:%Y-%m-%d}")
    env = {
        "BARTIZAN_HOME": str(tmp_path),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }
    small = SmallLake.open(tmp_path)
    assert command("reconcile", *window, "--json", env=env) == 0  # nothing landed, nobody asked
    assert json.loads(capsys.readouterr().out) == {"hours": [], "waiting": 0, "failures": []}

    small.land("a", requests=requests([today - 2 * DAY], webacl_id=ARN))
    assert command("reconcile", *window, env=env) == 2
    answer = capsys.readouterr()
    told = answer.out.splitlines()
    assert told[0].startswith("not compared: AWS credentials: ")
    assert told[1:] == ["0 hours complete, 0 waiting"]
    assert answer.err.startswith("bartizan: AWS credentials: ")
    assert answer.err.count("\n") == 1
    assert command("status", "--json", env=env) == 0
    assert json.loads(capsys.readouterr().out)["reconciled"]["last_hour"] is None


def test_the_command_without_a_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    window = ("--start", f"{today - 2 * DAY:%Y-%m-%d}", "--end", f"{today - DAY:%Y-%m-%d}")
    SmallLake.open(tmp_path).land("a", requests=requests([today - 2 * DAY], webacl_id=ARN))
    env = {
        "BARTIZAN_HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    began = time.monotonic()
    assert command("reconcile", *window, env=env) == 75
    assert time.monotonic() - began < 10
    answer = capsys.readouterr()
    assert '"http://127.0.0.1:9/" — check the network and the endpoint' in answer.err
    assert answer.err.count("\n") == 1
