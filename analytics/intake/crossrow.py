"""Rules that look at several rows: duplicates, overlapping stays, and known episodes that changed hands.

They write into the `finding` of staged rows. Only rows without a finding take part: a row that is refused anyway
cannot make another one a duplicate.
"""

from __future__ import annotations

from itertools import groupby
from typing import Final

import duckdb

from analytics.intake.model import TableSpec
from analytics.intake.sql_text import quoted
from analytics.intake.staging import staged_columns

# A grouping pass holds one partition in memory; this many rows take some 400 MB.
_ROWS_PER_PASS: Final = 8_000_000


def key_columns(spec: TableSpec, present: frozenset[str]) -> list[str]:
    """Return the staged columns that make two rows the same: the parent is known by its `ix`."""
    names = [*spec.key, *([spec.optional_key] if spec.optional_key in present else [])]
    return ["ix" if name == f"{spec.parent}_id" else quoted(str(name)) for name in names]


def mark_duplicates(connection: duckdb.DuckDBPyConnection, spec: TableSpec, present: frozenset[str]) -> int:
    """Mark DUPLICATE_EXACT (all but the first) and DUPLICATE_CONFLICT (all); return how many rows were marked."""
    table = f"stage_{spec.table}"
    keys = key_columns(spec, present)
    valid = f"finding is null and ({spec.keyed})"
    (rows,) = connection.execute(f"select count(*) from {table} where {valid}").fetchone() or (0,)
    passes = max(1, -(-int(rows) // _ROWS_PER_PASS))
    same = ", ".join(keys)
    connection.execute(f"create temp table repeated as select {same} from {table} limit 0")
    for number in range(passes):
        connection.execute(
            f"insert into repeated select {same} from {table} where {valid} "
            f"and hash({keys[0]}) % {passes} = {number} group by all having count(*) > 1"
        )
    content = ", ".join(f"s.{quoted(name)}" for name in staged_columns(spec))
    join = " and ".join(f"r.{key} is not distinct from s.{key}" for key in keys)
    window = f"over (partition by {', '.join(f's.{key}' for key in keys)})"
    connection.execute(
        "create temp table judged as select record, "
        "case when differ then 'DUPLICATE_CONFLICT' when record > earliest then 'DUPLICATE_EXACT' end as rule from ("
        f"select s.record, min(s.record) {window} as earliest, "
        f"min(hash(({content}))) {window} <> max(hash(({content}))) {window} as differ "
        f"from (from {table} where {valid}) s join repeated r on {join})"
    )
    name = spec.key[0]
    connection.execute(
        f"update {table} set finding = '{name}|' || j.rule || '|' from judged j "
        f"where j.record = {table}.record and j.rule is not null"
    )
    (marked,) = connection.execute("select count(*) from judged where rule is not null").fetchone() or (0,)
    connection.execute("drop table repeated")
    connection.execute("drop table judged")
    return int(marked)


def mark_overlaps(connection: duckdb.DuckDBPyConnection, known: str | None) -> int:
    """Mark EPISODE_OVERLAP: of two stays of one person at one level of care the later-starting is refused.

    Parameters
    ----------
    known : a table of episodes already in the store (episode_key, person_key, admit_date, discharge_date,
        level_of_care) or None. They are taken as given, also when they begin later.

    Notes
    -----
    Admission on the other's discharge day is allowed. An open stay has no end. A refused stay does not refuse others,
    so the few people with any overlap are walked through in order of admission.
    """
    others = (
        f"union all select null, k.person_key, k.admit_date, k.discharge_date, k.level_of_care::varchar, true "
        f"from {known} k anti join stage_episodes s on s.finding is null and s.episode_key = k.episode_key"
        if known
        else ""
    )
    rows = connection.execute(
        "with stay as ("
        "select record, person_key, admit_date, discharge_date, level_of_care::varchar as level, false as is_known "
        f"from stage_episodes where finding is null and level_of_care is not null {others}), "
        "marked as (select *, max(coalesce(discharge_date, 1000000)) over (partition by person_key, level "
        "order by admit_date, is_known desc, record rows between unbounded preceding and 1 preceding) > admit_date "
        "as collides from stay) "
        "select record, person_key, admit_date, coalesce(discharge_date, 1000000), level, is_known from marked "
        "where (person_key, level) in (select (person_key, level) from marked where collides) "
        "order by person_key, level, admit_date, is_known desc, record"
    ).fetchall()
    refused: list[tuple[int]] = []
    for _, group in groupby(rows, key=lambda row: (row[1], row[4])):
        stays = [(row[0], row[2], row[3], row[5]) for row in group]
        taken = [(admit, discharge) for _, admit, discharge, is_known in stays if is_known]
        for record, admit, discharge, is_known in stays:
            if is_known:
                continue
            # Only a known stay can begin later than the one that is looked at.
            if any(admit < end if begin <= admit else begin < discharge for begin, end in taken):
                refused.append((record,))
            else:
                taken.append((admit, discharge))
    if refused:
        connection.executemany(
            "update stage_episodes set finding = 'admit_date|EPISODE_OVERLAP|' where record = ?", refused
        )
    return len(refused)


def mark_changed_person(connection: duckdb.DuckDBPyConnection, known: str) -> None:
    """Mark IMMUTABLE_CHANGED: a known episode cannot become another person's."""
    connection.execute(
        "update stage_episodes set finding = 'person_id|IMMUTABLE_CHANGED|' "
        f"from {known} k where stage_episodes.finding is null and k.episode_key = stage_episodes.episode_key "
        "and k.person_key <> stage_episodes.person_key"
    )


def rejected_rows(
    connection: duckdb.DuckDBPyConnection, spec: TableSpec, limit: int
) -> list[tuple[int, str | None, str, str | None]]:
    """Return (record, column, rule, masked value) of the first `limit` refused rows, in order of record."""
    rows = connection.execute(
        f"select record, finding from stage_{spec.table} where finding is not null order by record limit {limit}"
    ).fetchall()
    result = []
    for record, finding in rows:
        column, rule, masked = finding.split("|", 2)
        result.append((int(record), column or None, rule, masked or None))
    return result
