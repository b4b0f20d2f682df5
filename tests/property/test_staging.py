"""Staging: every record has the finding and the number that it has when the file is read line by line in one thread.

The oracle is the same file through the numbered text view, which one thread reads from the first line to the last.
"""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.errors import ImportProblem
from analytics.intake.coding import source_name
from analytics.intake.crossrow import mark_duplicates
from analytics.intake.model import ATTENDANCE, TABLES, TableSpec
from analytics.intake.readers import FileFacts, inspect, text_view
from analytics.intake.staging import NULL_TOKENS, StagingContext, day_number, prepare, stage, stage_nothing

HEADER = "episode_id,session_date,session_type,status,minutes,delivery,session_no"
CONTEXT = StagingContext(import_day=day_number(date(2026, 7, 1)), cut_day=day_number(date(2026, 6, 30)))
BLANKS = " \t\n\r\xa0"

# Texts of each column: good ones, the same otherwise written, blanks, and one for each rule that they can break.
TEXTS = {
    "episode_id": ["E1", "E1", "E1", " E1 ", "E2", "E9", "", "1e5", "E 1", "123-45-6789"],
    "session_date": ["2026-01-05", "2026-01-05", "2026-01-06", "2026-01-05 00:00", "2025-01-01", "2026-02-30", "x", ""],
    "session_type": ["group", "group", "Group", "individual", "choir", "NA"],
    "status": ["attended", "attended", "no_show", "No-Show", "-"],
    "minutes": ["60", "60", "60.0", "0", "601", "1,5", ""],
    "delivery": ["in_person", "telehealth", "session_date"],
    "session_no": ["", "1", "1", "2", " 1", "APPOINTMENT-77", " APPOINTMENT-77", "1e5", "a b", "1234567e5", "x" * 1025],
}
# What else may stand between the records: a blank line, a misshapen one, the header again, a line end in quotes.
STRANGE = ["\n", "E1,2026-01-05\n", "a,b,c,d,e,f,g,h\n", HEADER + "\n", 'E1,2026-01-05,"gro\nup",attended,60,,\n']


def any_record(chance: random.Random) -> str:
    """Return a record, mostly a good one: with every text drawn alike hardly a row would get past the first columns."""
    cells = [texts[0] if chance.random() < 0.8 else chance.choice(texts) for texts in TEXTS.values()]
    return ",".join(f'"{cell}"' if "," in cell else cell for cell in cells) + "\n"


@cache
def database(threads: int) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": str(threads)})
    prepare(connection)
    connection.execute(
        "create table parent_episode as select * from (values ('E1', 1, 9497, 9677), ('E2', 2, 9497, null)) "
        "as t(raw, ix, first_day, last_day)"
    )
    return connection


def staged(path: Path, lines: Iterable[str], threads: int, numbered: bool = False) -> list[tuple[object, ...]]:
    """Write a file and return its staged rows in the order of record, duplicates marked, and the raw ids of orphans."""
    path.write_text(HEADER + "\n" + "".join(lines), encoding="utf-8", newline="")
    facts = inspect(path)
    assert isinstance(facts, FileFacts)
    connection, columns = database(threads), frozenset(facts.columns)
    in_order = text_view(connection, "attendance", facts, facts.columns)
    assert in_order is not None
    stage(connection, ATTENDANCE, "attendance", columns, CONTEXT, None if numbered else in_order)
    mark_duplicates(connection, ATTENDANCE, columns)
    rows = connection.execute("select * from stage_attendance order by record").fetchall()
    orphans = connection.execute("select raw from orphan_attendance order by 1").fetchall()
    connection.execute("drop table stage_attendance")
    connection.execute("drop table orphan_attendance")
    assert [row[0] for row in rows] == list(range(1, facts.records + 1))
    return [*rows, *orphans]


@pytest.mark.parametrize("seed", range(8))
def test_coded_rows_are_the_rows_of_the_numbered_view(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    path = tmp_path / "attendance.csv"
    lines = [any_record(chance) if chance.random() < 0.9 else chance.choice(STRANGE) for _ in range(150)]
    assert staged(path, lines, threads=2) == staged(path, lines, threads=1, numbered=True)


@pytest.mark.parametrize("seed", range(8))
def test_the_order_of_the_rows_changes_no_finding(tmp_path: Path, seed: int) -> None:
    """Of equal rows the first is kept, whichever it is: as a bag, the values with their findings are the same."""
    chance = random.Random(seed)
    records = [any_record(chance) for _ in range(150)]
    bags = []
    for _ in range(2):
        rows = staged(tmp_path / "attendance.csv", records, threads=2)
        bags.append(Counter(row[1:] for row in rows))
        chance.shuffle(records)
    assert bags[0] == bags[1]
    rules = {str(row[-1]).split("|")[1] for row in bags[0] if row and row[-1]}
    assert {"DUPLICATE_EXACT", "DUPLICATE_CONFLICT"} <= rules


def test_many_buffers_and_threads_change_nothing(tmp_path: Path) -> None:
    """A file of more than one buffer, so that several threads do read it."""
    chance = random.Random(20261122)
    pool = [any_record(chance) for _ in range(400)] + STRANGE[:3]
    lines = chance.choices(pool, k=380_000)
    path = tmp_path / "attendance.csv"
    expected = staged(path, lines, threads=1, numbered=True)
    assert path.stat().st_size > 18_000_000
    assert len({row[-1] for row in expected}) > 10  # many kinds of findings
    assert staged(path, lines, threads=4) == expected


@pytest.mark.parametrize("change", ["another text", "a row more"])
def test_a_file_that_changes_between_two_readings_is_noticed(tmp_path: Path, change: str) -> None:
    path = tmp_path / "attendance.csv"
    path.write_text(HEADER + "\nE1,2026-01-05,group,attended,60,in_person,1\n", encoding="utf-8")
    facts = inspect(path)
    assert isinstance(facts, FileFacts)
    with duckdb.connect() as connection:
        prepare(connection)
        connection.execute("create table parent_episode (raw varchar, ix integer, first_day integer, last_day integer)")
        lines = text_view(connection, "attendance", facts, facts.columns)
        assert lines is not None
        if change == "a row more":
            with path.open("a", encoding="utf-8") as file:
                file.write("E1,2026-01-05,group,attended,60,in_person,1\n")
        else:
            # A view that says another type of session from its third row on: in the second reading.
            connection.execute("create sequence rows_read")
            kind = "case when nextval('rows_read') <= 2 then 'group' else 'family' end as session_type"
            connection.execute(f'create view changing as select * replace ({kind}) from "{lines.view}"')
            lines = replace(lines, view="changing")
        with pytest.raises(ImportProblem, match="was changed while it was read"):
            stage(connection, ATTENDANCE, "attendance", frozenset(facts.columns), CONTEXT, lines)


cleanable = st.tuples(
    st.text(BLANKS, max_size=2),
    st.one_of(st.sampled_from(NULL_TOKENS), st.text("aAzZ09_-/.#[{~é\xa0 ", max_size=6)),
    st.text(BLANKS, max_size=2),
    st.booleans(),
)


@given(st.lists(cleanable, min_size=10, max_size=60))
def test_cleaned_takes_blanks_away_and_knows_what_is_not_given(parts: list[tuple[str, str, str, bool]]) -> None:
    texts = [before + (text.upper() if capitals else text) + after for before, text, after, capitals in parts]
    found = database(1).execute("select cleaned(text) from (select unnest($1) as text)", [texts]).fetchall()
    plain = [text.strip(BLANKS) for text in texts]
    assert [row[0] for row in found] == [None if text.lower() in NULL_TOKENS else text for text in plain]


@pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.table)
@pytest.mark.parametrize("study_days", [False, True])
def test_a_file_that_is_not_there_is_staged_like_one_without_a_row(spec: TableSpec, study_days: bool) -> None:
    connection = duckdb.connect()
    prepare(connection)
    for parent in ("episode", "person", "program"):
        connection.execute(
            f"create table parent_{parent} (raw varchar, ix integer, first_day integer, last_day integer)"
        )
    names = [source_name(column.name, study_days) for column in spec.columns]
    columns = ", ".join(f'null::varchar as "{name}"' for name in names)
    connection.execute(f"create view empty as select 0::integer as record, false as misshapen, {columns} where false")
    present = frozenset(column.name for column in spec.columns)
    stage(connection, spec, "empty", present, replace(CONTEXT, study_days=study_days))
    made = {}
    for how in ("with a file", "without"):
        made[how] = [
            [row[:2] for row in connection.execute(f"describe {kind}_{spec.table}").fetchall()]
            for kind in ("stage", "orphan")
        ]
        for kind in ("stage", "orphan"):
            connection.execute(f"drop table {kind}_{spec.table}")
        stage_nothing(connection, spec)
    assert made["with a file"] == made["without"] and len(made["without"][0]) > 3
