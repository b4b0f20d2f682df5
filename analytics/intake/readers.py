"""Files as they come from a clinic's system: what a file is, whether it may be read, and its rows as text.

`inspect` either refuses a file whole or returns facts about it. `text_view` and `text_table` then give its rows:
every column is text, an empty cell is NULL, and nothing else is changed or guessed. Data records are numbered from 1;
blank lines are no records. Each format is a module of its own, which knows the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from analytics.errors import ImportProblem
from analytics.intake.csv_file import inspect_csv
from analytics.intake.excel import inspect_sheet
from analytics.intake.file_facts import FileFacts, normalised
from analytics.intake.file_text import FileRefusal, ReadOptions, Refused
from analytics.intake.parquet import inspect_parquet
from analytics.intake.sql_text import quoted

__all__ = [
    "CANONICAL_FILES",
    "WORKBOOKS",
    "FileFacts",
    "FileRefusal",
    "Lines",
    "ReadOptions",
    "drop_text_view",
    "inspect",
    "normalised",
    "text_table",
    "text_view",
]

CANONICAL_FILES: Final = (
    "episodes.csv",
    "attendance.csv",
    "scores.csv",
    "substance_use.csv",
    "readmissions.csv",
    "followups.csv",
    "referrals.csv",
    "satisfaction.csv",
    "score_items.csv",
    "capture.csv",
    "finance.csv",
)

WORKBOOKS: Final = (".xlsx", ".xlsm")

_AS_USUAL: Final = ReadOptions()

# Names that the view has itself.
_OWN_COLUMNS: Final = frozenset({"record", "misshapen"})


def inspect(path: Path, options: ReadOptions = _AS_USUAL) -> FileFacts | FileRefusal:
    """Read what has to be known of a file, by the format that its name says, or return why it is refused.

    The checks of a CSV file in their order: FILE_TOO_LARGE (before anything is read), EMPTY_FILE, FILE_TYPE,
    ENCODING, DELIMITER, MALFORMED_CSV, DUPLICATE_COLUMN.

    Raises
    ------
    ImportProblem
        There is no such file, or it cannot be opened.
    """
    try:
        if not path.is_file():
            raise ImportProblem(f"There is no file {path.name} in the folder.")
        size = path.stat().st_size
        if size > options.max_file_bytes:
            what = f"{path.name} has {size:,} bytes; the limit is {options.max_file_bytes:,}."
            raise Refused("FILE_TOO_LARGE", f"{what} Split it, or raise max_file_bytes in a mapping.")
        if path.suffix.lower() in WORKBOOKS:
            return inspect_sheet(path, options)
        if path.suffix.lower() == ".parquet":
            return inspect_parquet(path, options)
        return inspect_csv(path, options)
    except Refused as refused:
        return refused.refusal
    except OSError as problem:
        raise ImportProblem(f"{path.name} cannot be read: {problem.strerror}.") from None


@dataclass(frozen=True)
class Lines:
    """The records of a file in its order, without numbers, so that several threads can read them at once.

    Attributes
    ----------
    view : the columns of the text view alone; its first row is the header.
    records : how many records follow.
    misshapen : a table of the numbers (`record`) of those with too few or too many fields; "" when there are none.
    """

    view: str
    records: int
    misshapen: str


def text_view(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    facts: FileFacts,
    columns: Sequence[str] | Mapping[str, str],
    dates: Collection[str] = (),
) -> Lines | None:
    """Create (or replace) a view of the file's records as text; CSV and Parquet are read anew by every query on it.

    Parameters
    ----------
    name : of the view. For a file with misshapen records a table `<name> misshapen` is made beside it, for a format
        that Python reads a table `<name> rows`, for one that DuckDB can read in its order a view `<name> lines`.
    columns : names out of `facts.columns`, or a mapping from the name in the view to the name in the file
        (for a file that has itself a column called `record` or `misshapen`).
    dates : names in the view of the columns that hold days.

    Notes
    -----
    The view has `record` (BIGINT, from 1, in the order of the file), `misshapen` (BOOLEAN: too few or too
    many fields; the values of such a row mean nothing) and the columns as VARCHAR, an empty cell as NULL. It
    has `facts.records` rows; any other number says that the file was changed after `inspect`.

    Returns
    -------
    Lines
        The view `<name> lines`, None where there is none.
    """
    chosen = columns if isinstance(columns, Mapping) else {column: column for column in columns}
    if clash := _OWN_COLUMNS & {column.lower() for column in chosen}:
        raise ValueError(f"the view has its own {', '.join(sorted(clash))}; map the file's column to another name")
    misshapen = f"{name} misshapen" if len(facts.misshapen) else ""
    is_misshapen = "false"
    if misshapen:
        connection.execute(
            f"create or replace table {quoted(misshapen)} as select unnest(?::bigint[]) as record",
            [facts.misshapen.tolist()],
        )
        is_misshapen = f"record in (select record from {quoted(misshapen)})"
    values = ", ".join(f"{facts.cell(source)} as {quoted(column)}" for column, source in chosen.items())
    days = {source for column, source in chosen.items() if column in dates}
    rows = facts.relation(connection, f"{name} rows", list(chosen.values()), days)
    numbered = f"record, {is_misshapen} as misshapen{values and ', '}{values}"
    connection.execute(f"create or replace view {quoted(name)} as select {numbered} from {rows}")
    in_order = facts.in_order()
    if not in_order or not chosen:
        return None
    lines = Lines(f"{name} lines", facts.records, misshapen)
    connection.execute(f"create or replace view {quoted(lines.view)} as select {values} from {in_order}")
    return lines


def drop_text_view(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Drop a text view and what was made beside it."""
    connection.execute(f"drop view {quoted(name)}")
    connection.execute(f"drop view if exists {quoted(f'{name} lines')}")
    for beside in ("misshapen", "rows"):
        connection.execute(f"drop table if exists {quoted(f'{name} {beside}')}")


def text_table(connection: duckdb.DuckDBPyConnection, name: str, facts: FileFacts) -> None:
    """Load the file into a table of text under its normalised column names, for the selects of a mapping.

    Raises
    ------
    ImportProblem
        A record has too few or too many fields, or the file was changed after `inspect`.
    """
    if len(facts.misshapen):
        raise ImportProblem(
            f"{facts.label} has {len(facts.misshapen):,} records with more or fewer fields than its header; the "
            f"first is {facts.place(int(facts.misshapen[0]))}. Export the file again."
        )
    view = f"{name} as text"
    text_view(connection, view, facts, {f"c{place}": c for place, c in enumerate(facts.columns)})
    cells = [f"c{place} as {quoted(column)}" for place, column in enumerate(facts.columns)]
    connection.execute(f"create or replace table {quoted(name)} as select {', '.join(cells)} from {quoted(view)}")
    drop_text_view(connection, view)
    found = connection.execute(f"select count(*) from {quoted(name)}").fetchone()
    if found != (facts.records,):
        raise ImportProblem(f"{facts.label} was changed while it was read. Import it again.")
