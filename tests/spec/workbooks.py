"""Workbooks for tests, made cell by cell with XlsxWriter."""

import datetime
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter


@dataclass(frozen=True)
class Formula:
    """A formula with the result that was saved with it."""

    result: object
    text: str = "=A1"


@dataclass(frozen=True)
class Bare:
    """A number without the format of a date, where a date is meant."""

    number: float


def write_workbook(
    path: Path,
    sheets: Mapping[str, Sequence[Sequence[object]]],
    *,
    hidden: Sequence[str] = (),
    from_1904: bool = False,
) -> Path:
    """Write a workbook: text, numbers, booleans, dates (shown as dates), formulas; None is an empty cell."""
    book = xlsxwriter.Workbook(path, {"date_1904": from_1904})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        if name in hidden:
            sheet.hide()
        for row, cells in enumerate(rows):
            for column, value in enumerate(cells):
                match value:
                    case None:
                        pass
                    case Formula():
                        sheet.write_formula(row, column, value.text, None, value.result)
                    case Bare():
                        sheet.write_number(row, column, value.number)
                    case bool():
                        sheet.write_boolean(row, column, value)
                    case datetime.datetime():
                        sheet.write_datetime(row, column, value, moment)
                    case datetime.date():
                        sheet.write_datetime(row, column, value, day)
                    case int() | float():
                        sheet.write_number(row, column, value)
                    case _:
                        sheet.write_string(row, column, str(value))
    book.close()
    return path


def edit_part(path: Path, part: str, old: bytes, new: bytes) -> None:
    """Replace bytes inside one part of a workbook; they must be there."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)
