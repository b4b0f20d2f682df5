"""What the raw codes of a column mean, and how days are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from analytics.instruments import find_instrument
from analytics.intake.mapping_model import RawColumn
from analytics.intake.model import Column
from analytics.intake.proposal.evidence import percent
from analytics.intake.proposal.guess import CodeGuess, ColumnGuess, DateGuess, Sure
from analytics.intake.proposal.profile import DATE_FORMATS, ColumnProfile
from analytics.intake.proposal.showing import MOST_CODES, is_code_list, may_show
from analytics.intake.proposal.vocabulary import (
    Translation,
    instrument_in,
    translate,
    translate_boolean,
    translate_numbers,
)
from analytics.store.codes import CODES

TRANSLATED_KINDS: Final = ("code", "boolean", "instrument")

# What the importer itself reads as a boolean (`columns`).
_BOOLEANS: Final = frozenset({"true", "t", "yes", "y", "1", "false", "f", "no", "n", "0"})
_ENOUGH: Final = 0.95
_ALIKE: Final = 0.005
_SWAPPED: Final = {
    form: form.replace("%m", "#").replace("%d", "%m").replace("#", "%d")
    for form in DATE_FORMATS
    if "%m" in form and "%d" in form and not form.startswith("%Y")
}


def is_translated(guess: ColumnGuess) -> bool:
    """Return True when the raw values of a column may need a translation."""
    return guess.column.kind in TRANSLATED_KINDS and isinstance(guess.source, RawColumn)


def guess_codes(column: Column, counts: Mapping[str, int]) -> tuple[CodeGuess, ...]:
    """Return what each raw value of a column means; nothing when the column is no code list.

    Parameters
    ----------
    counts : rows by value over the whole file; at most `showing.MOST_CODES` + 1 values, more are not looked at.
    """
    if len(counts) > MOST_CODES:
        return ()
    merged: dict[str, tuple[str, int]] = {}
    for raw, rows in counts.items():  # a mapping reads codes without regard to case
        first, so_far = merged.get(raw.strip().lower(), (raw.strip(), 0))
        merged[raw.strip().lower()] = first, so_far + rows
    numbers = translate_numbers(column.codes, merged) if column.kind == "code" else {}
    code_list = is_code_list(counts)
    guesses = []
    for lower, (raw, rows) in merged.items():
        if lower in numbers:
            found, sure = Translation(numbers[lower], True), "please check"
        else:
            found = _translate(column, raw)
            sure = "sure" if _is_read(column, lower) else "likely" if found.exact else "please check"
        guesses.append(
            CodeGuess(
                raw=raw,
                rows=rows,
                code=found.code,
                sure=_as_sure(sure if found.code is not None else "please check"),
                visible=may_show(raw, rows, found.exact, code_list),
                needed=not _is_read(column, lower),
                choices=found.choices,
            )
        )
    return tuple(guesses)


def _as_sure(word: str) -> Sure:
    return "sure" if word == "sure" else "likely" if word == "likely" else "please check"


def _translate(column: Column, raw: str) -> Translation:
    if column.kind == "boolean":
        return translate_boolean(raw)
    if column.kind == "instrument":
        instrument = instrument_in(raw)
        return Translation(instrument.id if instrument is not None else None, find_instrument(raw) is not None)
    return translate(column.codes, raw)


def _is_read(column: Column, lower: str) -> bool:
    """Return True when the importer reads the value without a translation."""
    if column.kind == "boolean":
        return lower in _BOOLEANS
    if column.kind == "instrument":
        return find_instrument(lower) is not None
    form = lower.replace(" ", "_").replace("-", "_")
    return form in {code.lower().replace("-", "_") for code in CODES[column.codes]}


def guess_dates(columns: Iterable[ColumnProfile]) -> DateGuess:
    """Return how days are written in the columns that hold days.

    All columns of an export are taken together: a column in which no day is above 12 borrows the order of day and
    month from the others. Where no column has one, nobody can tell, and both orders are returned.
    """
    used = [column for column in columns if column.filled]
    total = sum(column.filled for column in used)
    if not total:
        return DateGuess((), "please check", "there are no columns of days")
    shares = {form: sum(column.formats[form] * column.filled for column in used) / total for form in DATE_FORMATS}
    best = max(shares, key=lambda form: shares[form])
    words = f"{percent(shares[best])} of the days in {len(used)} columns can be read so"
    if shares[best] < _ENOUGH:
        if len({max(column.formats, key=lambda form: column.formats[form]) for column in used}) > 1:
            return DateGuess((), "please check", "the columns of days are written in different ways; export them alike")
        return DateGuess((), "please check", "no known way of writing days fits")
    other = _SWAPPED.get(best)
    if other in shares and shares[best] - shares[str(other)] <= _ALIKE:
        why = "no day is above 12, so day and month cannot be told apart"
        return DateGuess((best, str(other)), "please check", why)
    return DateGuess((best,), "sure" if shares[best] > 0.999 else "likely", words)


def unread(guesses: Sequence[CodeGuess]) -> int:
    """Return how many rows hold a code that nobody has translated yet."""
    return sum(guess.rows for guess in guesses if guess.needed and (guess.code is None or not guess.visible))
