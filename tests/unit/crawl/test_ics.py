"""Calendar files become entries that mean the same times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from commands import bartizan_command

from bartizan.calendars import CalendarBlock
from bartizan.errors import ConfigError
from bartizan.ics import read_ics
from bartizan.model.recurrence import occurrences
from bartizan.model.window import Window

BERLIN = "Europe/Berlin"
YEAR = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
HOLIDAY = "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227\nSUMMARY:Christmas"
PATCHING = (
    "DTSTART;TZID=Europe/Berlin:20261004T100000\nDURATION:PT3H\n"
    "RRULE:FREQ=WEEKLY;BYDAY=SU;UNTIL=20261101T090000Z\nSUMMARY:Patching"
)
RELEASE = "DTSTART:20261110T220000Z\nDTEND:20261111T003000Z"


def calendar(tmp_path: Path, *events: str) -> Path:
    file = tmp_path / "calendar.ics"
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN"]
    for number, event in enumerate(events):
        lines += ["BEGIN:VEVENT", f"UID:{number}", *event.splitlines(), "END:VEVENT"]
    file.write_text("\r\n".join([*lines, "END:VCALENDAR", ""]), encoding="utf-8")
    return file


def test_events_are_the_same_times_as_entries(tmp_path: Path) -> None:
    found = read_ics(calendar(tmp_path, HOLIDAY, PATCHING, RELEASE), BERLIN)
    assert found.left_out == ()
    block = CalendarBlock.model_validate({"timezone": BERLIN, "mute": list(found.entries)})
    ranges = [
        (one.why, one.window.start, one.window.end)
        for one in occurrences(block.as_entries().muted, BERLIN, YEAR)
    ]
    zone = ZoneInfo(BERLIN)
    sundays = [datetime(2026, 10, 4, 10, tzinfo=zone) + timedelta(weeks=week) for week in range(5)]
    assert ranges == [
        ("Christmas", datetime(2026, 12, 24, tzinfo=zone), datetime(2026, 12, 27, tzinfo=zone)),
        *(("Patching", one, one + timedelta(hours=3)) for one in sundays),
        (
            "(no summary)",
            datetime(2026, 11, 10, 22, tzinfo=UTC),
            datetime(2026, 11, 11, 0, 30, tzinfo=UTC),
        ),
    ]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (f"{PATCHING}\nEXDATE;TZID=Europe/Berlin:20261011T100000", "it recurs with exceptions"),
        (PATCHING.replace("Europe/Berlin", "America/New_York"), "it recurs in America/New_York"),
        (PATCHING.replace("WEEKLY;BYDAY=SU", "HOURLY"), "has no FREQ of YEARLY"),
        (f"{HOLIDAY}\nSTATUS:CANCELLED", "it is cancelled"),
        ("SUMMARY:Some day", "it has no times"),
        ("DTSTART:20261110T220000\nDURATION:P400D\nRRULE:FREQ=YEARLY", "longer than 366 days"),
    ],
)
def test_what_cannot_be_an_entry_is_named(tmp_path: Path, event: str, why: str) -> None:
    found = read_ics(calendar(tmp_path, event, HOLIDAY), BERLIN)
    assert [one["why"] for one in found.entries] == ["Christmas"]
    (left,) = found.left_out
    assert why in left


def test_hostile_summaries_stay_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    event = f"{RELEASE}\nSUMMARY:\x1b[31m]: {{}} - !!python/object {'x' * 500}"
    file = calendar(tmp_path, event)
    run = bartizan_command(monkeypatch, capsys, "connector", "calendar")
    code, out, _ = run(file, "--timezone", BERLIN)
    assert code == 0
    (entry,) = yaml.safe_load(out)
    assert entry["why"].isprintable()
    assert len(entry["why"]) <= 80
    assert entry["start"] == "2026-11-10T23:00:00"


@pytest.mark.parametrize(
    ("content", "timezone", "problem"),
    [
        (b"not a calendar", "UTC", "no calendar"),
        (b"\xff\xfe\x00", "UTC", "no calendar"),
        (None, "UTC", "no such file"),
        (b"", "Mars/Olympus", "'Mars/Olympus' is none"),
    ],
)
def test_wrong_input_is_one_line(
    tmp_path: Path, content: bytes | None, timezone: str, problem: str
) -> None:
    file = tmp_path / "some.ics"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=problem) as raised:
        read_ics(file, timezone)
    assert "\n" not in str(raised.value)
