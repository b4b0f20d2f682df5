"""The words for codes, splits and periods; codes and values come in as text, words go out.

One catalogue (`en.toml`) holds them all, so that a row, a filter, a sentence and a report say the same. Words
are kept as they stand inside a sentence; `label` and `heading` begin with a capital for rows and heads.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from analytics.texts.periods import data_cut_words, period_range_words, period_short, period_words

__all__ = [
    "cohort_words",
    "data_cut_words",
    "heading",
    "is_named",
    "label",
    "period_range_words",
    "period_short",
    "period_words",
    "split_words",
    "unit_words",
    "words",
]

# Splits by calendar period and by number have endless codes, so their words are made, not listed.
_PERIOD_KINDS: Final = frozenset({"admit_period", "discharge_period"})


@cache
def _catalogue() -> dict[str, dict[str, str]]:
    return tomllib.loads(files(__package__).joinpath("en.toml").read_text(encoding="utf-8"))


def is_named(kind: str, code: str) -> bool:
    """Return True when the catalogue itself has words for this code of this list."""
    return code in _catalogue().get(kind, {})


def words(kind: str, code: str) -> str:
    """Return the words for a code as they stand inside a sentence: `words("modality", "in_person")`.

    Parameters
    ----------
    kind
        Name of a code list (`analytics.store.codes.CODES`) or of a split's column ("admit_period").
    code
        A code of that list, "all" or "not known". An id that a clinic chose (site, program) is shown as it
        is; any other code without words is shown with blanks for underscores.
    """
    catalogue = _catalogue()
    if code in catalogue["special"]:
        return catalogue["special"][code]
    if code in catalogue.get(kind, {}):
        return catalogue[kind][code]
    if kind in _PERIOD_KINDS:
        return period_short(code) if "Q" in code else period_words(code)
    if kind == "planned_weeks" and re.fullmatch(r"[0-9]+", code):
        return f"{code} {unit_words('week', int(code))} planned"
    if kind in ("site", "program_id"):
        return code
    return code.replace("_", " ")


def label(kind: str, code: str) -> str:
    """Return the words for a code as a row or a choice shows them, with a capital: "In person"."""
    text = words(kind, code)
    # A clinic's own id keeps its spelling: `east` and `East` may be two sites.
    is_id = kind in ("site", "program_id") and code not in _catalogue()["special"]
    return text if is_id else text[:1].upper() + text[1:]


def heading(stratifier: str) -> str:
    """Return the head of a column or filter: `heading("modality")` is "How care was delivered"."""
    text = _heading(stratifier)
    return text[:1].upper() + text[1:]


def split_words(stratifier: str) -> str:
    """Return the split as it ends a sentence: "by how care was delivered"."""
    return f"by {_heading(stratifier)}"


def _heading(stratifier: str) -> str:
    return _catalogue()["heading"].get(stratifier, stratifier.replace("_", " "))


def unit_words(unit: str, count: int) -> str:
    """Return what is counted, in the number that fits: `unit_words("person", 2)` is "people"."""
    if unit not in _catalogue()["unit"]:
        return unit if count == 1 or unit.endswith("s") else f"{unit}s"
    singular, plural = _catalogue()["unit"][unit].split("|")
    return singular if count == 1 else plural


def cohort_words(
    where: Mapping[str, tuple[str, ...]],
    start: str | None = None,
    end: str | None = None,
    unit: str = "episode",
) -> str:
    """Return who is looked at, for the line under a title: "in person or hybrid · admitted since 2025".

    Parameters
    ----------
    where
        Column to the codes kept, as in `Cohort.where`; columns without codes say nothing.
    start, end
        First and last admission period, None = open.
    unit
        "episode", "person" or "course"; only the last two are mentioned.
    """
    parts = [_filter_words(column, codes) for column, codes in where.items() if codes]
    if start is not None or end is not None:
        parts.append(f"admitted {period_range_words(start, end)}")
    if unit == "person":
        parts.append("first episode of each person")
    elif unit == "course":
        parts.append("one per course of care")
    return " · ".join(parts) if parts else "everyone in the data"


def _filter_words(column: str, codes: tuple[str, ...]) -> str:
    listed = " or ".join(words(column, code) for code in codes)
    # An id or "not recorded" alone does not say what it is of.
    bare = column in ("site", "program_id") or any(code in _catalogue()["special"] for code in codes)
    if column in _PERIOD_KINDS:
        return f"{'admitted' if column == 'admit_period' else 'left'} {listed}"
    return f"{_heading(column)} {listed}" if bare else listed
