"""One import, whatever the format: CSV, workbooks and Parquet give the same store, and mistakes their cure."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.errors import ImportProblem
from analytics.intake.importer import ImportRequest, run_import
from analytics.intake.mapping import load_mapping
from analytics.intake.report import ImportReport
from tests.spec.raw_files import CUT, PLAIN, Files, Provider, Row, made_up
from tests.spec.workbooks import Bare, Formula, write_workbook


def table_of(table: str, rows: Sequence[Row]) -> tuple[list[str], list[list[object]]]:
    """Return columns and cells of a canonical table, a typed value in each cell."""
    filled = [PLAIN[table] | row for row in rows]
    columns = list(dict.fromkeys(name for row in [PLAIN[table], *filled] for name in row))
    return columns, [[row.get(name) if row.get(name) != "" else None for name in columns] for row in filled]


def write_as_workbook(path: Path, files: Files) -> None:
    sheets = {}
    for table, rows in files.items():
        columns, cells = table_of(table, rows)
        sheets[table.replace("_", " ").title()] = [columns, *cells]
    write_workbook(path, sheets)


def write_as_parquet(folder: Path, files: Files) -> None:
    for table, rows in files.items():
        columns, cells = table_of(table, rows)
        pq.write_table(
            pa.table({name: [row[at] for row in cells] for at, name in enumerate(columns)}),
            folder / f"{table}.parquet",
        )


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider(tmp_path)


def load(provider: Provider, folder: Path, mapping: str = "", **changes: object) -> ImportReport:
    """Import a folder, through a mapping if one is given."""
    path = provider.home / "clinic.toml"
    path.write_text(mapping, encoding="utf-8")
    return run_import(
        ImportRequest(
            folder, provider.store, "limited", provider.key, data_cut=CUT, import_date=CUT,
            mapping=load_mapping(path) if mapping else None,
        )
    )  # fmt: skip


def folder_of(provider: Provider, sheets: Mapping[str, Sequence[Sequence[object]]], **options: object) -> Path:
    folder = provider.home / "in"
    folder.mkdir(exist_ok=True)
    write_workbook(folder / "clinic.xlsx", sheets, **options)  # type: ignore[arg-type]
    return folder


def test_csv_workbook_and_parquet_give_the_same_snapshot(provider: Provider) -> None:
    files = made_up(5, 12)
    first = provider.load(files)
    assert first.published and not first.unchanged
    book, columns = provider.home / "book", provider.home / "columns"
    book.mkdir()
    columns.mkdir()
    write_as_workbook(book / "clinic.xlsx", files)
    write_as_parquet(columns, files)
    for folder in (book, columns):
        report = load(provider, folder)
        assert report.published and report.unchanged, report.as_text()
        assert {name: file.records_read for name, file in report.files.items()} == {
            f"{table}.csv": len(rows) for table, rows in files.items()
        }


EPISODES, CELLS = table_of("episodes", [{"admit_date": date(2026, 1, 5)}])


def test_what_else_is_in_the_folder_is_said(provider: Provider) -> None:
    sheets = {"Episodes": [EPISODES, *CELLS], "Rosalind": [["x"]], "Lists": [["y"]]}
    folder = folder_of(provider, sheets, hidden=["Lists"])
    (folder / "scores.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    (folder / "~$clinic.xlsx").write_bytes(b"open in Excel")
    report = load(provider, folder)
    assert report.published
    warned = {name: [(w.rule, w.column) for w in file.warnings] for name, file in report.files.items()}
    assert warned == {
        "clinic.xlsx": [("UNKNOWN_SHEET", "sheet 2")],
        "episodes.csv": [],
        "scores.xls": [("UNKNOWN_FILE", None)],
    }
    text = report.as_text() + report.as_json()
    assert 'sheet "Episodes" of clinic.xlsx' in report.as_text() and "Rosalind" not in text


def test_two_files_for_one_table_are_refused(provider: Provider) -> None:
    folder = folder_of(provider, {"episodes": [EPISODES, *CELLS]})
    (folder / "episodes.csv").write_text("episode_id\n")
    report = load(provider, folder)
    assert report.batch_rule == "FILE_REFUSED"
    assert [item.rule for item in report.files["episodes.csv"].rejected] == ["TABLE_TWICE"]
    assert 'sheet "episodes" of clinic.xlsx and episodes.csv' in report.as_text()


def test_a_hidden_sheet_is_not_read_unseen(provider: Provider) -> None:
    scores = [["episode_id", "instrument", "assessed_on", "total"], ["E1", "PHQ-9", date(2026, 1, 5), 12]]
    folder = folder_of(provider, {"episodes": [EPISODES, *CELLS], "scores": scores}, hidden=["scores"])
    report = load(provider, folder)
    assert [item.rule for item in report.files["scores.csv"].rejected] == ["HIDDEN_SHEET"]
    assert not report.published


def test_a_folder_without_episodes_and_a_workbook_that_cannot_be_opened(provider: Provider) -> None:
    folder = folder_of(provider, {"Other": [["a"]]})
    with pytest.raises(ImportProblem, match=r"no episodes\.csv"):
        load(provider, folder)
    (folder / "locked.xlsx").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(100))
    report = load(provider, folder)
    assert report.batch_rule == "FILE_REFUSED" and "remove the password" in report.as_text()


def test_rows_of_a_sheet_are_found_by_the_row_of_the_spreadsheet(provider: Provider) -> None:
    good = dict(zip(EPISODES, CELLS[0], strict=True))
    bad = [
        good | {"episode_id": 12345678901234567},
        good | {"episode_id": "E3", "person_id": Formula("#REF!")},
        good | {"episode_id": "E4", "person_id": "P4", "admit_date": datetime(2026, 1, 5, 9, 30)},
        good | {"episode_id": "E5", "person_id": "P5", "planned_weeks": Formula("#VALUE!")},
        good | {"episode_id": "E6", "person_id": "P6", "admit_date": Bare(46027), "gender": Formula("#N/A")},
        good | {"episode_id": "E7", "person_id": "P7", "admit_date": Bare(46027)},
    ]
    rows = [[], EPISODES, [], *([row[name] for name in EPISODES] for row in bad)]
    report = load(provider, folder_of(provider, {"episodes": rows}))
    found = {item.row: (item.column, item.rule) for item in report.files["episodes.csv"].rejected}
    assert found == {
        1: ("episode_id", "ID_SCIENTIFIC"),
        2: ("person_id", "CELL_ERROR"),
        3: ("admit_date", "DATE_FORMAT"),
        4: ("planned_weeks", "CELL_ERROR"),
        5: ("gender", "REQUIRED"),
    }
    assert report.files["episodes.csv"].accepted_rows == [6]
    assert "episodes.csv, person_id: 1 row (spreadsheet row 5)" in report.as_text()
    assert provider.query("select count(*) from episode") == [(1,)]


THROUGH = """
title = "A clinic's workbook"
date_format = "MM/DD/YYYY"
{more}
[sources]
visits = {{ file = "clinic.xlsx", sheet = "Visits", header_row = 2 }}
[episodes]
file = "clinic.xlsx"
sheet = "Stays"
[episodes.columns]
episode_id = "Stay"
person_id = "Chart"
program_id = {{ const = "IOP", because = "one program" }}
admit_date = "In"
discharge_date = "Out"
discharge_reason = "Why"
modality = "unknown"
planned_weeks = "unknown"
level_of_care = {{ const = "IOP", because = "one program" }}
primary_condition = "unknown"
age_band = {{ birth_date = "Born", on = "In" }}
gender = "unknown"
referral_source = "unknown"
[attendance]
select = '''
select "stay" as episode_id, date '1899-12-30' + "day"::integer as session_date, 'group' as session_type,
       'attended' as status, "minutes" as minutes from visits order by 1, 2
'''
[attendance.columns]
delivery = {{ const = "in_person", because = "no telehealth" }}
"""


def test_a_workbook_through_a_mapping(provider: Provider) -> None:
    stays = [
        ["Stay", "Chart", "Name", "Born", "In", "Out", "Why"],
        ["S1", 17, "Rosalind", date(1990, 6, 1), date(2026, 1, 5), "02/01/2026", "completed"],
        ["S2", 18, "Ada", Bare(33000), Bare(46027), None, None],
    ]
    visits = [["printed on a day"], ["Stay", "Day", "Minutes"], ["S1", Bare(46030), 180], ["S2", Bare(46031), 90]]
    folder = folder_of(provider, {"Stays": stays, "Visits": visits, "Notes": [["x"]]})
    report = load(provider, folder, THROUGH.format(more=""))
    assert report.published, report.as_text()
    assert report.sources == {'sheet "Visits" of clinic.xlsx': 2, 'sheet "Stays" of clinic.xlsx': 2}
    assert report.files["episodes.csv"].accepted == 2 and report.files["attendance.csv"].accepted == 2
    # 17 of January 5 is completed years: born 1990-06-01 -> 35; day 33000 is 1990-05-07 -> 35.
    assert provider.query("select age_band::varchar, count(*) from episode group by 1") == [("35-44", 2)]
    assert b"Rosalind" not in b"".join(path.read_bytes() for path in provider.store.rglob("*") if path.is_file())


def test_parquet_through_a_mapping(provider: Provider) -> None:
    folder = provider.home / "in"
    folder.mkdir()
    stays = {
        "Stay": pa.array([1.0, 2.0]),
        "Chart": pa.array(["a", "b"]).dictionary_encode(),
        "In": pa.array([datetime(2026, 1, 5), datetime(2026, 1, 6, 7)], pa.timestamp("us")),
        "Out": pa.array([None, None], pa.date32()),
        "Why": pa.array([None, None], pa.string()),
        "Born": pa.array([date(1990, 1, 1)] * 2),
    }
    pq.write_table(pa.table(stays), folder / "stays.parquet")
    pq.write_table(pa.table({"Stay": ["1"], "Day": [46030], "Minutes": [180]}), folder / "visits.parquet")
    mapping = THROUGH.format(more="").replace('{ file = "clinic.xlsx", sheet = "Visits", header_row = 2 }',
                                              '"visits.parquet"')  # fmt: skip
    mapping = mapping.replace('file = "clinic.xlsx"\nsheet = "Stays"', 'file = "stays.parquet"')
    report = load(provider, folder, mapping)
    assert [(item.row, item.column, item.rule) for item in report.files["episodes.csv"].rejected] == [
        (2, "admit_date", "DATE_FORMAT")
    ]
    assert report.files["attendance.csv"].accepted == 1


# How texts are written: the mapping says it, and the report what to write


def episodes_with(provider: Provider, values: Sequence[str], column: str = "admit_date", delimiter: str = ",") -> Path:
    """Write one episode per value of a column."""
    folder = provider.home / "in"
    folder.mkdir(exist_ok=True)
    lines = [delimiter.join(EPISODES)]
    for number, value in enumerate(values):
        row = dict(zip(EPISODES, CELLS[0], strict=True))
        row |= {"episode_id": f"E{number}", "person_id": f"P{number}", column: value}
        lines.append(delimiter.join("" if row[name] is None else str(row[name]) for name in EPISODES))
    (folder / "episodes.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["01/25/2026", "02/03/2026"], 'date_format = "MM/DD/YYYY"'),
        (["1/25/2026", "2/3/2026"], 'date_format = "MM/DD/YYYY"'),
        (["25/01/2026"], 'date_format = "DD/MM/YYYY"'),
        (["25.01.2026"], 'date_format = "DD.MM.YYYY"'),
        (["20260125"], 'date_format = "YYYYMMDD"'),
        (["01/25/26"], 'date_format = "MM/DD/YY"'),
        (["25-Jan-2026"], 'date_format = "%d-%b-%Y"'),
        (["01/02/2026", "03/04/2026"], '"MM/DD/YYYY" and "DD/MM/YYYY": ask'),
        (["46027", "46028"], "numbers of days"),
        (["2026-01-05 09:30", "2026-01-06T23:00:00Z"], 'timezone = "America/New_York"'),
        (["1/25/2026 9:30"], 'date_format = "%m/%d/%Y %H:%M" beside a timezone'),
        (["01/25/2026", "2026-01-05"], "unlike the rest of the column"),
    ],
)
def test_the_report_says_which_date_format_to_write(provider: Provider, values: list[str], said: str) -> None:
    text = " ".join(load(provider, episodes_with(provider, values)).as_text().split())
    assert said in text
    assert not any(value in text for value in values)


def test_no_date_format_is_guessed_where_one_does_not_fit_all(provider: Provider) -> None:
    text = load(provider, episodes_with(provider, ["01/25/2026", "25.01.2026", "soon"])).as_text()
    assert "All of these" not in text


def test_a_format_for_a_table_and_one_for_a_column(provider: Provider) -> None:
    folder = provider.home / "in"
    folder.mkdir()
    (folder / "stays.csv").write_text(
        "Stay,Chart,In,Out,Why,Born\nS1,17,05.01.2026,02/01/26,completed,01.06.1990\n", encoding="utf-8"
    )
    (folder / "visits.csv").write_text("Stay,Day,Minutes\nS1,46030,180\n", encoding="utf-8")
    mapping = THROUGH.format(more="").replace('{ file = "clinic.xlsx", sheet = "Visits", header_row = 2 }',
                                              '"visits.csv"')  # fmt: skip
    mapping = (
        mapping.replace('file = "clinic.xlsx"\nsheet = "Stays"', 'file = "stays.csv"\ndate_format = "DD.MM.YYYY"')
        + '[episodes.date_formats]\ndischarge_date = "MM/DD/YY"\n'
    )
    report = load(provider, folder, mapping)
    assert report.files["episodes.csv"].accepted == 1, report.as_text()
    assert provider.query("select los_days, age_band::varchar from episode") == [(27, "35-44")]


DAYS_OF_ZONES = {
    "America/New_York": [
        # Midnight in Greenwich is the evening before in New York, in winter (-5 hours) and summer (-4 hours).
        ("2026-01-05T04:59:59Z", "2026-01-04"),
        ("2026-01-05T05:00:00Z", "2026-01-05"),
        ("2026-06-05T03:59:59Z", "2026-06-04"),
        ("2026-06-05 04:00:00+00:00", "2026-06-05"),
        # The hour that does not exist (2026-03-08 02:30) and the one that comes twice (2025-11-02 01:30).
        ("2026-03-08 02:30:00", "2026-03-08"),
        ("2025-11-02T01:30:00", "2025-11-02"),
        ("2025-11-02T05:30:00Z", "2025-11-02"),
        ("2025-11-02T06:30:00Z", "2025-11-02"),
        ("2024-02-29 23:59:59.999-05", "2024-02-29"),
        ("2024-03-01T04:59:59Z", "2024-02-29"),
        ("2026-01-05T18:30:00 +0530", "2026-01-05"),
    ],
    "Europe/Berlin": [
        ("2025-12-31T23:30:00Z", "2026-01-01"),
        ("2026-01-05", "2026-01-05"),
        ("2026-01-05 00:00:00", "2026-01-05"),
    ],
}


@pytest.mark.parametrize("zone", DAYS_OF_ZONES)
def test_a_moment_is_the_day_of_the_named_zone(provider: Provider, zone: str) -> None:
    # A discharge on the expected day makes a stay of no days: admission and discharge are the same day.
    folder = episodes_with(provider, [value for value, _ in DAYS_OF_ZONES[zone]])
    lines = (folder / "episodes.csv").read_text().splitlines()
    for number, (_, day) in enumerate(DAYS_OF_ZONES[zone], start=1):
        row = dict(zip(EPISODES, lines[number].split(","), strict=True))
        row |= {"discharge_date": day, "discharge_reason": "moved"}
        lines[number] = ",".join(row[name] for name in EPISODES)
    (folder / "episodes.csv").write_text("\n".join(lines) + "\n")
    report = load(provider, folder, f'timezone = "{zone}"')
    assert report.published, report.as_text()
    assert provider.query("select los_days, count(*) from episode group by 1") == [(0, len(DAYS_OF_ZONES[zone]))]


def test_without_a_zone_or_with_nonsense_a_moment_is_no_day(provider: Provider) -> None:
    folder = episodes_with(provider, ["2026-01-05T04:59:59Z", "2026-01-05 09:30", "2026-01-05T00:00:00Z"])
    assert load(provider, folder).files["episodes.csv"].rejected_count == 3
    folder = episodes_with(provider, ["2026-01-05T24:59:59Z", "2026-02-30 09:30", "2026-01-05 09:30 EST"])
    report = load(provider, folder, 'timezone = "America/New_York"')
    assert report.files["episodes.csv"].rejected_count == 3


def test_a_date_format_may_have_a_time_of_day_beside_a_zone(provider: Provider) -> None:
    folder = episodes_with(provider, ["1/5/2026 11:30 PM", "01/05/2026 12:00 AM", "01/05/2026"])
    report = load(provider, folder, 'timezone = "America/New_York"\ndate_format = "%m/%d/%Y %I:%M %p"')
    assert report.files["episodes.csv"].accepted_rows == [1, 2]


def test_a_decimal_comma_is_read_where_the_mapping_says_so(provider: Provider) -> None:
    values = ["12,5", "1.000", "20", "12.5", "1,2,3", "."]
    folder = episodes_with(provider, ["2026-01-05"] * len(values), delimiter=";")
    lines = (folder / "episodes.csv").read_text().splitlines()
    hours = ["planned_hours_per_week", *values]
    content = "".join(f"{line};{value}\n" for line, value in zip(lines, hours, strict=True))
    (folder / "episodes.csv").write_text(content)
    report = load(provider, folder, 'delimiter = ";"\ndecimal = ","')
    # 1.000 is a thousand, which is too many hours; 12.5 has a point in the wrong place; "." means "not given".
    assert [(item.row, item.rule) for item in report.files["episodes.csv"].rejected] == [
        (2, "RANGE"), (4, "BAD_NUMBER"), (5, "BAD_NUMBER")
    ]  # fmt: skip
    assert provider.query("select planned_hours_per_week from episode order by 1") == [(12.5,), (20.0,), (None,)]


def test_the_report_names_the_decimal_comma(provider: Provider) -> None:
    folder = episodes_with(provider, ["12,5"], "planned_weeks", ";")
    assert 'decimal = ","' in " ".join(load(provider, folder, 'delimiter = ";"').as_text().split())
