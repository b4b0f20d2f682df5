"""A CSV file: what it is, whether it may be read, and its rows as text.

`inspect_csv` reads a file once, in pieces, and either refuses it whole or returns facts about it. DuckDB then reads it
itself where it knows the encoding; otherwise Python decodes it into the memory of the database, never onto a disk.
Data records are numbered from 1; blank lines are no records, and a line end inside quotation marks begins none.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from analytics.intake.csv_structure import LONGEST_RECORD, CsvStructure
from analytics.intake.file_facts import FileFacts, column_names
from analytics.intake.file_text import ReadOptions, Refused, TextPieces, check_type
from analytics.intake.loading import load_text
from analytics.intake.sql_text import literal, quoted

_DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}

# A thread of DuckDB reads a piece of this size; its default takes twice the memory and is no faster.
_BUFFER: Final = 16 * 2**20

# A long field is one row's problem (FIELD_TOO_LONG), not the file's.
csv.field_size_limit(LONGEST_RECORD)


@dataclass(frozen=True, kw_only=True)
class CsvFacts(FileFacts):
    """A CSV file that can be read.

    Attributes
    ----------
    decoded : only Python knows its encoding or delimiter.
    """

    decoded: bool = False
    longest_record: int = 0
    quoted_line_ends: bool = False

    def relation(
        self, connection: duckdb.DuckDBPyConnection, name: str, columns: Sequence[str], dates: Collection[str]
    ) -> str:
        """Return SQL for the rows; DuckDB reads the file anew in every query, where it can."""
        if not self.decoded:
            return (
                f"(select * from (select row_number() over () - 1 as record, * from {self.in_order()}) "
                "where record > 0)"
            )
        places = sorted({self.columns.index(column) for column in columns})
        load_text(connection, name, places, _decoded_records(self))
        return quoted(name)

    def in_order(self) -> str:
        """Return SQL for the rows, the header first."""
        return "" if self.decoded else _read_csv(self)


def inspect_csv(path: Path, options: ReadOptions) -> CsvFacts:
    """Return the facts of a CSV file, or raise Refused."""
    check_type(path, options)
    structure = CsvStructure(options.mark)
    head = b""  # as much of the file as the first record needs
    header: tuple[str, ...] = ()
    # A file that is not text in its encoding is refused for that, wherever in it another problem stands.
    unlike: Refused | None = None
    pieces = TextPieces(path, options)
    for piece in pieces:
        if unlike is not None:
            continue
        structure.feed(piece)
        if header:
            continue
        head += piece
        if structure.records or structure.problem:
            try:
                header = _read_header(head.decode(pieces.codec), path.name, options)
            except Refused as refused:
                unlike = refused
    structure.finish()
    if unlike is not None:
        raise unlike
    if not structure.records and not structure.problem:
        raise Refused("EMPTY_FILE", f"{path.name} is empty.")
    if structure.problem is not None:
        raise Refused("MALFORMED_CSV", f"{path.name}: {structure.problem}. Export the file again.")
    return CsvFacts(
        path=path,
        header=header,
        columns=column_names(header, path.name),
        options=options,
        decoded=pieces.decoded,
        bytes=path.stat().st_size,
        sha256=pieces.digest.hexdigest(),
        records=structure.records - 1,
        misshapen=structure.misshapen,
        longest_record=structure.longest_record,
        quoted_line_ends=structure.quoted_line_ends,
    )


def _read_header(text: str, name: str, options: ReadOptions) -> tuple[str, ...]:
    def fields(delimiter: str) -> list[str]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        try:
            return next(row for row in reader if row)
        except (csv.Error, StopIteration):
            return []

    header = fields(options.mark)
    rivals = {other: len(fields(other)) for other in _DELIMITERS if other != options.delimiter}
    rival, most = max(rivals.items(), key=lambda item: item[1])
    if most > max(len(header), 1):
        expected = _DELIMITERS.get(options.delimiter, repr(options.delimiter))
        written = "tab" if rival == "\t" else rival
        raise Refused(
            "DELIMITER",
            f"The columns of {name} are separated by {_DELIMITERS[rival]}, not by {expected}. Export it with "
            f'{expected}, or write delimiter = "{written}" in a mapping.',
        )
    if not any(column.strip() for column in header):
        raise Refused("MALFORMED_CSV", f"The first line of {name} cannot be read as column names.")
    return tuple(column.replace(options.mark, options.delimiter) for column in header)


def _decoded_records(facts: CsvFacts) -> Iterator[Sequence[str | None]]:
    """Yield the records as `inspect_csv` counted them, each with as many fields as the header."""
    options, width = facts.options, len(facts.columns)
    pieces = TextPieces(facts.path, options)
    lines = (line for piece in pieces for line in io.StringIO(piece.decode(pieces.codec), newline="\n"))
    records = (row for row in csv.reader(lines, delimiter=options.mark, strict=True) if row)
    next(records)
    for row in records:
        if width == 1 and row == [""]:
            continue
        if options.mark != options.delimiter:
            row = [cell.replace(options.mark, options.delimiter) for cell in row]
        yield [cell or None for cell in (*row, *[""] * (width - len(row)))][:width]


def _read_csv(facts: CsvFacts) -> str:
    """Return DuckDB's read_csv with everything given, so that nothing is guessed; the header is row 0."""
    # DuckDB's own default is 2 MB; a long field is one row's problem (FIELD_TOO_LONG), not the file's.
    longest = max(2 * 2**20, facts.longest_record + 2)
    options = {
        "auto_detect": "false",
        "header": "false",
        "delim": literal(facts.options.delimiter),
        "quote": literal('"'),
        "escape": literal('"'),
        # The strict mode refuses LF and CRLF in one file. All else that it would refuse, `inspect` has
        # refused.
        "strict_mode": "false",
        "columns": "{" + ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(facts.columns))) + "}",
        "compression": literal("gzip" if facts.options.gzip else "none"),
        "encoding": literal("utf-8" if facts.options.encoding == "utf-8" else "latin-1"),
        "max_line_size": str(longest),
        "buffer_size": str(max(_BUFFER, 2 * longest)),
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
