"""Fills a PostgreSQL database with the shop of the e-commerce sample.

    python examples/ecommerce/load.py postgresql://postgres@localhost:5432/shop --end 2026-11-01

The same end gives the same rows. Prints the two anomalies that are in them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import psycopg
import pyarrow as pa
from psycopg.errors import DuplicateSchema
from psycopg.sql import SQL, Identifier
from pyarrow import csv

from bartizan.model.window import DAY, Window, parse_time
from bartizan.simulate.shop import anomalies, shop, two_years

HERE = Path(__file__).parent


def load(url: str, window: Window) -> dict[str, int]:
    """Make the schemas `shop`, with its tables, and `redshift`; returns rows by table.

    Raises psycopg.errors.DuplicateSchema, and changes nothing, where one of them is.
    """
    tables = shop(window)
    with psycopg.connect(url) as connection:
        connection.execute((HERE / "schema.sql").read_bytes())
        for name, rows in tables.items():
            _copy(connection, name, rows)
        connection.execute((HERE / "compat.sql").read_bytes())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
    return {name: rows.num_rows for name, rows in tables.items()}


def _copy(connection: psycopg.Connection, name: str, rows: pa.Table) -> None:
    lines = pa.BufferOutputStream()
    csv.write_csv(rows, lines, csv.WriteOptions(include_header=False))
    statement = SQL("copy {} from stdin (format csv)").format(Identifier("shop", name))
    with connection.cursor().copy(statement) as copy:
        copy.write(memoryview(lines.getvalue()))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("url", help="postgresql://user@host:5432/database")
    parser.add_argument("--end", required=True, help="the data end here, such as 2026-11-01T00:00Z")
    parser.add_argument("--days", type=int, help="how many days of data (default: two years)")
    args = parser.parse_args()
    window = two_years(parse_time(args.end))
    if args.days:
        window = Window(window.end - args.days * DAY, window.end)
    try:
        loaded = load(args.url, window)
    except DuplicateSchema as error:
        raise SystemExit(f"{error} — drop it, or name another database") from error
    for name, rows in loaded.items():
        print(f"shop.{name:12} {rows:>10,} rows")
    for anomaly in anomalies(window):
        print(f"{anomaly.window}  {anomaly.name}")


if __name__ == "__main__":
    main()
