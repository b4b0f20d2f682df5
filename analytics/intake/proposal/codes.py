"""What the raw codes of a column mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from analytics.instruments import find_instrument, instrument_form, questionnaire_forms
from analytics.intake.mapping_model import RawColumn
from analytics.intake.model import Column
from analytics.intake.proposal.guess import CodeGuess, ColumnGuess, Sure
from analytics.intake.proposal.showing import MOST_CODES, is_code_list, may_show
from analytics.intake.proposal.vocabulary import (
    Translation,
    instrument_in,
    translate,
    translate_boolean,
    translate_numbers,
)
from analytics.store.codes import CODES

TRANSLATED_KINDS: Final = ("code", "boolean", "instrument", "questionnaire")

# What the importer itself reads as a boolean (`columns`).
_BOOLEANS: Final = frozenset({"true", "t", "yes", "y", "1", "false", "f", "no", "n", "0"})


def is_translated(guess: ColumnGuess) -> bool:
    """Return True when the raw values of a column may need a translation."""
    is_read = isinstance(guess.source, RawColumn) or (guess.source is None and guess.raw is not None)
    return guess.column.kind in TRANSLATED_KINDS and is_read


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
    if column.kind == "questionnaire":
        instrument = instrument_in(raw)
        named = questionnaire_forms().get(instrument_form(raw))
        return Translation(named or (instrument.questionnaire if instrument is not None else None), named is not None)
    return translate(column.codes, raw)


def _is_read(column: Column, lower: str) -> bool:
    """Return True when the importer reads the value without a translation."""
    if column.kind == "boolean":
        return lower in _BOOLEANS
    if column.kind == "instrument":
        return find_instrument(lower) is not None
    if column.kind == "questionnaire":
        return instrument_form(lower) in questionnaire_forms()
    form = lower.replace(" ", "_").replace("-", "_")
    return form in {code.lower().replace("-", "_") for code in CODES[column.codes]}


def unread(guesses: Sequence[CodeGuess]) -> int:
    """Return how many rows hold a code that nobody has translated yet."""
    return sum(guess.rows for guess in guesses if guess.needed and (guess.code is None or not guess.visible))
