"""Which rows a connector's filters let pass: AND across columns, OR within one."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from bartizan.errors import ConfigError
from bartizan.model.connector import Connector


def kept(rows: pa.Table, connector: Connector) -> pa.Array:
    """For each row whether every filtered column has one of its texts; NULL has none.

    Raises ConfigError for a column that is no text.
    """
    passed = pa.repeat(True, rows.num_rows)
    for name, values in connector.filters:
        column = rows[name].combine_chunks()
        try:
            texts = column.cast(pa.string())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise ConfigError(
                f"{connector.origin}: {name}", f"type {column.type} is no text", "cast it"
            ) from error
        passed = pc.and_(passed, pc.is_in(texts, pa.array(values, pa.string())))
    return passed
