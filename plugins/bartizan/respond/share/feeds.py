"""Feeds: files that other products read, one function a format. The same input gives equal bytes.

Every file says who may be told: inside where the format has a place for it, else in its name.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence

from botocore.exceptions import BotoCoreError, ClientError
from upath import UPath

from bartizan.errors import UsageError
from bartizan.files import get, put
from bartizan.model.indicator import Format, Indicator, Tlp
from bartizan.model.window import format_time
from bartizan.respond.share.misp import misp_files
from bartizan.respond.share.stix import stix_files

_COLUMNS = (
    *("network", "added_at", "expires_at", "first_seen", "last_seen", "requests", "blocked"),
    *("paths", "hours", "families", "score", "tlp"),
)


Files = Mapping[str, bytes]  # by path below the folder of the feed
Render = Callable[[Sequence[Indicator], str, Tlp], Files]


def write_feed(
    folder: UPath, form: Format, indicators: Sequence[Indicator], organisation: str, tlp: Tlp
) -> dict[str, int]:
    """Write a feed below a folder or s3:// prefix; returns the bytes of each file. A file that
    holds the same already is left alone. Raises UsageError where they cannot be written."""
    files = _RENDER[form](indicators, organisation, tlp)
    try:
        for name, content in files.items():
            if get(folder / name) != content:
                put(folder / name, content)
    except (OSError, BotoCoreError, ClientError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            str(folder), f"cannot be written: {why}", "choose another --out, or allow it"
        ) from error
    return {name: len(content) for name, content in files.items()}


def cidr_files(indicators: Sequence[Indicator], _organisation: str, tlp: Tlp) -> Files:
    """One network a line, IPv4 and IPv6 apart."""
    return {
        f"blocked-v{version}.tlp-{tlp}.txt": _lines(
            str(one.network) for one in indicators if one.network.version == version
        )
        for version in (4, 6)
    }


def guardduty_files(indicators: Sequence[Indicator], _organisation: str, tlp: Tlp) -> Files:
    """A list in the format TXT of GuardDuty: IPv4, a host without its /32."""
    hosts = (str(one.network).removesuffix("/32") for one in indicators if one.network.version == 4)
    return {f"guardduty.tlp-{tlp}.txt": _lines(hosts)}


def csv_files(indicators: Sequence[Indicator], _organisation: str, tlp: Tlp) -> Files:
    """A row for each network with its evidence. Cells are networks, times, numbers and names of
    ours, so none of them is a formula to a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for one in indicators:
        times = (one.added_at, one.expires_at, one.first_seen, one.last_seen)
        counts = (one.requests, one.blocked, one.paths, one.hours)
        writer.writerow(
            (one.network, *map(format_time, times), *counts, " ".join(one.families), one.score, tlp)
        )
    return {"blocked.csv": text.getvalue().encode()}


def _lines(texts: Iterable[str]) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode()


_RENDER: Mapping[Format, Render] = {
    Format.CIDR: cidr_files,
    Format.CSV: csv_files,
    Format.STIX: stix_files,
    Format.MISP: misp_files,
    Format.GUARDDUTY: guardduty_files,
}
