"""Small outcome tables for tests: rows as dicts, everything one does not care about has a sensible default.

`small_snapshot([{"los_days": 14, "discharge_reason": "lost_contact"}])` is one person who left after two
weeks. The columns and their types are those that the store builds, so a measure that names another column
fails here too.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import duckdb

from analytics.measures import Cohort, Measure, StratifiedResult, Stratifier, evaluate
from analytics.store.codes import enum_statements
from analytics.store.outcomes import build_outcomes
from tests.spec.row_tables import row_tables

Row = Mapping[str, object]

EXIT = {
    "completed": "completed",
    "transferred_lower": "stepped_down",
    "transferred_higher": "transferred_higher",
    "left_against_advice": "left_early",
    "lost_contact": "left_early",
    "administrative": "left_early",
}
EPISODE: dict[str, object] = {
    "program_id": "north",
    "modality": "in_person",
    "planned_weeks": 8,
    "primary_condition": "depression",
    "age_band": "26-34",
    "admit_period": "2025-03",
    "start_day": 0,
    "los_days": 56,
    "is_course_last": True,
    "is_sud": False,
}
REFERRAL: dict[str, object] = {"source": "self", "decision": "declined", "is_repeat": False, "observed_days": 90}
ANSWER: dict[str, object] = {
    "program_id": "north",
    "period": "2025-03",
    "period_code": 1,
    "respondent": "client",
    "instrument": "csq8",
    "is_counted": True,
    "invitations": 1,
}
FINANCE: dict[str, object] = {"program_id": "north", "period": "2025-03", "period_months": 1}
CALENDAR: dict[str, object] = {
    "program_id": "north",
    "session_type": "group",
    "status": "attended",
    "weekday": 1,
    "period": "2025-03",
    "sessions": 1,
}
EVERYTHING = (
    "attendance",
    "score",
    "substance_use",
    "followup",
    "acute_event",
    "capture",
    "referral",
    "satisfaction",
    "finance",
)


class SmallSnapshot:
    """Outcome tables in memory. `statements` are the texts that were asked, in order."""

    snapshot_id = "small"

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.statements: list[str] = []

    def query(self, sql: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        self.statements.append(sql)
        return self.connection.cursor().execute(sql, dict(parameters)).fetchall()


def small_snapshot(
    episodes: Iterable[Row],
    scores: Iterable[Row] = (),
    *,
    referrals: Iterable[Row] = (),
    answers: Iterable[Row] = (),
    finance: Iterable[Row] = (),
    calendar: Iterable[Row] = (),
    absent: Iterable[str] = (),
) -> SmallSnapshot:
    """Make a snapshot of these episodes, scores, requests for help, invitations to say how satisfied one is, costs and
    places of programs, and sessions by calendar month.

    An episode is numbered from 1 and its person too; `los_days` None is open; `exit`, `exit_day`, `is_closed`
    and `observed_days` follow. A score names its `episode_id` and takes that episode's columns; PHQ-9 by
    default. A request is numbered from 1, and its person after all others; it is seen for 90 days. An
    invitation is one client's, counted, and answered when it has an answer. `absent` are the kinds of rows that were
    not collected.
    """
    connection = duckdb.connect(config={"threads": 1})
    for statement in enum_statements():
        connection.execute(statement)
    rows = [_complete_episode(number, row) for number, row in enumerate(episodes, start=1)]
    by_number = {row["episode_id"]: row for row in rows}
    score_rows = [_complete_score(by_number, row) for row in scores]
    asked = [
        REFERRAL | {"referral_id": number, "person_id": len(rows) + number} | dict(row)
        for number, row in enumerate(referrals, start=1)
    ]
    invited = [ANSWER | {"is_answered": "recommend" in row or "total" in row} | dict(row) for row in answers]
    for table, filled in (
        ("episode_outcome", rows),
        ("score_outcome", score_rows),
        ("referral_outcome", asked),
        ("satisfaction_outcome", invited),
        ("finance", [FINANCE | {"period_code": number} | dict(row) for number, row in enumerate(finance)]),
        ("attendance_calendar", [CALENDAR | dict(row) for row in calendar]),
    ):
        layout = _layout(table)
        columns = ", ".join(f'"{name}" {kind}' for name, kind in layout)
        connection.execute(f"create table {table} ({columns})")
        names = [name for name, _ in layout]
        for row in filled:
            if unknown := set(row) - set(names):
                raise ValueError(f"{table} has no column {sorted(unknown)}")
        if filled:
            marks = f"({', '.join('?' * len(names))})"
            values = [row.get(name) for row in filled for name in names]
            connection.execute(f"insert into {table} values {', '.join([marks] * len(filled))}", values)
    connection.execute(
        "create table collected as select " + ", ".join(f"{name not in absent} as {name}" for name in EVERYTHING)
    )
    return SmallSnapshot(connection)


def one(snapshot: SmallSnapshot, measure: Measure, by: Stratifier | None = None, **cohort: Any) -> StratifiedResult:
    (result,) = evaluate([measure], snapshot, Cohort(**cohort), by)
    return result


def counts(result: StratifiedResult) -> dict[str, tuple[int, int]]:
    return {group: (each.numerator, each.denominator) for group, each in result.estimates.items()}


def _complete_episode(number: int, given: Row) -> dict[str, object]:
    row = EPISODE | {"episode_id": number, "person_id": given.get("episode_id", number)} | dict(given)
    los_days = row["los_days"]
    closed = isinstance(los_days, int)
    reason = row.setdefault("discharge_reason", "completed" if closed else None)
    derived: dict[str, object] = {
        "is_closed": closed,
        "exit_day": los_days,
        "observed_days": los_days + 455 if isinstance(los_days, int) else 60,
        "exit": ("active" if not closed else None if reason is None else EXIT.get(str(reason), "other")),
    }
    return derived | row


def _complete_score(episodes: Mapping[object, dict[str, object]], given: Row) -> dict[str, object]:
    shared = {name for name, _ in _layout("episode_outcome")} & {name for name, _ in _layout("score_outcome")}
    episode = {name: value for name, value in episodes[given["episode_id"]].items() if name in shared}
    return episode | {"instrument": "phq9", "direction": 1} | dict(given)


@cache
def _layout(table: str) -> list[tuple[str, str]]:
    """Return the columns of an outcome table as the store builds it; codes that come from the data as text."""
    connection = row_tables(episode=[{"site": "east"}])
    build_outcomes(connection)
    columns = connection.execute(
        "select column_name, data_type from duckdb_columns() where table_name = ? order by column_index",
        [table],
    ).fetchall()
    free = ("program_id", "site", "therapy", "admit_period", "discharge_period", "baseline_severity", "instrument")
    return [(str(name), "VARCHAR" if name in free else str(kind)) for name, kind in columns]
