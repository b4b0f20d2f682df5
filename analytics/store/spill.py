"""Databases that may outgrow their memory: what they write aside is encrypted, the owner's only, and removed after."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

# Rows of a table from which compressing it costs less than having its pages written aside.
COMPRESS_FROM: Final = 5_000_000


@contextmanager
def spilling_connection(database: str, folder: Path, memory_limit: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database that writes aside what does not fit into memory, encrypted, and close it at the end.

    Parameters
    ----------
    database : path of the file, ":memory:" for none.
    folder : for the pages that are written aside: made here (mode 0700), removed with all that is in it. Of one
        connection alone: DuckDB does not begin to encrypt where pages lie already.
    memory_limit : as DuckDB reads it, "3GB".

    Notes
    -----
    The key is made anew for each connection and stays in memory. DuckDB lets nobody write with the cipher that it has
    built in unless told: its random numbers are no cryptographic ones. The other cipher is an extension that it would
    have to download; pages in the clear would be worse than either (docs/privacy.md).
    """
    folder.mkdir(mode=0o700)
    try:
        with duckdb.connect(
            database, config={"memory_limit": memory_limit, "threads": "2", "temp_directory": str(folder)}
        ) as connection:
            connection.execute("set force_mbedtls_unsafe = true")
            connection.execute("set temp_file_encryption = true")
            if database == ":memory:":
                # `compress` finds tables here that it can make smaller; in the database itself it would not.
                connection.execute("attach ':memory:' as work (compress)")
                connection.execute("use work")
            yield connection
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def compress(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    """Make the tables in memory smaller, to a fifth or less, after one of so many rows was filled."""
    if rows >= COMPRESS_FROM:
        connection.execute("checkpoint")
