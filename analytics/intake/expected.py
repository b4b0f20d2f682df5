"""What may stand in a column, in words: for the documents, and for the person who mends a file."""

from __future__ import annotations

from typing import Final

from analytics.instruments import load_instruments, load_questionnaires
from analytics.intake.model import Column
from analytics.store.codes import CODES, FOLLOWUP_DUE_DAYS

_KIND_WORDS: Final[dict[str, str]] = {
    "id": "1 to 64 letters, digits, hyphens, underscores",
    "date": "YYYY-MM-DD",
    "period": "a month 2026-03, a quarter 2026-Q1 or a year 2026; a day counts as its month",
    "codes": "codes of your own, such as cbt, several joined by |",
    "word": "a code of your own",
    "boolean": "true, false",
    "integer": "whole number",
    "number": "number",
    "item": "the number of the item, by questionnaire",
    "answer": "the answer as printed on the form, by questionnaire; empty = not answered",
}


def expected_values(column: Column) -> str:
    """Return what a column takes: its codes, its range, or its form."""
    if column.kind in ("code", "age_band"):
        return ", ".join(CODES[column.codes])
    if column.kind == "instrument":
        return ", ".join(item.name for item in load_instruments().values())
    if column.kind == "questionnaire":
        forms = load_questionnaires().values()
        return ", ".join(form.names[1] for form in forms if form.items)
    if column.kind == "total":
        ranges = (f"{item.name} {item.minimum:g}–{item.maximum:g}" for item in load_instruments().values())
        return f"the total, {', '.join(ranges)}"
    if column.name == "due_day":
        return ", ".join(str(day) for day in FOLLOWUP_DUE_DAYS)
    words = _KIND_WORDS[column.kind]
    if column.low is not None and column.high is not None:
        return f"{words}, {column.low:,.15g} to {column.high:,.15g}"
    return words
