"""A folder of hostile log objects, each with what any correct reader must land from it.

Every object holds good records, called by their number (`requestId` is `good-<number>`), beside
mutants (`mutant-<number>`) and damage. The mutants may land or be quarantined; the good ones must
land as if nothing were wrong. Everything follows from the seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import hostile_packed
import hostile_texts
from hostile_maker import Made, Maker

Kind = Callable[[Maker], Made]

_NAMES = (
    "with space",
    "quote'\"",
    "per%cent%20",
    "new\nline",
    "tab\tcr\r",
    "unicode-é漢😀",
    "..dots..",
    "x..%2f..%2fetc%2fpasswd",
    "<script>alert(1)<script>",
    "=cmd|' !A0",
    "-rf",
    "C:\\windows\\x",
    "a;drop table requests",
    "$(id)`id`",
    "[a-z]*?",
    "#fragment?query&a=b",
    "event_date=2020-01-01",
    "long-" + "n" * 230,
)


@dataclass(frozen=True)
class Hostile:
    """One object. `sure` are the good records that must land, `torn` those at a cut, which may."""

    kind: str
    file: Path
    sure: tuple[int, ...]
    torn: tuple[int, ...] = ()


KINDS: tuple[Kind, ...] = (
    hostile_texts.flipped_bytes,
    hostile_texts.moved_bytes,
    hostile_texts.cut_text,
    hostile_texts.cut_in_a_character,
    hostile_texts.junk_lines,
    hostile_texts.junk_before_a_record,
    hostile_texts.mixed_framing,
    hostile_texts.pretty_and_damaged,
    hostile_texts.export_times,
    hostile_texts.nothing_at_all,
    hostile_texts.wrong_value,
    hostile_texts.missing_member,
    hostile_texts.repeated_member,
    hostile_texts.strange_number,
    hostile_texts.strange_text,
    hostile_texts.deep_nesting,
    hostile_texts.other_names,
    hostile_packed.cut_gzip,
    hostile_packed.flipped_gzip,
    hostile_packed.wrong_checksum,
    hostile_packed.junk_behind_gzip,
    hostile_packed.last_member_damaged,
    hostile_packed.members_across_records,
    hostile_packed.gzip_of_gzip,
    hostile_packed.bomb,
)
CLOUDWATCH_AND_ZSTD = (hostile_packed.zstd, hostile_packed.subscription)
LARGE = (hostile_texts.long_text, hostile_texts.many_lists)  # a few of them are enough
HUGE = (  # too slow for every test run
    hostile_texts.ten_megabytes,
    hostile_texts.huge_line,
    hostile_texts.huge_damaged_line,
    hostile_texts.huge_pretty,
    hostile_packed.bomb_of_line_ends,
    hostile_packed.bomb_of_zeros,
)


def hostile_folder(
    folder: Path,
    objects: int = 400,
    seed: int = 7,
    kinds: tuple[Kind, ...] = KINDS,
    large: tuple[Kind, ...] = LARGE,
) -> list[Hostile]:
    """Writes the objects, every kind in turn, under hostile names and wrong suffixes."""
    maker = Maker(seed)
    chosen = [*large, *(kinds[number % len(kinds)] for number in range(objects - len(large)))]
    return [_write(folder, number, kind, maker) for number, kind in enumerate(chosen)]


def _write(folder: Path, number: int, kind: Kind, maker: Maker) -> Hostile:
    made = kind(maker)
    suffix = maker.rng.choice((".log.gz", ".gz", ".log", ".json", "", ".2026-11-04"))
    below = folder / f"{number:03}" / _NAMES[number % len(_NAMES)]
    file = below / f"{kind.__name__}{suffix}"
    file.parent.mkdir(parents=True)
    file.write_bytes(made.content)
    return Hostile(kind.__name__, file, made.sure, made.torn)
