"""Rows that Python has, put into a table in the memory of the import's database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

import duckdb
import pyarrow as pa

from analytics.intake.sql_text import quoted

_AT_ONCE: Final = 20_000


def load_rows(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]]) -> None:
    """Insert a few rows into a table that is there; one statement, for each one of its own takes a millisecond."""
    if rows:
        places = range(len(rows[0]))
        connection.execute(
            f"insert into {quoted(table)} select {', '.join(f'unnest($c{place})' for place in places)}",
            {f"c{place}": [row[place] for row in rows] for place in places},
        )


def load_text(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    places: Sequence[int],
    rows: Iterable[Sequence[str | None]],
) -> None:
    """Create (or replace) a table with `record` (from 1, as the rows come) and c<place> for the wanted places."""
    columns = "".join(f", c{place} varchar" for place in places)
    connection.execute(f"create or replace table {quoted(table)} (record bigint{columns})")
    first = 1
    for batch in _batches(iter(rows)):
        arrays = {"record": pa.array(range(first, first + len(batch)), pa.int64())}
        arrays |= {f"c{place}": pa.array([row[place] for row in batch], pa.string()) for place in places}
        connection.register("loaded_rows", pa.table(arrays))
        connection.execute(f"insert into {quoted(table)} select * from loaded_rows")
        connection.unregister("loaded_rows")
        first += len(batch)


def _batches(rows: Iterator[Sequence[str | None]]) -> Iterator[list[Sequence[str | None]]]:
    while batch := list(islice(rows, _AT_ONCE)):
        yield batch
