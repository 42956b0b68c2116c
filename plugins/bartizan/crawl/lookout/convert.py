"""Converts the folder of an original Lookout for Metrics custom connector.

Such a folder holds a params.json and query files: one for live intervals around a moving clock, one
for history, or only one of them (the workshop's are for backtests).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from bartizan.crawl.config import load_connector
from bartizan.crawl.folder import create
from bartizan.crawl.lint import END, START, moving
from bartizan.crawl.lookout import files
from bartizan.crawl.lookout import params as described
from bartizan.crawl.lookout.rewrite import Rewritten, difference, over_window, unwrapped
from bartizan.crawl.lookout.tables import table_names
from bartizan.crawl.tokens import Token, tokens
from bartizan.engines.base import EngineName
from bartizan.errors import ConfigError

LARGEST = 64 * 1024  # bytes of a file that people wrote

_LIVE = re.compile(r"(?<![a-z])(continuous|live)(?![a-z])")
_HISTORY = re.compile(r"(?<![a-z])(historical|history|backtest)(?![a-z])")
_FOREIGN = {
    "approximate": "approx_count_distinct(x)",
    "convert_timezone": "times are UTC already",
    "date_add": "ts + interval '1' hour",
    "date_format": "date_trunc, or strftime",
    "date_parse": "cast(x as timestamp)",
    "dateadd": "ts + interval '1' hour",
    "decode": "case when … then … end",
    "from_unixtime": "to_timestamp(x)",
    "len": "length(x)",
    "listagg": "string_agg(x, ',')",
    "nvl": "coalesce(x, y)",
    "nvl2": "case when … then … end",
    "to_char": "strftime(ts, '…')",
    "top": "limit",
}


@dataclass(frozen=True)
class Imported:
    """The connector's new folder, and one line for everything that is not as it was."""

    folder: Path
    changed: tuple[str, ...]
    dropped: tuple[str, ...]
    look_at: tuple[str, ...]


def import_connector(
    original: Path, connectors: Path, name: str, engine: EngineName | None = None
) -> Imported:
    """Write `connectors/<name>` from the folder of an original connector, which stays as it is.

    Without an `engine` it is the lake's where the query reads only tables of the lake, else the
    database of params.json.

    Raises ConfigError naming the file that is wrong, and UsageError for a name unfit or taken;
    then nothing is written.
    """
    file = _params_file(original)
    params = described.read_params(file)
    timestamp = params.timestamp_column.ColumnName
    live, history = _query_files(original)
    chosen = live or history
    if chosen is None:
        return _reading_files(file, params, connectors, name)
    inner = _unwrapped(chosen)
    query = over_window(inner.query, timestamp, str(chosen))
    code = tokens(query.query, str(chosen))
    engine = engine or (described.engine_of(params) if _foreign_tables(code) else None)
    run_by = engine or EngineName.DUCKDB
    look_at = (
        *query.look_at,
        *_differences(live, history, timestamp),
        *_unfit(code),
        *(_unfit_for_the_lake(code) if run_by is EngineName.DUCKDB else []),
        *described.look_at(params, run_by),
    )
    description = described.connector_yaml(params, name, run_by)
    return Imported(
        folder=create(connectors, name, description, query.query.strip() + "\n"),
        changed=(
            *(f"{chosen.name}: {text}" for text in (*inner.changed, *query.changed)),
            *described.changed(params),
        ),
        dropped=(
            *inner.dropped,
            *described.dropped(params, run_by),
            *described.dropped_of_source(params),
        ),
        look_at=look_at,
    )


def _reading_files(file: Path, params: described.Params, connectors: Path, name: str) -> Imported:
    """Without a query there are files that someone else writes: the connector reads them."""
    block = files.source_block(params)
    if block is None:
        raise ConfigError(
            str(file.parent), "holds no .sql file and no S3 path", "give the connector's folder"
        )
    description = described.connector_yaml(params, name, EngineName.DUCKDB, block)
    _require_loadable(file, description)
    return Imported(
        folder=create(connectors, name, description, None),
        changed=("there is no query: the files are read where they are",),
        dropped=(*described.dropped(params, EngineName.DUCKDB), *files.dropped(params)),
        look_at=(*files.look_at(block), *described.look_at(params, EngineName.DUCKDB)),
    )


def _require_loadable(file: Path, description: str) -> None:
    """Raises ConfigError naming the original when what it says makes no connector."""
    with TemporaryDirectory() as folder:
        try:
            load_connector(create(Path(folder), "imported", description, None))
        except ConfigError as error:
            key = error.thing.rpartition(": ")[2]
            raise ConfigError(f"{file}: {key}", error.problem, error.remedy) from error


def _params_file(original: Path) -> Path:
    if not original.is_dir():
        raise ConfigError(str(original), "is not a folder", "give the one with params.json")
    found = sorted(original.rglob("params.json"))
    if len(found) != 1:
        names = ", ".join(str(path.relative_to(original)) for path in found) or "none"
        raise ConfigError(str(original), f"one params.json is needed, found {names}", "keep one")
    _require_small(found[0])
    return found[0]


def _query_files(original: Path) -> tuple[Path | None, Path | None]:
    """The queries for live intervals and for history, by the words in their paths."""
    found = sorted(original.rglob("*.sql"))
    live = [path for path in found if _has(path.relative_to(original), _LIVE)]
    history = [path for path in found if _has(path.relative_to(original), _HISTORY)]
    if len(found) == 1 and not history:
        return found[0], None
    told_apart = len(live) + len(history) == len(found)
    if not told_apart or len(live) > 1 or len(history) > 1:
        names = ", ".join(str(path.relative_to(original)) for path in found)
        raise ConfigError(
            str(original),
            f"which query is live and which is history is not clear: {names}",
            "keep one with 'continuous' or 'live', one with 'historical' or 'backtest' in its path",
        )
    return next(iter(live), None), next(iter(history), None)


def _has(path: Path, words: re.Pattern[str]) -> bool:
    return words.search(str(path).lower()) is not None


def _unwrapped(path: Path) -> Rewritten:
    _require_small(path)
    try:
        return unwrapped(path.read_text(encoding="utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), "is not UTF-8", "save it as UTF-8") from error


def _require_small(path: Path) -> None:
    if (size := path.stat().st_size) > LARGEST:
        raise ConfigError(str(path), f"has {size:,} bytes", f"at most {LARGEST:,} are read")


def _differences(live: Path | None, history: Path | None, timestamp: str) -> list[str]:
    if live is None or history is None:
        return []
    found = difference(
        _unwrapped(live).query, _unwrapped(history).query, timestamp, str(live.parent)
    )
    return [f"the live query is used for history too, but {found}"] if found else []


def _unfit(code: Sequence[Token]) -> list[str]:
    """What no engine will run the same way again."""
    odd = [
        t.text
        for t in code
        if t.kind == "placeholder" and t.text.strip("{} ") not in ("start", "end")
    ]
    return [
        *(f"{name}: a moving clock or chance is left in the query" for name in moving(code)),
        *(f"{text}: unknown placeholder, only {START} and {END} exist" for text in odd),
    ]


def _unfit_for_the_lake(code: Sequence[Token]) -> list[str]:
    """What the lake's engine will not run."""
    foreign = dict.fromkeys(
        token.key
        for token, after in pairwise(code)
        if token.key in _FOREIGN and (after.key in ("(", "count") or after.kind == "number")
    )
    tables = _foreign_tables(code)
    return [
        *(f"{name}: of another dialect: {_FOREIGN[name]}" for name in foreign),
        *([f"tables outside the lake: {', '.join(tables)}"] if tables else []),
    ]


def _foreign_tables(code: Sequence[Token]) -> list[str]:
    return [name for name in table_names(code) if not name.startswith(("waf.", "agg."))]
