"""Airflow's scheduler, started with the libraries that tasks use already loaded.

The local executor forks its workers from the scheduler, and these fork the tasks. What is loaded
before is there in every task: 1.5 s of CPU less for each, 5 s where data are validated. Bartizan's
own code is not among it, so that a task sees a change of it without a restart.

    python -m bartizan.orchestration.scheduler scheduler
"""

from __future__ import annotations

import multiprocessing
from importlib import import_module
from runpy import run_module

LIBRARIES = (
    "duckdb",
    "great_expectations.expectations",
    "jinja2",
    "matplotlib.figure",
    "msgspec",
    "numba",
    "pandas",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "pyiceberg.catalog.sql",
    "pyiceberg.io.pyarrow",
    "scipy.signal",
    "sqlalchemy.orm",
    "sqlglot",
    "strictyaml",
    "upath",
)

if __name__ == "__main__":
    if multiprocessing.get_start_method() == "fork":
        for library in LIBRARIES:
            import_module(library)
    run_module("airflow", run_name="__main__", alter_sys=True)
