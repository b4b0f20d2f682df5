"""Mappings at work: what leaves the raw files, and what does not."""

from pathlib import Path

import duckdb
import pytest

from analytics.errors import ImportProblem
from analytics.intake.mapping import (
    AccountCount,
    AgeBand,
    Constant,
    MappedTables,
    RawColumn,
    SourceMapping,
    load_mapping,
    run_selects,
)

EPISODES = '[episodes]\nfile = "stays.csv"\n[episodes.columns]\nepisode_id = "Stay"\n'
SELECT = '[sources]\nstays = "stays.csv"\n[episodes]\nselect = "{}"\n'


def mapping_of(folder: Path, text: str) -> SourceMapping:
    path = folder / "clinic.toml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path)


def run(folder: Path, text: str, files: dict[str, str]) -> tuple[MappedTables, duckdb.DuckDBPyConnection]:
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    connection = duckdb.connect()
    return run_selects(connection, mapping_of(folder, text), folder), connection


def rows_of(connection: duckdb.DuckDBPyConnection, table: str, *columns: str) -> list[tuple[object, ...]]:
    names = ", ".join(f'"{column}"' for column in columns)
    return connection.execute(f'select record, {names} from "mapped_{table}" order by record').fetchall()


# Columns of one raw file

BY_COLUMNS = """
date_format = "MM/DD/YYYY"
[episodes]
file = "stays.csv"
[episodes.columns]
episode_id = " stay "
person_id = "Chart No"
program_id = { const = "IOP-A", because = "one program" }
admit_date = "Admitted"
gender = "Sex"
age_band = { birth_date = "DOB", on = "Admitted" }
modality = "unknown"
[episodes.codes.gender]
F = "female"
" m " = "male"
"" = "unknown"
"""
STAYS = """Stay,Chart No,Name,DOB,Admitted,Sex
1,A7,Ann Lee,03/02/1990,03/01/2026,F
2,B9,Bo Ray,03/01/1930,03/01/2026, f
3,C1,Cy Poe,13/13/1990,03/01/2026,M
4,D4,,,03/01/2026,
5,E5,Di Fox,06/01/2010,03/01/2026,X
"""


def test_a_table_made_of_columns(tmp_path: Path) -> None:
    tables, connection = run(tmp_path, BY_COLUMNS, {"stays.csv": STAYS})
    episodes = tables.tables["episodes"]
    assert (episodes.records, episodes.unknown) == (5, {"modality"})
    columns = ("episode_id", "person_id", "program_id", "admit_date", "gender", "age_band", "modality")
    assert episodes.columns == set(columns)
    assert rows_of(connection, "episodes", *columns) == [
        # Born on 2 March, so one day short of 36; ages above 89 are one band; no such day; nothing; a code of its own.
        (1, "1", "A7", "IOP-A", "03/01/2026", "female", "35-44", None),
        (2, "2", "B9", "IOP-A", "03/01/2026", "female", "90+", None),
        (3, "3", "C1", "IOP-A", "03/01/2026", "male", None, None),
        (4, "4", "D4", "IOP-A", "03/01/2026", "unknown", None, None),
        (5, "5", "E5", "IOP-A", "03/01/2026", "X", "12-17", None),
    ]


def test_a_mapping_says_where_each_column_comes_from_and_why(tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path, BY_COLUMNS)
    columns = mapping.tables["episodes"].columns
    assert columns["episode_id"] == RawColumn("stay")
    assert columns["age_band"] == AgeBand(None, "dob", "admitted")
    assert mapping.constants == {"episodes.program_id": Constant("IOP-A", "one program")}


@pytest.mark.parametrize(
    ("age", "band"),
    [
        ("12", "12-17"), ("17.9", "12-17"), ("18", "18-25"), ("25", "18-25"), ("26", "26-34"), ("74", "65-74"),
        ("75", "75-89"), ("89", "75-89"), ("90", "90+"), ("112", "90+"),
        # These become a text that is no band, so that the row is set aside and the raw text goes no further.
        ("11", "no age"), ("-3", "no age"), ("999", "no age"), ("Ann Lee", "no age"), ("1984-07-13", "no age"),
    ],
)  # fmt: skip
def test_age_bands(tmp_path: Path, age: str, band: str) -> None:
    text = EPISODES + 'age_band = { age = "Age" }\n'
    _, connection = run(tmp_path, text, {"stays.csv": f"Stay,Age\n1,{age}\n"})
    assert rows_of(connection, "episodes", "age_band") == [(1, band)]


def test_a_record_with_a_wrong_number_of_fields_is_one_row_of_a_table_of_columns(tmp_path: Path) -> None:
    tables, connection = run(tmp_path, EPISODES, {"stays.csv": "Stay,b\n1,x\n2\n3,y\n"})
    assert tables.tables["episodes"].records == 3
    rows = connection.execute("select record, misshapen from mapped_episodes order by record").fetchall()
    assert rows == [(1, False), (2, True), (3, False)]


def test_a_raw_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImportProblem, match=r"episodes\.columns\.episode_id: stays\.csv has no 'stay'"):
        run(tmp_path, EPISODES, {"stays.csv": "Chart,b\n1,2\n"})


# Selects

BY_SELECT = """
study_days = true
observed_until = 90
[sources]
stays = "stays.csv"
days = "days.csv"
[episodes]
select = \"\"\"
select who as episode_id, who as person_id, min(days.day::integer) as admit_day, age_band(stays.age) as age_band
from stays join days using (who) group by all order by who desc
\"\"\"
[episodes.columns]
program_id = { const = "IOP-A", because = "one program" }
gender = "unknown"
[episodes.accounts.stays.left_out]
"people without a day" = "select count(*) from stays where who not in (select who from days)"
[episodes.accounts.days]
used = "select count(*) from days where who in (select episode_id from mapped_episodes)"
left_out = { "days of nobody" = "select count(*) from days where who not in (select who from stays)" }
"""
FILES = {
    "stays.csv": "Who,Name,Age\na,Ann Lee,30\nb,Bo Ray,91\nc,Cy Poe,40\n",
    "days.csv": "who,day\na,9\na,12\nb,3\nz,1\n",
}


def test_a_table_made_by_a_select(tmp_path: Path) -> None:
    tables, connection = run(tmp_path, BY_SELECT, FILES)
    episodes = tables.tables["episodes"]
    columns = ("episode_id", "person_id", "admit_day", "observed_until_day", "age_band", "program_id", "gender")
    assert episodes.columns == set(columns)
    assert (episodes.records, episodes.unknown) == (2, {"gender"})
    # Numbered in the order of the select, and everything is text, so that the same rules apply to every source.
    assert rows_of(connection, "episodes", *columns) == [
        (1, "b", "b", "3", "90", "90+", "IOP-A", None),
        (2, "a", "a", "9", "90", "26-34", "IOP-A", None),
    ]
    own = "column_name not in ('record', 'misshapen')"
    types = connection.execute(
        f"select distinct data_type from duckdb_columns() where not internal and {own}"
    ).fetchall()
    assert types == [("VARCHAR",)]
    assert {name: facts.records for name, facts in tables.sources.items()} == {"stays.csv": 3, "days.csv": 4}
    assert tables.accounts == (
        AccountCount("episodes", "stays.csv", 3, 2, {"people without a day": 1}),
        AccountCount("episodes", "days.csv", 4, 3, {"days of nobody": 1}),
    )


def test_nothing_but_the_named_columns_is_left_in_the_database(tmp_path: Path) -> None:
    _, connection = run(tmp_path, BY_SELECT, FILES)
    assert connection.execute("show tables").fetchall() == [("mapped_episodes",)]


def test_after_the_selects_the_database_reaches_no_file_but_those_allowed(tmp_path: Path) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    allowed = tmp_path / "store"
    allowed.mkdir()
    with duckdb.connect() as connection:
        run_selects(connection, mapping_of(tmp_path, BY_SELECT), tmp_path, [allowed])
        connection.execute(f"copy mapped_episodes to '{allowed / 'episodes.parquet'}' (format parquet)")
        for forbidden in (
            f"select * from read_csv('{tmp_path / 'stays.csv'}')",
            f"copy mapped_episodes to '{tmp_path / 'out.csv'}'",
            "set enable_external_access = true",
            "set allowed_directories = ['/']",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(forbidden)


def test_an_account_that_does_not_add_up_stops_the_import(tmp_path: Path) -> None:
    with pytest.raises(ImportProblem) as problem:
        run(tmp_path, BY_SELECT, FILES | {"stays.csv": FILES["stays.csv"] + "a,Ann Lee,30\n"})
    # Two raw rows became one episode, and no reason says so.
    assert str(problem.value) == (
        "clinic.toml, episodes.accounts.stays: stays.csv has 4 records, but 2 are used and 1 are left out. "
        "Every record must be one or the other."
    )


def test_an_error_over_values_names_the_select_and_no_value(tmp_path: Path) -> None:
    with pytest.raises(ImportProblem) as problem:
        run(tmp_path, BY_SELECT, FILES | {"days.csv": "who,day\na,Rosalind\n"})
    assert "clinic.toml, episodes.select: A value could not be read" in str(problem.value)
    assert problem.value.__cause__ is None and problem.value.__suppress_context__
    assert "Rosalind" not in str(problem.value)


def test_an_error_in_the_text_of_a_select_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImportProblem, match=r'episodes\.select: .* column named "day"'):
        run(tmp_path, BY_SELECT, FILES | {"days.csv": "who,dag\na,1\n"})


def test_a_select_cannot_let_a_column_out_that_the_model_does_not_have(tmp_path: Path) -> None:
    text = SELECT.format("select who as episode_id, name from stays order by 1")
    with pytest.raises(ImportProblem, match=r"episodes\.csv has no column name"):
        run(tmp_path, text, FILES)


def test_a_column_is_given_once(tmp_path: Path) -> None:
    with pytest.raises(ImportProblem, match="gender is given by the select and by columns"):
        run(tmp_path, BY_SELECT.replace("select who as", "select 'f' as gender, who as"), FILES)


def test_a_refused_raw_file_refuses_everything_and_says_which(tmp_path: Path) -> None:
    tables, connection = run(tmp_path, BY_SELECT, FILES | {"stays.csv": 'who,age\na,"3\n', "days.csv": "who,day\na\n"})
    assert {name: refusal.rule for name, refusal in tables.refusals.items()} == {
        "stays.csv": "MALFORMED_CSV",
        "days.csv": "FIELD_COUNT",
    }
    assert tables.tables == {}
    assert connection.execute("show tables").fetchall() == []


def test_a_raw_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImportProblem, match=r"There is no file days\.csv"):
        run(tmp_path, BY_SELECT, {"stays.csv": FILES["stays.csv"]})
