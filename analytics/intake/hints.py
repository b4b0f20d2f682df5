"""What to write into a mapping when all texts of a column that cannot be read have one form. Never shows a text."""

from __future__ import annotations

from typing import Final

import duckdb

from analytics.intake.coding import source_name
from analytics.intake.columns import MOMENT, OFFSET, WITH_DECIMAL_COMMA
from analytics.intake.model import TableSpec
from analytics.intake.sql_text import literal, quoted
from analytics.intake.staging import StagingContext

# As they are written in a mapping -> strptime. Two-digit years last, since four digits never fit them.
_FORMATS: Final = {
    "YYYY-MM-DD": "%Y-%m-%d",
    "MM/DD/YYYY": "%m/%d/%Y",
    "DD/MM/YYYY": "%d/%m/%Y",
    "MM-DD-YYYY": "%m-%d-%Y",
    "DD-MM-YYYY": "%d-%m-%Y",
    "DD.MM.YYYY": "%d.%m.%Y",
    "YYYY/MM/DD": "%Y/%m/%d",
    "YYYYMMDD": "%Y%m%d",
    "%d-%b-%Y": "%d-%b-%Y",
    "%b %d, %Y": "%b %d, %Y",
    "%d %b %Y": "%d %b %Y",
    "MM/DD/YY": "%m/%d/%y",
    "DD/MM/YY": "%d/%m/%y",
    "DD.MM.YY": "%d.%m.%y",
}
_TIMES: Final = {
    "%m/%d/%Y %H:%M": "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S": "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M %p": "%m/%d/%Y %I:%M %p",
    "%d.%m.%Y %H:%M": "%d.%m.%Y %H:%M",
}


def hint(
    connection: duckdb.DuckDBPyConnection,
    spec: TableSpec,
    view: str,
    column: str,
    rule: str,
    context: StagingContext,
) -> str:
    """Return a sentence about the cure, "" when there is none to name.

    Parameters
    ----------
    view : the text view that `stage_<table>` was made from.
    """
    if rule not in ("DATE_FORMAT", "BAD_NUMBER"):
        return ""
    source = quoted(source_name(column, context.study_days))
    connection.execute(
        f"create or replace temp table unreadable as select distinct cleaned(v.{source}) as t from {view} v "
        f"join stage_{spec.table} s using (record) where s.finding like {literal(f'{column}|{rule}|%')}"
    )
    try:
        return _number_hint(connection, context) if rule == "BAD_NUMBER" else _date_hint(connection, spec, column)
    finally:
        connection.execute("drop table unreadable")


def _all(connection: duckdb.DuckDBPyConnection, condition: str) -> bool:
    row = connection.execute(f"select count(*) > 0 and count(*) = count(*) filter ({condition}) from unreadable")
    return row.fetchall() == [(True,)]


def _number_hint(connection: duckdb.DuckDBPyConnection, context: StagingContext) -> str:
    comma = f"contains(t, ',') and regexp_full_match(t, '{WITH_DECIMAL_COMMA}')"
    if context.decimal == "." and _all(connection, comma):
        return 'All of these have a decimal comma: write decimal = "," in a mapping.'
    return ""


def _date_hint(connection: duckdb.DuckDBPyConnection, spec: TableSpec, column: str) -> str:
    def fits(form: str) -> bool:
        return _all(connection, f"try_strptime(t, {literal(form)}) >= timestamp '2000-01-01'")

    if _all(connection, f"regexp_full_match(t, '{MOMENT}({OFFSET})?')"):
        return (
            "All of these have a time of day: export days only, or write the time zone of the program in a mapping, "
            'such as timezone = "America/New_York".'
        )
    if _all(connection, r"regexp_full_match(t, '\d{5}(\.\d+)?')"):
        return "All of these are a spreadsheet's numbers of days: format the column as a date and export again."
    fitting = [written for written, form in _FORMATS.items() if fits(form)]
    if not fitting:
        timed = next((written for written, form in _TIMES.items() if fits(form)), None)
        return f'All of these fit date_format = "{timed}" beside a timezone in a mapping.' if timed else ""
    readable = connection.execute(
        f"select count(*) from stage_{spec.table} where {quoted(column)} is not null"
    ).fetchall() != [(0,)]
    if readable:
        return f"All of these are written {' or '.join(fitting[:2])}, unlike the rest of the column: use one form."
    if len(fitting) > 1:
        return (
            f'All of these fit date_format = "{fitting[0]}" and "{fitting[1]}": ask who made the export which it is, '
            "and write that into a mapping."
        )
    return f'All of these fit date_format = "{fitting[0]}": write that into a mapping.'
