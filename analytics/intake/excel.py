"""A sheet of an Excel workbook: whether it may be read, and its rows as text.

Dates become YYYY-MM-DD, whole numbers lose their ".0", true and false are words, a formula gives the result that was
saved with it. #N/A is an empty cell; any other error stays as its text, which no column takes for a value.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

import duckdb
import numpy as np
import python_calamine

from analytics.intake.csv_structure import Positions
from analytics.intake.file_facts import FileFacts, column_names
from analytics.intake.file_text import ReadOptions, Refused
from analytics.intake.loading import load_text
from analytics.intake.sql_text import quoted
from analytics.intake.workbook_scan import Archive, Sheet, SheetScan

Value = int | float | str | bool | datetime.time | datetime.date | datetime.datetime | datetime.timedelta

# Excel keeps fifteen digits of a number; an id with more has been changed already.
_WHOLE: Final = 1e15
_LAST_DAY: Final = 2_958_465  # 9999-12-31
# How many rows are looked at to tell a title from the names of the columns.
_TITLE_ROWS: Final = 20


@dataclass(frozen=True, kw_only=True)
class SheetFacts(FileFacts):
    """A sheet that can be read; its values stay in memory until the facts are let go.

    Attributes
    ----------
    rows : number of each record's row in the spreadsheet, from 1.
    places : of each of `columns`, the place among the cells that calamine gives.
    """

    typed: ClassVar[bool] = True

    sheet: str
    rows: Positions = field(compare=False, repr=False)
    places: tuple[int, ...]
    values: python_calamine.CalamineSheet = field(compare=False, repr=False)
    scan: SheetScan = field(compare=False, repr=False)
    from_1904: bool

    @property
    def label(self) -> str:
        """Return what people call it."""
        return f'sheet "{self.sheet}" of {self.path.name}'

    def place(self, record: int) -> str:
        """Return where a person finds a record."""
        return f"spreadsheet row {self.rows[record - 1]}"

    def relation(
        self, connection: duckdb.DuckDBPyConnection, name: str, columns: Sequence[str], dates: Collection[str]
    ) -> str:
        """Return the name of a table in memory that holds the wanted columns."""
        wanted = sorted({self.columns.index(column) for column in columns})
        days = frozenset(self.columns.index(column) for column in dates)
        load_text(connection, name, wanted, self._records(wanted, days))
        return quoted(name)

    def _records(self, wanted: Sequence[int], days: frozenset[int]) -> Iterator[Sequence[str | None]]:
        numbers = iter(self.rows)
        following = next(numbers, None)
        for number, cells in enumerate(_rows_of(self.values, self.scan), start=1):
            if number != following:
                continue
            record: list[str | None] = [None] * len(self.columns)
            for place in wanted:
                value = cells[self.places[place]]
                if place in days and isinstance(value, float):
                    record[place] = _day_text(value, self.from_1904)
                else:
                    record[place] = cell_text(value)
            yield record
            following = next(numbers, None)


def workbook_sheets(path: Path, options: ReadOptions) -> list[Sheet]:
    """Return the sheets of a workbook that hold cells; Refused when it cannot be read."""
    return Archive(path, options.max_file_bytes).sheets()[0]


def inspect_sheet(path: Path, options: ReadOptions) -> SheetFacts:
    """Return the facts of the sheet `options.sheet` (without a name: of the only one), or raise Refused."""
    archive = Archive(path, options.max_file_bytes)
    archive.check_shared_parts()
    sheets, from_1904 = archive.sheets()
    sheet = _chosen(path, options.sheet, sheets)
    scan = archive.scan(sheet.part)
    label = f'sheet "{sheet.name}" of {path.name}'
    values = _opened(archive, sheet)
    rows = list(_filled_rows(values, scan))
    if options.header_row is not None:
        rows = [row for row in rows if row[0] >= options.header_row]
        if not rows or rows[0][0] != options.header_row:
            raise Refused("HEADER_ROW", f"Row {options.header_row} of the {label} is empty. Correct header_row.")
    if not rows:
        raise Refused("EMPTY_FILE", f"The {label} is empty.")
    number = rows[0][0]
    if options.header_row is None:
        _refuse_title(rows, label)
    _refuse_merged(values, number, label)
    cells = next(cells for at, cells in enumerate(_rows_of(values, scan), start=1) if at == number)
    used = sorted(set().union(*(filled for _, filled in rows)))
    header = tuple((cell_text(cells[place]) or "").strip() for place in used)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return SheetFacts(
        path=path,
        options=options,
        header=header,
        columns=column_names(header, label),
        bytes=path.stat().st_size,
        sha256=digest.hexdigest(),
        records=len(rows) - 1,
        sheet=sheet.name,
        rows=np.array([at for at, _ in rows[1:]], np.int64),
        places=tuple(used),
        values=values,
        scan=scan,
        from_1904=from_1904,
    )


def _chosen(path: Path, name: str | None, sheets: list[Sheet]) -> Sheet:
    if name is not None:
        for sheet in sheets:
            if sheet.name.strip().casefold() == name.strip().casefold():
                return sheet
        raise Refused("MISSING_SHEET", f'{path.name} has no sheet "{name}". Correct its name in the mapping.')
    visible = [sheet for sheet in sheets if not sheet.hidden]
    if len(visible) != 1:
        raise Refused(
            "MISSING_SHEET", f'{path.name} has {len(visible)} sheets. Name one in the mapping: sheet = "...".'
        )
    return visible[0]


def _opened(archive: Archive, sheet: Sheet) -> python_calamine.CalamineSheet:
    try:
        with python_calamine.CalamineWorkbook.from_path(str(archive.path)) as workbook:
            return workbook.get_sheet_by_name(sheet.name)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # a panic of the Rust code is no Exception; what it says may hold a value
        raise archive.damaged() from None


def _rows_of(values: python_calamine.CalamineSheet, scan: SheetScan) -> Iterator[list[Value]]:
    """Yield every row from the first of the sheet on, its errors in place."""
    first_column = values.start[1] if values.start is not None else 0
    wrong: dict[int, list[tuple[int, str]]] = {}
    for (at, column), error in scan.errors.items():
        if error is not None:
            wrong.setdefault(at, []).append((column - first_column, error))
    for number, cells in enumerate(values.iter_rows()):
        row: list[Value] = list(cells)
        for place, text in wrong.get(number, ()):
            if 0 <= place < len(row):
                row[place] = text
        yield row


def _filled_rows(values: python_calamine.CalamineSheet, scan: SheetScan) -> Iterator[tuple[int, frozenset[int]]]:
    """Yield the number (from 1) and the filled places of every row that is not blank."""
    known: dict[tuple[int, ...], frozenset[int]] = {}  # nearly all rows are filled alike
    for number, cells in enumerate(_rows_of(values, scan), start=1):
        filled = tuple(
            place
            for place, value in enumerate(cells)
            if value != "" and not (isinstance(value, str) and value.isspace())
        )
        if filled:
            yield number, known.setdefault(filled, frozenset(filled))


def _refuse_title(rows: list[tuple[int, frozenset[int]]], label: str) -> None:
    number, filled = rows[0]
    widest, places = max(rows[1 : _TITLE_ROWS + 1], key=lambda row: len(row[1]), default=rows[0])
    if 2 * len(filled) < len(places):
        raise Refused(
            "HEADER_ROW",
            f"Row {number} of the {label} looks like a title, not like the names of the columns. Delete the rows above "
            f"the names (they seem to stand in row {widest}), or write header_row = {widest} in a mapping.",
        )


def _refuse_merged(values: python_calamine.CalamineSheet, number: int, label: str) -> None:
    for (top, left), (bottom, right) in values.merged_cell_ranges or ():
        if top <= number - 1 <= bottom and right > left:
            raise Refused(
                "HEADER_ROW",
                f"In row {number} of the {label} the names of several columns are merged into one cell. Unmerge them, "
                "and give every column its own name.",
            )


def cell_text(value: Value) -> str | None:
    """Return the text of a cell as the importer's rules read it; None for an empty cell."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return _number_text(float(value))
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, datetime.timedelta):
        return str(value)
    return value.isoformat()


def _number_text(number: float) -> str:
    if number.is_integer():
        # Fifteen digits and no more are written as a number with an exponent: as an id that is ID_SCIENTIFIC.
        return str(int(number)) if abs(number) < _WHOLE else f"{number:.14e}"
    return repr(number)


def _day_text(serial: float, from_1904: bool) -> str:
    """Return the day that a bare number stands for in a column of dates.

    Excel counts from 1900-01-01 = 1 and believes in 1900-02-29 (60), so from 61 on one day more; old Macintosh
    workbooks count from 1904-01-01 = 0. A number that is no day stays a number.
    """
    if not 1 <= serial < _LAST_DAY + 1 or (int(serial) == 60 and not from_1904):
        return _number_text(serial)
    first = datetime.datetime(1904, 1, 1) if from_1904 else datetime.datetime(1899, 12, 30 if serial > 60 else 31)
    try:
        return cell_text(first + datetime.timedelta(seconds=round(serial * 86400))) or ""
    except OverflowError:
        return _number_text(serial)
