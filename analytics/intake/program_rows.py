"""Rows of a program and a period, without a person: satisfaction and finance.

Their periods may be finer than what may be stored. A keyed code of the period tells such rows apart, so that a later
batch replaces what it gives again and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import duckdb

from analytics.intake.deidentify import Key, Pseudonyms
from analytics.intake.merge import knows
from analytics.intake.model import FINANCE, SATISFACTION, TableSpec
from analytics.intake.periods import coarse_label, first_day, last_day, months_in
from analytics.intake.relative import PrivacyMode
from analytics.intake.sql_text import quoted

# More values than this share outside the scale: the column holds another question.
OTHER_SCALE_SHARE: Final = 0.05

# What a row counts for, besides program and period: rows of one cell are compared with each other.
_CELL: Final = {"satisfaction": ("respondent", "instrument"), "finance": ()}
# Rows that hold a sum over their period.
_SUMS: Final = {"satisfaction": "invited is not null", "finance": "true"}


def make_program_parents(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `parent_program`: the programs of accepted episodes and of those that only the store knows."""
    also = (
        "union select program_id from known_program anti join "
        "(select episode_key from stage_episodes where finding is null) using (episode_key)"
        if knows(connection, "program")
        else ""
    )
    connection.execute(
        "create table parent_program as select program_id as raw, (row_number() over ())::integer as ix, "
        "null::integer as first_day, null::integer as last_day from ("
        f"select distinct program_id from stage_episodes where finding is null {also}) where program_id is not null"
    )


def mark_other_scale(connection: duckdb.DuckDBPyConnection) -> None:
    """Mark RECOMMEND_SCALE when too many answers lie outside 1 to 4: then those inside are of another scale too."""
    connection.execute(
        "update stage_satisfaction set finding = 'recommend|RECOMMEND_SCALE|' "
        "where recommend is not null and finding is null and (select "
        "count(*) filter (finding like 'recommend|%') > $share * count(*) "
        "from stage_satisfaction where recommend is not null or finding like 'recommend|%')",
        {"share": OTHER_SCALE_SHARE},
    )


def mark_period_overlaps(connection: duckdb.DuckDBPyConnection, spec: TableSpec) -> None:
    """Mark PERIOD_OVERLAP: of two sums of one program over periods of different length, the longer one's.

    A row whose period overlaps a known one of another length is marked too.
    """
    cell = ("program_id", *_CELL[spec.table])
    sums = f"finding is null and {_SUMS[spec.table]}"
    same = " and ".join(f"o.{name} is not distinct from n.{name}" for name in cell)
    span = f"{first_day('period')} as first, {last_day('period')} as last"
    columns = ", ".join(quoted(name) for name in cell)
    connection.execute(
        f"create temp table spans as select record, {columns}, {months_in('period')} as months, {span} "
        f"from {_staged(spec)} where {sums}"
    )
    contains = f"{same} and o.months < n.months and o.first between n.first and n.last"
    others = f"exists (select 1 from spans o where {contains})"
    if knows(connection, spec.table):
        # Known periods are those of the mode's grain: an overlap with them may be one of labels only.
        connection.execute(
            f"create temp table known_spans as select distinct {columns}, period_months as months, {span} "
            f"from known_{spec.table} where {_SUMS[spec.table]}"
        )
        overlap = f"{same} and o.months <> n.months and o.first <= n.last and n.first <= o.last"
        others += f" or exists (select 1 from known_spans o where {overlap})"
    connection.execute(
        f"update stage_{spec.table} set finding = 'period|PERIOD_OVERLAP|' "
        f"where record in (select record from spans n where {others})"
    )
    connection.execute("drop table spans")
    connection.execute("drop table if exists known_spans")


def keep_program_rows(connection: duckdb.DuckDBPyConnection, spec: TableSpec, key: Key, mode: PrivacyMode) -> None:
    """Make `kept_<file>`: the accepted rows with label and code of their period, and known ones not given again.

    Given again are rows of one program, period and cell: a sum, the responses of one number, or all responses when
    they are not numbered.
    """
    code = Pseudonyms.number("period", "program_id || chr(31) || period")
    facts = [column.name for column in spec.columns if column.name not in ("program_id", "period")]
    values = [Pseudonyms.mark("response", name) if name == "response_no" else name for name in facts]
    connection.execute(
        f"create table kept_{spec.table} as select program_id, {coarse_label('period', mode)} as period, "
        f"{months_in('period')} as period_months, {code} as period_code, "
        f"{', '.join(f'{value} as {name}' for value, name in zip(values, facts, strict=True))} "
        f"from {_staged(spec)} where finding is null",
        Pseudonyms(key).parameters,
    )
    if not knows(connection, spec.table):
        return
    same = [f"o.{name} is not distinct from n.{name}" for name in ("program_id", "period_code", *_CELL[spec.table])]
    if spec is SATISFACTION:
        same += [
            "(o.invited is null) = (n.invited is null)",
            "coalesce(o.response_no = n.response_no, true)",
        ]
    connection.execute(
        f"create temp table earlier as select program_id, {coarse_label('period', mode)} as period, period_months, "
        f"period_code, {', '.join(facts)} from known_{spec.table} o "
        f"where not exists (select 1 from kept_{spec.table} n where {' and '.join(same)})"
    )
    connection.execute(f"insert into kept_{spec.table} from earlier")
    connection.execute("drop table earlier")


def write_program_rows(connection: duckdb.DuckDBPyConnection, copy: Callable[[str, str], None]) -> None:
    """Write tables `satisfaction` and `finance` of the state; rows of programs without an episode are left behind."""
    for spec in (SATISFACTION, FINANCE):
        copy(
            spec.table,
            f"select * from kept_{spec.table} where program_id in (select program_id from dense) order by all",
        )


def _staged(spec: TableSpec) -> str:
    """Return SQL for the staged rows with the program that they belong to."""
    return f"(select s.*, raw as program_id from stage_{spec.table} s join parent_program using (ix))"
