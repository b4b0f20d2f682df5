"""Totals side by side: a column per questionnaire (`phq9_total`, `gad7_total`) in place of a row per questionnaire."""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from analytics.instruments import Instrument
from analytics.intake.proposal.evidence import number
from analytics.intake.proposal.profile import ColumnProfile, FileProfile
from analytics.intake.proposal.vocabulary import instrument_in

_FITTING: Final = 0.9


def wide_totals(file: FileProfile) -> tuple[tuple[ColumnProfile, Instrument], ...]:
    """Return the columns that hold totals of two or more questionnaires, each of another one; nothing otherwise.

    A column of answers (`phq9_1`, `gad7_q2`) is no total. Two columns of one questionnaire (`phq9_intake`,
    `phq9_discharge`) belong to two days, which only a person can name.
    """
    found = []
    for raw in file.columns:
        instrument = instrument_in(raw.written)
        if instrument is None or _is_answer(raw.written) or not raw.filled:
            continue
        if raw.share(partial(_is_total_of, instrument)) >= _FITTING:
            found.append((raw, instrument))
    ids = [instrument.id for _, instrument in found]
    return tuple(found) if len(ids) > 1 and len(set(ids)) == len(ids) else ()


def _is_answer(header: str) -> bool:
    shorter = re.sub(r"[\W_]*(?:item|q)?[\W_]*\d+$", "", header.strip(), flags=re.IGNORECASE)
    return shorter != header.strip() and instrument_in(shorter) is not None


def _is_total_of(instrument: Instrument, value: str) -> bool:
    found = number(value)
    return found is not None and instrument.minimum <= found <= instrument.maximum
