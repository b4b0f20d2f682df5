"""What a mapping says about a source: which raw file and column is which, and what is left out on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analytics.intake.file_text import Encoding, ReadOptions


@dataclass(frozen=True)
class RawColumn:
    """The values of a raw column, by its normalised name."""

    name: str


@dataclass(frozen=True)
class Constant:
    """One value for every row, and why that is true; the reason is shown on Data quality."""

    value: str
    because: str


@dataclass(frozen=True)
class AgeBand:
    """The age band of an age, or of the completed years between a birth date and a day; raw column names.

    The birth date itself does not leave the reader. Ages above 89 become "90+".
    """

    age: str | None
    birth_date: str | None
    on: str | None


ColumnSource = RawColumn | Constant | AgeBand


@dataclass(frozen=True)
class Account:
    """Where the rows of a raw file went; used + left out = read, or the import stops.

    Attributes
    ----------
    used : a select that counts the rows of the raw file behind this table. None: each row became one row.
    left_out : why -> a select that counts those rows.
    """

    used: str | None
    left_out: Mapping[str, str]


@dataclass(frozen=True)
class TableMapping:
    """How one canonical table is made: from one raw file, or by a select over the loaded raw files.

    Attributes
    ----------
    columns : canonical name (or its day twin) -> where it comes from; with a select only constants.
    unknown : required columns that the source does not have; they are NULL and shown as "not known".
    codes : canonical name -> raw value (trimmed, in lower case) -> canonical value; others stay as they are.
    accounts : by the name of the raw table.
    """

    table: str
    file: str | None
    select: str | None
    columns: Mapping[str, ColumnSource]
    unknown: frozenset[str]
    codes: Mapping[str, Mapping[str, str]]
    accounts: Mapping[str, Account]


@dataclass(frozen=True)
class SourceMapping:
    """Everything that a TOML says about a source.

    Attributes
    ----------
    date_format : a strptime format, or None for ISO dates. timezone : of the source, for the record.
    study_days : days are given instead of dates, under the names of `model.DAY_TWINS`.
    observed_until : the study day to which everybody was observed; None: a column says so.
    sources : name of the raw table -> file name, for selects.
    drops, rules : sentences: what is not read on purpose, and how raw rows were understood.
    """

    name: str
    title: str
    date_format: str | None
    encoding: Encoding
    delimiter: str
    timezone: str | None
    max_file_bytes: int
    study_days: bool
    observed_until: int | None
    sources: Mapping[str, str]
    tables: Mapping[str, TableMapping]
    drops: tuple[str, ...]
    rules: tuple[str, ...]

    @property
    def has_tables(self) -> bool:
        """Return False when there are only general keys, so that files keep their canonical names."""
        return bool(self.tables)

    @property
    def read_options(self) -> ReadOptions:
        """Return how the raw files are written."""
        return self.read_options_of("")

    def read_options_of(self, file: str) -> ReadOptions:
        """Return the same for one file: a name that ends in .gz says that the file is gzip."""
        gzip = file.lower().endswith(".gz")
        return ReadOptions(self.delimiter, self.encoding, self.max_file_bytes, gzip)

    @property
    def constants(self) -> Mapping[str, Constant]:
        """Return every constant by "table.column", for Data quality."""
        return {
            f"{table.table}.{name}": source
            for table in self.tables.values()
            for name, source in table.columns.items()
            if isinstance(source, Constant)
        }
