"""Feeds that other products read: valid by their own libraries, and equal bytes for equal input."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import boto3
import pytest
from sharing import HOUR, NOON, indicator
from upath import UPath

from bartizan.errors import UsageError
from bartizan.jobs.intel_sharing import export_intel
from bartizan.model.indicator import FAMILY_NAMES, Format, Indicator, Tlp
from bartizan.model.intel import Candidate, Change, Entry, Evidence, Plan
from bartizan.model.window import Window
from bartizan.respond.share.feeds import write_feed
from bartizan.store import Store
from bartizan.store.intel import Row, write_rows
from bartizan.store.intel_sharing import save_evidence

TOLD = [
    indicator("198.18.4.0/24", added_at=NOON - 30 * HOUR, families=("bot_control",), score=99.6),
    indicator("203.0.113.7/32"),
    indicator("203.0.113.8/32", families=()),
    indicator("2001:db8:7::/64", families=FAMILY_NAMES, score=0.0),
    indicator("2001:db8::5/128"),
]


def written(
    folder: Path, form: Format, told: list[Indicator] = TOLD, tlp: Tlp = Tlp.AMBER
) -> dict[str, str]:
    sizes = write_feed(UPath(folder), form, told, "Example Shop", tlp)
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert {name: len(content) for name, content in files.items()} == sizes
    return {name: content.decode() for name, content in files.items()}


@pytest.mark.parametrize("form", list(Format))
def test_the_same_gives_the_same_bytes_and_is_not_written_again(
    tmp_path: Path, form: Format
) -> None:
    one, other = written(tmp_path / "one", form), written(tmp_path / "other", form)
    assert one == other
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "one").rglob("*.*")}
    written(tmp_path / "one", form)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    less = written(tmp_path / "less", form, TOLD[1:])
    assert less != one


@pytest.mark.parametrize("form", list(Format))
def test_nobody_listed_is_a_feed_too(tmp_path: Path, form: Format) -> None:
    assert written(tmp_path, form, [])


def test_lists_hold_every_address_where_it_belongs(tmp_path: Path) -> None:
    assert written(tmp_path / "cidr", Format.CIDR) == {
        "blocked-v4.tlp-amber.txt": "198.18.4.0/24\n203.0.113.7/32\n203.0.113.8/32\n",
        "blocked-v6.tlp-amber.txt": "2001:db8:7::/64\n2001:db8::5/128\n",
    }
    assert written(tmp_path / "guardduty", Format.GUARDDUTY, TOLD, Tlp.GREEN) == {
        "guardduty.tlp-green.txt": "198.18.4.0/24\n203.0.113.7\n203.0.113.8\n"
    }


def test_a_table_has_the_evidence_and_no_formula(tmp_path: Path) -> None:
    (text,) = written(tmp_path, Format.CSV).values()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["network"] for row in rows] == [str(one.network) for one in TOLD]
    assert rows[1] == {
        "network": "203.0.113.7/32",
        "added_at": "2026-11-20T11:00:00Z",
        "expires_at": "2026-11-20T16:00:00Z",
        "first_seen": "2026-11-20T04:00:00Z",
        "last_seen": "2026-11-20T11:00:00Z",
        "requests": "1000",
        "blocked": "900",
        "paths": "40",
        "hours": "7",
        "families": "other sqli",
        "score": "61.5",
        "tlp": "amber",
    }
    cells = [cell for row in rows for cell in row.values() if cell]
    assert len(cells) == 12 * 5 - 1
    assert [cell for cell in cells if cell[0] in "=+-@\t\r'"] == []


@pytest.mark.parametrize("tlp", list(Tlp))
def test_stix_itself_takes_the_bundle(tmp_path: Path, tlp: Tlp) -> None:
    stix2 = pytest.importorskip("stix2")
    (text,) = written(tmp_path, Format.STIX, TOLD, tlp).values()
    bundle = stix2.parse(text, version="2.1")
    kinds = [one.type for one in bundle.objects]
    assert kinds == ["marking-definition", "identity", *["indicator", "sighting"] * 5]
    marking = {Tlp.CLEAR: stix2.TLP_WHITE, Tlp.GREEN: stix2.TLP_GREEN, Tlp.AMBER: stix2.TLP_AMBER}
    assert bundle.objects[0].id == marking[tlp].id
    assert bundle.objects[0].definition == marking[tlp].definition
    for told, found, sighting in zip(TOLD, bundle.objects[2::2], bundle.objects[3::2], strict=True):
        stix2.pattern_visitor.create_pattern_object(found.pattern, version="2.1")
        assert found.pattern == f"[ipv{told.network.version}-addr:value = '{told.network}']"
        assert (found.valid_from, found.valid_until) == (told.added_at, told.expires_at)
        assert (found.confidence, found.object_marking_refs) == (
            *(round(told.score), [bundle.objects[0].id]),
        )
        assert (sighting.sighting_of_ref, sighting["count"]) == (found.id, told.blocked)
    ids = [one.id for one in bundle.objects]
    assert len(set(ids)) == len(ids)
    assert all(one.split("--")[1][14] == "5" for one in ids[1:])


def test_an_indicator_keeps_its_id_until_its_entry_is_renewed(tmp_path: Path) -> None:
    def ids(told: list[Indicator]) -> dict[str, str]:
        (text,) = written(tmp_path, Format.STIX, told).values()
        found = [one for one in json.loads(text)["objects"] if one["type"] == "indicator"]
        return {one["pattern"]: one["id"] for one in found}

    before, alone = ids(TOLD), ids(TOLD[1:2])
    assert alone.items() <= before.items()
    renewed = ids([replace(TOLD[1], expires_at=NOON + 99 * HOUR)])
    assert renewed.keys() == alone.keys()
    assert renewed != alone


def test_misp_itself_takes_the_feed(tmp_path: Path) -> None:
    pymisp = pytest.importorskip("pymisp")
    files = written(tmp_path, Format.MISP)
    manifest = json.loads(files.pop("misp/manifest.json"))
    assert files.keys() == {f"misp/{uuid}.json" for uuid in manifest}
    by_date = {}
    for uuid, about in manifest.items():
        event = pymisp.MISPEvent()
        event.from_json(files[f"misp/{uuid}.json"])
        assert (event.uuid, event.info, str(event.date)) == (uuid, about["info"], about["date"])
        theirs = event.manifest[uuid]
        (tag,), (their_tag,) = about.pop("Tag"), theirs.pop("Tag")
        assert tag.items() <= their_tag.items()
        assert {k: str(v) for k, v in theirs.items()} == {k: str(v) for k, v in about.items()}
        by_date[about["date"]] = event.attributes
    assert [len(by_date[day]) for day in ("2026-11-19", "2026-11-20")] == [1, 4]
    found = {one.value: one for attributes in by_date.values() for one in attributes}
    assert found.keys() == {
        *("198.18.4.0/24", "203.0.113.7", "203.0.113.8", "2001:db8:7::/64", "2001:db8::5")
    }
    one = found["203.0.113.7"]
    assert (one.type, one.to_ids, one.first_seen, one.last_seen) == (
        *("ip-src", True),
        *(NOON - 8 * HOUR, NOON - HOUR),
    )
    assert len({one.uuid for one in found.values()}) == 5


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store with two entries in a set: one that our logs gave reason for, one heard of."""
    monkeypatch.delenv("BARTIZAN_STORE", raising=False)
    monkeypatch.setenv("BARTIZAN_LAKE", str(tmp_path / "lake"))
    (tmp_path / "sharing.yaml").write_text("organisation: Example Shop\ntlp: green\n")
    monkeypatch.setenv("BARTIZAN_SHARING", str(tmp_path / "sharing.yaml"))
    (tmp_path / "lake").mkdir()
    store = Store.open(f"sqlite:///{tmp_path / 'lake' / 'store.db'}")
    ours, heard = ip_network("203.0.113.7/32"), ip_network("203.0.113.9/32")
    entries = tuple(Entry(one, NOON, NOON + 4 * HOUR, 1, 50.0) for one in (ours, heard))
    with store.transaction() as connection:
        write_rows(connection, "shop", {one.network: Row(one, True, "c") for one in entries})
    evidence = Evidence(
        *(9, 9, ("=1+1", "<script>", "SQLi_BODY"), 2, 1, NOON - HOUR, NOON),
        *(("secret-shop-webacl",), ("@SUM(A1)",)),
    )
    change = Change("shop", (ours,), (), 0, {}, entries[:1])
    plan = Plan.of(Window(NOON - HOUR, NOON), NOON, (change,), (), 0.0)
    unplanned = Candidate(ip_network("203.0.113.8/32"), evidence, 50.0)
    save_evidence(store, [Candidate(ours, evidence, 50.0), unplanned], plan)


@pytest.mark.usefixtures("listed", "endpoint")
def test_what_is_listed_is_exported_to_a_bucket_without_what_anybody_wrote() -> None:
    s3, bucket = boto3.client("s3", region_name="us-east-1"), "feeds"
    s3.create_bucket(Bucket=bucket)
    done = export_intel(list(Format), f"s3://{bucket}/shared/")
    assert (done["networks"], done["untold"]) == (1, 1)
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert sorted(keys) == sorted(f"shared/{name}" for name in done["files"])
    assert len(keys) == 7
    texts = {k: s3.get_object(Bucket=bucket, Key=k)["Body"].read().decode() for k in keys}
    assert [k for k, text in texts.items() if "203.0.113.7" not in text] == [
        *[k for k in keys if k.endswith(("v6.tlp-green.txt", "manifest.json"))]
    ]
    for written_by_others in ("=1+1", "<script>", "SQLi_BODY", "secret", "SUM", "203.0.113.8"):
        assert [k for k, text in texts.items() if written_by_others in text] == []


@pytest.mark.usefixtures("listed")
def test_a_place_that_takes_no_files_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file: cannot be written"):
        export_intel([Format.CIDR], str(tmp_path / "file"))
