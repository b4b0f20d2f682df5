"""A part of a mapping's TOML while it is read: keys are taken out one by one, and complaints name the key."""

from __future__ import annotations

import re
from typing import Any, Final

from analytics.errors import ImportProblem
from analytics.intake.mapping_model import RawFile
from analytics.intake.readers import WORKBOOKS

_FILE: Final = re.compile(r"[^/\\]+\.(csv|csv\.gz|xlsx|xlsm|parquet)", re.IGNORECASE)
_DATE_WORDS: Final = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d"}
_DATE_FORMAT: Final = r"(%[YymdbB]|[-/. ,T])+"
_TIME_FORMAT: Final = r"(:%M(:%S)?( ?%p)?)?"


class Section:
    """A part of one TOML; every complaint begins with the file and the key."""

    def __init__(self, file: str) -> None:
        self._file = file

    def wrong(self, key: str, what: str) -> ImportProblem:
        """Return the complaint about a key."""
        return ImportProblem(f"{self._file}, {key}: {what}")

    def take(self, table: dict[str, Any], key: str, kind: type, default: Any, where: str = "") -> Any:
        """Take a key out of a table, or the default; it must be of this kind."""
        value = table.pop(key, default)
        if value is not default and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            words = {
                str: "a text",
                int: "a whole number",
                bool: "true or false",
                dict: "a table",
                list: "a list",
            }
            raise self.wrong(where + key, f"this must be {words[kind]}.")
        return value

    def nothing_left(self, table: dict[str, Any], where: str) -> None:
        """Complain about any key that is left."""
        for key in table:
            raise self.wrong(where + key, "there is no such key (docs/import.md lists them).")

    def raw_file(self, key: str, given: dict[str, Any], where: str = "") -> RawFile:
        """Take `file`, and for a workbook `sheet` and `header_row`, out of a table."""
        file = self.take(given, "file", str, None, where)
        if file is None or not _FILE.fullmatch(file):
            raise self.wrong(
                key, "this must be the name of a .csv, .csv.gz, .xlsx or .parquet file in the import folder."
            )
        sheet = self.take(given, "sheet", str, None, where)
        header_row = self.take(given, "header_row", int, None, where)
        if (sheet is not None or header_row is not None) and not file.lower().endswith(WORKBOOKS):
            raise self.wrong(key, "only a workbook (.xlsx) has a sheet and a header_row.")
        if header_row is not None and header_row < 1:
            raise self.wrong(where + "header_row", "this must be the row of the spreadsheet, from 1.")
        return RawFile(file, sheet, header_row)

    def date_format(self, key: str, given: Any, times: bool) -> str | None:
        """Return a strptime format; a time of day in it is allowed only where a time zone is named (`times`)."""
        if given is None:
            return None
        form = str(given)
        if "%" not in form:
            for word, directive in _DATE_WORDS.items():
                form = form.replace(word, directive)
        day, _, time = form.partition("%H") if "%H" in form else form.partition("%I")
        parts = [day.count(directive) for directive in ("%d", "%m", "%b", "%B", "%Y", "%y")]
        complete = parts[0] == 1 and sum(parts[1:4]) == 1 and sum(parts[4:]) == 1
        if not complete or not re.fullmatch(_DATE_FORMAT, day) or not re.fullmatch(_TIME_FORMAT, time):
            raise self.wrong(key, "this must be like MM/DD/YYYY or %d.%m.%Y, with day, month and year.")
        if day != form and not times:
            raise self.wrong(key, 'a format with a time of day needs timezone = "America/New_York" or the like.')
        return form
