"""What care cost and how many places were used: over the same months on both sides, and what is left out is named."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.disclosure import internal_view
from analytics.measures import ALL, NOT_KNOWN, Cohort, Stratifier, find, result_as_text, statement
from analytics.measures.explain import Answer, explain
from analytics.measures.small_groups import smaller_than
from analytics.reports.sentences import level_sentence, takeaway
from analytics.statistics.ratio import bootstrap_ratio, ratio_of_sums
from tests.reference.reference_results import example
from tests.spec.outcome_tables import Row, SmallSnapshot, one, small_snapshot
from tests.spec.showable import COHORT_WORDS, PROVENANCE

ADMISSION, IMPROVEMENT, PLACES = (
    find("cost_per_admission"),
    find("cost_per_reliable_improvement"),
    find("slot_utilisation"),
)

# Twelve stays of two programs. North: three in January, two in March, none in February. South: three in March.
STAYS: list[Row] = [
    *[{"admit_period": "2025-01"}] * 3,
    *[{"admit_period": "2025-03"}] * 2,
    *[{"admit_period": "2025-03", "program_id": "south"}] * 3,
    *[{"admit_period": "2025-04", "program_id": "south"}] * 3,
    {"admit_period": None},  # nobody knows when
]
COSTS: list[Row] = [
    {"period": "2025-01", "cost": 3000},
    {"period": "2025-02", "cost": 1000},  # nobody came, but it cost
    {"period": "2025-03", "cost": 4000},
    {"period": "2025-05", "cost": 9000},  # after the last admission: the data do not cover it
    {"period": "2025-03", "cost": 600, "program_id": "south"},
    {"period": "2025-04", "capacity_slots": 10, "program_id": "south"},  # places, no cost
]


@pytest.fixture(scope="module")
def twelve() -> SmallSnapshot:
    return small_snapshot(STAYS, finance=COSTS)


def counted(snapshot: SmallSnapshot, by: Stratifier | None = None, **cohort: Any) -> dict[str, tuple[int, int]]:
    result = one(snapshot, ADMISSION, by, **cohort)
    return {group: (each.numerator, each.denominator) for group, each in result.estimates.items()}


def test_twelve_stays(twelve: SmallSnapshot) -> None:
    result = one(twelve, ADMISSION)
    estimate = result.estimates[ALL]
    # North in January to March, South in March: 3000 + 1000 + 4000 + 600 for 3 + 0 + 2 + 3.
    assert (estimate.numerator, estimate.denominator, estimate.value) == (8600, 8, 1075)
    assert [(step.count, step.lost, step.lost_label) for step in result.ladder.steps] == [
        (12, 0, ""),
        (8, 4, "in a period without known costs"),
        (8, 0, "not known"),
        (8, 0, "known not to be so"),
    ]
    assert dict(estimate.details) == {"periods": 4, "periods_without_amount": 1, "periods_without_people": 1}
    assert estimate.reason == "No interval: 4 periods are too few for one, it takes 12."
    assert (estimate.persons, estimate.unit) == (8, "admission")
    assert "1,075 per admission, 8,600 for 8." in result_as_text(result)


def test_by_program_and_by_period(twelve: SmallSnapshot) -> None:
    assert counted(twelve, Stratifier.PROGRAM) == {ALL: (8600, 8), "north": (8000, 5), "south": (600, 3)}
    by_period = one(twelve, ADMISSION, Stratifier.ADMIT_PERIOD)
    values = {group: each.value for group, each in by_period.estimates.items()}
    assert values == pytest.approx(
        {ALL: 1075, "2025-01": 1000, "2025-02": np.nan, "2025-03": 920, "2025-04": np.nan, "2025-05": np.nan,
         NOT_KNOWN: np.nan},
        nan_ok=True,
    )  # fmt: skip
    assert by_period.estimates["2025-02"].reason == "Nobody matches these filters."
    assert by_period.estimates["2025-04"].reason == "Nobody to count of 3: 3 in a period without known costs."


def test_filters_by_program_and_period_take_whole_periods(twelve: SmallSnapshot) -> None:
    assert counted(twelve, where={"program_id": ("south",)}) == {ALL: (600, 3)}
    assert counted(twelve, start="2025-02", end="2025-03") == {ALL: (5600, 5)}
    assert counted(twelve, where={"admit_period": ("2025-01",)}) == {ALL: (3000, 3)}
    quarter = small_snapshot(STAYS[:5], finance=[{"period": "2025-Q1", "period_months": 3, "cost": 9000}])
    assert counted(quarter) == {ALL: (9000, 5)}
    # The cost of the quarter is not that of March.
    assert counted(quarter, start="2025-03") == {ALL: (0, 0)}
    assert one(quarter, ADMISSION, start="2025-03").ladder.steps[1].lost == 2


def test_months_taken_together_by_the_privacy_mode_must_all_be_there() -> None:
    stays: list[Row] = [{"admit_period": "2025-Q1"}] * 4
    months: list[Row] = [{"period": "2025-Q1", "cost": 1000}] * 3
    assert counted(small_snapshot(stays, finance=months)) == {ALL: (3000, 4)}
    assert counted(small_snapshot(stays, finance=months[:2])) == {ALL: (0, 0)}
    unknown: list[Row] = [*months[:2], {"period": "2025-Q1", "capacity_slots": 4}]
    assert counted(small_snapshot(stays, finance=unknown)) == {ALL: (0, 0)}


@pytest.mark.parametrize(
    ("cohort", "words"),
    [
        ({"where": {"modality": ("telehealth",)}}, "how care was delivered"),
        ({"unit": "person"}, "who is the same person"),
        ({"unit": "course"}, "courses of treatment"),
    ],
)
def test_what_is_not_known_of_costs_has_a_reason(twelve: SmallSnapshot, cohort: dict[str, Any], words: str) -> None:
    for measure in (ADMISSION, IMPROVEMENT, PLACES):
        estimate = one(twelve, measure, **cohort).estimates[ALL]
        assert estimate.reason == f"Not known of costs and places: {words}."
    split = one(twelve, ADMISSION, Stratifier.MODALITY)
    assert split.estimates[ALL].value == 1075
    assert split.estimates[NOT_KNOWN].reason == "Not known of costs and places: how care was delivered."


def test_the_worked_example(shared: Path) -> None:
    # ex: efficiency: 240,000 for 80 stays, 62 of them measured twice and 35 clearly better; 1,900 of 2,280 places.
    theirs = example(shared, "efficiency")["expected"]
    stays: list[Row] = [{"admit_period": "2025-03", "attended_sessions": 20}] * 80
    scores = [
        {"episode_id": number, "first": 15, "last": 15 if number > 35 else 9} if number <= 62 else
        {"episode_id": number, "first": 15}
        for number in range(1, 81)
    ]  # fmt: skip
    snapshot = small_snapshot(
        stays, scores, finance=[{"cost": 240_000, "capacity_slots": 2280}],
        calendar=[{"sessions": 1000}, {"sessions": 900, "weekday": 2}, {"sessions": 300, "status": "no_show"}],
    )  # fmt: skip
    admission, improved, places = (
        one(snapshot, measure).estimates[ALL] for measure in (ADMISSION, IMPROVEMENT, PLACES)
    )
    assert admission.value == pytest.approx(theirs["cost_per_admission"])
    assert improved.value == pytest.approx(theirs["cost_per_improved_observed"])
    assert (improved.numerator, improved.denominator, improved.unknown) == (240_000, 35, 18)
    # All of the eighteen better would be the least it can have cost.
    assert (improved.lower_bound, improved.upper_bound) == (240_000 / 53, improved.value)
    assert (places.numerator, places.denominator) == (1900, 2280)
    assert places.value == pytest.approx(theirs["slot_utilisation"], abs=1e-6)


def test_a_period_with_somebody_too_recent_is_left_out_whole() -> None:
    stays: list[Row] = [
        {"admit_period": "2025-01"},
        {"admit_period": "2025-02"},
        {"admit_period": "2025-02", "los_days": None, "observed_days": 30},  # came a month ago
        {"admit_period": "2025-03", "los_days": None, "observed_days": 200},  # still in, long after the plan: costs
        {"admit_period": "2025-03"},
    ]
    scores = [{"episode_id": number, "first": 20, "last": 4} for number in (1, 2, 5)]
    scores += [{"episode_id": number, "first": 20} for number in (3, 4)]
    snapshot = small_snapshot(stays, scores, finance=[{"period": f"2025-0{n}", "cost": 100 * n} for n in (1, 2, 3)])
    result = one(snapshot, IMPROVEMENT)
    estimate = result.estimates[ALL]
    assert (estimate.numerator, estimate.denominator, estimate.too_recent) == (400, 2, 2)
    assert estimate.details["periods_too_recent"] == 1
    assert [(step.lost, step.lost_label) for step in result.ladder.steps[1:4]] == [
        (0, "in a period without known costs"),
        (2, "too recent"),
        (1, "still in the program"),
    ]
    # Whoever comes costs from the first day: an admission is never too recent.
    assert one(snapshot, ADMISSION).estimates[ALL].denominator == 5


def test_another_questionnaire_and_a_program_that_does_not_use_it() -> None:
    assert IMPROVEMENT.instrument == "phq9"
    assert find("cost_per_reliable_improvement", "gad7").instrument == "gad7"
    stays: list[Row] = [{"admit_period": "2025-03"}, {"admit_period": "2025-03", "program_id": "south"}]
    snapshot = small_snapshot(
        stays,
        [{"episode_id": 1, "first": 20, "last": 4}],
        finance=[{"cost": 500}, {"cost": 70_000, "program_id": "south"}],
    )
    estimate = one(snapshot, IMPROVEMENT).estimates[ALL]
    assert (estimate.numerator, estimate.denominator) == (500, 1)  # South is not asked: its cost buys no answer
    assert estimate.details["periods_without_people"] == 1


def test_places_need_sessions_by_month() -> None:
    rows: list[Row] = [{"admit_period": "2025-03", "attended_sessions": 3}]
    none = one(small_snapshot(rows, finance=[{"capacity_slots": 40}]), PLACES).estimates[ALL]
    assert none.reason == "Sessions by calendar period are kept only in the privacy modes limited and synthetic."
    over = small_snapshot(rows, finance=[{"capacity_slots": 40}], calendar=[{"sessions": 44}])
    assert one(over, PLACES).estimates[ALL].value == pytest.approx(1.1)
    shown = internal_view(one(over, PLACES), PROVENANCE, COHORT_WORDS)
    assert level_sentence(shown) == "110% of the 40 places in sessions were used."
    nothing = one(small_snapshot(rows, finance=[{"capacity_slots": 0}], calendar=[{"sessions": 1}]), PLACES)
    assert nothing.estimates[ALL].reason == "Nothing to divide by: no session in 1 periods."


def test_not_collected_and_nobody_better() -> None:
    absent = one(small_snapshot(STAYS, absent=["finance"]), ADMISSION).estimates[ALL]
    assert absent.reason == "Not collected: costs and places of programs."
    worse = small_snapshot([{}], [{"episode_id": 1, "first": 9, "last": 9}], finance=[{"cost": 5}])
    assert one(worse, IMPROVEMENT).estimates[ALL].reason == "Nothing to divide by: no improvement in 1 periods."
    assert one(small_snapshot([]), ADMISSION).estimates[ALL].reason == "Nobody matches these filters."


def a_year(people: int = 12) -> SmallSnapshot:
    stays: list[Row] = [{"admit_period": f"2025-{1 + n % 12:02}"} for n in range(people)]
    costs: list[Row] = [{"period": f"2025-{n:02}", "cost": 1000 + 100 * (n % 3)} for n in range(1, 13)]
    return small_snapshot(stays, finance=costs)


def test_the_interval_draws_periods() -> None:
    result = one(a_year(), ADMISSION)
    estimate = result.estimates[ALL]
    assert estimate.value == 1100
    again = bootstrap_ratio([1000 + 100 * (n % 3) for n in range(1, 13)], [1] * 12)
    assert (estimate.ci_low, estimate.ci_high) == (again.low, again.high)
    assert 1040 < estimate.ci_low < 1100 < estimate.ci_high < 1160
    assert estimate.method == "ratio of sums, bootstrap of periods"
    shown = internal_view(result, PROVENANCE, COHORT_WORDS)
    assert level_sentence(shown).startswith("Cost per admission: 1,100 (1,0")
    assert takeaway(shown).startswith("Cost per admission: too few")
    assert takeaway(internal_view(one(a_year(36), ADMISSION), PROVENANCE, COHORT_WORDS)).startswith(
        "Cost per admission: 367"
    )


def test_small_groups_are_those_of_few_people() -> None:
    assert smaller_than(one(a_year(11), ADMISSION), 11) == frozenset()
    assert smaller_than(one(a_year(10), ADMISSION), 11) == {ALL}
    two_each: list[Row] = [{"admit_period": "2025-03", "person_id": 1 + n // 2} for n in range(12)]
    few = one(small_snapshot(two_each, finance=[{"cost": 12}]), ADMISSION)
    assert few.estimates[ALL].persons == few.persons == 6
    assert smaller_than(few, 11) == {ALL}
    many = one(a_year(240), ADMISSION)
    assert many.estimates[ALL].persons is None and smaller_than(many, 11) == frozenset()


def test_one_episode_is_not_what_it_is_about(twelve: SmallSnapshot) -> None:
    told = explain(ADMISSION, twelve, 1, Cohort())
    assert told.answer is Answer.NOT_LOOKED_AT
    assert told.because == "This measure is about programs and periods, not about episodes."
    assert "from finance" in statement(ADMISSION) and "attendance_calendar" in statement(PLACES)


# The bootstrap itself


def test_the_bootstrap_agrees_with_the_error_of_a_ratio_of_sums() -> None:
    chance = np.random.default_rng(7)
    places = chance.integers(40, 80, 60).astype(float)
    used = np.floor(places * chance.uniform(0.6, 0.95, 60))
    mine = bootstrap_ratio(list(used), list(places))
    theirs = ratio_of_sums(
        60, places.sum(), used.sum(), (places**2).sum(), (places * used).sum(), (used**2).sum()
    )  # oracle: linearisation (Cochran 1977)
    assert mine.value == theirs.value
    assert mine.standard_error == pytest.approx(theirs.standard_error, rel=0.06)
    assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), abs=0.004)


def test_the_bootstrap_is_that_of_numpy_by_hand() -> None:
    # The same draws with numpy alone: the percentiles of 2,000 ratios of samples of whole periods.
    cost, people = np.array([30.0, 50, 40, 20, 90, 10] * 3), np.array([3.0, 4, 4, 1, 8, 2] * 3)
    chance = np.random.default_rng(3)
    drawn = chance.integers(0, 18, (20_000, 18))
    ratios = cost[drawn].sum(axis=1) / people[drawn].sum(axis=1)
    found = bootstrap_ratio(list(cost), list(people))
    assert (found.low, found.high) == pytest.approx(np.percentile(ratios, [2.5, 97.5]), rel=0.02)
    assert found == bootstrap_ratio(list(cost), list(people))  # always the same samples


@pytest.mark.parametrize(
    ("above", "below", "value"),
    [
        ([], [], np.nan),
        ([5.0], [0.0], np.nan),
        ([5.0] * 11, [1.0] * 11, 5.0),  # too few
        ([5.0] * 12, [1.0] * 12, 5.0),  # no spread
        ([0.0] * 12, [1.0] * 12, 0.0),
    ],
)
def test_the_bootstrap_of_what_says_nothing(above: list[float], below: list[float], value: float) -> None:
    found = bootstrap_ratio(above, below)
    assert found.value == pytest.approx(value, nan_ok=True)
    assert np.isnan([found.low, found.high]).all()


def test_samples_without_anybody_leave_the_upper_limit_open() -> None:
    found = bootstrap_ratio([10.0] * 12, [1.0] + [0.0] * 11)
    assert found.value == 120 and found.low > 0 and np.isnan(found.high)
