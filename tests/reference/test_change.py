"""Mean change, effect sizes and reliable change: worked examples and edges; the proofs against R: "
"`proofs_change.py`."""

import doctest
from dataclasses import asdict
from math import isnan, nan, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference_results import example

from analytics.statistics import mean_change as mean_change_module
from analytics.statistics.change import MeanChange, mean_change, mean_change_from_sums, reliable_change


@pytest.mark.parametrize("module", [mean_change_module])
def test_the_examples_in_the_docstrings_hold(module: Any) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


# Mean change


def test_the_limits_of_d_z_put_t_at_the_tails_of_the_noncentral_t() -> None:
    from scipy.stats import nct

    result = mean_change([18, 12, 10, 20, 15, 14, 9], [6, 9, 6, 22, 9, 8, 8], level=0.9)
    low, high = result.d_z_low * sqrt(7), result.d_z_high * sqrt(7)
    assert nct.cdf(result.t, 6, low) == pytest.approx(0.95, abs=1e-9)
    assert nct.cdf(result.t, 6, high) == pytest.approx(0.05, abs=1e-9)


def test_mean_change_matches_the_worked_example(shared: Path) -> None:
    # Oracle: measure_examples.json m12_mean_change: nine closed episodes with both PHQ-9 scores.
    episodes = example(shared, "m12_dataset")["inputs"]["rows"]
    pairs = [
        (row["phq_first"], row["phq_last"])
        for row in episodes
        if row["discharge_date"] and row["phq_first"] is not None and row["phq_last"] is not None
    ]
    theirs = example(shared, "m12_mean_change")["expected"]
    ours = mean_change(*zip(*pairs, strict=True))
    assert ours.n == theirs["n"] == 9
    names = {
        "mean_first": "mean_pre",
        "mean_last": "mean_post",
        "mean": "mean_change",
        "sd": "sd_change",
        "t": "t",
        "p_value": "p_two_sided",
        "sd_first": "sd_pre",
        "sd_last": "sd_post",
        "correlation": "r",
        "d_z": "d_z",
        "d_av": "d_av",
        "d_pre": "d_pre",
        "hedges_j": "J_df",
        "hedges_g": "g_av",
    }
    for name, oracle in names.items():
        assert getattr(ours, name) == pytest.approx(theirs[oracle], abs=1e-6), name
    assert (ours.ci_low, ours.ci_high) == pytest.approx(tuple(theirs["ci95"]), abs=1e-6)
    assert (ours.d_z_low, ours.d_z_high) == pytest.approx(tuple(theirs["d_z_ci"]), abs=1e-6)
    assert (ours.d_av_low, ours.d_av_high) == pytest.approx(tuple(theirs["d_av_ci"]), abs=1e-6)


def test_the_interval_of_d_av_matches_the_example_of_algina_and_keselman() -> None:
    # Algina & Keselman 2003: n = 30, means 32.500 and 22.467, variances 58.121 and 49.016, covariance 35.517,
    # one of three comparisons (Bonferroni), scaled by √52.189, the mean of all three variances: .82 to 1.95.
    # Numbers as quoted by a later implementation; the paper itself was not at hand.
    n, mean_1, mean_2 = 30, 32.500, 22.467
    result = mean_change_from_sums(
        n,
        sum_first=n * mean_1,
        sum_last=n * mean_2,
        sum_first_sq=29 * 58.121 + n * mean_1**2,
        sum_last_sq=29 * 49.016 + n * mean_2**2,
        sum_product=29 * 35.517 + n * mean_1 * mean_2,
        level=1 - 0.05 / 3,
    )
    to_their_scale = sqrt((58.121 + 49.016) / 2) / sqrt((58.121 + 49.016 + 49.430) / 3)
    assert round(result.d_av * to_their_scale, 2) == 1.39
    assert round(result.d_av_low * to_their_scale, 2) == 0.82
    assert round(result.d_av_high * to_their_scale, 2) == 1.95


def test_grouped_counts_and_sums_give_the_result_of_the_rows() -> None:
    first, last, count = [18, 12, 18, 9], [6, 9, 12, 9], [3, 1, 2, 4]
    from_rows = mean_change(np.repeat(first, count), np.repeat(last, count))
    from_counts = mean_change(first, last, weight=count)
    # Σ over ten people: 3·18 + 12 + 2·18 + 4·9 = 138, and so on.
    from_sums = mean_change_from_sums(10, 138, 87, 2088, 801, 1188)
    assert from_counts == from_rows
    assert from_sums == from_rows
    assert from_rows.mean == 5.1


def test_sums_of_a_database_do_not_overflow_or_cancel() -> None:
    # 40 million copies of the ten people: only n/(n-1) changes.
    copies = np.int64(40_000_000)
    totals: list[Any] = [np.int64(total) * copies for total in (138, 87, 2088, 801, 1188)]
    one, many = (
        mean_change_from_sums(10, 138, 87, 2088, 801, 1188),
        mean_change_from_sums(10 * copies, *totals),
    )
    assert many.mean == one.mean
    assert many.sd == pytest.approx(one.sd * sqrt(0.9 / (1 - 1 / 4e8)), rel=1e-12)
    assert many.d_z_low < many.d_z < many.d_z_high


def test_a_higher_score_that_is_better_turns_the_sign_and_nothing_else() -> None:
    first, last = [18.0, 12, 10, 20, 15], [6.0, 9, 6, 22, 9]
    down, up = mean_change(first, last), mean_change(first, last, direction=-1)
    assert up.mean == -down.mean
    assert (up.d_z_low, up.d_z_high) == (-down.d_z_high, -down.d_z_low)
    assert (up.sd, up.p_value, up.mean_first) == (down.sd, down.p_value, down.mean_first)


def numbers_given(result: MeanChange) -> set[str]:
    return {name for name, value in asdict(result).items() if not isnan(value)}


POINTS = {"n", "mean", "mean_first", "mean_last"}
SPREAD = {"sd", "sd_first", "sd_last"}


@pytest.mark.parametrize(
    ("first", "last", "given"),
    [
        ([], [], {"n"}),
        ([18], [6], POINTS),
        # two to four people: points and their interval, no effect size
        ([18, 12], [6, 9], POINTS | SPREAD | {"ci_low", "ci_high", "t", "p_value", "correlation"}),
        # all changed by 6: the spread of the change is 0, and that is no certainty
        (
            [18, 12, 9, 9, 10],
            [12, 6, 3, 3, 4],
            POINTS | SPREAD | {"correlation", "d_av", "d_pre", "hedges_j", "hedges_g"},
        ),
        # all scores alike: nothing to divide by
        ([9] * 5, [9] * 5, POINTS | SPREAD | {"hedges_j"}),
        # the same with tenths, whose sums carry rounding
        ([0.1] * 7, [0.3] * 7, POINTS | SPREAD | {"hedges_j"}),
        ([18, 12, 9, 9, 10], [6, 9, 3, 3, 4], set(asdict(mean_change([0], [0])))),
    ],
)
def test_what_few_or_equal_pairs_can_say(first: list[float], last: list[float], given: set[str]) -> None:
    assert numbers_given(mean_change(first, last)) == given


def test_sums_of_nothing_may_be_null() -> None:
    nothing: Any = None
    result = mean_change_from_sums(0, nothing, nothing, nothing, nothing, nothing)
    assert result.n == 0 and isnan(result.mean)


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_an_almost_constant_change_has_a_wide_interval_and_no_exception(level: float) -> None:
    # 9.9 and once 10: t of several hundred with 4 degrees of freedom.
    result = mean_change([20.0] * 5, [10.1, 10.1, 10.1, 10.1, 10.0], level)
    assert result.t > 400
    assert result.d_z_low < result.d_z < result.d_z_high


def test_beyond_the_noncentral_t_of_the_library_there_are_no_limits() -> None:
    # 10 and once 10.001: t of some 50,000.
    result = mean_change([20.0] * 5, [10.0, 10.0, 10.0, 10.0, 9.999])
    assert 40_000 < result.t < 60_000
    assert result.d_z > 0 and isnan(result.d_z_low) and isnan(result.d_av_high)


@pytest.mark.parametrize(
    ("first", "last", "options", "message"),
    [
        ([18, 12], [6], {}, "same length"),
        ([18, nan], [6, 9], {}, "missing"),
        ([18, 12], [6, 9], {"weight": [1, 0.5]}, "whole numbers"),
        ([18, 12], [6, 9], {"direction": 0}, "direction"),
    ],
)
def test_incomplete_pairs_are_refused(
    first: list[float], last: list[float], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        mean_change(first, last, **options)


# Reliable change


@pytest.mark.parametrize(("reliability", "name"), [(0.84, "r_0_84"), (0.89, "r_0_89")])
def test_reliable_change_matches_the_worked_example(shared: Path, reliability: float, name: str) -> None:
    # Oracle: measure_examples.json jt_rci, PHQ-9 from 18 to 9 with SD 5.5.
    case = example(shared, "jt_rci")
    ours = reliable_change(18, 9, sd=case["inputs"]["sd"], reliability=reliability)
    theirs = case["expected"]
    assert ours.standard_error_of_measurement == pytest.approx(theirs[name]["sem"], abs=1e-6)
    assert ours.standard_error_of_difference == pytest.approx(theirs[name]["s_diff"], abs=1e-5)
    assert ours.threshold == pytest.approx(theirs[name]["raw_threshold"], abs=1e-6)
    assert float(ours.index) == pytest.approx(theirs[f"rc_18_to_9_r{name[-2:]}"], abs=1e-5)


def test_a_missing_score_is_neither_improved_nor_deteriorated() -> None:
    ours = reliable_change([18, nan, 4], [4, 9, 18], sd=5.5, reliability=0.84)
    assert ours.improved.tolist() == [True, False, False]
    assert ours.deteriorated.tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("sd", "reliability", "direction"), [(0, 0.8, 1), (5, 1, 1), (5, -0.1, 1), (nan, 0.8, 1), (5, 0.8, 2)]
)
def test_reliable_change_refuses_what_it_cannot_divide_by(sd: float, reliability: float, direction: Any) -> None:
    with pytest.raises(ValueError, match="must be"):
        reliable_change(18, 9, sd, reliability, direction)
