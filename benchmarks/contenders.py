"""The contenders of the landing bench. Each turns a folder of gzip objects into Parquet (zstd).

    python contenders.py NAME FOLDER OUT SAID

writes to SAID, as JSON, the files that hold the records, and the CPU seconds of parts. Only
Bartizan checks, redacts, deduplicates, quarantines and extracts rule hits; only Bartizan and what
reads by ISA-L verify the CRC. Peers get their fastest known way, and text that ISA-L unpacked.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from isal import igzip

from schemas import arrow_schema, polars_schema, sql_columns, strict_type


@dataclass
class Outcome:
    """The files that hold the records, and the CPU seconds of parts of the work."""

    files: list[str] = field(default_factory=list)
    parts: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Add the CPU seconds of the block, in this process and in ended children, to a part."""
        before = _cpu()
        yield
        self.parts[name] = self.parts.get(name, 0.0) + _cpu() - before


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def objects(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.gz"))


# --- the physical floor ----------------------------------------------------------------------

FLOOR_GROUP = 100_000_000  # bytes of text that make one table of the floor


def floor(folder: Path, out: Path) -> Outcome:
    """What nobody can leave out, each on its own: gunzip, parse all JSON, write the Parquet."""
    from simdjson import Parser  # noqa: PLC0415

    outcome = Outcome()
    parser = Parser()
    for number, group in enumerate(_groups(objects(folder))):
        with outcome.part("gunzip"):
            for data in group:
                stream = igzip.GzipFile(fileobj=io.BytesIO(data))
                while stream.read(1_000_000):
                    pass
        text = b"".join(igzip.decompress(data) for data in group)
        lines = text.splitlines()
        with outcome.part("parse"):
            for line in lines:
                parser.parse(line)
        del lines
        rows = _decoded(text, out)
        outcome.files.append(str(out / f"{number}.parquet"))
        with outcome.part("write"):
            pq.write_table(rows, outcome.files[-1], compression="zstd")
    return outcome


def _groups(files: list[Path]) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    size = 0
    for file in files:
        data = file.read_bytes()
        group.append(data)
        size += int.from_bytes(data[-4:], "little")
        if size >= FLOOR_GROUP:
            yield group
            group, size = [], 0
    if group:
        yield group


def _decoded(text: bytes, out: Path) -> pa.Table:
    file = out / "text.jsonl"
    file.write_bytes(text)
    connection = _duckdb()
    rows = connection.sql(_read([file])).to_arrow_table()
    file.unlink()
    return rows


# --- DuckDB and the peers --------------------------------------------------------------------


def duckdb_by_object(folder: Path, out: Path) -> Outcome:
    """A COPY an object."""
    connection = _duckdb()
    names = []
    for number, file in enumerate(objects(folder)):
        names.append(str(out / f"{number}.parquet"))
        connection.execute(_copy([file], names[-1]))
    return Outcome(names)


def duckdb_at_once(folder: Path, out: Path) -> Outcome:
    """One COPY over all objects."""
    name = str(out / "all.parquet")
    _duckdb().execute(_copy(objects(folder), name))
    return Outcome([name])


def _duckdb() -> Any:
    import duckdb  # noqa: PLC0415

    connection = duckdb.connect()
    connection.execute("set threads = 1")
    return connection


def _read(files: list[Path]) -> str:
    names = ", ".join(f"'{file}'" for file in files)
    return (
        f"select * from read_json([{names}], format = 'newline_delimited',"
        f" columns = {sql_columns()})"
    )


def _copy(files: list[Path], target: str) -> str:
    return f"copy ({_read(files)}) to '{target}' (format parquet, compression zstd)"


def by_object(table_of: Callable[[bytes], pa.Table]) -> Callable[[Path, Path], Outcome]:
    """A contender that makes an Arrow table of the text of each object."""

    def run(folder: Path, out: Path) -> Outcome:
        names = []
        for number, file in enumerate(objects(folder)):
            rows = table_of(igzip.decompress(file.read_bytes()))
            names.append(str(out / f"{number}.parquet"))
            pq.write_table(rows, names[-1], compression="zstd")
        return Outcome(names)

    return run


def arrow_json(text: bytes) -> pa.Table:
    from pyarrow import json as reader  # noqa: PLC0415

    options = reader.ParseOptions(
        explicit_schema=arrow_schema(), unexpected_field_behavior="ignore"
    )
    blocks = reader.ReadOptions(use_threads=False, block_size=8 * 1024**2)
    return reader.read_json(io.BytesIO(text), read_options=blocks, parse_options=options)


def orjson_rows(text: bytes) -> pa.Table:
    import orjson  # noqa: PLC0415

    rows = [orjson.loads(line) for line in text.splitlines()]
    return pa.Table.from_pylist(rows, schema=arrow_schema())


def msgspec_columns(text: bytes) -> pa.Table:
    import msgspec  # noqa: PLC0415

    from bartizan.land.shape import RECORD  # noqa: PLC0415

    decode = msgspec.json.Decoder(strict_type(RECORD)).decode
    records = [decode(line) for line in text.splitlines()]
    plain = msgspec.to_builtins
    return pa.table(
        [
            pa.array([plain(getattr(record, one.name)) for record in records], one.type)
            for one in arrow_schema()
        ],
        schema=arrow_schema(),
    )


def polars_objects(folder: Path, out: Path) -> Outcome:
    import polars as pl  # noqa: PLC0415

    schema = polars_schema()
    names = []
    for number, file in enumerate(objects(folder)):
        names.append(str(out / f"{number}.parquet"))
        text = io.BytesIO(igzip.decompress(file.read_bytes()))
        pl.read_ndjson(text, schema=schema).write_parquet(names[-1], compression="zstd")
    return Outcome(names)


def pandas_objects(folder: Path, out: Path) -> Outcome:
    import pandas as pd  # noqa: PLC0415

    names = []
    for number, file in enumerate(objects(folder)):
        names.append(str(out / f"{number}.parquet"))
        text = io.BytesIO(igzip.decompress(file.read_bytes()))
        pd.read_json(text, lines=True).to_parquet(names[-1], compression="zstd")
    return Outcome(names)


# --- Bartizan --------------------------------------------------------------------------------


def bartizan(folder: Path, out: Path, workers: int = 1) -> Outcome:
    """Complete landing, from listing the folder to the commit."""
    from upath import UPath  # noqa: PLC0415

    from bartizan.lake import Lake, planned_files  # noqa: PLC0415
    from bartizan.land import run as landing  # noqa: PLC0415
    from bartizan.store import Store  # noqa: PLC0415
    from bartizan.validate.run import validate  # noqa: PLC0415

    outcome = Outcome()
    lake, store = Lake.open(out), Store.open(f"sqlite:///{out / 'store.db'}")
    validation = 0.0

    def checked(*given: Any) -> None:
        nonlocal validation, last
        before = _cpu()
        validate(*given)
        last = _cpu()
        validation += last - before

    first = last = _cpu()
    report = landing.land(store, lake, UPath(folder), validator=checked, workers=workers)
    outcome.parts |= {
        "stage": last - first - validation,
        "validate": validation,
        "publish": _cpu() - last,
    }
    assert not report.rejected and not report.quarantined, report
    outcome.files = list(planned_files(lake.table("waf.requests")))
    return outcome


CONTENDERS: dict[str, Callable[[Path, Path], Outcome]] = {
    "floor": floor,
    "duckdb": duckdb_at_once,
    "duckdb-by-object": duckdb_by_object,
    "bartizan": bartizan,
    "bartizan-2": lambda folder, out: bartizan(folder, out, workers=2),
    "pyarrow": by_object(arrow_json),
    "orjson": by_object(orjson_rows),
    "msgspec": by_object(msgspec_columns),
    "pandas": pandas_objects,
    "polars": polars_objects,
}


def main() -> None:
    name, folder, out, said = sys.argv[1:]
    outcome = CONTENDERS[name](Path(folder).absolute(), Path(out).absolute())
    Path(said).write_text(json.dumps(asdict(outcome)), encoding="utf-8")


if __name__ == "__main__":
    main()
