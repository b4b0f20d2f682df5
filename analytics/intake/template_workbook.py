"""The empty Excel workbook: a sheet per table with lists to choose from, a data dictionary, and how to fill it in.

Written from the model, the code lists and the questionnaires that the importer itself uses, so that it cannot ask for
anything else.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from analytics.instruments import load_instruments, load_questionnaires
from analytics.intake.canonical_files import DICTIONARY_SHEET, READ_ME_SHEET
from analytics.intake.dictionary import FILE_WORDS
from analytics.intake.expected import expected_values
from analytics.intake.model import TABLES, Column, TableSpec
from analytics.store.codes import CODES, FOLLOWUP_DUE_DAYS
from analytics.texts import words

_LIST_SHEET: Final = "lists"

_LAST_ROW: Final = 1_048_575  # of a sheet, counted from 0
_LONGEST_ID: Final = 64
_FIRST_DAY: Final = date(2000, 1, 1)  # as in an import: DATE_RANGE
_LAST_DAY: Final = date(2099, 12, 31)
_NUMBERS: Final = ("integer", "number", "total")
_MADE: Final = datetime(2000, 1, 1, tzinfo=UTC)  # not the clock: the same content every time
_YES_NO: Final = ("yes", "no")

_READ_ME: Final = (
    "How to fill in this workbook",
    "One sheet is one table; what a row is stands in the note at its first head. Every import begins with episodes.",
    "Dark heads: needed in every row. Grey heads: the column must stay, a cell may be empty. White heads: optional.",
    "Rest the pointer on a head to read what the column takes. Cells with an arrow offer a list: choose from it.",
    "Type days as you do elsewhere in Excel; they appear as year-month-day.",
    "episode_id is a number of yours for one stay, person_id for one person. Who comes back has a new stay.",
    "Never write a name, a birth date, an address, a phone number or a note into a cell, a sheet name or a file name.",
    "Leave the sheets that you do not collect as they are, or delete them: without rows they count as not collected.",
    "Do not rename sheets or heads. Their order does not matter, and optional columns may be deleted.",
    "Save the workbook in a folder of its own, and import that folder (docs/import.md).",
)


def given_columns(spec: TableSpec) -> list[Column]:
    """Return the columns that a clinic with dates fills in."""
    return [column for column in spec.columns if column.name != "observed_until"]


def workbook() -> bytes:
    """Return the workbook as the content of a .xlsx file; the same every time."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        book.set_properties({"title": "Data of a program", "created": _MADE})
        _Sheets(book).write()
    return content.getvalue()


class _Sheets:
    """Writes the sheets of one workbook."""

    def __init__(self, book: Any) -> None:
        self._book = book
        head = {"bold": True, "border": 1, "border_color": "#8a96a3", "num_format": "@", "valign": "top"}
        self._heads = {
            "yes": book.add_format({**head, "bg_color": "#1f4e5f", "font_color": "#ffffff"}),
            "column": book.add_format({**head, "bg_color": "#d5dde3"}),
            "": book.add_format(head),
        }
        self._text = book.add_format({"num_format": "@"})
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self._title = book.add_format({"bold": True, "font_size": 14})
        self._ranges: dict[str, str] = {}

    def write(self) -> None:
        """Write all sheets: first how to, then the tables, then the dictionary and the (hidden) lists."""
        read_me = self._book.add_worksheet(READ_ME_SHEET)
        sheets = {spec.table: self._book.add_worksheet(spec.table) for spec in TABLES}
        dictionary = self._book.add_worksheet(DICTIONARY_SHEET)
        self._write_lists(self._book.add_worksheet(_LIST_SHEET))
        read_me.set_column(0, 0, 110, self._wrapped)
        for row, line in enumerate(_READ_ME):
            read_me.write_string(row, 0, line, self._title if row == 0 else self._wrapped)
        for spec in TABLES:
            self._write_table(sheets[spec.table], spec)
        self._write_dictionary(dictionary)
        read_me.activate()

    def _write_lists(self, sheet: Any) -> None:
        """Write what the lists offer into columns of a hidden sheet: a list within a rule holds 255 characters only."""
        sheet.hide()
        for column, (name, choices) in enumerate(_lists().items()):
            sheet.write_column(0, column, choices)
            letter = xl_col_to_name(column)
            self._ranges[name] = f"={_LIST_SHEET}!${letter}$1:${letter}${len(choices)}"

    def _write_table(self, sheet: Any, spec: TableSpec) -> None:
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(given_columns(spec)):
            needed = _needed(column)
            sheet.set_column(place, place, max(12, len(column.name) + 2), self._format(column))
            sheet.write_string(0, place, column.name, self._heads[needed])
            sheet.write_comment(0, place, _note(spec, column, place), {"x_scale": 2.2, "y_scale": 1.6})
            if rule := self._rule(column):
                sheet.data_validation(1, place, _LAST_ROW, place, {**rule, "error_title": column.name})

    def _format(self, column: Column) -> Any:
        """Return how cells are kept: as text where Excel would make a day of 12-17 or a number of 000123."""
        if column.kind == "date":
            return self._day
        return None if column.kind in (*_NUMBERS, "answer") else self._text

    def _rule(self, column: Column) -> dict[str, Any]:
        """Return what Excel lets somebody type into a column; empty for a free code."""
        said = f"{column.name} takes {expected_values(column)}"
        error = {"error_message": said if len(said) <= 255 else f"{said[:250]} …"}
        name = _list_name(column)
        if name is not None:
            return {"validate": "list", "source": self._ranges[name], "error_message": "Choose from the list."}
        if column.kind == "date":
            between = {"criteria": "between", "minimum": _FIRST_DAY, "maximum": _LAST_DAY}
            return {"validate": "date", **between, "error_message": "Type a day, such as 2026-03-31."}
        if column.kind == "id":
            return {"validate": "length", "criteria": "between", "minimum": 1, "maximum": _LONGEST_ID, **error}
        if column.kind in _NUMBERS:
            low, high = (column.low, column.high) if column.high is not None else _range_of_totals()
            kind = "integer" if column.kind == "integer" else "decimal"
            return {"validate": kind, "criteria": "between", "minimum": low, "maximum": high, **error}
        return {}

    def _write_dictionary(self, sheet: Any) -> None:
        for place, width in enumerate((16, 30, 10, 100)):
            sheet.set_column(place, place, width, self._wrapped)
        rows: list[tuple[str, Sequence[str]]] = [("yes", ("sheet", "column", "needed", "what it takes"))]
        for spec in TABLES:
            rows.append(("column", (spec.table, "", "", FILE_WORDS[spec.table])))
            rows += [
                ("-", (spec.table, each.name, _needed(each), expected_values(each))) for each in given_columns(spec)
            ]
        rows.append(("yes", ("list", "code", "", "what it means")))
        rows += [("-", (name, code, "", words(name, code))) for name in _code_lists() for code in CODES[name]]
        for row, (style, cells) in enumerate(rows):
            for place, cell in enumerate(cells):
                sheet.write_string(row, place, cell, self._heads.get(style, self._wrapped))
        sheet.freeze_panes(1, 0)


def _needed(column: Column) -> str:
    return "yes" if column.required else "column" if column.present else ""


def _note(spec: TableSpec, column: Column, place: int) -> str:
    needed = {"yes": "Needed in every row.", "column": "May be empty; keep the column.", "": "Optional."}[
        _needed(column)
    ]
    first = f"{FILE_WORDS[spec.table]}\n" if place == 0 else ""
    return f"{first}{needed}\nTakes: {expected_values(column)}"


def _code_lists() -> list[str]:
    """Return the names of the closed lists that the columns use, each once."""
    return list(dict.fromkeys(column.codes for spec in TABLES for column in spec.columns if column.codes))


def _lists() -> dict[str, Sequence[str | int]]:
    lists: dict[str, Sequence[str | int]] = {name: CODES[name] for name in _code_lists()}
    lists["instrument"] = [instrument.name for instrument in load_instruments().values()]
    lists["questionnaire"] = [form.names[1] for form in load_questionnaires().values() if form.items]
    return lists | {"yes_no": _YES_NO, "due_day": FOLLOWUP_DUE_DAYS}


def _list_name(column: Column) -> str | None:
    if column.codes:
        return column.codes
    return {"instrument": "instrument", "questionnaire": "questionnaire", "boolean": "yes_no"}.get(
        column.kind, "due_day" if column.name == "due_day" else None
    )


def _range_of_totals() -> tuple[float, float]:
    totals = load_instruments().values()
    return min(each.minimum for each in totals), max(each.maximum for each in totals)
