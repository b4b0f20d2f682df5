"""Row tables in, columns of an outcome table out: what the tests of the rules ask for."""

from typing import Any

from analytics.store.outcomes import build_outcomes
from tests.spec.row_tables import row_tables


def outcome(columns: str, table: str = "episode_outcome", order: str = "episode_id", **tables: Any) -> list[Any]:
    """Build the outcome tables and return these columns; one column comes as plain values."""
    connection = row_tables(**tables)
    build_outcomes(connection)
    rows = connection.execute(f"select {columns} from {table} order by {order}").fetchall()
    return [row[0] if len(row) == 1 else row for row in rows]


def one(columns: str, table: str = "episode_outcome", **tables: Any) -> Any:
    (row,) = outcome(columns, table, **tables)
    return row
