"""Great Expectations on real staged batches, and the page about them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from upath import UPath
from waf_logs import lines, record, write_object

from bartizan.errors import UsageError
from bartizan.lake import Lake
from bartizan.lake.staged import staged_files
from bartizan.land.plan import plan
from bartizan.land.stage import stage
from bartizan.model.landing import BatchState
from bartizan.store.database import Store
from bartizan.store.landing import load_batch
from bartizan.validate.page import render
from bartizan.validate.run import validate

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def landed(tmp_path_factory) -> tuple[Store, Lake, dict[str, str]]:
    """Staged batches: good, empty, mostly junk, one bad record, odd but landable, tampered with."""
    root = tmp_path_factory.mktemp("validate")
    lake = Lake.open(root / "lake")
    store = Store.open(f"sqlite:///{root / 'store.db'}")
    good = lines(record(number) for number in range(20))
    odd = lines(
        record(number, action=HOSTILE, httpRequest={"clientIp": "X.X.X.X"}) for number in range(9)
    )
    contents = {
        "good": good,
        "empty": b"",
        "junk": lines([record(1)]) + b'{"cut\n' * 11,
        "one damaged": b'{"cut\n',
        "odd": odd,
        "tampered": lines(record(number) for number in range(100, 110)),
    }
    ids = {}
    for name, content in contents.items():
        write_object(root / name, name, content)
        [ids[name]] = set(plan(store, UPath(root / name)).batch_ids) - set(ids.values())
        stage(store, lake, ids[name])
    tamper(staged_files(lake, "waf.requests", ids["tampered"])[0])
    return store, lake, ids


def tamper(file: Path) -> None:
    rows = pq.read_table(file, partitioning=None)
    pq.write_table(rows.slice(1).append_column("more", pa.nulls(len(rows) - 1)), file)


def test_verdicts(landed):
    store, lake, ids = landed
    verdicts = dict(zip(ids, validate(store, lake, list(ids.values())), strict=True))
    states = {name: load_batch(store, batch_id).state for name, batch_id in ids.items()}
    assert states == {
        "good": BatchState.VALID,
        "empty": BatchState.VALID,
        "junk": BatchState.REJECTED,
        "one damaged": BatchState.VALID,  # a share of one record says nothing
        "odd": BatchState.VALID,
        "tampered": BatchState.REJECTED,
    }
    assert all(result.passed for result in verdicts["good"].results)
    assert len(verdicts["good"].results) > len(verdicts["empty"].results)
    [failed] = [one for one in verdicts["junk"].results if not one.passed]
    assert (failed.subject, failed.level) == ("quarantined_share", "fail")
    assert "0.916" in verdicts["junk"].reason
    [doubtful] = [one for one in verdicts["one damaged"].results if not one.passed]
    assert (doubtful.subject, doubtful.level) == ("quarantined_share", "warn")
    warned = {one.subject for one in verdicts["odd"].results if not one.passed}
    assert warned == {"action", "client_ip_is_address", "uri", "method"}
    failures = {one.subject for one in verdicts["tampered"].results if not one.passed}
    assert failures == {"requests = requests_in_files", "files_with_other_columns"}

    again = validate(store, lake, list(ids.values()))
    assert again == list(verdicts.values())


def test_page_is_safe_and_alone(landed):
    store, lake, ids = landed
    validate(store, lake, list(ids.values()))
    page = render(store, list(ids.values()))
    assert HOSTILE not in page
    assert "&lt;SCRIPT&gt;" in page
    assert page.count("<section>") == len(ids) == 6
    for loaded in ("http:", "https:", "src=", "<script", "@import", "url("):
        assert loaded not in page


def test_only_staged_batches_are_validated(landed, tmp_path):
    store, lake, ids = landed
    write_object(tmp_path, "new", lines([record(999)]))
    [planned] = set(plan(store, UPath(tmp_path)).batch_ids) - set(ids.values())
    with pytest.raises(UsageError, match="stage it first"):
        validate(store, lake, [planned])
