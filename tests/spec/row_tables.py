"""Small row tables for tests: rows as dicts, everything one does not care about has a sensible default.

`row_tables(episode=[{}], score=[{"episode_id": 1, "day": 0, "total": 15}])` is one person's completed stay of 56
days with one PHQ-9, in an in-memory DuckDB with the real schema. `complete()` gives the same rows as plain dicts,
for a second reading of the rules.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from analytics.settings import PROJECT_ROOT
from analytics.store.codes import enum_statements

Row = dict[str, object]
RowTables = dict[str, list[Row]]

SCHEMA = PROJECT_ROOT / "analytics" / "store" / "schema.sql"

_DEPRESSION = (("minimal", 4), ("mild", 9), ("moderate", 14), ("moderately_severe", 19), ("severe", 27))
# (instrument, direction, band names with their highest totals); a lower total is better when direction is +1.
_INSTRUMENTS: tuple[tuple[str, int, tuple[tuple[str, float], ...]], ...] = (
    ("phq9", 1, _DEPRESSION),
    ("phqa", 1, _DEPRESSION),
    ("gad7", 1, (("minimal", 4), ("mild", 9), ("moderate", 14), ("severe", 21))),
    ("ors", -1, (("distressed", 24.9), ("not_distressed", 40))),
    ("who5", -1, (("low", 50), ("not_low", 100))),
)

# Columns without an entry are NULL. What a row needs from its neighbours is filled in by `complete()`.
DEFAULTS: dict[str, Row] = {
    "episode": {
        "program_id": "north",
        "population": "adult",
        "track": "mental_health",
        "level_of_care": "IOP",
        "modality": "in_person",
        "planned_weeks": 8,
        "primary_condition": "depression",
        "age_band": "26-34",
        "gender": "female",
        "referral_source": "self",
        "payer_group": "commercial",
        "admit_period": "2025-03",
        "start_day": 0,
        "los_days": 56,
    },
    "attendance": {"day": 0, "session_type": "group", "session_no": 1, "status": "attended"},
    "score": {"instrument": "phq9", "is_prorated": False, "given_as": "total"},
    "substance_use": {"source": "self_report", "substance": "any"},
    "followup": {"reached": True},
    "acute_event": {"level_of_care": "inpatient", "planned": False},
    "capture": {"source": "exchange"},
    "referral": {
        "source": "self",
        "decision": "admitted",
        "episode_given": False,
        "is_repeat": False,
        "observed_days": 90,
    },
    "satisfaction": {
        "program_id": "north",
        "period": "2025-03",
        "period_months": 1,
        "period_code": 1,
        "respondent": "client",
        "instrument": "csq8",
    },
    "finance": {"program_id": "north", "period": "2025-03", "period_months": 1, "period_code": 1},
    "attendance_calendar": {
        "session_type": "group",
        "status": "attended",
        "weekday": 1,
        "period": "2025-03",
        "sessions": 1,
    },
}
OBSERVED_AFTER_DISCHARGE = 455  # the cap of the store: longer than every window
OBSERVED_WHILE_OPEN = 60


def row_tables(
    *, collected: Mapping[str, bool] | None = None, **tables: Iterable[Mapping[str, object]]
) -> duckdb.DuckDBPyConnection:
    """Make an in-memory DuckDB with the schema of the store and these rows; see `complete()`."""
    return load(complete(collected=collected, **tables))


def complete(*, collected: Mapping[str, bool] | None = None, **tables: Iterable[Mapping[str, object]]) -> RowTables:
    """Fill what the rows leave out, so that every row of every table has every column.

    An episode without `episode_id` gets the next number, without `person_id` a person of its own; without
    `los_days` it stays 56 days, with `los_days=None` it is open; `discharge_reason` is completed when closed.
    Without `program_instrument`, a program uses the instruments of its episodes' scores. Without `instrument`,
    PHQ-9, PHQ-A, GAD-7, ORS and WHO-5 are known. A referral without a number gets the next one. A kind of row is
    collected when there is one; `collected` overrides ("acute_event": True with no event means that nobody was
    readmitted).
    """
    columns = _columns()
    if unknown := set(tables) - set(columns):
        raise ValueError(f"no such row table: {sorted(unknown)}")
    filled: RowTables = {name: [] for name in columns}
    given = {name: list(rows) for name, rows in tables.items()}
    for name, rows in given.items():
        for row in rows:
            if unknown := set(row) - set(columns[name]):
                raise ValueError(f"{name} has no column {sorted(unknown)}")
            filled[name].append(dict.fromkeys(columns[name]) | DEFAULTS.get(name, {}) | dict(row))
    filled["episode"] = [_complete_episode(number, row) for number, row in enumerate(given.get("episode", ()), start=1)]
    for number, referral in enumerate(filled["referral"], start=1):
        referral["referral_id"] = referral["referral_id"] or number
    for attendance in filled["attendance"]:
        if attendance["minutes"] is None and attendance["status"] != "attended":
            attendance["minutes"] = 0
    if "program_instrument" not in tables:
        program = {row["episode_id"]: row["program_id"] for row in filled["episode"]}
        used = sorted({(str(program[row["episode_id"]]), str(row["instrument"])) for row in filled["score"]})
        filled["program_instrument"] = [{"program_id": p, "instrument": i} for p, i in used]
    if "instrument" not in tables:
        filled["instrument"] = _bands()
    if "program" not in tables:
        programs = [str(row["program_id"]) for row in filled["episode"]]
        filled["program"] = [{"program_id": p, "episodes": programs.count(p)} for p in sorted(set(programs))]
    filled["collected"] = [{name: bool(filled[name]) for name in columns["collected"]} | dict(collected or {})]
    return filled


def load(tables: RowTables) -> duckdb.DuckDBPyConnection:
    """Load complete rows into an in-memory DuckDB with the schema of the store."""
    connection = duckdb.connect()
    for statement in enum_statements():
        connection.execute(statement)
    for column, type_name in (("program_id", "program_code"), ("site", "site_code")):
        codes = {str(row[column]) for rows in tables.values() for row in rows if row.get(column) is not None}
        connection.execute(f"create type {type_name} as enum ({', '.join(map(repr, sorted(codes)))})")
    connection.execute(SCHEMA.read_text(encoding="utf-8"))
    for name, rows in tables.items():
        if rows:
            _insert(connection, name, rows)
    return connection


def _insert(connection: duckdb.DuckDBPyConnection, name: str, rows: list[Row]) -> None:
    """Insert through one JSON file: inserting row by row takes minutes for a clinic of some hundred people."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        # As text: the table's own types, ENUMs among them, are the ones that decide.
        columns = ", ".join(f"{column}: 'varchar'" for column in rows[0])
        connection.execute(
            f"insert into {name} by name from read_json($file, format = 'nd', columns = {{{columns}}})",
            {"file": str(file)},
        )


def _complete_episode(number: int, given: Mapping[str, object]) -> Row:
    """Fill the columns of an episode that follow from its number or from its other columns."""
    episode_id = given.get("episode_id", number)
    los_days = given.get("los_days", DEFAULTS["episode"]["los_days"])
    closed = isinstance(los_days, int)
    follows: Row = {
        "episode_id": episode_id,
        "person_id": episode_id,
        "observed_days": los_days + OBSERVED_AFTER_DISCHARGE if closed else OBSERVED_WHILE_OPEN,
        "discharge_reason": "completed" if closed else None,
    }
    return dict.fromkeys(_columns()["episode"]) | DEFAULTS["episode"] | follows | dict(given)


def _bands() -> list[Row]:
    """Return the instruments as rows, one per band."""
    rows: list[Row] = []
    for instrument, direction, bands in _INSTRUMENTS:
        low = 0.0
        step = 0.1 if instrument == "ors" else 1.0
        for order, (band, high) in enumerate(bands, start=1):
            rows.append(
                {
                    "instrument": instrument,
                    "direction": direction,
                    "band": band,
                    "band_order": order,
                    "band_low": low,
                    "band_high": float(high),
                    "every_days": {"ors": 7, "who5": None}.get(instrument, 14),
                }
            )
            low = round(high + step, 1)
    return rows


@cache
def _columns() -> dict[str, list[str]]:
    """Return the columns of every row table, as the schema has them."""
    connection = load({})
    rows = connection.execute(
        "select table_name, column_name from duckdb_columns() where not internal order by column_index"
    ).fetchall()
    names: dict[str, list[str]] = {}
    for table, column in rows:
        names.setdefault(table, []).append(column)
    return names
