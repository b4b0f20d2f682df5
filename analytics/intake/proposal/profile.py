"""What can be seen of an unknown file: what the values of each column look like.

Values stay in memory. What of them may be shown is decided in `showing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from analytics.intake.cage import cage
from analytics.intake.identifiers import (
    ColumnFinding,
    header_finding,
    scan_unknown_columns,
)
from analytics.intake.mapping_model import RawFile
from analytics.intake.readers import FileFacts, text_view
from analytics.intake.sql_text import literal, quoted

SAMPLE_ROWS: Final = 50_000
"""Rows from the beginning of a file on which guesses rest; the dry run counts all."""

_MOST_VALUES: Final = 3_000

DATE_FORMATS: Final[dict[str, str]] = {
    "%Y-%m-%d": "YYYY-MM-DD",
    "%m/%d/%Y": "MM/DD/YYYY",
    "%d/%m/%Y": "DD/MM/YYYY",
    "%m/%d/%y": "MM/DD/YY",
    "%d/%m/%y": "DD/MM/YY",
    "%m-%d-%Y": "MM-DD-YYYY",
    "%d-%m-%Y": "DD-MM-YYYY",
    "%d.%m.%Y": "DD.MM.YYYY",
    "%d.%m.%y": "DD.MM.YY",
    "%Y/%m/%d": "YYYY/MM/DD",
    "%Y%m%d": "YYYYMMDD",
    "%d-%b-%Y": "%d-%b-%Y",
    "%d-%b-%y": "%d-%b-%y",
    "%d %b %Y": "%d %b %Y",
    "%b %d, %Y": "%b %d, %Y",
    "%B %d, %Y": "%B %d, %Y",
}
"""strptime format -> how a mapping names it. Two that differ in the order of day and month are a question."""

_TIMES: Final = (" %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_MIDNIGHT: Final = r"[T ](0?0:00(:00(\.0+)?)?|12:00(:00)? ?[Aa][Mm])$"
_TIME_OF_DAY: Final = r"^(.{6,12}?)[T ]\d{1,2}:\d{2}.*$"
_DAYS_OF_LIVES: Final = "between date '1900-01-01' and date '2100-12-31'"


@dataclass(frozen=True)
class ColumnProfile:
    """One column of an unknown file, as its first rows show it.

    Attributes
    ----------
    name : normalised, as a mapping names it. written : as in the header.
    rows, filled, distinct : of the sample; empty cells and the words for "not given" are not filled.
    values : rows of the sample by (trimmed) value, the most frequent ones; never shown as they are.
    formats : share of the filled values that can be read as a day, by strptime format.
    timed : share that hold a time of day beside the day; moments : one that is not midnight.
    time_form : how the time is written, as strptime reads it, where there is one and the day is not ISO.
    identifier : what the values look like, or None.
    """

    name: str
    written: str
    rows: int
    filled: int
    distinct: int
    values: Mapping[str, int]
    formats: Mapping[str, float]
    timed: float
    moments: float
    time_form: str
    header_rule: str | None
    identifier: ColumnFinding | None

    @property
    def is_key(self) -> bool:
        """True when every row has a value of its own."""
        return self.filled == self.rows > 0 and self.distinct == self.filled

    def share(self, holds: Callable[[str], bool]) -> float:
        """Return the share of the filled values (of `values`) of which something holds; 0 when there are none."""
        total = sum(self.values.values())
        return sum(count for value, count in self.values.items() if holds(value)) / total if total else 0.0


@dataclass(frozen=True)
class FileProfile:
    """An unknown file that can be read. `view` names its rows as text in the database: record, c0, c1, ..."""

    facts: FileFacts
    view: str
    columns: tuple[ColumnProfile, ...]

    @property
    def name(self) -> str:
        """Return what people call it."""
        return self.facts.label

    @property
    def raw_file(self) -> RawFile:
        """Return the file, and of a workbook the sheet, as a mapping names them."""
        return RawFile(self.facts.path.name, self.facts.options.sheet)

    @property
    def stem(self) -> str:
        """Return what it is called without its ending: the sheet's name, or the file's."""
        return self.facts.options.sheet or self.facts.path.name.split(".")[0]

    def column(self, name: str) -> ColumnProfile:
        """Return the column of that (normalised) name."""
        return next(column for column in self.columns if column.name == name)

    def cell(self, name: str) -> str:
        """Return the name of a column in the view."""
        return f"c{self.facts.columns.index(name)}"


def profiles(connection: duckdb.DuckDBPyConnection, files: Sequence[FileFacts]) -> list[FileProfile]:
    """Look at the first rows of every file. From here on the connection reaches nothing but these files.

    Parameters
    ----------
    connection : with the macros of `staging.prepare`.
    """
    for number, facts in enumerate(files):
        text_view(connection, f"file_{number}", facts, {f"c{at}": name for at, name in enumerate(facts.columns)})
    cage(connection, [facts.path for facts in files], [])
    return [_profile(connection, f"file_{number}", facts) for number, facts in enumerate(files)]


def _profile(connection: duckdb.DuckDBPyConnection, view: str, facts: FileFacts) -> FileProfile:
    cells = [f"c{at}" for at in range(len(facts.columns))]
    connection.execute(
        f"create or replace temp table sampled as select record, misshapen, {', '.join(cells)} from {quoted(view)} "
        f"where not misshapen limit {SAMPLE_ROWS}"
    )
    found = {finding.column: finding for finding in scan_unknown_columns(connection, "sampled", cells)}
    columns = [
        _column(connection, cell, name, written, found.get(cell))
        for cell, name, written in zip(cells, facts.columns, facts.header, strict=True)
    ]
    connection.execute("drop table sampled")
    return FileProfile(facts, view, tuple(columns))


def _column(
    connection: duckdb.DuckDBPyConnection, cell: str, name: str, written: str, identifier: ColumnFinding | None
) -> ColumnProfile:
    connection.execute(
        f"create or replace temp table counted as select cleaned({cell}) as value, count(*) as n from sampled "
        "group by all order by n desc, value"
    )
    rows, filled, distinct = connection.execute(
        "select coalesce(sum(n), 0)::bigint, coalesce(sum(n) filter (value is not null), 0)::bigint, count(value) "
        "from counted"
    ).fetchone() or (0, 0, 0)
    values = connection.execute(f"from counted where value is not null limit {_MOST_VALUES}").fetchall()
    day = f"regexp_replace(value, {literal(_TIME_OF_DAY)}, '\\1')"
    shares = [
        f"coalesce(sum(n) filter (try_strptime({day}, {literal(form)})::date {_DAYS_OF_LIVES}), 0) / sum(n)"
        for form in DATE_FORMATS
    ]
    has_time = f"regexp_matches(value, {literal(_TIME_OF_DAY)})"
    timed = f"sum(n) filter ({has_time}) / sum(n)"
    moments = f"sum(n) filter ({has_time} and not regexp_matches(value, {literal(_MIDNIGHT)})) / sum(n)"
    found: Iterable[float | None] = (
        connection.execute(
            f"select {', '.join([timed, moments, *shares])} from "
            f"(from counted where value is not null and regexp_matches(value, '\\d') limit {_MOST_VALUES})"
        ).fetchone()
        or ()
    )
    timed_share, moment_share, *format_shares = [share or 0.0 for share in found] or [0.0] * (2 + len(DATE_FORMATS))
    digits = sum(count for value, count in values if any(letter.isdigit() for letter in value))
    total = sum(count for _, count in values) or 1
    best = max(zip(format_shares, DATE_FORMATS, strict=True))[1]
    time_form = _time_form(connection, best) if timed_share and best != "%Y-%m-%d" else ""
    return ColumnProfile(
        name=name,
        written=written,
        rows=int(rows),
        filled=int(filled),
        distinct=int(distinct),
        values=dict(values),
        formats={form: share * digits / total for form, share in zip(DATE_FORMATS, format_shares, strict=True)},
        timed=timed_share * digits / total,
        moments=moment_share * digits / total,
        time_form=time_form,
        header_rule=header_finding(written, ()),
        identifier=identifier,
    )


def _time_form(connection: duckdb.DuckDBPyConnection, day: str) -> str:
    """Return how the times of day are written in the values that were just counted; "" when in no known way."""
    fits = [f"coalesce(sum(n) filter (try_strptime(value, {literal(day + form)}) is not null), 0)" for form in _TIMES]
    found = connection.execute(
        f"select {', '.join(fits)} from (from counted where value is not null limit {_MOST_VALUES})"
    ).fetchone()
    best = max(zip(found or (0,), _TIMES, strict=False))
    return best[1] if best[0] else ""


def counts(connection: duckdb.DuckDBPyConnection, file: FileProfile, column: str, most: int) -> dict[str, int]:
    """Return rows by value of a column over the whole file, most frequent first; at most `most` + 1 values."""
    found = connection.execute(
        f"select cleaned({file.cell(column)}) as value, count(*) as n from {quoted(file.view)} "
        f"where not misshapen and value is not null group by all order by n desc, value limit {most + 1}"
    ).fetchall()
    return {str(value): int(count) for value, count in found}


def overlap(
    connection: duckdb.DuckDBPyConnection, child: FileProfile, column: str, parent: FileProfile, of: str
) -> float:
    """Return the share of the child's different ids (at most some thousand) that the parent's column has."""
    row = connection.execute(
        f"with wanted as (select distinct cleaned({child.cell(column)}) as id from (from {quoted(child.view)} limit "
        f"{SAMPLE_ROWS}) where id is not null limit {_MOST_VALUES}), known as (select distinct "
        f"cleaned({parent.cell(of)}) as id from {quoted(parent.view)}) "
        "select count(known.id) / count(*) from wanted left join known using (id)"
    ).fetchone()
    return float(row[0] or 0.0) if row else 0.0
