"""Build the outcome tables of a snapshot from its row tables: run the files of `outcome_sql`, range by range.

Every rule of the numbered files stays inside one person, so they are run once per range of persons and append:
time grows in proportion to the data, memory stays that of the ranges at work. `before.sql` comes first, once: what
they need to know of the whole store. `once.sql` follows, once: its rows need not belong to a person who was admitted.
The layout of the tables and the reason of every rule stand in the SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from itertools import pairwise
from math import ceil
from typing import Final

import duckdb

from analytics.errors import StoreProblem

OUTCOME_TABLES: Final = (
    "episode_outcome",
    "score_outcome",
    "attendance_week",
    "referral_outcome",
    "satisfaction_outcome",
)

# Two ranges at work hold about 1.5 GB. Smaller ones cost more time: each is planned anew and ends in a short row group.
EPISODES_PER_RANGE: Final = 250_000
# Each with a thread of its own: two threads that share a range wait for each other, and put together what they found.
_RANGES_AT_WORK: Final = 2
# What may stay in memory from one range to the next.
_BETWEEN_RANGES: Final = "500MB"

_FOLDER: Final = files("analytics.store").joinpath("outcome_sql")
_BOUNDS: Final = ("first_person", "last_person", "first_episode", "last_episode")
_Range = tuple[int, int, int, int]
# Stays whose minutes are not known, because a session of theirs has none.
_WITHOUT_MINUTES: Final = "(select episode_id from episode_outcome where attended_minutes is null)"


def range_sql() -> str:
    """Return the text that makes the outcome tables of one range of persons: the numbered files, one after another."""
    numbered = sorted((file for file in _FOLDER.iterdir() if file.name[0].isdigit()), key=lambda file: file.name)
    return "\n\n".join(file.read_text(encoding="utf-8") for file in numbered)


def build_outcomes(connection: duckdb.DuckDBPyConnection, episodes_per_range: int = EPISODES_PER_RANGE) -> None:
    """Create the outcome tables from the row tables of this database.

    Tables of these names are replaced; helper tables do not remain. Rows are sorted for pruning within a range,
    episodes by program and admission period, weeks by episode, scores not: queries still need their own ORDER BY.

    Parameters
    ----------
    connection : writable; the row tables of `schema.sql` are loaded in its current database.
    episodes_per_range : about this many at most; a person is never split. The result does not depend on it.

    Raises
    ------
    StoreProblem : the row tables break a promise the rules rest on, or a row went missing on the way.
    ValueError : `episodes_per_range` is not positive.
    """
    if episodes_per_range < 1:
        raise ValueError("episodes_per_range must be at least 1")
    for table in OUTCOME_TABLES:
        connection.execute(f"drop table if exists {table}")
    _check_row_tables(connection)
    ranges = _ranges(connection, episodes_per_range)
    connection.execute(_FOLDER.joinpath("before.sql").read_text(encoding="utf-8"))
    if len(ranges) == 1:
        _append_range(connection, ranges[0])
    else:
        # Nobody's range makes the tables, also those of a snapshot without episodes.
        _append_range(connection, (0, 0, 0, 0))
        _append_side_by_side(connection, ranges)
    connection.execute(_FOLDER.joinpath("once.sql").read_text(encoding="utf-8"))
    _check_outcomes(connection)


def _append_range(connection: duckdb.DuckDBPyConnection, bounds: _Range) -> None:
    """Append one range to the outcome tables; make these when they are not there."""
    for name, bound in zip(_BOUNDS, bounds, strict=True):
        connection.execute(f"set variable {name} = {bound}")
    connection.execute(range_sql())
    for name in _BOUNDS:
        connection.execute(f"reset variable {name}")


def _append_side_by_side(connection: duckdb.DuckDBPyConnection, ranges: Sequence[_Range]) -> None:
    """Append several ranges to outcome tables that are there, some at a time; which comes first is left to chance."""

    def append(bounds: _Range) -> None:
        # Helper tables and bounds belong to a connection.
        with connection.cursor() as own:
            _append_range(own, bounds)

    (threads,) = connection.execute("select current_setting('threads')").fetchone() or (1,)
    connection.execute("set threads = 1")
    try:
        with ThreadPoolExecutor(_RANGES_AT_WORK) as pool:
            for start in range(0, len(ranges), _RANGES_AT_WORK):
                list(pool.map(append, ranges[start : start + _RANGES_AT_WORK]))
                _make_room(connection)
    finally:
        connection.execute(f"set threads = {threads}")


def _make_room(connection: duckdb.DuckDBPyConnection) -> None:
    """Let go of what was read for a range: the next one needs none of it, and would have to search for room.

    DuckDB keeps what it has read until its limit is reached, so a lower one for a moment is how to say this.
    """
    (limit,) = connection.execute("select current_setting('memory_limit')").fetchone() or ("",)
    connection.execute(f"set memory_limit = '{_BETWEEN_RANGES}'")
    connection.execute(f"set memory_limit = '{limit}'")


def _ranges(connection: duckdb.DuckDBPyConnection, episodes_per_range: int) -> list[_Range]:
    """Return first and last person, first and last episode of each range; a person is never split.

    Ranges that are at work together are about equally large, so that none waits long for another.
    """
    (episodes,) = connection.execute("select count(*) from episode").fetchone() or (0,)
    number = ceil(episodes / episodes_per_range)
    if number > 1:
        number = ceil(number / _RANGES_AT_WORK) * _RANGES_AT_WORK
    ranges: list[_Range] = connection.execute(
        """
        with person as (
            select person_id, min(episode_id) as first_episode, max(episode_id) as last_episode,
                sum(count(*)) over (order by person_id) - count(*) as episodes_before
            from episode group by person_id
        )
        select min(person_id), max(person_id), min(first_episode), max(last_episode)
        from person group by floor(episodes_before * $number / $episodes) order by 1
        """,
        {"number": number, "episodes": episodes},
    ).fetchall()
    for (*_, last_episode), (_, _, first_episode, _) in pairwise(ranges):
        if first_episode <= last_episode:
            raise StoreProblem(
                "The outcome tables cannot be built. episode: the episodes of a person need consecutive numbers, "
                "in the order of persons."
            )
    return ranges


def _check_row_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Assert what the joins of `outcome_sql` take for granted; a broken promise would lose or double rows."""
    promises = {
        "collected: exactly one row is needed": "select count(*) = 1 from collected",
        "episode: episode_id is not unique": "select count(*) = count(distinct episode_id) from episode",
        "program_instrument: an instrument stands twice for one program": """
            select count(*) = count(distinct (program_id, instrument)) from program_instrument""",
        "instrument: two directions, or a band twice, for one instrument": """
            select count(distinct instrument) = count(distinct (instrument, direction))
                and count(*) = count(distinct (instrument, band_order)) from instrument""",
        "program_instrument: an instrument is not described in table instrument": """
            select count(*) = 0 from program_instrument
            where instrument not in (select instrument from instrument)""",
    }
    for broken, promise in promises.items():
        if connection.execute(promise).fetchone() != (True,):
            raise StoreProblem(f"The outcome tables cannot be built. {broken}.")


def _check_outcomes(connection: duckdb.DuckDBPyConnection) -> None:
    """Assert that no episode, pair or session was lost or doubled on the way."""
    same = {
        "episode_outcome": ("select count(*) from episode_outcome", "select count(*) from episode"),
        "score_outcome": (
            "select count(*) from score_outcome",
            "select count(*) from episode inner join program_instrument using (program_id)",
        ),
        "referral_outcome": ("select count(*) from referral_outcome", "select count(*) from referral"),
        # Every answer, and everybody who was invited.
        "satisfaction_outcome": (
            "select count(*) filter (invitations = 1 and (total is not null or recommend is not null)) "
            "from satisfaction_outcome",
            "select count(*) filter (invited is null) from satisfaction",
        ),
        # Episodes and weeks count sessions and minutes packed several to a number.
        "episode_outcome: attendance": (
            "select coalesce(sum(attended_sessions + no_show_sessions + cancelled_client_sessions "
            "+ cancelled_program_sessions + coalesce(hospital_sessions, 0)), 0) from episode_outcome",
            "select count(*) from attendance",
        ),
        "episode_outcome: minutes of attendance": (
            "select coalesce(sum(attended_minutes), 0) from episode_outcome",
            f"select coalesce(sum(minutes), 0) from attendance anti join {_WITHOUT_MINUTES} using (episode_id) "
            "where status = 'attended'",
        ),
        "attendance_week: minutes": (
            f"select coalesce(sum(attended_minutes), 0) from attendance_week "
            f"anti join {_WITHOUT_MINUTES} using (episode_id)",
            "select coalesce(sum(attended_minutes), 0) from episode_outcome",
        ),
        "attendance_week": (
            """
            select sum(attended_sessions), sum(no_show_sessions), sum(scheduled_sessions), sum(attended_days)
            from attendance_week""",
            """
            select sum(attended_sessions), sum(no_show_sessions),
                sum(attended_sessions + no_show_sessions + cancelled_client_sessions), sum(attended_days)
            from episode_outcome where attended_sessions + no_show_sessions + cancelled_client_sessions
                + cancelled_program_sessions + coalesce(hospital_sessions, 0) > 0""",
        ),
    }
    for table, (made, expected) in same.items():
        if connection.execute(made).fetchone() != connection.execute(expected).fetchone():
            raise StoreProblem(f"The outcome tables cannot be built. {table} does not add up to the row tables.")
