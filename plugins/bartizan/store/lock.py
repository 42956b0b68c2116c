"""Keeps two processes from changing the same thing at once, through the store they share.

A process that ends, however it ends, has let its locks go: neither clock nor lease is needed.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from bartizan.store.database import Store


@contextmanager
def locked(store: Store, name: str) -> Iterator[None]:
    """Hold the lock `name` of a store during the block; waits for another holder.

    On PostgreSQL it belongs to a session of the server, on SQLite to a file beside the database.
    """
    url = store.engine.url
    if url.get_backend_name() == "sqlite":
        with Path(f"{url.database}.{name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    lock = text("select pg_advisory_lock(hashtextextended(:name, 7261996))")
    with store.engine.connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        alone.detach()  # closed at the end, not pooled: that lets the lock go
        alone.execute(lock, {"name": name})
        yield
