"""The `source:` block of connector.yaml: metric files that others write."""

from __future__ import annotations

import codecs
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from bartizan.calendars import TimeZone
from bartizan.described import Described, wrong
from bartizan.errors import UsageError
from bartizan.model.java_time import JavaTime
from bartizan.model.source import FileFormat, FileKind, FolderLabel, Source
from bartizan.model.template import Template

WRITTEN_FORMAT = "yyyy-MM-dd HH:mm:ss"
UNIX = "UNIX"


def time_format(value: str) -> str:
    if value != UNIX:
        try:
            JavaTime.parse(value)
        except UsageError as error:
            raise wrong(f"{value!r}: {error.problem}", f"write UNIX or {WRITTEN_FORMAT}") from error
    return value


def _template(value: str) -> str:
    try:
        Template.parse(value)
    except UsageError as error:
        raise wrong(f"{value!r}: {error.problem}", error.remedy) from error
    return value


def _charset(value: str) -> str:
    try:
        codecs.lookup(value)
    except LookupError as error:
        raise wrong(f"{value!r} is no known charset", "write UTF-8 or ISO-8859-1") from error
    return value


def _delimiter(value: str) -> str:
    if len(value) != 1 or not value.isascii() or value in "\r\n":
        raise wrong(f"{value!r} is not one sign", 'write ",", ";", "|" or "\\t"')
    return value


def _quote(value: str) -> str:
    if len(value) > 1 or not value.isascii():
        raise wrong(f"{value!r} is not one sign", "write '\"', or '' for no quotes")
    return value


class _Format(Described):
    kind: Annotated[FileKind, Field(strict=False)] = FileKind.CSV
    charset: Annotated[str, AfterValidator(_charset)] = "UTF-8"
    header: bool = True
    columns: list[str] = Field(default_factory=list)
    delimiter: Annotated[str, AfterValidator(_delimiter)] = ","
    quote: Annotated[str, AfterValidator(_quote)] = '"'

    @model_validator(mode="after")
    def _columns_have_names(self) -> _Format:
        if self.kind is FileKind.CSV and self.header == bool(self.columns):
            raise wrong("columns and header", "write columns: [...] and header: false, or neither")
        return self


class SourceBlock(Described):
    live: Annotated[str, AfterValidator(_template)] | None = None
    history: str | None = None
    format: _Format = _Format()
    folder_label: Annotated[FolderLabel, Field(strict=False)] = FolderLabel.START
    timezone: TimeZone = "UTC"

    @model_validator(mode="after")
    def _is_somewhere(self) -> SourceBlock:
        if self.live is None and self.history is None:
            raise wrong("neither live nor history", "write at least one path")
        if self.history is not None and "{{" in self.history:
            raise wrong(f"history {self.history!r} is a template", "write one folder")
        return self

    def require_whole_intervals(self, frequency: timedelta) -> None:
        """Raises unless intervals of the time zone begin where those of UTC do."""
        zone = ZoneInfo(self.timezone)
        for month in (1, 7):
            offset = datetime(2026, month, 1, tzinfo=UTC).astimezone(zone).utcoffset()
            if (offset or timedelta()) % frequency:
                raise wrong(
                    f"intervals of {self.timezone} do not begin where those of UTC do",
                    "choose shorter intervals, or timezone: UTC",
                )

    def as_source(self, timestamp_format: str) -> Source:
        form = self.format
        return Source(
            live=self.live,
            history=self.history,
            format=FileFormat(
                form.kind,
                form.charset,
                form.header,
                tuple(form.columns),
                form.delimiter,
                form.quote,
            ),
            folder_label=self.folder_label,
            timezone=self.timezone,
            timestamp_format=timestamp_format,
        )
