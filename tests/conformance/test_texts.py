"""Every code, split and period has words, and words that become rows fit a phone."""

import pytest

from analytics.measures.cohort_sql import CLOSED_LISTS
from analytics.measures.types import ALL, NOT_KNOWN, Stratifier
from analytics.store.codes import CODES
from analytics.texts import (
    cohort_words,
    heading,
    is_named,
    label,
    period_range_words,
    period_short,
    period_words,
    split_words,
    unit_words,
    words,
)

LONGEST_ROW = 22
EVERY_CODE = [(kind, code) for kind, codes in {**CODES, **CLOSED_LISTS}.items() for code in codes]


@pytest.mark.parametrize(("kind", "code"), EVERY_CODE)
def test_every_code_has_words_that_fit_a_row(kind: str, code: str) -> None:
    assert is_named(kind, code)
    assert "_" not in words(kind, code)
    assert 1 <= len(label(kind, code)) <= LONGEST_ROW
    assert label(kind, code)[0] == label(kind, code)[0].upper()


def test_no_code_is_also_the_name_of_everybody_or_of_the_unknown() -> None:
    assert [(kind, code) for kind, code in EVERY_CODE if code in (ALL, NOT_KNOWN)] == []


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in EVERY_CODE}))
def test_two_codes_of_a_list_never_have_the_same_words(kind: str) -> None:
    codes = [code for of, code in EVERY_CODE if of == kind]
    assert len({words(kind, code) for code in codes}) == len(codes)


@pytest.mark.parametrize("split", Stratifier)
def test_every_split_has_a_heading_and_an_end_of_sentence(split: Stratifier) -> None:
    assert is_named("heading", split.value)
    assert heading(split.value)[0].isupper()
    assert split_words(split.value) == f"by {words('heading', split.value)}"


@pytest.mark.parametrize("split", Stratifier)
def test_everybody_and_not_known_have_words_in_every_split(split: Stratifier) -> None:
    assert label(split.value, ALL) == "Everyone"
    assert label(split.value, NOT_KNOWN) == "Not recorded"


def test_codes_outside_the_catalogue_are_shown_as_they_are() -> None:
    assert label("site", "east_2") == "east_2"  # the clinic's own id keeps its spelling
    assert label("program_id", "iop-North") == "iop-North"
    assert label("therapy", "cbt") == "CBT"
    assert label("therapy", "horse_riding") == "Horse riding"
    assert label("baseline_severity", "moderately_severe") == "Moderately severe"


def test_planned_weeks_are_counted() -> None:
    assert [label("planned_weeks", weeks) for weeks in ("1", "8")] == ["1 week planned", "8 weeks planned"]


@pytest.mark.parametrize(
    ("period", "said", "short"),
    [
        ("2026-03", "March 2026", "Mar 2026"),
        ("2026-12", "December 2026", "Dec 2026"),
        ("2026-Q1", "January to March 2026", "Jan–Mar 2026"),
        ("2026-Q4", "October to December 2026", "Oct–Dec 2026"),
        ("2026", "2026", "2026"),
    ],
)
def test_periods_are_said_as_months(period: str, said: str, short: str) -> None:
    assert period_words(period) == said
    assert period_short(period) == short
    assert len(label("admit_period", period)) <= LONGEST_ROW


@pytest.mark.parametrize("period", ["2026-13", "2026-Q5", "26", "2026-3", "2026-03-01", ""])
def test_what_is_no_period_is_refused(period: str) -> None:
    with pytest.raises(ValueError, match="A period is a year"):
        period_words(period)


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (None, None, "at any time"),
        ("2025-01", "2025-12", "January to December 2025"),
        ("2024-10", "2025-09", "October 2024 to September 2025"),
        ("2025-Q2", "2025-Q3", "April to September 2025"),
        ("2024", "2025", "2024 to 2025"),
        ("2025", "2025-06", "January to June 2025"),
        ("2025-03", None, "since March 2025"),
        (None, "2025-Q1", "up to March 2025"),
        ("2025", "2025", "in 2025"),
        ("2025-03", "2025-03", "in March 2025"),
        ("2025-Q1", "2025-Q1", "January to March 2025"),
    ],
)
def test_spans_name_both_ends_and_the_year_once(start: str | None, end: str | None, said: str) -> None:
    assert period_range_words(start, end) == said


def test_a_cohort_in_words() -> None:
    where = {"level_of_care": ("IOP",), "modality": ("in_person", "hybrid"), "site": ("east",), "gender": ()}
    assert cohort_words(where, "2025-01", "2025-12", "person") == (
        "intensive outpatient · in person or hybrid · site east · admitted January to December 2025 · "
        "first episode of each person"
    )
    assert cohort_words({"track": (NOT_KNOWN,)}) == "track not recorded"
    assert cohort_words({}) == "everyone in the data"


def test_units_agree_with_their_number() -> None:
    assert [unit_words("person", number) for number in (0, 1, 2)] == ["people", "person", "people"]
    assert unit_words("visit", 2) == "visits"  # a unit that a measure names itself
