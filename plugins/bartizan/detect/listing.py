"""Which files hold the metrics of a window, by the Lookout for Metrics S3 contract.

    <history>/*                            sub-folders are ignored
    <live>, such as …/{{yyyyMMdd}}/{{HHmm}}/*   one folder per interval, one or more files in it

Names that begin with "_" or "." are not data. `_manifest….json` vouches for a span.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from upath import UPath

from bartizan.model.source import Source
from bartizan.model.template import folders
from bartizan.model.window import DAY, Window


@dataclass(frozen=True)
class Found:
    """A file by its path in the file system of `place`, and the span its rows may have."""

    place: UPath
    path: str
    span: Window

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]

    @property
    def content(self) -> bytes:
        return bytes(self.place.fs.cat_file(self.path))

    @property
    def is_manifest(self) -> bool:
        return self.name.startswith("_manifest") and self.name.endswith(".json")


def own_source(root: UPath) -> Source:
    """The files that crawl and backfill write for a connector in its folder."""
    return Source(
        live=f"{root}/live/{{{{yyyyMMdd}}}}/{{{{HHmm}}}}",
        history=f"{root}/backtest",
        endings=(".csv", ".csv.gz"),
    )


def history_files(source: Source, root: UPath, window: Window) -> list[Found]:
    """Data files and manifests directly in the folder of history; `root` knows the file system."""
    if source.history is None:
        return []
    place = _place(source.history, root)
    folder = place.fs._strip_protocol(source.history)
    paths = place.fs.find(folder, maxdepth=1) if place.fs.isdir(folder) else []
    return [Found(place, path, window) for path in sorted(paths) if _is_wanted(path, source)]


def live_files(source: Source, root: UPath, window: Window, frequency: timedelta) -> list[Found]:
    """Those in the folders of the window's intervals; one listing per folder above them."""
    if source.live is None:
        return []
    place = _place(source.live, root)
    fs, template = place.fs, place.fs._strip_protocol(source.live)
    listed: dict[str, list[str]] = {}
    found = []
    for day in window.aligned(frequency).pieces(max(DAY, frequency)):
        named = folders(template, day, frequency, source.folder_label, source.timezone)
        for parent in sorted({folder.rsplit("/", 1)[0] for folder in named}):
            if parent not in listed:
                listed[parent] = fs.find(parent, maxdepth=2) if fs.isdir(parent) else []
            for path in listed[parent]:
                start = named.get(path.rsplit("/", 1)[0])
                if start is not None and _is_wanted(path, source):
                    found.append(Found(place, path, Window(start, start + frequency)))
    return sorted(found, key=lambda file: file.path)


def _place(path: str, root: UPath) -> UPath:
    """What knows the path's file system: `root`, with its options, where it is of the same kind."""
    place = UPath(path)
    return root if place.protocol == root.protocol else place


def _is_wanted(path: str, source: Source) -> bool:
    name = path.rsplit("/", 1)[-1]
    if name.startswith("_manifest"):
        return name.endswith(".json")
    return not name.startswith(("_", ".")) and name.endswith(source.endings or name)
