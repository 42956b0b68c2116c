"""One entry of alerts.yaml is changed in its text, and nothing else is."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bartizan.config import PROJECT
from bartizan.dispatch.rules_text import entries, with_entry
from bartizan.errors import ConfigError

EXAMPLE = (PROJECT / "examples" / "alerts.yaml").read_text()
RULE = """\
# who is told
channels: {chat: {kind: folder, of: slack}} # one
rules:
  # the first
  - channels: [chat] # people
    min_severity: 80 # not less
    only:
      webacl:
        - shop
    wait: PT10M
  # the second
  - {detectors: [waf_labels]} # in a line

# at the end
"""


def lines(text: str) -> list[str]:
    return text.splitlines()


def test_only_the_value_that_differs_is_written_anew() -> None:
    [old, _] = entries(RULE, "rules")
    changed = with_entry(RULE, "rules", 0, old | {"min_severity": 90, "worse_by": {}})
    assert changed == RULE.replace("80 # not", "90 # not").replace(
        "    wait: PT10M\n", "    wait: PT10M\n    worse_by: {}\n"
    )
    without = {name: value for name, value in old.items() if name not in ("channels", "wait")}
    changed = with_entry(RULE, "rules", 0, without)
    assert "  - min_severity: 80 # not less\n    only:\n      webacl:\n" in changed
    assert "PT10M" not in changed
    changed = with_entry(RULE, "rules", 0, old | {"only": {"webacl": ["blog"]}})
    assert "    only: {webacl: [blog]}\n    wait: PT10M\n  # the second\n" in changed


def test_an_entry_in_one_line_stays_in_one() -> None:
    changed = with_entry(RULE, "rules", 1, {"detectors": ["waf_labels"], "wait": "PT5M"})
    assert "  - {detectors: [waf_labels], wait: PT5M} # in a line\n" in changed


@pytest.mark.parametrize(("place", "left"), [(0, "the second"), (1, "the first")])
def test_an_entry_is_removed_and_the_other_stays(place: int, left: str) -> None:
    changed = with_entry(RULE, "rules", place, None)
    kept = entries(RULE, "rules")[1 - place]
    assert entries(changed, "rules") == [kept]
    assert f"# {left}" in changed
    assert "# at the end" in changed
    assert entries(with_entry(changed, "rules", 0, None), "rules") == []


@pytest.mark.parametrize(
    "text",
    [
        "channels: {}",
        "channels: {}\nrules:\n",
        "channels: {}\nrules: []\n",
        "rules:\n- {wait: PT1M}\nchannels: {}\n",
        "rules: [{wait: PT1M}] # flow\nchannels: {}\n",
        RULE,
    ],
)
def test_a_new_one_comes_after_the_last(text: str) -> None:
    before = entries(text, "rules")
    entry = {"channels": ["chat"], "min_severity": 85.5, "why": 'a: "b" # c'}
    changed = with_entry(text, "rules", len(before), entry)
    assert entries(changed, "rules") == [*before, entry]
    assert changed.count("# ") == text.count("# ") + 1


def test_a_quiet_time_can_be_the_first() -> None:
    night = {"why": "night", "rrule": "FREQ=DAILY;BYHOUR=22", "duration": "PT8H"}
    changed = with_entry(RULE, "quiet", 0, night)
    assert changed.startswith(RULE.rstrip())
    assert entries(changed, "quiet") == [night]


@pytest.mark.parametrize("place", [-1, 3])
def test_a_place_that_is_not_there_is_refused(place: int) -> None:
    with pytest.raises(ConfigError, match="is not there"):
        with_entry(RULE, "rules", place, {"wait": "PT1M"})
    with pytest.raises(ConfigError, match="is not there"):
        with_entry(RULE, "rules", 2, None)


def test_what_is_shared_by_an_alias_is_left_to_people() -> None:
    text = "people: &people [chat]\nrules:\n  - channels: *people\n    wait: PT1M\n"
    with pytest.raises(ConfigError, match="edit it by hand"):
        with_entry(text, "rules", 0, {"channels": ["mail"], "wait": "PT1M"})


VALUES = st.one_of(
    st.integers(0, 100),
    st.booleans(),
    st.text(st.characters(blacklist_categories=("Cs",)), max_size=12),
    st.lists(st.sampled_from(["chat", "on", "null", "a,b", "- x", "é", "#"]), max_size=3),
    st.dictionaries(st.sampled_from(["webacl", "rule"]), st.lists(st.just("a*")), max_size=2),
)
ENTRY = st.dictionaries(st.sampled_from("abcdef"), VALUES, max_size=5)


@given(
    st.lists(ENTRY, min_size=1, max_size=4),
    st.data(),
    st.sampled_from([None, False, True]),
    st.sampled_from(["rules", "quiet"]),
)
def test_any_entry_can_become_any_other_and_the_rest_stays(
    held: list[dict[str, Any]], data: st.DataObject, flow: bool | None, name: Literal["rules"]
) -> None:
    text = "# first\nchannels: {a: {kind: folder}} # one\n"
    written = yaml.safe_dump({name: held}, default_flow_style=flow, allow_unicode=True)
    text += written.strip().removeprefix("{").removesuffix("}") + "\n" if flow else written
    text += "health: {late_after: PT3H} # last\n"
    place = data.draw(st.integers(0, len(held)))
    entry = data.draw(ENTRY if place == len(held) else st.one_of(st.none(), ENTRY))
    changed = with_entry(text, name, place, entry)
    wanted = list(yaml.safe_load(text)[name])  # YAML folds some line breaks
    wanted[place : place + 1] = [] if entry is None else [entry]
    assert yaml.safe_load(changed) == yaml.safe_load(text) | {name: wanted}
    assert [line for line in lines(changed) if line.endswith(("# first", "# one", "# last"))] == [
        line for line in lines(text) if line.endswith(("# first", "# one", "# last"))
    ]


@pytest.mark.parametrize("place", range(len(entries(EXAMPLE, "rules"))))
def test_the_example_keeps_every_comment(place: int) -> None:
    old = entries(EXAMPLE, "rules")[place]
    changed = with_entry(EXAMPLE, "rules", place, old | {"min_severity": 99})
    comments = [line.split("#")[1] for line in lines(EXAMPLE) if "#" in line]
    assert [line.split("#")[1] for line in lines(changed) if "#" in line] == comments
    different = set(lines(changed)) ^ set(lines(EXAMPLE))
    assert len(different) <= 2
    assert all("min_severity" in line for line in different)
