"""The query of a folder: `query.sql`, or `query.<engine>.sql` where an engine needs its own.

CloudWatch has no SQL: its query is `query.cloudwatch.yaml`.
"""

from __future__ import annotations

from pathlib import Path

from bartizan.engines.base import SQL_ENGINES, EngineName
from bartizan.errors import ConfigError


def read_query(folder: Path, engine: EngineName) -> tuple[str, str]:
    """Name and text of the file that `engine` runs; its own one wins.

    Raises ConfigError when there is none, or a file is called after an engine that does not exist.
    """
    known = {f"query.{name}.sql" for name in SQL_ENGINES}
    if odd := sorted({path.name for path in folder.glob("query.*.sql")} - known):
        engines = ", ".join(SQL_ENGINES)
        raise ConfigError(str(folder / odd[0]), "is of no engine", f"engines are: {engines}")
    is_sql = engine in SQL_ENGINES
    names = (f"query.{engine}.sql", "query.sql") if is_sql else (f"query.{engine}.yaml",)
    for name in names:
        try:
            return name, (folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
        except UnicodeDecodeError as error:
            raise ConfigError(str(folder / name), "is not UTF-8", "save it as UTF-8") from error
    raise ConfigError(str(folder / names[-1]), "no such file", "write the query of the connector")
