"""Competing ways to leave: worked examples and edges; the proofs against R: `proofs_competing.py`."""

import doctest
from datetime import date
from math import isnan, sqrt
from pathlib import Path

import numpy as np
import pytest
from reference_results import example

from analytics.statistics import competing
from analytics.statistics.survival import (
    cumulative_incidence,
    cumulative_incidence_by_group,
    incidence_difference,
    kaplan_meier,
    median_survival,
)


def test_the_examples_in_the_docstrings_hold() -> None:
    result = doctest.testmod(competing)
    assert result.attempted > 0
    assert result.failed == 0


# Worked examples of the measure catalogue


def test_competing_exits_match_the_worked_example(shared: Path) -> None:
    # Oracle: measure_examples.json aj_vs_km: 1 dropped out, 2 completed; 1 - KM overstates both.
    case = example(shared, "aj_vs_km")
    time, cause = case["inputs"]["time"], np.array(case["inputs"]["event"])
    curve = cumulative_incidence(time, cause)
    for day, row in case["expected"].items():
        when = float(day)
        assert curve.at(1, when).value == pytest.approx(row["cif_dropout"], abs=1e-6)
        assert curve.at(2, when).value == pytest.approx(row["cif_complete"], abs=1e-6)
        still_in = kaplan_meier(time, cause > 0).at(when).value
        assert still_in == pytest.approx(row["still_in"], abs=1e-6)
        naive = [1 - kaplan_meier(time, cause == k).at(when).value for k in (1, 2)]
        assert naive[0] == pytest.approx(row["naive_1_minus_km_dropout"], abs=1e-6)
        assert naive[1] == pytest.approx(row["naive_1_minus_km_complete"], abs=1e-6)


def test_the_twelve_episodes_match_the_worked_examples(shared: Path) -> None:
    # Oracles: measure_examples.json m12_cif, m12_still_in_30, m12_los; two episodes are still open.
    data = example(shared, "m12_dataset")["inputs"]
    code = {None: 0, "dropped_out": 1, "completed": 2, "transferred_higher": 3}
    end = [row["discharge_date"] or data["data_cut"] for row in data["rows"]]
    days = [
        (date.fromisoformat(last) - date.fromisoformat(row["admit_date"])).days
        for row, last in zip(data["rows"], end, strict=True)
    ]
    cause = np.array([code[row["discharge_reason"]] for row in data["rows"]])
    curve = cumulative_incidence(days, cause)
    for day, row in example(shared, "m12_cif")["expected"].items():
        when = float(day)
        assert curve.at(1, when).value == pytest.approx(row["dropout"], abs=1e-6)
        assert curve.at(2, when).value == pytest.approx(row["complete"], abs=1e-6)
        assert curve.at(3, when).value == pytest.approx(row["transfer"], abs=1e-6)
    still_in = kaplan_meier(days, cause > 0)
    theirs = example(shared, "m12_still_in_30")["expected"]
    assert still_in.at(30).value == pytest.approx(theirs["S"], abs=1e-6)
    assert still_in.at(30).standard_error == pytest.approx(theirs["se"], abs=1e-6)
    assert [still_in.at(30).ci_low, still_in.at(30).ci_high] == pytest.approx(theirs["loglog95"], abs=1e-6)
    assert median_survival(still_in).value == example(shared, "m12_los")["expected"]["km_median_any_exit"]


def test_without_censoring_the_incidence_is_the_share(shared: Path) -> None:
    # Oracle: measure_examples.json readm_cif: 20 discharges, readmitted on days 4, 11, 26, one death on 15.
    curve = cumulative_incidence([4, 11, 15, 26] + [30] * 16, [1, 1, 2, 1] + [0] * 16)
    assert curve.at(1, 30).value == pytest.approx(example(shared, "readm_cif")["expected"]["cif30"], abs=1e-12)


# Difference of two incidences


def test_incidence_difference_by_hand() -> None:
    # Group a: 2 of 4 have left by day 2. F(1) = 1/4, S(1) = 3/4, F(2) = S(2) = 1/2; Aalen's variance is
    # (1/4)² (1 - (1/4)/(3/4))² + (3/4)²/3² = 1/36 + 1/16. Group b: 1 of 2, variance (1/2)² = 1/4.
    a = cumulative_incidence([1, 2, 3, 4], [1, 1, 0, 0])
    b = cumulative_incidence([1, 5], [1, 0])
    gap = incidence_difference(a, b, cause=1, time=2)
    error = sqrt(1 / 36 + 1 / 16 + 1 / 4)
    assert gap.value == 0.0
    assert gap.standard_error == pytest.approx(error, abs=1e-12)
    # 1.96 times that is more than 1, and no two shares differ by more.
    assert (gap.low, gap.high) == (-1.0, 1.0)


def test_a_difference_without_an_error_or_beyond_a_curve_has_no_interval() -> None:
    nobody = cumulative_incidence([3, 4], [0, 0])
    gap = incidence_difference(nobody, nobody, cause=1, time=3)
    assert gap.value == 0.0 and isnan(gap.low) and isnan(gap.high)
    assert isnan(incidence_difference(nobody, nobody, cause=1, time=5).value)


# What cannot be answered, and what is refused


def test_nobody_gives_an_empty_incidence_and_no_exception() -> None:
    assert cumulative_incidence([], []).causes == ()
    assert cumulative_incidence([], [], causes=(1, 2)).incidence[2].size == 0
    assert isnan(cumulative_incidence([], []).at(1, 30).value)
    assert cumulative_incidence_by_group([], [], []) == {}


def test_a_cause_that_did_not_occur_has_incidence_0_and_no_interval() -> None:
    point = cumulative_incidence([3, 9], [1, 0]).at(2, 9)
    assert (point.value, point.standard_error, point.at_risk) == (0.0, 0.0, 1)
    assert isnan(point.ci_low) and isnan(point.ci_high)


def test_an_incidence_says_nothing_after_its_last_day_unless_all_have_left() -> None:
    watched_to_nine = cumulative_incidence([3, 9], [1, 0])
    assert watched_to_nine.at(1, 2).value == 0.0
    assert watched_to_nine.at(1, 9).value == 0.5
    assert isnan(watched_to_nine.at(1, 9.5).value)
    assert cumulative_incidence([3, 9], [1, 2]).at(1, 100).value == 0.5


def test_an_incidence_that_rounding_leaves_below_one_has_no_interval() -> None:
    # All six have left in the same way; the sum of their six sixths comes out as .9999999999999999.
    curve = cumulative_incidence([1, 2, 3, 4, 5, 6], [1] * 6)
    assert 1 - 1e-15 < curve.incidence[1][-1] < 1
    assert isnan(curve.ci_low[1][-1]) and isnan(curve.ci_high[1][-1])


def test_a_cause_that_was_not_named_is_refused() -> None:
    with pytest.raises(ValueError, match="not among"):
        cumulative_incidence([1, 2], [1, 3], causes=(1, 2))
