"""Models: worked examples and edges; the proofs against R: `proofs_change.py` and `proofs_counts.py`."""

import doctest
import warnings
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference_results import example

from analytics.statistics import (
    counts,
    group_difference,
    multiplicity,
    nonresponse,
    risk_adjustment,
    standardisation,
)
from analytics.statistics.change import adjusted_difference, mean_difference
from analytics.statistics.counts import poisson_rate, quantiles
from analytics.statistics.multiplicity import adjusted_p_values
from analytics.statistics.nonresponse import bounds, followup_weights, tipping_share, weighted_share
from analytics.statistics.regression import interrupted_time_series, risk_adjusted
from analytics.statistics.risk_adjustment import c_statistic, fit_risk_model, observed_expected
from analytics.statistics.standardisation import standardised_rate

MODULES = [counts, group_difference, multiplicity, nonresponse, risk_adjustment, standardisation]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_in_the_docstrings_hold(module: Any) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


# Interrupted time series


def test_a_series_with_too_few_points_on_a_side_says_so() -> None:
    found = interrupted_time_series([1, 2, 3, 4, nan, 5], 4)
    assert found.reason == "at least 3 observed points are needed before and after the change; there are 4 and 1"
    assert np.isnan(found.level_change.value)


def test_a_straight_line_with_a_step_is_read_exactly() -> None:
    # 10, 11, 12, 13 | 20, 22, 24, 26: at the change the old line would be at 14, so the jump is 6; then +2 a point
    found = interrupted_time_series([10, 11, 12, 13, 20, 22, 24, 26], 4)
    assert found.slope_before.value == pytest.approx(1)
    assert found.level_change.value == pytest.approx(6)
    assert found.slope_change.value == pytest.approx(1)
    assert found.without_change[4:].tolist() == pytest.approx([14, 15, 16, 17])


# Differences of groups


def test_ancova_matches_the_worked_example(shared: Path) -> None:
    # ex: ancova, last ~ first + virtual with classical errors, the nine closed and paired episodes of M12.
    paired = [
        row for row in example(shared, "m12_dataset")["inputs"]["rows"] if row["discharge_date"] and row["phq_last"]
    ]
    last, first = ([row[name] for row in paired] for name in ("phq_last", "phq_first"))
    virtual = [row["modality"] == "virtual" for row in paired]
    found, answer = adjusted_difference(last, first, virtual, robust=False), example(shared, "ancova")["expected"]
    assert found.n_first + found.n_second == 9
    assert found.difference == pytest.approx(answer["b_virtual"], abs=1e-4)
    assert [found.ci_low, found.ci_high] == pytest.approx(answer["ci_virtual"], abs=1e-4)
    assert found.p_value == pytest.approx(answer["p_virtual"], abs=1e-4)
    # HC3 changes the doubt, not the difference.
    assert adjusted_difference(last, first, virtual).difference == pytest.approx(answer["b_virtual"], abs=1e-4)


def test_welch_matches_the_worked_example(shared: Path) -> None:
    case = example(shared, "welch")
    found, answer = mean_difference(case["inputs"]["a"], case["inputs"]["b"]), case["expected"]
    assert found.difference == pytest.approx(answer["diff"], abs=1e-6)
    assert found.degrees_of_freedom == pytest.approx(answer["df"], abs=1e-6)
    assert [found.ci_low, found.ci_high] == pytest.approx(answer["ci"], abs=1e-6)
    assert found.p_value == pytest.approx(answer["p"], abs=1e-6)


def test_several_tests_at_once_match_the_worked_example(shared: Path) -> None:
    case = example(shared, "multiplicity")
    p_values, answer = case["inputs"]["p"], case["expected"]
    assert adjusted_p_values(p_values).tolist() == pytest.approx(answer["holm"], abs=1e-9)
    assert adjusted_p_values(p_values, "benjamini_hochberg").tolist() == pytest.approx(answer["bh"], abs=1e-9)


def test_groups_of_one_or_without_spread_have_no_test() -> None:
    assert mean_difference([1], [2, 3]).reason is not None
    assert mean_difference([1, 1], [2, 2]).difference == -1
    assert np.isnan(mean_difference([], []).difference)
    assert adjusted_difference([1, 2], [1, 2], [1, 0]).reason is not None


# Risk adjustment


def test_observed_over_expected_matches_the_worked_example(shared: Path) -> None:
    case = example(shared, "oe")
    risk, events = case["inputs"]["p"], case["inputs"]["O"]
    found = observed_expected([1] * events + [0] * (len(risk) - events), risk, ["a"] * len(risk))["a"]
    answer = case["expected"]
    assert (found.expected, found.ratio) == pytest.approx((answer["E"], answer["oe"]), abs=1e-4)
    assert [found.ci_low, found.ci_high] == pytest.approx(answer["byar95"], abs=1e-4)
    assert found.z == pytest.approx(answer["z"], abs=1e-4)


def test_a_risk_model_gives_back_what_made_the_data() -> None:
    # 8 cells, each with its exact share: the saturated model is the cells' own shares.
    cells = [(x, s, share) for x, share_of in ((0, (0.2, 0.4)), (1, (0.6, 0.8))) for s, share in enumerate(share_of)]
    x, s, y = (np.concatenate(each) for each in zip(*(
        (np.full(100, x), np.full(100, s), np.repeat([1.0, 0.0], [round(100 * p), 100 - round(100 * p)]))
        for x, s, p in cells
    ), strict=True))  # fmt: skip
    found = risk_adjusted(y, {"x": x, "s": s, "both": x * s}, x)
    for at, (_, _, share) in enumerate(cells):
        assert found.model.probability[100 * at] == pytest.approx(share, abs=1e-6)
    assert found.model.calibration_slope == pytest.approx(1, abs=1e-6)
    assert found.model.observed.sum() == 200
    assert found.model.expected.sum() == pytest.approx(200)
    assert all(group.ratio == pytest.approx(1, abs=1e-6) for group in found.groups.values())


def test_the_c_statistic_counts_pairs() -> None:
    # with 0.9, 0.4; without 0.5, 0.4: pairs 0.9>0.5, 0.9>0.4, 0.4<0.5, 0.4=0.4 -> 2.5 of 4
    assert c_statistic([1, 1, 0, 0], [0.9, 0.4, 0.5, 0.4]) == 0.625
    assert np.isnan(c_statistic([1, 1], [0.2, 0.3]))


@pytest.mark.parametrize(
    ("outcome", "covariates", "word"),
    [
        ([], {}, "there are 0"),
        ([1] * 30, {"x": list(range(30))}, "there are 0"),
        ([0, 1] * 50, {"x": [0, 1] * 50}, "completely"),
        ([0, 1] * 50, {"x": list(range(100)), "y": list(range(0, 200, 2))}, "follows"),
    ],
)
def test_a_risk_model_that_cannot_be_says_why(outcome: Any, covariates: Any, word: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fit_risk_model(outcome, covariates)
    assert found.reason is not None
    assert word in found.reason
    assert np.isnan(found.probability).all()


# People who were not reached, standardisation, counts


def test_bounds_match_the_worked_example(shared: Path) -> None:
    case = example(shared, "manski")
    n, known, count = case["inputs"]["n"], case["inputs"]["observed"], case["inputs"]["success"]
    found, answer = bounds(count, known, n), case["expected"]
    assert (found.lower, found.upper) == pytest.approx((answer["worst"], answer["best"]))
    assert [found.limits.low, found.limits.high] == pytest.approx(answer["outer95"], abs=1e-4)
    assert tipping_share(count, known, n, 0.5) == pytest.approx(answer["tipping_value"])
    assert np.isnan(bounds(0, 0, 0).lower)
    assert np.isnan(tipping_share(1, 2, 2, 0.5))


def test_weights_of_those_reached_match_the_worked_example(shared: Path) -> None:
    case = example(shared, "ipw")
    severe, reached, success = [], [], []
    for kind, name in enumerate(("mild", "severe")):
        due, found_again, well = case["inputs"][name]
        severe += [kind] * due
        reached += [1] * found_again + [0] * (due - found_again)
        success += [1] * well + [0] * (found_again - well) + [nan] * (due - found_again)
    weights = followup_weights(reached, {"severe": severe}, trim=100)
    result = weighted_share(success, weights.weight)
    assert result.share == pytest.approx(case["expected"]["ipw"], abs=1e-4)
    assert result.effective == pytest.approx(case["expected"]["ess"], abs=1e-3)
    assert weights.weight.sum() == pytest.approx(sum(reached))


def test_weights_need_somebody_of_each_kind() -> None:
    weights = followup_weights([1] * 30 + [0] * 30, {"severe": [0] * 30 + [1] * 30})
    assert weights.reason == "of who was reached, one trait tells yes and no apart completely"


def test_standardisation_matches_the_worked_example(shared: Path) -> None:
    case = example(shared, "simpson")
    standard = [357, 343]
    for name, short in (("in_person", "in"), ("virtual", "virt")):
        (x1, n1), (x2, n2) = (case["inputs"][name][stratum] for stratum in ("mild", "severe"))
        found = standardised_rate([x1, x2], [n1, n2], standard)
        assert found.rate == pytest.approx(case["expected"][f"std_{short}"], abs=1e-4)
        assert found.crude == pytest.approx(case["expected"][f"crude_{short}"], abs=1e-4)
        assert found.ci_low < found.rate < found.ci_high
    assert standardised_rate([1, 0], [2, 0], standard).reason is not None


def test_the_median_of_waits_matches_the_worked_example(shared: Path) -> None:
    case = example(shared, "median_ci")
    found = quantiles(case["inputs"]["x"])
    assert (found.median, [found.ci_low, found.ci_high]) == (case["expected"]["median"], case["expected"]["ci"])
    assert found.coverage == pytest.approx(case["expected"]["coverage"], abs=1e-6)
    grouped = quantiles([1, 2, 3, 4, 5, 6, 8, 9, 14, 21, 30], [1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1])
    assert grouped == found
    # measures.md A: P25 2.75, P75 10.25, P90 20.3
    assert (found.quarter, found.three_quarters, found.ninety) == pytest.approx((2.75, 10.25, 20.3))


def test_few_values_have_no_interval_of_their_median() -> None:
    found = quantiles([3, 1, 2])
    assert found.median == 2
    assert np.isnan(found.ci_low)
    assert quantiles([]).n == 0


def test_rates_per_time_have_exact_limits() -> None:
    # Garwood's table: 0 events (0, 3.689), 1 event (0.0253, 5.572)
    assert (poisson_rate(0, 1).low, round(poisson_rate(0, 1).high, 3)) == (0, 3.689)
    assert [round(limit, 3) for limit in (poisson_rate(1, 1).low, poisson_rate(1, 1).high)] == [0.025, 5.572]
    assert np.isnan(poisson_rate(3, 0).low)
