"""Files as they come from a clinic's system: what a file is, whether it may be read, and its rows as text.

`inspect` reads a file once, in pieces, and either refuses it whole or returns facts about it. `text_view`
and `text_table` then let DuckDB read it: every column is text, an empty cell is NULL, and nothing else is
changed or guessed. Data records are numbered from 1; blank lines are no records, and a line end inside
quotation marks begins none. Only CSV is read so far; another format is another pair of these functions.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb

from analytics.errors import ImportProblem
from analytics.intake.csv_structure import CsvStructure, Positions
from analytics.intake.file_text import (
    DUCKDB_ENCODINGS,
    Encoding,
    FileRefusal,
    HashedFile,
    ReadOptions,
    Refused,
    check_type,
    text_pieces,
)
from analytics.intake.sql_text import literal, quoted

__all__ = [
    "CANONICAL_FILES",
    "FileFacts",
    "FileRefusal",
    "ReadOptions",
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

_DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}

_AS_USUAL: Final = ReadOptions()

# Names that the view has itself.
_OWN_COLUMNS: Final = frozenset({"record", "misshapen"})


@dataclass(frozen=True)
class FileFacts:
    """A file that can be read.

    Attributes
    ----------
    header : column names as written. columns : the same trimmed, in lower case and NFKC; a column without a
        name is called "column 3" by its place. They are unique.
    bytes, sha256 : of the file as it lies on disk.
    records : data records, without header and blank lines; `text_view` gives exactly so many rows.
    misshapen : numbers of the records with more or fewer fields than the header, ascending (FIELD_COUNT).
    """

    path: Path
    header: tuple[str, ...]
    columns: tuple[str, ...]
    delimiter: str
    encoding: Encoding
    gzip: bool
    bytes: int
    sha256: str
    records: int
    misshapen: Positions = field(compare=False, repr=False)
    longest_record: int = 0
    quoted_line_ends: bool = False


def inspect(path: Path, options: ReadOptions = _AS_USUAL) -> FileFacts | FileRefusal:
    """Read a file once, in pieces of about 1 MiB, and return its facts or why it is refused.

    The checks in their order: FILE_TOO_LARGE (before anything is read), EMPTY_FILE, FILE_TYPE, ENCODING,
    DELIMITER, MALFORMED_CSV, DUPLICATE_COLUMN.

    Raises
    ------
    ImportProblem
        There is no such file, or it cannot be opened.
    """
    try:
        return _inspect(path, options)
    except Refused as refused:
        return refused.refusal
    except OSError as problem:
        raise ImportProblem(f"{path.name} cannot be read: {problem.strerror}.") from None


def _inspect(path: Path, options: ReadOptions) -> FileFacts:
    if not path.is_file():
        raise ImportProblem(f"There is no file {path.name} in the folder.")
    size = path.stat().st_size
    limit = f"{options.max_file_bytes:,} bytes"
    if size > options.max_file_bytes:
        raise Refused("FILE_TOO_LARGE", f"{path.name} has {size:,} bytes; the limit is {limit}.")
    check_type(path, options)
    structure = CsvStructure(options.delimiter)
    head = b""  # as much of the file as the first record needs
    header: tuple[str, ...] = ()
    # A file that is not text in its encoding is refused for that, wherever in it another problem stands.
    unlike: Refused | None = None
    with HashedFile(path) as file:
        for piece in text_pieces(file, path.name, options):
            if unlike is not None:
                continue
            structure.feed(piece)
            if header:
                continue
            head += piece
            if structure.records or structure.problem:
                try:
                    header = _read_header(head, path.name, options)
                except Refused as refused:
                    unlike = refused
        digest = file.digest
    structure.finish()
    if unlike is not None:
        raise unlike
    if not structure.records and not structure.problem:
        raise Refused("EMPTY_FILE", f"{path.name} is empty.")
    if structure.problem is not None:
        raise Refused("MALFORMED_CSV", f"{path.name}: {structure.problem}. Export the file again.")
    columns = _columns(header, path.name)
    return FileFacts(
        path=path,
        header=header,
        columns=columns,
        delimiter=options.delimiter,
        encoding=options.encoding,
        gzip=options.gzip,
        bytes=size,
        sha256=digest.hexdigest(),
        records=structure.records - 1,
        misshapen=structure.misshapen,
        longest_record=structure.longest_record,
        quoted_line_ends=structure.quoted_line_ends,
    )


def _read_header(piece: bytes, name: str, options: ReadOptions) -> tuple[str, ...]:
    text = piece.decode(DUCKDB_ENCODINGS[options.encoding])

    def fields(delimiter: str) -> list[str]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        try:
            return next(row for row in reader if row)
        except (csv.Error, StopIteration):
            return []

    header = fields(options.delimiter)
    rivals = {words: len(fields(other)) for other, words in _DELIMITERS.items() if other != options.delimiter}
    words, most = max(rivals.items(), key=lambda item: item[1])
    if most > max(len(header), 1):
        expected = _DELIMITERS.get(options.delimiter, repr(options.delimiter))
        raise Refused("DELIMITER", f"The columns of {name} are separated by {words}, not by {expected}.")
    if not any(column.strip() for column in header):
        raise Refused("MALFORMED_CSV", f"The first line of {name} cannot be read as column names.")
    return tuple(header)


def normalised(column: str) -> str:
    """Return a column name as it is compared: NFKC, trimmed, in lower case."""
    return unicodedata.normalize("NFKC", column).strip().lower()


def _columns(header: tuple[str, ...], name: str) -> tuple[str, ...]:
    columns: dict[str, None] = {}
    for place, written in enumerate(header, start=1):
        column = normalised(written) or f"column {place}"
        if column in columns:
            raise Refused("DUPLICATE_COLUMN", f"Two columns of {name} have one name.", written)
        columns[column] = None
    return tuple(columns)


def text_view(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    facts: FileFacts,
    columns: Sequence[str] | Mapping[str, str],
) -> None:
    """Create (or replace) a view of the file's records as text; the file is read anew by every query on it.

    Parameters
    ----------
    name : of the view. For a file with misshapen records a table `<name> misshapen` is made beside it.
    columns : names out of `facts.columns`, or a mapping from the name in the view to the name in the file
        (for a file that has itself a column called `record` or `misshapen`).

    Notes
    -----
    The view has `record` (BIGINT, from 1, in the order of the file), `misshapen` (BOOLEAN: too few or too
    many fields; the values of such a row mean nothing) and the columns as VARCHAR, an empty cell as NULL. It
    has `facts.records` rows; any other number says that the file was changed after `inspect`.
    """
    chosen = columns if isinstance(columns, Mapping) else {column: column for column in columns}
    if clash := _OWN_COLUMNS & {column.lower() for column in chosen}:
        raise ValueError(f"the view has its own {', '.join(sorted(clash))}; map the file's column to another name")
    is_misshapen = "false"
    if len(facts.misshapen):
        list_name = quoted(f"{name} misshapen")
        connection.execute(
            f"create or replace table {list_name} as select unnest(?::bigint[]) as record",
            [facts.misshapen.tolist()],
        )
        is_misshapen = f"record in (select record from {list_name})"
    cells = ["record", f"{is_misshapen} as misshapen"]
    cells += [f"{_cell(facts, source)} as {quoted(column)}" for column, source in chosen.items()]
    connection.execute(
        f"create or replace view {quoted(name)} as select {', '.join(cells)} "
        f"from (select row_number() over () - 1 as record, * from {_read_csv(facts)}) where record > 0"
    )


def text_table(connection: duckdb.DuckDBPyConnection, name: str, facts: FileFacts) -> None:
    """Load the file into a table of text under its normalised column names, for the selects of a mapping.

    Raises
    ------
    ImportProblem
        A record has too few or too many fields, or the file was changed after `inspect`.
    """
    file = facts.path.name
    if len(facts.misshapen):
        raise ImportProblem(
            f"{file} has {len(facts.misshapen):,} records with more or fewer fields than its header; the "
            f"first is record {facts.misshapen[0]}. Export the file again."
        )
    view = quoted(f"{name} as text")
    text_view(connection, f"{name} as text", facts, {f"c{place}": c for place, c in enumerate(facts.columns)})
    cells = [f"c{place} as {quoted(column)}" for place, column in enumerate(facts.columns)]
    connection.execute(f"create or replace table {quoted(name)} as select {', '.join(cells)} from {view}")
    connection.execute(f"drop view {view}")
    found = connection.execute(f"select count(*) from {quoted(name)}").fetchone()
    if found != (facts.records,):
        raise ImportProblem(f"{file} was changed while it was read. Import it again.")


def _cell(facts: FileFacts, column: str) -> str:
    return f"c{facts.columns.index(column)}"


def _read_csv(facts: FileFacts) -> str:
    """Return DuckDB's read_csv with everything given, so that nothing is guessed; the header is row 0."""
    options = {
        "auto_detect": "false",
        "header": "false",
        "delim": literal(facts.delimiter),
        "quote": literal('"'),
        "escape": literal('"'),
        # The strict mode refuses LF and CRLF in one file. All else that it would refuse, `inspect` has
        # refused.
        "strict_mode": "false",
        "columns": "{" + ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(facts.columns))) + "}",
        "compression": literal("gzip" if facts.gzip else "none"),
        "encoding": literal(DUCKDB_ENCODINGS[facts.encoding]),
        # DuckDB's own default is 2 MB; a long field is one row's problem (FIELD_TOO_LONG), not the file's.
        "max_line_size": str(max(2 * 2**20, facts.longest_record + 2)),
    }
    if len(facts.misshapen):
        options["null_padding"] = "true"
    if facts.quoted_line_ends:
        # Several readers at once look for the start of a line amid the file, and could find a false one.
        options["parallel"] = "false"
    given = ", ".join(f"{option}={value}" for option, value in options.items())
    rows = f"read_csv({literal(str(facts.path))}, {given})"
    # With one column DuckDB reads a blank line as an empty value.
    return f"(select * from {rows} where c0 is not null)" if len(facts.columns) == 1 else rows
