"""Kaplan-Meier and median: libraries, worked examples, counts in place of rows; R: `proofs_survival.py`."""

import doctest
from math import isnan, nan, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference_results import column, example, expected, rows

from analytics.statistics import survival
from analytics.statistics.survival import (
    cumulative_incidence_by_group,
    kaplan_meier,
    kaplan_meier_by_group,
    median_survival,
)


def test_the_examples_in_the_docstrings_hold() -> None:
    result = doctest.testmod(survival)
    assert result.attempted > 0
    assert result.failed == 0


def test_the_median_of_a_flat_half_is_its_start(shared: Path) -> None:
    # Oracle: km_edge_cases E_half_exact, where R gives 3, the middle of the flat part from 2 to 4.
    table = [row for row in rows(shared, "km_edge_cases") if row["set"] == "E_half_exact"]
    assert expected(shared, "km_edge_cases")["E_half_exact"]["quantiles_loglog"]["estimate"]["q50"] == 3
    median = median_survival(column(table, "time"), column(table, "event"))
    assert (median.value, median.low) == (2, 1)
    assert isnan(median.high)


def test_a_half_that_rounding_leaves_a_hair_above_is_the_median() -> None:
    # One of 24 leaves each day: after day 12 half are left, in floating point .5000000000000001.
    curve = kaplan_meier(list(range(1, 25)), [1] * 24)
    assert curve.survival[11] > 0.5
    assert median_survival(curve).value == 12


def test_freireich_matches_the_worked_example(shared: Path) -> None:
    # Oracle: measure_examples.json km_freireich; days 20 and 30 lie between events.
    case = example(shared, "km_freireich")
    given, theirs = case["inputs"], case["expected"]
    curve = kaplan_meier(given["time_6mp"], given["event_6mp"])
    for week, row in theirs["S"].items():
        point = curve.at(float(week))
        assert point.value == pytest.approx(row["S"], abs=1e-6)
        assert point.standard_error == pytest.approx(row["greenwood_se"], abs=1e-6)
        assert [point.ci_low, point.ci_high] == pytest.approx(row["loglog95"], abs=1e-6)
    assert median_survival(curve).value == theirs["median"]


def test_time_to_first_use_matches_the_worked_example(shared: Path) -> None:
    # Oracle: measure_examples.json km_firstuse: an event and a censoring on day 30.
    case = example(shared, "km_firstuse")
    curve = kaplan_meier(case["inputs"]["time"], case["inputs"]["event"])
    for day, row in case["expected"].items():
        point = curve.at(float(day))
        assert point.value == pytest.approx(row["S"], abs=1e-6)
        assert [point.ci_low, point.ci_high] == pytest.approx(row["ci"], abs=1e-6)


def test_kaplan_meier_agrees_with_statsmodels_and_scipy() -> None:
    from scipy.stats import CensoredData, ecdf
    from statsmodels.duration.survfunc import SurvfuncRight

    draw = np.random.default_rng(5)
    days, cause = draw.integers(0, 25, 120), draw.integers(0, 3, 120)
    curve = kaplan_meier(days, cause > 0)
    theirs = SurvfuncRight(days, (cause > 0).astype(int))
    at_events = curve.events > 0
    assert curve.time[at_events] == pytest.approx(theirs.surv_times)
    assert curve.survival[at_events] == pytest.approx(theirs.surv_prob, abs=1e-12)
    left = curve.survival[at_events] > 0
    assert curve.standard_error[at_events][left] == pytest.approx(theirs.surv_prob_se[left], abs=1e-12)
    scipys = ecdf(CensoredData.right_censored(days.astype(float), cause == 0)).sf
    assert curve.survival == pytest.approx(scipys.probabilities, abs=1e-12)
    limits = scipys.confidence_interval(method="log-log")
    inside = ~np.isnan(curve.ci_low)
    assert curve.ci_low[inside] == pytest.approx(limits.low.probabilities[inside], abs=1e-9)
    assert curve.ci_high[inside] == pytest.approx(limits.high.probabilities[inside], abs=1e-9)


def test_counts_of_a_million_give_the_curve_of_the_shares() -> None:
    # 1,000,000 people: 300,000 leave on day 10, half of the rest is censored there, 70,000 leave on day 20.
    curve = kaplan_meier([10, 10, 20, 30], [1, 0, 1, 0], [300_000, 350_000, 70_000, 280_000])
    assert curve.at_risk.tolist() == [1_000_000, 350_000, 280_000]
    assert curve.survival == pytest.approx([0.7, 0.56, 0.56], abs=1e-15)
    variance = 0.3 / (1e6 * 0.7) + 0.2 / (350e3 * 0.8)
    assert curve.standard_error[1] == pytest.approx(0.56 * sqrt(variance), rel=1e-12)


def test_rows_that_stand_for_nobody_change_nothing() -> None:
    with_nobody = kaplan_meier([1, 2, 3, 4], [1, 1, 0, 1], [1, 0, 2, 0])
    assert with_nobody.time.tolist() == [1, 3]
    assert with_nobody.survival.tolist() == kaplan_meier([1, 3, 3], [1, 0, 0]).survival[:2].tolist()


def test_nobody_gives_an_empty_curve_and_no_exception() -> None:
    assert kaplan_meier([], []).time.size == 0
    assert isnan(kaplan_meier([], []).at(30).value)
    assert isnan(median_survival([], []).value)
    assert kaplan_meier_by_group([], [], []) == {}


def test_a_curve_says_nothing_after_its_last_day_unless_all_have_left() -> None:
    watched_to_nine = kaplan_meier([3, 9], [1, 0])
    assert watched_to_nine.at(2).value == 1.0
    assert watched_to_nine.at(9).value == 0.5
    assert isnan(watched_to_nine.at(9.5).value)
    assert kaplan_meier([3, 9], [1, 1]).at(100).value == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [1]), "same length"),
        (([1, nan], [1, 0]), "missing"),
        ((np.ma.array([1, 2], mask=[True, False]), [1, 0]), "missing"),
        ((["1", "2"], [1, 0]), "array of numbers"),
        (([[1, 2]], [1, 0]), "array of numbers"),
        (([1, 2], [1, 2]), "true or false"),
        (([1, 2], [1, -1]), "whole numbers"),
        (([1, 2], [1, 0], [0.5, 1.5]), "whole numbers"),
        (([1, 2], [1, 0], [1, -1]), "whole numbers"),
        (([1, 2], [1, 0], [1]), "length of time"),
    ],
)
def test_what_is_no_row_of_counts_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kaplan_meier(*arguments)


def test_a_dense_array_of_counts_is_a_door_too() -> None:
    # counts[group, cause, day]: cause 0 is censored.
    counts = np.zeros((2, 3, 6), dtype=int)
    counts[0, 1, 2], counts[0, 0, 5], counts[1, 2, 3], counts[1, 0, 3] = 3, 1, 2, 4
    group, cause, day = np.nonzero(counts)
    people = counts[group, cause, day]
    assert kaplan_meier_by_group(group, day, cause > 0, people)[0].survival.tolist() == [0.25, 0.25]
    curves = cumulative_incidence_by_group(group, day, cause, people)
    assert curves[1].at(2, 3).value == pytest.approx(1 / 3)
    assert curves[1].at(1, 3).value == 0.0


def test_times_without_events_have_no_median() -> None:
    with pytest.raises(ValueError, match="need their events"):
        median_survival([1, 2])
