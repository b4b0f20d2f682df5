"""What a mapping says about a source: which raw file and column is which, and what is left out on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analytics.intake.file_text import ReadOptions
from analytics.intake.scales import FileScale
from analytics.intake.unpivot import Unpivot


@dataclass(frozen=True)
class RawFile:
    """A file of the import folder; of a workbook one sheet, and the spreadsheet row that holds the names."""

    file: str
    sheet: str | None = None
    header_row: int | None = None

    @property
    def label(self) -> str:
        """Return what people call it."""
        return self.file if self.sheet is None else f'sheet "{self.sheet}" of {self.file}'


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
    date_format : of this table, where it has one of its own.
    date_formats : of the columns that have one of their own or the table's, by canonical name.
    unpivots : groups of raw columns whose cells become rows; each cell that is not empty is one.
    """

    table: str
    file: RawFile | None
    select: str | None
    columns: Mapping[str, ColumnSource]
    unknown: frozenset[str]
    codes: Mapping[str, Mapping[str, str]]
    accounts: Mapping[str, Account]
    date_format: str | None
    date_formats: Mapping[str, str]
    unpivots: tuple[Unpivot, ...] = ()


@dataclass(frozen=True)
class SourceMapping:
    """Everything that a TOML says about a source.

    Attributes
    ----------
    date_format : a strptime format, or None for ISO dates.
    timezone : in which a moment becomes a day; None: a time of day other than midnight is refused.
    decimal : what stands before the fraction of a number in texts: "." or ",".
    scales : instrument -> on which of its scales the totals are, for those that have two (WHO-5).
    study_days : days are given instead of dates, under the names of `model.DAY_TWINS`.
    observed_until : the study day to which everybody was observed; None: a column says so.
    sources : name of the raw table -> file, for selects.
    drops, rules : sentences: what is not read on purpose, and how raw rows were understood.
    """

    name: str
    title: str
    date_format: str | None
    encoding: str
    delimiter: str
    decimal: str
    timezone: str | None
    scales: Mapping[str, FileScale]
    max_file_bytes: int
    study_days: bool
    observed_until: int | None
    sources: Mapping[str, RawFile]
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
        return self.read_options_of(RawFile(""))

    def read_options_of(self, raw: RawFile) -> ReadOptions:
        """Return the same for one file: a name that ends in .gz says that the file is gzip."""
        gzip = raw.file.lower().endswith(".gz")
        return ReadOptions(self.delimiter, self.encoding, self.max_file_bytes, gzip, raw.sheet, raw.header_row)

    @property
    def constants(self) -> Mapping[str, Constant]:
        """Return every constant by "table.column", for Data quality."""
        return {
            f"{table.table}.{name}": source
            for table in self.tables.values()
            for name, source in table.columns.items()
            if isinstance(source, Constant)
        }

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Return what the days of unpivoted columns rest on, for Data quality."""
        return tuple(
            f"{table.table}.{name}: {fact.because}"
            for table in self.tables.values()
            for unpivot in table.unpivots
            for name, fact in unpivot.gives.items()
            if fact.because
        )
