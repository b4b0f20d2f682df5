"""How clinics' systems call what the model calls otherwise: headers, files and codes, read from `synonyms.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from importlib.resources import files
from typing import Any, Final

from analytics.instruments import Instrument, find_instrument, load_instruments
from analytics.intake.identifiers import header_words
from analytics.store.codes import CODES

# Scores of a name, from 0 (nothing in common) to 1 (the canonical name itself).
_SYNONYM: Final = 0.97
_WITHOUT_NOISE: Final = 0.9
_OVERLAP: Final = 0.85
_LEAST_OVERLAP: Final = 0.6
_SPELLING: Final = 0.8
_LEAST_SPELLING: Final = 0.85

_NEGATIONS: Final = frozenset({"not", "no", "non", "never", "without", "un", "didn", "partially", "partly", "nearly"})


@dataclass(frozen=True)
class Translation:
    """What a raw code means.

    Attributes
    ----------
    code : the canonical code; None when only a person can say.
    exact : the raw code itself stands in the vocabulary, so that it is a word of ours and no name.
    choices : what a word may mean that means several things; empty otherwise.
    """

    code: str | None
    exact: bool
    choices: tuple[str, ...] = ()


_NOT_KNOWN: Final = Translation(None, False)


@cache
def _vocabulary() -> Mapping[str, Any]:
    return tomllib.loads(files(__package__).joinpath("synonyms.toml").read_text(encoding="utf-8"))


@cache
def _one_word() -> Mapping[str, str]:
    forms: dict[str, str] = {}
    for word, others in _vocabulary()["words"].items():
        forms |= dict.fromkeys(others, word)
    return forms


@cache
def _noise() -> frozenset[str]:
    return frozenset(_vocabulary()["noise"]["words"])


@cache
def _canonical(header: str) -> tuple[str, ...]:
    """Return the words of a header, each in its one form."""
    forms = _one_word()
    return tuple(dict.fromkeys(forms.get(word, word) for word in header_words(header)))


@cache
def name_score(header: str, table: str, column: str) -> float:
    """Return how well a header names a canonical column, 0 to 1; 1 is the canonical name itself.

    >>> name_score("AdmDt", "episodes", "admit_date") > 0.9
    True
    >>> name_score("shoe_size", "episodes", "admit_date")
    0.0
    """
    if header_words(header) == header_words(column):
        return 1.0
    phrases = [column, *_vocabulary()["columns"].get(table, {}).get(column, [])]
    return max(_similar(header, phrase) for phrase in phrases)


@cache
def table_score(file_stem: str, table: str) -> float:
    """Return how well the name of a file names a canonical table, 0 to 1."""
    if header_words(file_stem) == header_words(table):
        return 1.0
    phrases = [table, *_vocabulary()["tables"].get(table, [])]
    words = header_words(file_stem)
    best = max(_similar(file_stem, phrase) for phrase in phrases)
    inside = any(_has_run(words, header_words(phrase)) for phrase in phrases)
    return max(best, _OVERLAP if inside else 0.0)


def _similar(header: str, phrase: str) -> float:
    words, sought = _canonical(header), _canonical(phrase)
    if set(words) == set(sought):
        return _SYNONYM
    joined, whole = "".join(header_words(header)), "".join(header_words(phrase))
    if joined == whole:
        return _SYNONYM
    plain, plain_sought = (tuple(word for word in each if word not in _noise()) for each in (words, sought))
    if plain and set(plain) == set(plain_sought):
        return _WITHOUT_NOISE
    common = len(set(plain) & set(plain_sought))
    overlap = 2 * common / max(1, len(set(plain)) + len(set(plain_sought)))
    spelling = SequenceMatcher(None, joined, whole).ratio() if len(joined) > 4 else 0.0
    return max(
        _OVERLAP * overlap if overlap >= _LEAST_OVERLAP else 0.0,
        _SPELLING * spelling if spelling >= _LEAST_SPELLING else 0.0,
    )


def _has_run(words: Sequence[str], sought: Sequence[str]) -> bool:
    width = len(sought)
    return any(list(words[at : at + width]) == list(sought) for at in range(len(words) - width + 1))


def code_words(value: str) -> tuple[str, ...]:
    """Return a code as it is compared: its letters and numbers in lower case, `N/S` as n, s and `2.1` as 2.1."""
    return tuple(re.findall(r"\d+(?:\.\d+)?|[^\W\d_]+", value.lower()))


@cache
def _code_forms(codes: str) -> Mapping[tuple[str, ...], str]:
    forms: dict[tuple[str, ...], str] = {}
    for code, others in _vocabulary()["codes"].get(codes, {}).items():
        forms |= {code_words(other): code for other in others}
    return forms | {code_words(code): code for code in CODES[codes]}


@cache
def _asked(codes: str) -> Mapping[tuple[str, ...], tuple[str, ...]]:
    return {code_words(word): tuple(choices) for word, choices in _vocabulary()["ask"].get(codes, {}).items()}


@cache
def translate(codes: str, value: str) -> Translation:
    """Return what a raw code means in a closed list.

    A word that means several things is asked for. A longer text counts when all words of the list in it mean one
    thing: `Left program AMA` is `left_against_advice`.
    """
    words = code_words(value)
    forms, asked = _code_forms(codes), _asked(codes)
    if words in asked:
        return Translation(None, True, asked[words])
    if words in forms:
        return Translation(forms[words], True)
    joined = "".join(words)
    for form, code in forms.items():
        if "".join(form) == joined:
            return Translation(code, True)
    # One or two letters amid a text say nothing, nor does a word that stands beside a "not".
    inside = [form for form in forms if len("".join(form)) > 2 and _has_run(words, form)]
    widest = [form for form in inside if not any(form != other and _has_run(other, form) for other in inside)]
    found = {forms[form] for form in widest}
    spoken = {word for form in widest for word in form}
    if len(found) != 1 or _NEGATIONS & (set(words) - spoken):
        return _NOT_KNOWN
    return Translation(found.pop(), False)


def translate_numbers(codes: str, values: Iterable[str]) -> Mapping[str, str]:
    """Return the national code numbers of a list when every value is one of them, else nothing."""
    numbers: Mapping[str, str] = _vocabulary()["numbers"].get(codes, {})
    known = set(numbers) | {words[0] for words in _asked(codes) if len(words) == 1}
    given = {value: value.lstrip("0") or "0" for value in values}
    if not given or not all(number in known and number.isdigit() for number in given.values()):
        return {}
    return {value: numbers[number] for value, number in given.items() if number in numbers}


@cache
def translate_boolean(value: str) -> Translation:
    """Return "true" or "false" for the words that systems write for them."""
    words = code_words(value)
    for code in ("true", "false"):
        if words in {code_words(form) for form in _vocabulary()["booleans"][code]}:
            return Translation(code, True)
    return _NOT_KNOWN


@cache
def _loinc_totals() -> Mapping[str, Instrument]:
    return {
        code.code: instrument
        for instrument in load_instruments().values()
        for code in instrument.loinc
        if code.what == "total"
    }


@cache
def instrument_in(text: str) -> Instrument | None:
    """Return the questionnaire that a text names, alone or amid other words, or by the LOINC code of its total.

    >>> instrument_in("Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]").id
    'phq9'
    """
    if text.strip() in _loinc_totals():
        return _loinc_totals()[text.strip()]
    if (whole := find_instrument(text)) is not None:
        return whole
    words = header_words(text)
    for width in range(len(words), 0, -1):
        runs = ["".join(words[at : at + width]) for at in range(len(words) - width + 1)]
        found = {each.id: each for run in runs if len(run) > 2 and (each := find_instrument(run)) is not None}
        if found:
            return next(iter(found.values())) if len(found) == 1 else None
    return None
