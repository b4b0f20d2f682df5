"""What stands in a required column for which a file has none: a constant that its names give away, or "unknown"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from analytics.intake.mapping_model import Constant
from analytics.intake.mapping_tables import never_unknown
from analytics.intake.model import Column, TableSpec
from analytics.intake.proposal.guess import ColumnGuess
from analytics.intake.proposal.profile import FileProfile
from analytics.intake.proposal.vocabulary import instrument_in, translate

# Half of what a column of the file would count for.
_SCORE: Final = 0.4


def core_columns(spec: TableSpec) -> list[str]:
    """Return the columns without which a row belongs to nobody: the key, the person, the admission."""
    return [column.name for column in spec.columns if column.name in never_unknown(spec)]


def may_be_unknown(spec: TableSpec, column: Column) -> bool:
    """Return True when a mapping may declare the column "unknown"."""
    return column.name not in never_unknown(spec)


def constant_of(
    file: FileProfile, spec: TableSpec, column: Column, guesses: Mapping[str, ColumnGuess]
) -> ColumnGuess | None:
    """Return the one value of a column that the name of the file or of a header gives away, or None.

    A file `phq9_scores.csv`, or a column `PHQ9_Total`, says which questionnaire; `uds.csv` says urine.
    """
    if may_be_unknown(spec, column):
        return None
    stem = file.stem
    total = guesses.get("total")
    headers = [total.raw.written] if total is not None and total.raw is not None else []
    for words, where in [
        (stem, f"the file is called {file.name}"),
        *((name, f"the column {name}") for name in headers),
    ]:
        value = None
        if column.kind == "instrument" and (instrument := instrument_in(words)) is not None:
            value = instrument.id
        elif column.kind == "code":
            value = translate(column.codes, words).code
        if value is not None:
            return ColumnGuess(column, Constant(value, where), None, "please check", where, _SCORE)
    return None
