"""Identifiers of people: found by the name of a column, and by the form of a value.

The wall of intake (45 CFR 164.514(b)(2), the 18 identifiers). Headers match by whole words, never by a part
of one: `language`, `late_cancel` and `telehealth_minutes` are innocent. Values match by patterns that RE2
(DuckDB) and Python read alike.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Final, Literal

import duckdb

from analytics.intake.readers import normalised
from analytics.intake.sql_text import literal, quoted

HeaderRule = Literal["PHI_COLUMN", "FREE_TEXT_COLUMN"]
ValueRule = Literal["PHI_VALUE", "FREE_TEXT_COLUMN", "UNIQUE_CODES"]

# A word that is an identifier only alone, or beside one of these others: `last`, `patient_last`; not
# `last_visit`.
_ALONE: Final = frozenset({"first", "last", "middle", "social", "ip", "contact"})
_BESIDE: Final = frozenset({"patient", "client", "person", "member", "legal", "preferred"})
# Innocent although a word of theirs is not.
_INNOCENT: Final = (("face", "to", "face"), ("age", "band"), ("age", "group"))


@cache
def _vocabulary() -> tuple[frozenset[str], frozenset[str]]:
    text = files(__package__).joinpath("identifier_words.toml").read_text(encoding="utf-8")
    lists = tomllib.loads(text)
    return frozenset(chain.from_iterable(lists["identifier"].values())), frozenset(lists["free_text"]["words"])


def header_words(column: str) -> list[str]:
    """Split a header on everything that is no letter or digit, on camel case, and before digits; in lower case."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", column)
    return re.findall(r"[^\W\d_]+|\d+", normalised(text))


def _singular(word: str) -> set[str]:
    forms = {word}
    if word.endswith("ies"):
        forms.add(word[:-3] + "y")
    if word.endswith("es"):
        forms.add(word[:-2])
    if word.endswith("s"):
        forms.add(word[:-1])
    return forms


def _has(words: Sequence[str], sought: Sequence[str]) -> bool:
    width = len(sought)
    return any(tuple(words[at : at + width]) == tuple(sought) for at in range(len(words) - width + 1))


def header_finding(column: str, known_columns: Collection[str]) -> HeaderRule | None:
    """Return which rule a column breaks by its name, or None.

    Parameters
    ----------
    column : the name as written.
    known_columns : names of the model, in lower case; these are never identifiers.

    >>> header_finding("Social Security No", ())
    'PHI_COLUMN'
    >>> header_finding("late_cancel", ()) is None
    True
    """
    if normalised(column) in known_columns:
        return None
    words = header_words(column)
    for innocent in _INNOCENT:
        if _has(words, innocent):
            words = [word for word in words if word not in innocent]
    identifiers, free_text = _vocabulary()
    # Words that belong together may be written apart: `last name`, `d.o.b.`, `e-mail`, `social security no`.
    runs = ["".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, len(words) + 1)]
    forms = {form for run in runs for form in _singular(run)}
    letters = [word for word in words if not word.isdigit()]
    alone = bool(_ALONE & set(letters)) and set(letters) <= _ALONE | _BESIDE
    dated = len(letters) > 1 and letters[-1] in ("on", "dt")  # by custom of naming, a date
    if forms & identifiers or alone or dated:
        return "PHI_COLUMN"
    return "FREE_TEXT_COLUMN" if forms & free_text else None


_UPPER: Final = "[A-ZÀ-ÖØ-Þ]"
_LETTER: Final = "[A-Za-zÀ-ÖØ-öø-ÿ'’-]"
_WORD: Final = f"{_UPPER}{_LETTER}+"
_BEFORE: Final = "(?:^|[^0-9A-Za-z])"
_AFTER: Final = "(?:$|[^0-9A-Za-z])"
_AREA: Final = "[2-9][0-9]{2}"  # of a telephone number in North America, as is the exchange after it
_ISO_DATE: Final = "(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}"
_US_DATE: Final = "[0-9]{1,2}/[0-9]{1,2}/(?:[0-9]{2}){1,2}"
_STREETS: Final = "(?i:street|avenue|ave|road|rd|boulevard|blvd|lane|highway|hwy|parkway|pkwy)"
_SHORT_STREETS: Final = "(?:St|Dr|Drive|Ct|Court|Ln|Way|Pl|Place|Ter|Terrace|Cir|Circle)"
_LABELS: Final = "(?i:mrn|ssn|acct|account|medicaid|member|policy|npi|licen[cs]e|chart)"

# Enough by themselves, wherever they stand: one such value is one too many.
_ANYWHERE: Final = {
    "social security number": rf"{_BEFORE}[0-9]{{3}}[- ][0-9]{{2}}[- ][0-9]{{4}}{_AFTER}",
    "e-mail": r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}",
    "phone": rf"{_BEFORE}(?:\+?1[-. ]?)?\(?{_AREA}\)?[-. ]{{1,2}}{_AREA}[-. ][0-9]{{4}}{_AFTER}",
    "web address": r"(?i:https?://|www\.)",
    "IP address": (
        r"(?:^|[^0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:$|[^0-9.])"
        r"|(?:[0-9A-Fa-f]{0,4}:){3,7}[0-9A-Fa-f]{1,4}"
    ),
    "name": rf"^{_WORD}, ?{_WORD}|{_BEFORE}(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.? {_WORD}",
    "date": rf"^{_ISO_DATE}(?:$|[T ])|^{_US_DATE}(?:$| )",
}

# Forms that an id or a code may have too; identifiers only in a column of which the model knows nothing.
_IN_UNKNOWN: Final = {
    "date in a text": rf"{_BEFORE}(?:{_ISO_DATE}|{_US_DATE}){_AFTER}",
    "nine digits": r"^[0-9]{9}$",
    "ten digits of a phone": rf"^1?{_AREA}{_AREA}[0-9]{{4}}$",
    "street address": (
        rf"[0-9]+ (?:{_LETTER}+\.? ){{1,3}}{_STREETS}{_AFTER}"
        rf"|[0-9]+ (?:{_UPPER}{_LETTER}*\.? ){{1,3}}{_SHORT_STREETS}{_AFTER}"
    ),
    "vehicle": r"^[A-HJ-NPR-Z0-9]{11}[0-9]{6}$",
    "labelled number": rf"{_BEFORE}{_LABELS}(?i: ?(?:no\.?|number|id|#))?[ :.#]*[0-9]{{3,}}",
}

value_patterns: Final[dict[str, str]] = _ANYWHERE | _IN_UNKNOWN

# Five digits are a ZIP code when most values of a column have that form; a single one may be any number.
_ZIP: Final = "^[0-9]{5}(?:-[0-9]{4})?$"
_MOST: Final = 0.5
FREE_TEXT_WORDS: Final = 3
"""A mean of more words per value than this is a text, not a code."""

# Codes that are nearly all different may stand for people; numbers differ by nature. Few values say nothing, and of
# many the first tell enough.
_UNIQUE: Final = 0.9
_FEWEST_VALUES: Final = 5
_RECORDS_COMPARED: Final = 100_000

_ANY_STRONG: Final = "|".join(f"(?:{pattern})" for pattern in _ANYWHERE.values())
_ANY_UNKNOWN: Final = "|".join(f"(?:{pattern})" for pattern in value_patterns.values())
_COMPILED: Final = re.compile(_ANY_STRONG)


def value_finding(value: str) -> bool:
    """Return True when a value of a column of the model (an id) is an identifier by its form: PHI_VALUE."""
    return _COMPILED.search(value) is not None


def value_finding_sql(column_expression: str) -> str:
    """Return the same as an SQL condition on an expression of type VARCHAR; NULL where the value is NULL."""
    return f"regexp_matches({column_expression}, {literal(_ANY_STRONG)})"


def shown_header(column: str) -> str:
    """Return a column name as it may be shown: where a file has no header, its first row stands there instead."""
    return "(looks like a value)" if value_finding(column) or re.search("[0-9]{3}", column) else column


def mask(value: str) -> str:
    """Return what of a refused value may be shown: its first character and its length."""
    return f"{value[:1]}… ({len(value)} characters)"


@dataclass(frozen=True)
class ColumnFinding:
    """An identifier in the values of a column outside the model: the whole file is refused, but for UNIQUE_CODES.

    Attributes
    ----------
    kind : what the value looks like ("date", "ZIP code", "free text"); never the value.
    """

    column: str
    rule: ValueRule
    kind: str


def scan_unknown_columns(
    connection: duckdb.DuckDBPyConnection, view: str, columns: Sequence[str]
) -> list[ColumnFinding]:
    """Look at every value of columns that the model does not know, in one query over the view.

    Parameters
    ----------
    view, columns : of `readers.text_view`; its rows that are misshapen are looked at too.

    Returns
    -------
    list
        At most one finding per column, in the order of the columns; empty when nothing was found.
    """
    if not columns:
        return []
    parts = []
    for column in columns:
        value = f"trim({quoted(column)})"
        compared = f"{value} <> '' and record <= {_RECORDS_COMPARED}"
        blanks = f"regexp_replace({value}, '\\s+', ' ', 'g')"
        parts += [
            f"first({value}) filter (regexp_matches({value}, {literal(_ANY_UNKNOWN)}))",
            f"avg(regexp_matches({value}, {literal(_ZIP)})::integer) filter ({value} <> '')",
            f"avg(strlen({blanks}) - strlen(replace({blanks}, ' ', '')) + 1) filter ({value} <> '')",
            f"count(distinct {value}) filter (try_cast({value} as double) is null and {compared})",
            f"count({value}) filter ({compared})",
        ]
    row = connection.execute(f"select {', '.join(parts)} from {quoted(view)}").fetchone() or ()
    findings = []
    for at, column in enumerate(columns):
        example, zips, words, different, given = row[5 * at : 5 * at + 5]
        if example is not None:
            kind = next(kind for kind, pattern in value_patterns.items() if re.search(pattern, example))
            findings.append(ColumnFinding(column, "PHI_VALUE", kind))
        elif zips is not None and zips > _MOST:
            findings.append(ColumnFinding(column, "PHI_VALUE", "ZIP code"))
        elif words is not None and words > FREE_TEXT_WORDS:
            findings.append(ColumnFinding(column, "FREE_TEXT_COLUMN", "free text"))
        elif given >= _FEWEST_VALUES and different > _UNIQUE * given:
            findings.append(ColumnFinding(column, "UNIQUE_CODES", "codes that are nearly all different"))
    return findings
