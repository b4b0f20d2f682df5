"""What must hold in a snapshot before it is published: keys, parents, ranges, and a content hash."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Final

import duckdb

from analytics.errors import StoreProblem
from analytics.store.facts import SCHEMA_VERSION
from analytics.store.outcomes import OUTCOME_TABLES

ROW_TABLES: Final = (
    "program",
    "program_instrument",
    "instrument",
    "episode",
    "attendance",
    "score",
    "score_item",
    "substance_use",
    "followup",
    "acute_event",
    "capture",
    "referral",
    "satisfaction",
    "finance",
    "attendance_calendar",
    "collected",
)

_KEYS: Final = {
    "program": "program_id",
    "program_instrument": "program_id, instrument",
    "instrument": "instrument, band_order",
    "episode": "episode_id",
    "attendance": "episode_id, day, session_type, session_no",
    "score": "episode_id, instrument, day",
    "score_item": "episode_id, instrument, day, item",
    "substance_use": "episode_id, day, source, substance",
    "followup": "episode_id, due_day",
    "referral": "referral_id",
    "satisfaction": "program_id, period, period_code, respondent, instrument, response_no",
    "finance": "program_id, period, period_code",
}
_PARENTS: Final = {
    "attendance": "episode_id",
    "score": "episode_id",
    "score_item": "episode_id",
    "substance_use": "episode_id",
    "followup": "episode_id",
    "acute_event": "person_id",
    "capture": "person_id",
    "satisfaction": "program_id",
    "finance": "program_id",
}
# What must not be found: SQL that counts it.
_NEVER: Final = {
    "Table referral names a stay of another person": (
        "select count(*) from (select episode_id, person_id from referral where episode_id is not null) "
        "anti join episode using (episode_id, person_id)"
    ),
    "Table referral has a calendar label of a person who was admitted": (
        "select count(*) from referral where referral_period is not null "
        "and person_id in (select person_id from episode)"
    ),
    "Table satisfaction counts one period twice": (
        "select count(*) from (select 1 from satisfaction where invited is not null "
        "group by program_id, period_code, respondent, instrument having count(*) > 1)"
    ),
}


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0] or 0) if row else 0


def row_counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return the number of rows of every table that a snapshot holds."""
    return {table: _one(connection, f"select count(*) from {table}") for table in (*ROW_TABLES, *OUTCOME_TABLES)}


def check(connection: duckdb.DuckDBPyConnection) -> None:
    """Assert keys, parents and the size of the outcome tables.

    Raises
    ------
    StoreProblem
        Naming the table and the rule. Intake has checked all of it before; a failure here is a defect, and
        nothing is published.
    """
    for table, key in _KEYS.items():
        # Row tables are loaded in the order of their key, so comparing neighbours finds what a hash of all keys
        # would, and needs no memory: without an order of its own a window takes the rows as they stand.
        same = " and ".join(f"{name} = lag({name}) over ()" for name in key.split(", "))
        if _one(connection, f"select count(*) from (select {same} as same from {table}) where same"):
            raise StoreProblem(f"Table {table} has two rows with one key ({key}). Nothing was published.")
    for table, parent in _PARENTS.items():
        orphans = _one(
            connection,
            f"select count(*) from (select distinct {parent} from {table}) anti join episode using ({parent})",
        )
        if orphans:
            raise StoreProblem(f"Table {table} has rows without their {parent}. Nothing was published.")
    for finding, sql in _NEVER.items():
        if _one(connection, sql):
            raise StoreProblem(f"{finding}. Nothing was published.")
    episodes = _one(connection, "select count(*) from episode")
    if _one(connection, "select count(*) from episode_outcome") != episodes:
        raise StoreProblem("The outcome table does not have one row per episode. Nothing was published.")
    if _one(connection, "select count(*) from referral_outcome") != _one(connection, "select count(*) from referral"):
        raise StoreProblem("The outcomes of referrals do not have one row per referral. Nothing was published.")
    expected = _one(connection, "select count(*) from episode join program_instrument using (program_id)")
    if _one(connection, "select count(*) from score_outcome") != expected:
        raise StoreProblem("The score outcomes do not have one row per episode and instrument. Nothing was published.")


def table_hashes(
    connection: duckdb.DuckDBPyConnection,
    schema_version: int = SCHEMA_VERSION,
    known: Mapping[str, Collection[str]] | None = None,
) -> dict[str, str]:
    """Return a content hash per row table, independent of row order, as that schema version made it.

    Parameters
    ----------
    known : the columns that the tables had then; None for those of today. Others are left out, tables too.

    Notes
    -----
    Each row is hashed as a whole; sum and exclusive-or of the row hashes and their number are hashed again. DuckDB
    hashes a code as its place in the list of codes. The lists of programs and sites come from the data: where they
    are named first, in `program` and `episode`, the name itself is hashed, which version 1 did not.
    """
    names = {"program": ("program_id",), "episode": ("program_id", "site")} if schema_version > 1 else {}
    result = {}
    for table in ROW_TABLES if known is None else [table for table in ROW_TABLES if table in known]:
        columns = ", ".join(
            f"{name}::varchar as {name}" if name in names.get(table, ()) else name
            for (name,) in connection.execute(f"select column_name from (describe {table})").fetchall()
            if known is None or name in known[table]
        )
        row = connection.execute(
            f"select count(*), coalesce(bit_xor(h), 0), coalesce(sum(h % 4294967296), 0) "
            f"from (select hash(t) as h from (select {columns} from {table}) t)"
        ).fetchone()
        result[table] = hashlib.sha256(repr((table, row)).encode()).hexdigest()
    return result
