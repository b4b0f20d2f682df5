"""What the values of a raw column say for or against a canonical column."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from analytics.intake.columns import ID_PATTERN
from analytics.intake.identifiers import value_finding
from analytics.intake.model import Column
from analytics.intake.proposal.profile import ColumnProfile
from analytics.intake.proposal.vocabulary import instrument_in, translate, translate_boolean
from analytics.store.codes import CODES, FOLLOWUP_DUE_DAYS

# Columns that their values alone may suggest.
_ITEM_NUMBER: Final = r"((item|question|q)[ _-]?)?\d{1,2}([ _-]?[a-z]+)?"
_HIGHEST_ANSWER: Final = 30
TELLING_KINDS: Final = ("code", "instrument", "age_band")
TELLING_COLUMNS: Final = ("due_day",)

HIGHEST_TOTAL: Final = 200
_AGES: Final = (5, 115)
_MOST_KINDS: Final = 200
_NEARLY_ALL: Final = 0.95


@dataclass(frozen=True)
class Evidence:
    """How well the values fit, from 0 (not at all) to 1 (all of them), and why in words without a value.

    Attributes
    ----------
    telling : the values alone suggest the column, whatever its header says: a list of codes, of questionnaires.
    proof : they settle it: the ids are those of another file.
    """

    fit: float
    words: str
    telling: bool = False
    proof: bool = False


def number(text: str) -> float | None:
    """Return a text as a number, or None."""
    try:
        return float(text)
    except ValueError:
        return None


def percent(share: float) -> str:
    """Return a share in words: "all", "none", or whole percent that round neither to 0 nor to 100."""
    if share >= 1:
        return "all"
    return "none" if share <= 0 else f"{min(99, max(1, round(100 * share)))} %"


def best_format(profile: ColumnProfile) -> tuple[str, float]:
    """Return the strptime format that reads most values as days, and its share."""
    return max(profile.formats.items(), key=lambda item: item[1])


def evidence(profile: ColumnProfile, column: Column) -> Evidence:
    """Return what the values of a raw column say about being a canonical column."""
    if profile.filled == 0:
        return Evidence(0.5, "every cell is empty")
    return _KINDS.get(column.kind, _words)(profile, column)


def _id(profile: ColumnProfile, column: Column) -> Evidence:
    fit = profile.share(lambda value: re.fullmatch(ID_PATTERN, value) is not None and not value_finding(value))
    if column.name == "program_id" or column.name == "site":
        few = profile.distinct <= max(30, profile.filled // 20)
        return Evidence(fit if few else 0.3 * fit, f"{profile.distinct:,} different values in {profile.filled:,} rows")
    if column.name == "session_no":
        return Evidence(fit, f"{profile.distinct:,} different values in {profile.filled:,} rows")
    many = min(1.0, 5 * profile.distinct / max(1, profile.filled))
    if column.name == "episode_id" and profile.is_key:
        return Evidence(fit, "different in every row")
    return Evidence(fit * (0.5 + 0.5 * many), f"{profile.distinct:,} different values in {profile.filled:,} rows")


def _date(profile: ColumnProfile, column: Column) -> Evidence:
    _, share = best_format(profile)
    return Evidence(share, f"{percent(share)} can be read as days" if share else "no known form of a day")


def _code(profile: ColumnProfile, column: Column) -> Evidence:
    if profile.distinct > _MOST_KINDS:
        return Evidence(0.0, f"{profile.distinct:,} different values are no list of codes")
    fit = profile.share(lambda value: translate(column.codes, value).code is not None)
    kinds = {translate(column.codes, value).code for value in profile.values}
    telling = fit >= _NEARLY_ALL and len(kinds) > 2 and any(len(value) > 2 for value in profile.values)
    return Evidence(fit, f"{percent(fit)} of the values are known words", telling)


def _age_band(profile: ColumnProfile, column: Column) -> Evidence:
    bands = profile.share(lambda value: value in CODES["age_band"])
    if bands >= 0.5:
        return Evidence(bands, f"{percent(bands)} are age bands", telling=True)
    ages = profile.share(lambda value: _AGES[0] <= (number(value) or 0) <= _AGES[1])
    _, days = best_format(profile)
    if days > ages:
        return Evidence(days, f"{percent(days)} can be read as days of birth; only the age band is taken")
    return Evidence(ages, f"{percent(ages)} are ages; only the age band is taken")


def _words(profile: ColumnProfile, column: Column) -> Evidence:
    fit = profile.share(lambda value: re.fullmatch(r"[A-Za-z0-9_ |-]{1,48}", value) is not None)
    few = profile.distinct <= 60
    return Evidence(fit if few else 0.2 * fit, f"{profile.distinct:,} different values")


def _numeric(profile: ColumnProfile, column: Column) -> Evidence:
    low, high = (column.low, column.high) if column.high is not None else (0, HIGHEST_TOTAL)
    if column.name == "due_day":
        fit = profile.share(lambda value: number(value) in FOLLOWUP_DUE_DAYS)
        return Evidence(fit, f"{percent(fit)} are 30, 90, 180 or 365", telling=fit >= _NEARLY_ALL)
    assert low is not None and high is not None

    def fits(value: str) -> bool:
        found = number(value)
        return found is not None and low <= found <= high and (column.kind != "integer" or found == int(found))

    fit = profile.share(fits)
    return Evidence(fit, f"{percent(fit)} are {'whole ' * (column.kind == 'integer')}numbers from {low:g} to {high:g}")


def _boolean(profile: ColumnProfile, column: Column) -> Evidence:
    fit = profile.share(lambda value: translate_boolean(value).code is not None)
    return Evidence(fit, f"{percent(fit)} are words for yes or no")


def _instrument(profile: ColumnProfile, column: Column) -> Evidence:
    fit = profile.share(lambda value: instrument_in(value) is not None)
    return Evidence(fit, f"{percent(fit)} are names of questionnaires", telling=fit >= 0.5)


def _item(profile: ColumnProfile, column: Column) -> Evidence:
    fit = profile.share(lambda value: re.fullmatch(_ITEM_NUMBER, value, re.IGNORECASE) is not None)
    few = profile.distinct <= 99
    return Evidence(fit if few else 0.2 * fit, f"{percent(fit)} are like numbers of items")


def _answer(profile: ColumnProfile, column: Column) -> Evidence:
    fit = profile.share(lambda value: 0 <= (number(value) or 0) <= _HIGHEST_ANSWER and number(value) is not None)
    yes_no = profile.share(lambda value: translate_boolean(value).code is not None)
    return Evidence(max(fit, yes_no), f"{percent(max(fit, yes_no))} are answers as numbers, or yes and no")


_KINDS: Final[dict[str, Callable[[ColumnProfile, Column], Evidence]]] = {
    "id": _id,
    "date": _date,
    "code": _code,
    "age_band": _age_band,
    "codes": _words,
    "word": _words,
    "integer": _numeric,
    "number": _numeric,
    "total": _numeric,
    "boolean": _boolean,
    "instrument": _instrument,
    "questionnaire": _instrument,
    "item": _item,
    "answer": _answer,
}
