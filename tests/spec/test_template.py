"""`python -m analytics template`: empty files that ask for what the importer reads, and are read once filled in."""

import io
import re
import zipfile
from pathlib import Path

import pytest
from filled_workbook import fill, sheet_text
from raw_files import PLAIN, Provider, made_up

from analytics.__main__ import main
from analytics.errors import UsageProblem
from analytics.instruments import load_instruments
from analytics.intake.canonical_files import DICTIONARY_SHEET
from analytics.intake.model import TABLES
from analytics.intake.template import WORKBOOK, write_template
from analytics.intake.template_workbook import given_columns, workbook
from analytics.store.codes import CODES

HEADS = {spec.table: [column.name for column in given_columns(spec)] for spec in TABLES}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    write_template(folder)
    return folder


def test_every_table_has_an_empty_file_with_all_its_columns(template: Path) -> None:
    for spec in TABLES:
        assert (template / "csv" / spec.file).read_text() == ",".join(HEADS[spec.table]) + "\n"


def test_an_existing_file_is_never_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled = tmp_path / "csv" / "scores.csv"
    filled.parent.mkdir()
    filled.write_text("mine")
    assert main(["template", str(tmp_path)]) == 2
    assert "csv/scores.csv exists already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["scores.csv"]
    assert filled.read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("")
    with pytest.raises(UsageProblem, match="cannot be written"):
        write_template(tmp_path / "in the way")


def test_the_workbook_is_the_same_every_time() -> None:
    first = workbook()
    assert first == workbook()
    with zipfile.ZipFile(io.BytesIO(first)) as content:  # two made within one second prove nothing about the clock
        assert b">2000-01-01T00:00:00Z<" in content.read("docProps/core.xml")


def test_closed_codes_offer_a_list_and_days_and_numbers_are_checked(template: Path) -> None:
    for spec in TABLES:
        text = sheet_text(template / "excel" / WORKBOOK, spec.table)
        kinds = {
            place: kind for kind, place in re.findall(r'<dataValidation type="(\w+)"[^>]*? sqref="([A-Z]+)2:', text)
        }
        for place, column in enumerate(given_columns(spec)):
            letter = chr(65 + place)
            if column.kind in ("code", "age_band", "boolean", "instrument") or column.name == "due_day":
                assert kinds[letter] == "list", column.name
            elif column.kind == "date":
                assert kinds[letter] == "date", column.name
            elif column.kind in ("integer", "number", "total"):
                assert kinds[letter] in ("whole", "decimal"), column.name


def test_the_dictionary_sheet_names_every_column_and_code(template: Path) -> None:
    import python_calamine

    book = python_calamine.CalamineWorkbook.from_path(str(template / "excel" / WORKBOOK))
    rows = book.get_sheet_by_name(DICTIONARY_SHEET).to_python()
    cells = {(row[0], row[1]) for row in rows}
    assert {(spec.table, name) for spec in TABLES for name in HEADS[spec.table]} <= cells
    used = {column.codes for spec in TABLES for column in spec.columns if column.codes}
    assert {(name, code) for name in used for code in CODES[name]} <= cells
    lists = book.get_sheet_by_name("lists").to_python()
    assert {item.name for item in load_instruments().values()} <= {cell for row in lists for cell in row}


def test_a_filled_workbook_has_the_content_of_the_same_rows_in_csv(template: Path, tmp_path: Path) -> None:
    files = made_up(5, 25)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    typed = {table: [PLAIN[table] | row for row in rows] for table, rows in files.items() if rows}
    fill(template / "excel" / WORKBOOK, inbox / WORKBOOK, typed, HEADS)
    provider = Provider(tmp_path / "provider")
    by_workbook = provider.load(inbox)
    assert by_workbook.published, by_workbook.as_text()
    assert {name: file.rejected_count for name, file in by_workbook.files.items() if file.rejected_count} == {}
    assert provider.load(
        {table: [dict.fromkeys(HEADS[table]) | row for row in rows] for table, rows in typed.items()}
    ).unchanged


def test_sheets_that_nobody_filled_in_count_as_not_collected(template: Path, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    fill(template / "excel" / WORKBOOK, inbox / WORKBOOK, {"episodes": [PLAIN["episodes"]]}, HEADS)
    provider = Provider(tmp_path / "provider")
    report = provider.load(inbox)
    assert report.published
    others = [spec.file for spec in TABLES if spec.table != "episodes"]
    warned = {name: {each.rule for each in report.files[name].warnings} for name in others}
    assert warned == {name: {"EMPTY_SHEET"} for name in others}
    # The sheets that explain are ours: nothing is said about them.
    assert "UNKNOWN_SHEET" not in report.as_text()
    assert provider.load({"episodes": [dict.fromkeys(HEADS["episodes"]) | PLAIN["episodes"]]}).unchanged
