"""What is known of a file before its rows are read; each format adds how it is read."""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import duckdb
import numpy as np

from analytics.intake.csv_structure import Positions
from analytics.intake.file_text import ReadOptions, Refused


@dataclass(frozen=True, kw_only=True)
class FileFacts(ABC):
    """A file (or a sheet of a workbook) that can be read.

    Attributes
    ----------
    options : how it was read.
    header : column names as written. columns : the same trimmed, in lower case and NFKC; a column without a
        name is called "column 3" by its place. They are unique.
    bytes, sha256 : of the file as it lies on disk.
    records : data records, without header and blank lines; a text view gives exactly so many rows.
    misshapen : numbers of the records with more or fewer fields than the header, ascending (FIELD_COUNT).
    typed : dates and numbers have a type of their own in this format, so they are given as ISO dates and with a
        decimal point, whatever the texts in the file look like.
    """

    typed: ClassVar[bool] = False

    path: Path
    options: ReadOptions
    header: tuple[str, ...]
    columns: tuple[str, ...]
    bytes: int
    sha256: str
    records: int
    misshapen: Positions = field(default_factory=lambda: np.empty(0, np.int64), compare=False, repr=False)

    @property
    def label(self) -> str:
        """Return what people call it."""
        return self.path.name

    @abstractmethod
    def relation(
        self, connection: duckdb.DuckDBPyConnection, name: str, columns: Sequence[str], dates: Collection[str]
    ) -> str:
        """Return SQL for the rows: `record` from 1, and c0, c1, ... by place in `columns` of the file, as text.

        Parameters
        ----------
        name : of a table in memory, if the format needs one.
        columns : those that are wanted, out of `self.columns`; no other need be there.
        dates : those that hold days, for formats in which a day may be a bare number.
        """

    def in_order(self) -> str:
        """Return SQL for the same rows as the file has them, its header first, without numbers.

        Several threads can read that at once. "" where `relation` is all there is.
        """
        return ""

    def place(self, record: int) -> str:
        """Return where a person finds a record."""
        return f"row {record}"

    def cell(self, column: str) -> str:
        """Return the name of a column in `relation`."""
        return f"c{self.columns.index(column)}"


def normalised(column: str) -> str:
    """Return a column name as it is compared: NFKC, trimmed, in lower case."""
    return unicodedata.normalize("NFKC", column).strip().lower()


def column_names(header: Sequence[str], name: str) -> tuple[str, ...]:
    """Return the normalised names of the columns of a file called `name`; Refused (DUPLICATE_COLUMN) if two agree."""
    columns: dict[str, None] = {}
    for place, written in enumerate(header, start=1):
        column = normalised(written) or f"column {place}"
        if column in columns:
            raise Refused("DUPLICATE_COLUMN", f"Two columns of {name} have one name. Rename or remove one.", written)
        columns[column] = None
    return tuple(columns)
