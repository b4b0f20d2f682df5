"""What a proposal consists of: guesses about tables, columns and codes, each with how sure it is and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from analytics.instruments import Instrument
from analytics.intake.mapping_model import ColumnSource
from analytics.intake.model import Column, TableSpec
from analytics.intake.proposal.profile import ColumnProfile, FileProfile

Sure = Literal["sure", "likely", "please check"]

ORDER_OF_SURENESS: Final[tuple[Sure, ...]] = ("sure", "likely", "please check")


@dataclass(frozen=True)
class ColumnGuess:
    """Where a canonical column comes from.

    Attributes
    ----------
    source : as a mapping says it; None: "unknown", because the file has no such column, or a person must look first.
    raw : the raw column that was looked at; None for a constant, and where the file has no such column.
    score : 0 to 1, for comparing files; why : in words, without a value.
    """

    column: Column
    source: ColumnSource | None
    raw: ColumnProfile | None
    sure: Sure
    why: str
    score: float = 0.0


@dataclass(frozen=True)
class CodeGuess:
    """What a raw code of a column means.

    Attributes
    ----------
    raw : the value as it stands, trimmed. visible : whether it may be shown and saved (`showing`).
    rows : of the whole file. code : the proposal; None when a person must say, out of `choices` if there are any.
    needed : False when the importer reads the value as it is, so that no line is needed.
    """

    raw: str
    rows: int
    code: str | None
    sure: Sure
    visible: bool
    needed: bool
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableGuess:
    """Which file is a canonical table, and what each of its columns is.

    Attributes
    ----------
    columns : by canonical name, in the order of the model. missing : required columns that nothing can be said about.
    codes : by canonical name, the most frequent first.
    wide : columns of totals side by side with their questionnaires (`wide`), instead of `instrument` and `total`.
    """

    spec: TableSpec
    file: FileProfile
    sure: Sure
    score: float
    columns: Mapping[str, ColumnGuess]
    missing: tuple[Column, ...]
    codes: Mapping[str, tuple[CodeGuess, ...]]
    wide: tuple[tuple[ColumnProfile, Instrument], ...] = ()

    @property
    def is_usable(self) -> bool:
        """True when nothing is missing without which a row belongs to nobody; a program can be filled in by hand."""
        return all(column.name == "program_id" for column in self.missing)

    def raw_of(self, name: str) -> ColumnProfile | None:
        """Return the raw column behind a canonical one."""
        guess = self.columns.get(name)
        return guess.raw if guess is not None else None


@dataclass(frozen=True)
class DateGuess:
    """How days are written.

    Attributes
    ----------
    formats : strptime formats that fit. One: the answer. Two: they differ in day and month, and a person must say
        which. None: no known one fits.
    sure, why : as everywhere.
    by_column : strptime format of columns that are written in another way, by (table, canonical column).
    timed : days hold a time of day, so that a day depends on a time zone that only a person can name.
    """

    formats: tuple[str, ...]
    sure: Sure
    why: str
    by_column: Mapping[tuple[str, str], str] = field(default_factory=dict)
    timed: bool = False
