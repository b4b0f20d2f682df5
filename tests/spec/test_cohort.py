"""Cohorts: filters, admission periods, what is counted (episodes, people, courses), and how many people."""

from typing import Any

import pytest

from analytics.errors import MeasureProblem
from analytics.measures import ALL, NOT_KNOWN, Stratifier, evaluate, find
from tests.spec.outcome_tables import counts, one, small_snapshot

COMPLETION = find("completion")


# Filters and periods


def test_codes_of_one_column_are_or_and_columns_are_and() -> None:
    rows = [
        {"modality": "in_person", "age_band": "18-25"},
        {"modality": "hybrid", "age_band": "18-25"},
        {"modality": None, "age_band": "18-25"},
        {"modality": "in_person", "age_band": "26-34"},
    ]
    snapshot = small_snapshot(rows)
    two = {"modality": ("in_person", "hybrid"), "age_band": ("18-25",)}
    assert counts(one(snapshot, COMPLETION, where=two))[ALL] == (2, 2)
    assert counts(one(snapshot, COMPLETION, where={"modality": ("hybrid", NOT_KNOWN)}))[ALL] == (2, 2)
    assert counts(one(snapshot, COMPLETION, where={"modality": (NOT_KNOWN,)}))[ALL] == (1, 1)
    assert counts(one(snapshot, COMPLETION, where={"modality": ()}))[ALL] == (4, 4)


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        ("2025-03", "2025-04", ["2025-03", "2025-04"]),  # the end is included
        ("2025", "2025", ["2025-03", "2025-04", "2025-12"]),  # a year holds its months
        ("2025-Q4", None, ["2025-03", "2025-04", "2025-12", "2026-01"]),  # quarter and month: years only
        (None, "2024", ["2024-12"]),
    ],
)
def test_periods(start: str | None, end: str | None, kept: list[str]) -> None:
    months = ("2024-12", "2025-03", "2025-04", "2025-12", "2026-01", None)
    snapshot = small_snapshot({"admit_period": month} for month in months)
    result = one(snapshot, COMPLETION, Stratifier.ADMIT_PERIOD, start=start, end=end)
    assert list(result.estimates)[1:] == kept
    assert result.matured


def test_maturity_applies_only_where_admission_periods_split_or_limit() -> None:
    # Eight planned weeks: old enough after 70 days. One left early, one is new.
    rows = [{"observed_days": 70}, {"los_days": 10, "observed_days": 69, "discharge_reason": "lost_contact"}]
    snapshot = small_snapshot(rows)
    assert counts(one(snapshot, COMPLETION))[ALL] == (1, 2)
    for cohort in ({"start": "2025"}, {"where": {"admit_period": ("2025-03",)}}):
        result = one(snapshot, COMPLETION, **cohort)
        assert (counts(result)[ALL], result.estimates[ALL].too_recent) == ((1, 1), 1)


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ({"person_id": ("1",)}, "There is no filter 'person_id'. Filters are: admit_period, "),
        ({"modality": ("virtual",)}, "It takes: in_person, hybrid, telehealth, 'not known'."),
        ({"planned_weeks": ("eight",)}, "a whole number of weeks"),
        ({"admit_period": ("March",)}, "a month (2026-03), a quarter (2026-Q1) or a year (2026)"),
        ({"therapy": ("CBT|DBT",)}, "codes of small letters"),
        ({"dose_band": ("much",)}, "none, under half, half or more, every week"),
        ({"baseline_severity": ("bad",)}, "minimal, mild, moderate, moderately_severe, severe"),
    ],
)
def test_a_filter_that_does_not_exist_is_refused_with_the_choices(where: dict[str, Any], says: str) -> None:
    with pytest.raises(MeasureProblem) as problem:
        one(small_snapshot([{}]), COMPLETION, where=where)
    assert says in str(problem.value)


def test_a_value_is_bound_and_never_part_of_the_text() -> None:
    snapshot = small_snapshot([{"site": "east"}])
    hostile = "east' or 1 = 1 --"
    assert one(snapshot, COMPLETION, where={"site": (hostile,)}).episodes == 0
    assert all("1 = 1" not in text for text in snapshot.statements)


# Units and people

TWO_STAYS: list[dict[str, Any]] = [
    {"person_id": 1, "start_day": 0, "discharge_reason": "lost_contact", "is_course_last": False},
    {"person_id": 1, "start_day": 70},
    {"person_id": 2, "start_day": 0, "los_days": None},
    {"person_id": 3, "start_day": 0},
]


def test_a_person_counts_once_by_the_first_closed_episode() -> None:
    result = one(small_snapshot(TWO_STAYS), COMPLETION, unit="person")
    assert counts(result)[ALL] == (1, 2)
    # Whoever has not left yet stays on the ladder.
    assert [step.count for step in result.ladder.steps] == [3, 2, 2, 1]
    assert result.estimates[ALL].persons == 2


def test_a_course_is_judged_by_its_last_episode() -> None:
    snapshot = small_snapshot(TWO_STAYS, [{"episode_id": number, "first": 15, "last": 5} for number in (1, 2, 3, 4)])
    assert counts(one(snapshot, COMPLETION, unit="course"))[ALL] == (2, 2)
    assert counts(one(snapshot, find("reliable_improvement", "phq9"), unit="course"))[ALL] == (2, 2)


def test_people_are_counted_for_the_total_and_for_small_groups() -> None:
    # 200 closed stays of 50 people in person, three stays of two people by telehealth, one of nobody else
    # hybrid.
    rows = [{"person_id": number % 50, "modality": "in_person"} for number in range(200)]
    rows += [{"person_id": person, "modality": "telehealth"} for person in (0, 0, 60)]
    rows += [{"person_id": 61, "modality": "hybrid", "los_days": None}]
    snapshot = small_snapshot(rows)
    result = one(snapshot, COMPLETION, Stratifier.MODALITY)
    persons = {group: each.persons for group, each in result.estimates.items()}
    assert persons == {ALL: 51, "in_person": None, "hybrid": None, "telehealth": 2}
    assert (result.episodes, result.persons) == (204, 52)
    (uncounted,) = evaluate([COMPLETION], snapshot, by=Stratifier.MODALITY, persons=False)
    assert uncounted.persons is None
    assert uncounted.estimates[ALL].persons is None


def test_a_person_with_two_therapies_is_counted_in_both() -> None:
    rows = [
        {"person_id": 1, "therapy": "cbt|dbt"},
        {"person_id": 1, "therapy": "dbt"},
        {"person_id": 2, "therapy": "cbt"},
        {"person_id": 3, "therapy": None},
    ]
    result = one(small_snapshot(rows), COMPLETION, Stratifier.THERAPY)
    assert {group: each.persons for group, each in result.estimates.items()} == {
        ALL: 3,
        "cbt": 2,
        "dbt": 1,
        NOT_KNOWN: 1,
    }
