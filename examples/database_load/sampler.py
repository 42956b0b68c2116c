"""Samples the load of a PostgreSQL server until it is stopped.

python examples/database_load/sampler.py postgresql://sampler@localhost:5432/postgres
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import timedelta

from bartizan.crawl.database_load import sample
from bartizan.errors import TransientError

HOUR = 3600.0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("url", help="postgresql://user@host:5432/database")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two looks")
    parser.add_argument("--keep", type=int, default=7, help="days that samples are kept")
    args = parser.parse_args()
    while True:
        try:
            sample(args.url, HOUR, args.every, timedelta(days=args.keep))
        except TransientError as error:
            print(error, file=sys.stderr)
            time.sleep(10)


if __name__ == "__main__":
    main()
