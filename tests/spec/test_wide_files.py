"""Wide files: a column per week or item becomes a row per filled cell, and the empty ones are counted."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from analytics.errors import ImportProblem
from analytics.intake.importer import ImportRequest, run_import
from analytics.intake.mapping import MappedTables, load_mapping, run_selects
from tests.spec.raw_files import CUT, Provider
from tests.spec.workbooks import Bare, write_workbook

STAYS = '[episodes]\nfile = "stays.csv"\n[episodes.columns]\nepisode_id = "Stay"\n'
SCORES = '[scores]\nfile = "{file}"\n[scores.columns]\nepisode_id = "Stay"\n'


def run(folder: Path, text: str, wide: str = "") -> tuple[MappedTables, duckdb.DuckDBPyConnection]:
    """Run a mapping over stays.csv (one stay) and, if given, wide.csv."""
    (folder / "clinic.toml").write_text(text, encoding="utf-8")
    (folder / "stays.csv").write_text("Stay\nS1\n", encoding="utf-8")
    if wide:
        (folder / "wide.csv").write_text(wide, encoding="utf-8")
    connection = duckdb.connect()
    return run_selects(connection, load_mapping(folder / "clinic.toml"), folder), connection


def scores(connection: duckdb.DuckDBPyConnection, *columns: str) -> list[tuple[object, ...]]:
    return connection.execute(f"select record, {', '.join(columns)} from mapped_scores order by record").fetchall()


def wide_mapping(unpivot: str, general: str = "", file: str = "wide.csv") -> str:
    return general + STAYS + SCORES.format(file=file) + unpivot


WEEKS = """
[[scores.unpivot]]
columns = "phq_w{number}"
value = "total"
instrument = "PHQ-9"
assessed_day = { per_number = 7, plus = -7, because = "week 1 begins on the day of admission" }
[[scores.unpivot]]
columns = ["phq_end", "PHQ later "]
value = "total"
instrument = "PHQ-9"
assessed_day = { by_column = { phq_end = 84, "PHQ Later" = 100 }, because = "the program's own rule" }
"""
WIDE = "Stay,PHQ_W1,phq_w2,phq_w10,phq_end,phq later,notes\nS1,20,,N/A,5,,x\nS2,18,17,9,,3,y\n"


def test_every_filled_cell_is_a_row_and_empty_cells_are_counted(tmp_path: Path) -> None:
    tables, connection = run(tmp_path, wide_mapping(WEEKS, "study_days = true\n"), WIDE)
    # Five columns: record 1 has rows 1 to 5, record 2 rows 6 to 10; empty cells leave gaps.
    assert scores(connection, "episode_id", "instrument", "assessed_day", "total") == [
        (1, "S1", "PHQ-9", "0", "20"),
        (4, "S1", "PHQ-9", "84", "5"),
        (6, "S2", "PHQ-9", "0", "18"),
        (7, "S2", "PHQ-9", "7", "17"),
        (8, "S2", "PHQ-9", "63", "9"),
        (10, "S2", "PHQ-9", "100", "3"),
    ]
    (account,) = tables.accounts
    assert (account.read, account.used, sum(account.left_out.values())) == (10, 6, 4)
    table = tables.tables["scores"]
    assert table.records == 6
    assert [table.place(row) for row in (1, 4, 10)] == [
        "row 1, column phq_w1", "row 1, column phq_end", "row 2, column phq later"
    ]  # fmt: skip


def test_a_record_with_too_many_fields_is_one_row_that_is_set_aside(tmp_path: Path) -> None:
    tables, connection = run(tmp_path, wide_mapping(WEEKS, "study_days = true\n"), WIDE + "S3,1,2,3,4,5,z,z\n")
    assert connection.execute("select record from mapped_scores where misshapen").fetchall() == [(11,)]
    assert tables.tables["scores"].records == 7
    assert tables.accounts[0].read == 10


def test_the_name_of_a_column_gives_questionnaire_and_number(tmp_path: Path) -> None:
    unpivot = """
[[scores.unpivot]]
columns = "{word}_total_{number}"
value = "total"
instrument = "{word}"
assessed_on = { column = "{word}_date_{number}" }
[scores.codes.instrument]
depr = "PHQ-9"
"""
    wide = "Stay,depr_total_1,depr_date_1,gad7_total_2,GAD7_Date_2\nS1,20,2026-01-05,9,2026-01-12\n"
    _, connection = run(tmp_path, wide_mapping(unpivot), wide)
    assert scores(connection, "instrument", "assessed_on", "total") == [
        (1, "PHQ-9", "2026-01-05", "20"),
        (2, "gad7", "2026-01-12", "9"),
    ]


COUNTED = """
[[scores.unpivot]]
columns = "w{number}"
value = "total"
instrument = "PHQ-9"
assessed_on = { after = "In", per_number = 7, because = "weekly from admission" }
"""


def test_days_are_counted_from_a_date_of_the_record(tmp_path: Path) -> None:
    wide = "Stay,In,w0,w8\nS1,02/01/2024,20,10\nS2,soon,1,2\n"
    _, connection = run(tmp_path, wide_mapping(COUNTED, 'date_format = "MM/DD/YYYY"\n'), wide)
    # 56 days after 2024-02-01 is 2024-03-28: the leap day lies between. What is no day stays as it is.
    assert scores(connection, "assessed_on", "total") == [
        (1, "2024-02-01", "20"), (2, "2024-03-28", "10"), (3, "soon", "1"), (4, "soon", "2")
    ]  # fmt: skip


def test_a_wide_sheet_is_read_the_same_way(tmp_path: Path) -> None:
    rows = [["Stay", "In", "w0", "w8"], [], ["S1", date(2024, 2, 1), 20, None], ["S2", Bare(45323), None, 10.0]]
    write_workbook(tmp_path / "wide.xlsx", {"Only": rows})
    tables, connection = run(tmp_path, wide_mapping(COUNTED, 'date_format = "MM/DD/YYYY"\n', "wide.xlsx"))
    assert scores(connection, "assessed_on", "total") == [(1, "2024-02-01", "20"), (4, "2024-03-28", "10")]
    assert tables.tables["scores"].place(4) == "spreadsheet row 4, column w8"


def test_no_other_column_leaves_the_file(tmp_path: Path) -> None:
    _, connection = run(tmp_path, wide_mapping(WEEKS, "study_days = true\n"), WIDE)
    columns = {row[0] for row in connection.execute("select column_name from duckdb_columns()").fetchall()}
    assert "notes" not in columns and "c6" not in columns


ONE = '[[scores.unpivot]]\ncolumns = "w{number}"\nvalue = "total"\n'
WRONG = {
    # name: (unpivot, the complaint)
    "no brackets": ("[scores]\nunpivot = { }", "unpivot: this must be a list"),
    "no columns": ('[[scores.unpivot]]\nvalue = "total"', "unpivot.columns: this must be a pattern"),
    "no value": ('[[scores.unpivot]]\ncolumns = "w1"', "there is no such|no such column"),
    "a value outside the model": ('[[scores.unpivot]]\ncolumns = "w1"\nvalue = "mood"', "no such column"),
    "a fact outside the model": (ONE + 'mood = "low"', "unpivot.mood: scores.csv has no such column"),
    "a number without a place for it": (
        ONE.replace("{number}", "1") + 'assessed_on = { after = "In", per_number = 7, because = "x" }',
        "per_number needs {number}",
    ),
    "a day without a reason": (ONE + "assessed_on = { per_number = 7 }", "this must be a text"),
    "an empty reason": (ONE + 'assessed_on = { per_number = 7, because = " " }', "it needs its reason"),
    "a word that no pattern has": (ONE + 'instrument = "{word}"', "{word} stands here"),
    "given twice": (ONE + 'episode_id = "x"', "episode_id is given here and by columns"),
    "a list of numbers": (ONE.replace('"w{number}"', "[1, 2]"), "unpivot.columns: this must be a pattern"),
}


@pytest.mark.parametrize(("unpivot", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_in_a_group_is_said_with_its_key(tmp_path: Path, unpivot: str, said: str) -> None:
    text = STAYS + unpivot if unpivot.startswith("[scores]") else wide_mapping(unpivot)
    text = text.replace("unpivot = { }", 'file = "wide.csv"\nunpivot = { }')
    with pytest.raises(ImportProblem, match=said):
        run(tmp_path, text, "Stay,w1\nS1,1\n")


def test_columns_that_are_not_there_or_belong_twice_stop_the_import(tmp_path: Path) -> None:
    with pytest.raises(ImportProblem, match=r"wide\.csv has no column 'w\{number\}'"):
        run(tmp_path, wide_mapping(ONE), "Stay,x1\nS1,1\n")
    with pytest.raises(ImportProblem, match="'w1' belongs to two groups"):
        run(tmp_path, wide_mapping(ONE + ONE.replace("{number}", "1")), "Stay,w1\nS1,1\n")
    beside = ONE + 'assessed_on = { column = "d{number}" }'
    with pytest.raises(ImportProblem, match="has no column 'd1'"):
        run(tmp_path, wide_mapping(beside), "Stay,w1\nS1,1\n")
    lists = ONE + 'assessed_on = { by_column = { w2 = "2026-01-05" }, because = "x" }'
    with pytest.raises(ImportProblem, match="by_column says nothing of 'w1'"):
        run(tmp_path, wide_mapping(lists), "Stay,w1\nS1,1\n")


def test_the_report_names_record_and_column_of_a_cell_that_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "wide.csv").write_text("Stay,w0,w1\nS1,99,\nS2,20,#REF!\n", encoding="utf-8")
    unknown = "".join(
        f'{name} = "unknown"\n'
        for name in ("discharge_day", "discharge_reason", "modality", "planned_weeks", "level_of_care",
                     "primary_condition", "age_band", "gender", "referral_source")
    )  # fmt: skip
    stays = STAYS.replace("stays.csv", "wide.csv") + 'person_id = "Stay"\n' + unknown
    stays += "".join(f'{name} = {{ const = "0", because = "x" }}\n' for name in ("program_id", "admit_day"))
    weeks = ONE + 'instrument = "PHQ-9"\nassessed_day = { per_number = 7, because = "weekly" }\n'
    text = "study_days = true\nobserved_until = 90\n" + stays + SCORES.format(file="wide.csv") + weeks
    (tmp_path / "clinic.toml").write_text(text, encoding="utf-8")
    provider = Provider(tmp_path)
    request = ImportRequest(
        tmp_path / "in", provider.store, "limited", provider.key, CUT, CUT, load_mapping(tmp_path / "clinic.toml")
    )
    report = run_import(request)
    rejected = {(item.row, item.column, item.rule) for item in report.files["scores.csv"].rejected}
    assert rejected == {(1, "total", "SCORE_RANGE"), (4, "total", "CELL_ERROR")}
    assert "(row 1, column w0)" in report.as_text() and "(row 2, column w1)" in report.as_text()
    assert report.files["scores.csv"].records_read == 3
