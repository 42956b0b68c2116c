"""sharing.yaml: what it may say, and what is done without it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sharing import NOON

from bartizan import jobs
from bartizan.errors import ConfigError, UsageError
from bartizan.respond.share.config import read_sharing

ROOT = Path(__file__).parents[3]
RECEIVE = "receive: {queue: 'arn:aws:sqs:eu-central-1:111122223333:q', accounts: ['444455556666']"


def test_the_example_says_everything() -> None:
    config = read_sharing(ROOT / "examples" / "sharing.yaml")
    assert config.send is not None
    assert config.receive is not None
    bounds = config.receive.bounds()
    assert (bounds.accounts, bounds.max_age.days, bounds.max_ttl.days) == (
        *(frozenset(["444455556666"]), 1),
        14,
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tlp: red", "tlp: 'red' is unknown — write one of clear, green, amber"),
        ("send: {buses: []}", r"send\.buses: \[\] is wrong"),
        ("send: {buses: ['bartizan-intel']}", r"send\.buses\[0\]: 'bartizan-intel' is wrong"),
        ("recieve: {}", "recieve: unknown key — did you mean 'receive'"),
        (f"{RECEIVE}, max_age: 1 day}}", r"receive\.max_age: '1 day' is not a duration"),
        (
            RECEIVE.replace("'444455556666'", "444455556666") + "}",
            r"receive\.accounts\[0\]: 444455556666 is wrong",
        ),
        (RECEIVE.replace("arn:aws:sqs", "https://sqs") + "}", r"receive\.queue: "),
        (f"{RECEIVE}, external_id: 'a b'}}", r"receive\.external_id: 'a b' is wrong"),
    ],
)
def test_a_mistake_names_its_key(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "sharing.yaml").write_text(text)
    with pytest.raises(ConfigError, match=says):
        read_sharing(tmp_path / "sharing.yaml")


def test_only_the_parts_that_the_file_has_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    monkeypatch.delenv("BARTIZAN_SHARING", raising=False)
    assert jobs.sharing_parts() == []
    for call in (jobs.send_intel, jobs.receive_intel):
        with pytest.raises(UsageError, match=r"sharing\.yaml: no such file.*copy examples/"):
            call(NOON, dry_run=True)
    (tmp_path / "sharing.yaml").write_text(RECEIVE + "}")
    monkeypatch.setenv("BARTIZAN_SHARING", str(tmp_path / "sharing.yaml"))
    assert jobs.sharing_parts() == ["receive"]
    with pytest.raises(UsageError, match=r"sharing\.yaml: has no `send`"):
        jobs.send_intel(NOON, dry_run=True)
    monkeypatch.setenv("BARTIZAN_SHARING", str(tmp_path / "gone.yaml"))
    with pytest.raises(ConfigError, match=r"gone\.yaml: no such file"):
        jobs.send_intel(NOON, dry_run=True)
