"""The SQL of the outcome tables against the plain-Python twin, on random clinics: every column of every row."""

from collections import Counter
from typing import Any

import duckdb
import pytest

from analytics.store.outcomes import OUTCOME_TABLES, build_outcomes
from tests.property.random_clinic import COLLECTED, random_clinic
from tests.spec.outcome_twin import OutcomeTwin
from tests.spec.row_tables import RowTables, load

PERSONS = 300
KEYS = {
    "episode_outcome": ("episode_id",),
    "score_outcome": ("episode_id", "instrument"),
    "attendance_week": ("episode_id", "week"),
    "referral_outcome": ("referral_id",),
    # Two answers that are alike are two people: all columns together are the key.
    "satisfaction_outcome": ("all",),
}


def built(tables: RowTables, episodes_per_range: int = 1_000_000) -> duckdb.DuckDBPyConnection:
    connection = load(tables)
    build_outcomes(connection, episodes_per_range)
    return connection


def rows_of(connection: duckdb.DuckDBPyConnection, table: str) -> list[dict[str, Any]]:
    result = connection.execute(f"select * from {table} order by {', '.join(KEYS[table])}")
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def assert_equal_to_twin(tables: RowTables) -> None:
    connection = built(tables)
    twin = OutcomeTwin(tables)
    for table, expected in (
        ("episode_outcome", twin.episode_outcome()),
        ("score_outcome", twin.score_outcome()),
        ("attendance_week", twin.attendance_week()),
        ("referral_outcome", twin.referral_outcome()),
        ("satisfaction_outcome", twin.satisfaction_outcome()),
    ):
        actual = rows_of(connection, table)
        assert len(actual) == len(expected)
        if KEYS[table] == ("all",):
            assert Counter(frozenset(row.items()) for row in actual) == Counter(
                frozenset(row.items()) for row in expected
            )
            continue
        expected.sort(key=lambda row, table=table: tuple(row[key] for key in KEYS[table]))
        for mine, other in zip(actual, expected, strict=True):
            different = {
                column: (mine.get(column, "absent"), other.get(column, "absent"))
                for column in mine.keys() | other.keys()
                if mine.get(column, "absent") != other.get(column, "absent")
            }
            assert not different, f"{table} {[mine[key] for key in KEYS[table]]}: (SQL, twin) {different}"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_column_of_every_row_equals_the_twin(seed: int) -> None:
    assert_equal_to_twin(random_clinic(seed, PERSONS))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 20))
def test_every_column_of_every_row_equals_the_twin_at_length(seed: int) -> None:
    assert_equal_to_twin(random_clinic(seed, 3 * PERSONS))


@pytest.mark.parametrize("kind", ["attendance", "score", "substance_use", "followup", "acute_event", "capture"])
def test_a_kind_of_row_that_was_not_collected_equals_the_twin(kind: str) -> None:
    tables = random_clinic(5, 60)
    tables[kind] = []
    tables["collected"] = [tables["collected"][0] | {kind: False}]
    assert_equal_to_twin(tables)


@pytest.mark.parametrize("program", ["north", "west"])
def test_a_program_that_recorded_no_attendance_equals_the_twin(program: str) -> None:
    tables = random_clinic(8, 60)
    stays = {row["episode_id"] for row in tables["episode"] if row["program_id"] == program}
    tables["attendance"] = [row for row in tables["attendance"] if row["episode_id"] not in stays]
    assert stays
    assert_equal_to_twin(tables)


def test_collected_without_a_row_equals_the_twin() -> None:
    tables = random_clinic(6, 60)
    for kind in COLLECTED:
        tables[kind] = []
    assert_equal_to_twin(tables)


@pytest.mark.parametrize(("persons", "episodes_per_range"), [(6, 1), (60, 25)])
def test_person_ranges_give_the_same_rows(persons: int, episodes_per_range: int) -> None:
    tables = random_clinic(4, persons)
    whole, parts = built(tables), built(tables, episodes_per_range)
    for table in OUTCOME_TABLES:
        assert rows_of(parts, table) == rows_of(whole, table)


def test_the_order_of_rows_in_the_files_does_not_matter() -> None:
    tables = random_clinic(7, 60)
    turned = {name: rows[::-1] for name, rows in tables.items()}
    one, other = built(tables), built(turned)
    for table in OUTCOME_TABLES:
        assert rows_of(one, table) == rows_of(other, table)
