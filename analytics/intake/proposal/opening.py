"""Open unknown files as whichever separator and encoding fit: text, the sheets of workbooks, Parquet."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from analytics.intake.csv_file import CsvFacts
from analytics.intake.excel import workbook_sheets
from analytics.intake.file_text import Refused
from analytics.intake.identifiers import value_finding
from analytics.intake.mapping_model import RawFile
from analytics.intake.readers import WORKBOOKS, FileFacts, FileRefusal, ReadOptions, inspect

ENDINGS: Final = (".csv", ".csv.gz", ".parquet", *WORKBOOKS)

# What spreadsheets on Windows save besides UTF-8: "Unicode text", and the old code page. UTF-16 tells itself.
_ENCODINGS: Final = ("utf-16", "cp1252")
_HEAD_BYTES: Final = 2**16
_DELIMITERS: Final = (",", ";", "\t", "|")


def open_files(path: Path) -> dict[str, FileFacts | FileRefusal]:
    """Read a file, or every sheet of a workbook that is not hidden; by what people call it."""
    if path.suffix.lower() not in WORKBOOKS:
        return {path.name: _open_csv(path) if path.suffix.lower() != ".parquet" else inspect(path)}
    try:
        sheets = [sheet.name for sheet in workbook_sheets(path, ReadOptions()) if not sheet.hidden]
    except Refused as refused:
        return {path.name: refused.refusal}
    return {RawFile(path.name, name).label: inspect(path, ReadOptions(sheet=name)) for name in sheets}


def _open_csv(path: Path) -> FileFacts | FileRefusal:
    """Read a file as whichever separator and encoding fit; a refusal when none does."""
    options = ReadOptions(_likely_delimiter(path), "utf-8", gzip=path.name.lower().endswith(".gz"))
    first = inspect(path, options)
    if isinstance(first, FileFacts) or first.rule != "ENCODING":
        return first
    for encoding in _ENCODINGS:
        facts = inspect(path, replace(options, encoding=encoding))
        if isinstance(facts, FileFacts):
            return facts
    return first


def _likely_delimiter(path: Path) -> str:
    """Return the separator that occurs most often in the first line, outside quotation marks."""
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    try:
        with opened(path, "rb") as file:
            head: bytes = file.read(_HEAD_BYTES)
    except (OSError, EOFError):
        return ","
    line = re.sub(rb'"[^"]*"', b"", head).lstrip().split(b"\n", 1)[0].decode("latin-1")
    return max(_DELIMITERS, key=line.count)


def has_header(facts: FileFacts) -> bool:
    """Return False when the first line looks like data: then its "names" may be a person's and are not shown."""
    return not any(
        re.fullmatch(r"[\d.,:/\- ]+", name.strip()) or value_finding(name) for name in facts.header if name.strip()
    )


def one_encoding(files: Sequence[FileFacts]) -> list[FileFacts]:
    """Return the files, those of plain ASCII in the encoding of the others: a mapping has one, and both read them."""
    other = next((facts.options.encoding for facts in files if facts.options.encoding != "utf-8"), None)
    if other is None:
        return list(files)
    return [
        replace(facts, options=replace(facts.options, encoding=other))
        if isinstance(facts, CsvFacts) and _is_ascii(facts)
        else facts
        for facts in files
    ]


def _is_ascii(facts: FileFacts) -> bool:
    opened = gzip.open if facts.options.gzip else open
    with opened(facts.path, "rb") as file:
        return all(piece.isascii() for piece in iter(lambda: file.read(2**20), b""))
