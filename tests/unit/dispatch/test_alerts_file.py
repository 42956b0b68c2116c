"""alerts.yaml: what it may hold, and what is said of what it may not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from dispatch_house import HIGH, DispatchHouse
from upath import UPath

from bartizan.config import PROJECT, Settings
from bartizan.dispatch.alerts import Alerts, read_alerts
from bartizan.dispatch.channels import KINDS, SHAPES
from bartizan.dispatch.channels.folder import FolderChannel
from bartizan.dispatch.rulebook import NO_CHANGE, Change, Rule
from bartizan.dispatch.secrets import secret
from bartizan.errors import ConfigError
from bartizan.model.anomaly import Direction
from bartizan.model.period import Period

A = "channels:\n  a: {kind: folder, of: slack}\n"
DETECTORS = ["waf_blocked_requests", "waf_client_daily"]


@pytest.fixture
def house(tmp_path: Path) -> DispatchHouse:
    return DispatchHouse(tmp_path)


def reading(house: DispatchHouse, text: str) -> Alerts:
    path = house.folder.parent / "alerts.yaml"
    path.write_text(text)
    return read_alerts(path, house.site(), DETECTORS)


def test_without_a_file_every_kind_is_a_folder(house: DispatchHouse) -> None:
    alerts = read_alerts(None, house.site(), DETECTORS)
    assert set(alerts.channels) == set(SHAPES)
    assert all(isinstance(one, FolderChannel) for one in alerts.channels.values())
    assert alerts.rules == (Rule(),)
    with pytest.raises(ConfigError, match="no such file"):  # it is named, so it is meant
        read_alerts(house.folder / "no.yaml", house.site(), DETECTORS)


def test_a_file_that_is_named_is_meant() -> None:
    assert Settings.from_env({"BARTIZAN_ALERTS": "mine.yaml"}).alerts == Path("mine.yaml")
    assert Settings.from_env({"BARTIZAN_ALERTS": ""}).alerts is None


def test_the_example_opens_a_channel_of_every_kind(house: DispatchHouse) -> None:
    """No secret is read and nothing is connected to."""
    alerts = read_alerts(PROJECT / "examples" / "alerts.yaml", house.site(), DETECTORS)
    assert len(alerts.channels) >= len(KINDS)
    names = {
        type(one).__module__.rpartition(".")[2].rstrip("_") for one in alerts.channels.values()
    }
    assert names == set(KINDS)
    assert alerts.context.account_id == "111122223333"


def test_rules_say_who_hears_of_what(house: DispatchHouse) -> None:
    alerts = reading(
        house,
        "channels:\n"
        "  a: {kind: folder, of: slack}\n"
        "  b: {kind: folder, of: ocsf, path: " + str(house.folder / "b") + "}\n"
        "rules:\n"
        "  - {channels: [b], detectors: [waf_blocked_requests], min_severity: 95}\n"
        "  - {channels: [a]}\n",
    )
    house.found(HIGH)
    done = house.dispatch(alerts.channels, rules=alerts.rules, context=alerts.context)
    assert done.delivered == (f"a/{HIGH.id}/1.json",)
    assert house.rows("channel", "reason")[1] == ("b", "severity 93.00 is below 95")


def test_every_key_of_a_rule_arrives(house: DispatchHouse) -> None:
    alerts = reading(
        house,
        A
        + """  d: {kind: folder, of: email, digest: weekly}
rules:
  - channels: [a]
    detectors: [waf_blocked_requests, bartizan_health]
    measures: ["block*"]
    direction: above
    only: {webacl: [shop, "api-*"]}
    without: {rule: ["Geo*"]}
    min_severity: 80
    min_change: {absolute: 100, percent: 50}
    intervals: {at_least: 3, among: 4}
    wait: PT10M
    unacknowledged_for: PT30M
    worse_by: {percent: 100}
  - {worse_by: {}}
quiet:
  - why: night
    channels: [a]
    timezone: Europe/Berlin
    rrule: FREQ=DAILY;BYHOUR=22;BYMINUTE=0;BYSECOND=0
    duration: PT8H
    min_severity: 90
health: {late_after: PT5H}
""",
    )
    assert alerts.rules == (
        Rule(
            frozenset({"waf_blocked_requests", "bartizan_health"}),
            frozenset({"a"}),
            ("block*",),
            Direction.ABOVE,
            (("webacl", ("shop", "api-*")),),
            (("rule", ("Geo*",)),),
            min_severity=80,
            min_change=Change(100, 50),
            intervals=3,
            among=4,
            wait=timedelta(minutes=10),
            unacknowledged_for=timedelta(minutes=30),
            worse_by=Change(0, 100),
        ),
        Rule(worse_by=NO_CHANGE),
    )
    (quiet,) = alerts.quiet
    assert (quiet.channels, quiet.why, quiet.min_severity) == (frozenset({"a"}), "night", 90)
    assert (quiet.times.timezone, len(quiet.times.muted)) == ("Europe/Berlin", 1)
    assert alerts.late_after == timedelta(hours=5)
    assert alerts.digests == {"d": Period.WEEKLY}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("channels: {}\n", "channels: {} is wrong"),
        ("rules: []\n", "channels: is missing"),
        ("channels:\n  Bad Name: {kind: folder, of: slack}\n", "channels.Bad Name"),
        ("channels:\n  a: {}\n", "channels.a.kind: is missing — write one of security_hub, sns"),
        ("channels:\n  a: {kind: pager}\n", "channels.a.kind: 'pager' is unknown"),
        ("channels:\n  a: {kind: folder, of: pager}\n", "channels.a: of: 'pager' is unknown"),
        ("channels:\n  a: {kind: sns, topic: alerts}\n", "channels.a: topic: 'alerts' is wrong"),
        ("channels:\n  a: {kind: slack, url: x}\n", "channels.a: url: unknown key"),
        (
            "channels:\n  a: {kind: webhook, url: 'https://me:pw@x.example', secret: a}\n",
            "channels.a: url: holds a user, a password or a #",
        ),
        ("channels:\n  a: {kind: webhook, url: ftp://x, secret: a}\n", "'ftp://x' is no web"),
        (
            "channels:\n  a: {kind: email, host: h, sender: a@b.example, to: ['a b']}\n",
            "channels.a: to[0]: 'a b' is wrong",
        ),
        (
            "channels:\n  a: {kind: folder, of: slack}\nrules:\n  - {channels: [b]}\n",
            "rules[0].channels: 'b' is unknown — known: a",
        ),
        (
            "channels:\n  a: {kind: folder, of: slack}\nrules:\n  - {detectors: [nobody]}\n",
            "rules[0].detectors: 'nobody' is unknown — known: bartizan_health, waf_blocked",
        ),
        (
            "channels:\n  a: {kind: folder, of: slack}\nrules:\n  - {min_severity: 101}\n",
            "rules[0].min_severity: 101 is wrong",
        ),
        (A + "rules:\n  - {direction: up}\n", "rules[0].direction: 'up' is unknown"),
        (A + "rules:\n  - {only: {country: []}}\n", "rules[0].only.country: [] is wrong"),
        (A + "rules:\n  - {min_change: {percent: -1}}\n", "rules[0].min_change.percent: -1 is"),
        (A + "rules:\n  - {min_change: {relative: 1}}\n", "rules[0].min_change.relative: unknown"),
        (
            A + "rules:\n  - {intervals: {at_least: 4, among: 3}}\n",
            "rules[0].intervals: 4 of 3 cannot be",
        ),
        (A + "rules:\n  - {wait: 10m}\n", "rules[0].wait: '10m' is not a positive"),
        (A + "rules:\n  - {unacknowledged_for: P8D}\n", "'P8D' is longer than 7 days"),
        (A + "quiet:\n  - {rrule: FREQ=DAILY, duration: PT8H}\n", "quiet[0].why: is missing"),
        (A + "quiet:\n  - {why: x}\n", "quiet[0]: entry 'x' is neither one range nor a rule"),
        (
            A + "quiet:\n  - {why: x, start: 2026-11-02, end: 2026-11-01}\n",
            "quiet[0]: start 2026-11-02T00:00:00Z is not before end",
        ),
        (
            A + "quiet:\n  - {why: x, rrule: FREQ=HOURLY, duration: PT1H}\n",
            "quiet[0]: 'FREQ=HOURLY' has no FREQ of YEARLY",
        ),
        (
            A + "quiet:\n  - {why: x, start: 2026-11-01, end: 2026-11-02, timezone: Mars}\n",
            "quiet[0].timezone: 'Mars' is no time zone",
        ),
        (
            A + "quiet:\n  - {why: x, start: 2026-11-01, end: 2026-11-02, channels: [b]}\n",
            "quiet[0].channels: 'b' is unknown — known: a",
        ),
        ("channels:\n  a: {kind: folder, of: ocsf, digest: daily}\n", "a.digest: ocsf takes no"),
        ("channels:\n  a: {kind: folder, of: slack, digest: on}\n", "a.digest: True is unknown"),
        (A + "health: {late_after: soon}\n", "health.late_after: 'soon' is not a positive"),
    ],
)
def test_a_mistake_is_named_with_file_key_value_and_remedy(
    house: DispatchHouse, text: str, says: str
) -> None:
    with pytest.raises(ConfigError) as error:
        reading(house, text)
    assert says in str(error.value)
    assert "alerts.yaml" in str(error.value)
    assert error.value.remedy


def test_secrets_come_from_the_environment_or_from_elsewhere() -> None:
    env = {"BARTIZAN_SECRET_PAGER": "here"}
    assert secret("pager", {"pager": "there"}.get, env) == "here"
    assert secret("slack", {"slack": "there"}.get, env) == "there"
    with pytest.raises(ConfigError, match="BARTIZAN_SECRET_SLACK: is not set"):
        secret("slack", {}.get, env)


def test_a_folder_that_cannot_be_written_is_tried_again(house: DispatchHouse) -> None:
    house.found(HIGH)
    blocked = house.folder.parent / "blocked"
    blocked.write_text("a file")
    channel = FolderChannel(UPath(blocked), SHAPES["slack"])
    assert len(house.dispatch({"a": channel}).waiting) == 1
    blocked.unlink()
    house.clock.turn(minutes=1)
    assert len(house.dispatch({"a": channel}).delivered) == 1
