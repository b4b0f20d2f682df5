"""Workbooks: what a cell becomes, which row is which, and what is refused."""

import struct
import zipfile
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
import xlsxwriter

from analytics.intake import excel, workbook_scan
from analytics.intake.excel import SheetFacts
from analytics.intake.file_text import ReadOptions
from analytics.intake.readers import FileRefusal, inspect, text_table, text_view
from tests.spec.workbooks import Bare, Formula, edit_part, write_workbook

SHEET = "xl/worksheets/sheet1.xml"


def facts_of(path: Path, **options: object) -> SheetFacts:
    facts = inspect(path, ReadOptions(**options))  # type: ignore[arg-type]
    assert isinstance(facts, SheetFacts), facts
    return facts


def refusal_of(path: Path, **options: object) -> FileRefusal:
    refusal = inspect(path, ReadOptions(**options))  # type: ignore[arg-type]
    assert isinstance(refusal, FileRefusal), refusal
    assert refusal.sentence.endswith(".") and str(path.parent) not in refusal.sentence
    return refusal


def rows_of(facts: SheetFacts, dates: Collection[str] = ()) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        connection.execute("set enable_external_access = false")
        text_view(connection, "file", facts, facts.columns, dates)
        return connection.execute("select * exclude (misshapen) from file").fetchall()


def cells_of(folder: Path, *values: object, dates: bool = False) -> list[object]:
    """Return what values in one column become, in the order in which they are given."""
    path = write_workbook(folder / "book.xlsx", {"Only": [["key", "x"], *(["k", value] for value in values)]})
    return [row[2] for row in rows_of(facts_of(path), ["x"] if dates else [])]


# Cells


def test_numbers_texts_and_words(tmp_path: Path) -> None:
    given = [12.0, 12.5, -3, 0, 123, "000123", " a ", True, False, 0.1, "1.2E+10", "-"]
    assert cells_of(tmp_path, *given) == [
        "12", "12.5", "-3", "0", "123", "000123", " a ", "true", "false", "0.1", "1.2E+10", "-"
    ]  # fmt: skip


def test_a_number_with_more_digits_than_excel_keeps_is_given_with_an_exponent(tmp_path: Path) -> None:
    # Fifteen digits are right; an id with more was changed when it was typed: ID_SCIENTIFIC.
    assert cells_of(tmp_path, 999_999_999_999_999, 1_234_567_890_123_456, 2.0**60) == [
        "999999999999999", "1.23456789012346e+15", "1.15292150460685e+18"
    ]  # fmt: skip


def test_dates_are_iso_and_a_time_of_day_is_kept(tmp_path: Path) -> None:
    given = [date(2024, 2, 29), datetime(2026, 1, 5), datetime(2026, 1, 5, 14, 30), date(1999, 12, 31)]
    assert cells_of(tmp_path, *given) == ["2024-02-29", "2026-01-05", "2026-01-05 14:30:00", "1999-12-31"]


def test_a_bare_number_is_a_day_only_in_a_column_of_days(tmp_path: Path) -> None:
    # 46027 is 2026-01-05. Excel believes in 1900-02-29, so day 59 is 1900-02-28, 60 is no day and 61 is 1900-03-01.
    days = [Bare(46027), Bare(46027.5), Bare(1), Bare(59), Bare(60), Bare(61), Bare(20260105), Bare(0.5), Bare(-1)]
    assert cells_of(tmp_path, *days) == ["46027", "46027.5", "1", "59", "60", "61", "20260105", "0.5", "-1"]
    assert cells_of(tmp_path, *days, dates=True) == [
        "2026-01-05", "2026-01-05 12:00:00", "1900-01-01", "1900-02-28", "60", "1900-03-01", "20260105", "0.5", "-1"
    ]  # fmt: skip


def test_a_text_of_digits_in_a_column_of_days_stays_a_text(tmp_path: Path) -> None:
    assert cells_of(tmp_path, "46027", dates=True) == ["46027"]


def test_workbooks_of_old_macintoshes_count_days_from_1904(tmp_path: Path) -> None:
    rows = [["d", "e"], [date(2026, 1, 5), Bare(44565)], [date(1904, 1, 2), Bare(1)]]
    facts = facts_of(write_workbook(tmp_path / "mac.xlsx", {"Only": rows}, from_1904=True))
    assert rows_of(facts, ["d", "e"]) == [(1, "2026-01-05", "2026-01-05"), (2, "1904-01-02", "1904-01-02")]


def test_a_formula_gives_the_result_that_was_saved(tmp_path: Path) -> None:
    given = [Formula(2), Formula("x"), Formula(True), Formula("#N/A", "=NA()"), Formula("#DIV/0!", "=1/0"), "#N/A"]
    assert cells_of(tmp_path, *given) == ["2", "x", "true", None, "#DIV/0!", "#N/A"]


def test_a_formula_that_was_never_calculated_is_an_error_and_not_empty(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "book.xlsx", {"Only": [["key", "x"], ["k", Formula(7, "=3+4")], ["k", 8]]})
    edit_part(path, SHEET, b"<v>7</v>", b"<v></v>")
    assert rows_of(facts_of(path)) == [(1, "k", "#GETTING_DATA"), (2, "k", "8")]


def test_errors_stand_in_their_own_cell_wherever_the_table_begins(tmp_path: Path) -> None:
    rows = [[], [None, None, "a", "b"], [], [None, None, 1, Formula("#REF!")], [None, None, Formula("#NAME?"), 2]]
    facts = facts_of(write_workbook(tmp_path / "book.xlsx", {"Only": rows}))
    assert rows_of(facts) == [(1, "1", "#REF!"), (2, "#NAME?", "2")]


def test_merged_cells_give_their_value_once(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["a", "b"])
    sheet.merge_range(1, 0, 2, 0, "E1")
    sheet.write_column(1, 1, [1, 2])
    book.close()
    assert rows_of(facts_of(path)) == [(1, "E1", "1"), (2, None, "2")]


# Rows and columns


def test_blank_rows_are_no_records_and_every_record_knows_its_row(tmp_path: Path) -> None:
    rows: list[Sequence[object]] = [[], ["a", "b"], [], [1, 2], ["  ", None], [None, 3], []]
    facts = facts_of(write_workbook(tmp_path / "book.xlsx", {"Only": rows}))
    assert rows_of(facts) == [(1, "1", "2"), (2, None, "3")]
    assert facts.records == 2
    assert [facts.place(1), facts.place(2)] == ["spreadsheet row 4", "spreadsheet row 6"]


def test_a_column_without_a_name_is_called_by_its_place_and_an_empty_one_is_none(tmp_path: Path) -> None:
    rows = [["A ", None, "b", None], [1, 2, 3, None], [4, None, None, None]]
    facts = facts_of(write_workbook(tmp_path / "book.xlsx", {"Only": rows}))
    assert facts.columns == ("a", "column 2", "b")
    rows = [["a", None, "b"], [1, None, 3]]
    assert facts_of(write_workbook(tmp_path / "other.xlsx", {"Only": rows})).columns == ("a", "b")


def test_only_the_wanted_columns_are_loaded(tmp_path: Path) -> None:
    facts = facts_of(write_workbook(tmp_path / "b.xlsx", {"Only": [["a", "Name", "c"], [1, "Rosalind", 2]]}))
    with duckdb.connect() as connection:
        text_view(connection, "file", facts, ["c"])
        (tables,) = connection.execute("select list(column_name order by 1) from duckdb_columns()").fetchall()[0]
        assert "c1" not in tables and "c2" in tables
        text_table(connection, "whole", facts)
        assert connection.execute("from whole").fetchall() == [("1", "Rosalind", "2")]


def test_a_sheet_is_chosen_by_name_without_case(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "book.xlsx", {"One": [["a"], [1]], "Visits 2": [["b"], [2]]})
    assert rows_of(facts_of(path, sheet="visits 2 ")) == [(1, "2")]
    assert facts_of(path, sheet="visits 2").label == 'sheet "Visits 2" of book.xlsx'
    assert refusal_of(path).rule == "MISSING_SHEET"
    assert refusal_of(path, sheet="three").rule == "MISSING_SHEET"
    hidden = write_workbook(tmp_path / "hidden.xlsx", {"One": [["a"], [1]], "Lists": [["b"]]}, hidden=["Lists"])
    assert rows_of(facts_of(hidden)) == [(1, "1")]


# What is refused


def test_a_title_above_the_names_is_told_and_can_be_skipped(tmp_path: Path) -> None:
    rows = [["Our clinic"], [], ["printed", "today"], ["a", "b", "c", "d", "e"], [1, 2, 3, 4, 5]]
    path = write_workbook(tmp_path / "book.xlsx", {"Only": rows})
    refusal = refusal_of(path)
    assert refusal.rule == "HEADER_ROW"
    assert "header_row = 4" in refusal.sentence and "Our clinic" not in refusal.sentence
    assert rows_of(facts_of(path, header_row=4)) == [(1, "1", "2", "3", "4", "5")]
    assert facts_of(path, header_row=4).place(1) == "spreadsheet row 5"
    assert refusal_of(path, header_row=2).rule == "HEADER_ROW"
    assert refusal_of(path, header_row=9).rule == "HEADER_ROW"


def test_merged_names_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["a", "b", "c"])
    sheet.merge_range(0, 1, 0, 2, "b and c")
    sheet.write_row(1, 0, [1, 2, 3])
    book.close()
    assert refusal_of(path).rule == "HEADER_ROW"


def test_two_columns_of_one_name_and_empty_sheets(tmp_path: Path) -> None:
    twice = write_workbook(tmp_path / "twice.xlsx", {"Only": [["a", " A"], [1, 2]]})
    assert (refusal_of(twice).rule, refusal_of(twice).column) == ("DUPLICATE_COLUMN", "A")
    assert refusal_of(write_workbook(tmp_path / "empty.xlsx", {"Only": []})).rule == "EMPTY_FILE"
    (tmp_path / "nothing.xlsx").touch()
    assert refusal_of(tmp_path / "nothing.xlsx").rule == "EMPTY_FILE"
    assert facts_of(write_workbook(tmp_path / "names.xlsx", {"Only": [["a", "b"]]})).records == 0


def test_a_password_and_damage_are_told_with_the_cure(tmp_path: Path) -> None:
    locked = tmp_path / "locked.xlsx"
    locked.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000))
    assert refusal_of(locked).rule == "FILE_TYPE" and "remove the password" in refusal_of(locked).sentence
    text = tmp_path / "text.xlsx"
    text.write_text("a,b\n1,2\n")
    assert refusal_of(text).rule == "FILE_TYPE"
    zipped = tmp_path / "zip.xlsx"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("notes.txt", "a,b")
    assert refusal_of(zipped).rule == "FILE_TYPE"


def test_every_cut_or_changed_workbook_is_refused_or_read_but_never_breaks(tmp_path: Path) -> None:
    whole = write_workbook(tmp_path / "b.xlsx", {"Only": [["a", "b"], [1, "x"], [date(2026, 1, 5), True]]}).read_bytes()
    path = tmp_path / "damaged.xlsx"
    for cut in range(0, len(whole), 97):
        path.write_bytes(whole[:cut])
        assert refusal_of(path).rule in ("FILE_TYPE", "EMPTY_FILE")
    for at in range(0, len(whole), 41):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        result = inspect(path)
        assert isinstance(result, SheetFacts) or result.rule in ("FILE_TYPE", "EMPTY_FILE", "MISSING_SHEET")


def test_a_part_that_breaks_off_or_declares_entities_is_refused(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "book.xlsx", {"Only": [["a"], [1]]})
    edit_part(path, SHEET, b"</sheetData>", b"")
    assert refusal_of(path).rule == "FILE_TYPE"
    path = write_workbook(tmp_path / "bomb.xlsx", {"Only": [["a"], [1]]})
    edit_part(path, SHEET, b"<worksheet ", b'<!DOCTYPE w [<!ENTITY a "aaaa">]><worksheet ')
    assert refusal_of(path).rule == "FILE_TYPE"


# Traps


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_workbook(tmp_path / "book.xlsx", {"Only": [["a"], [1]]})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros.bin", bytes(30 * 2**20))
    assert path.stat().st_size < 2**20
    monkeypatch.setattr(workbook_scan.Archive, "pieces", lambda *_: pytest.fail("unpacked"))
    assert refusal_of(path, max_file_bytes=20 * 2**20).rule == "FILE_TOO_LARGE"


def test_a_directory_that_lies_about_sizes_is_found_out(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "book.xlsx", {"Only": [["a"], [1]]})
    edit_part(path, SHEET, b"<sheetData>", b"<sheetData>" + 5_000_000 * b" ")
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo(SHEET).file_size
    entry = content.find(b"PK\x01\x02", content.find(SHEET.encode()))
    while content[entry + 46 : entry + 46 + len(SHEET)] != SHEET.encode():
        entry = content.find(b"PK\x01\x02", entry + 1)
    assert struct.unpack_from("<I", content, entry + 24)[0] == size
    struct.pack_into("<I", content, entry + 24, 1000)
    path.write_bytes(content)
    assert refusal_of(path).rule == "FILE_TYPE"


def test_one_value_at_the_far_corner_is_refused_and_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "book.xlsx", {"Only": [["a"], [1]]})
    corner = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    edit_part(path, SHEET, b"</sheetData>", corner)
    refusal = refusal_of(path)
    assert refusal.rule == "FILE_TOO_LARGE"
    assert "row 1,048,576 and column 16,384" in refusal.sentence


def test_a_sentence_about_a_workbook_holds_none_of_its_values(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "b.xlsx", {"Rosalind": [["Quimby"], ["a", "b", "c"]], "Other": [["x"]]})
    assert "Rosalind" not in refusal_of(path).sentence
    assert "Quimby" not in refusal_of(path, sheet="rosalind").sentence


def test_texts_of_all_kinds_of_cells() -> None:
    assert excel.cell_text(timedelta(days=1, hours=2)) == "1 day, 2:00:00"
    assert excel.cell_text("") is None
    assert excel.cell_text(float("inf")) == "inf"
