"""Intervals and tests of proportions against statsmodels, a bootstrap and worked examples; R: `proofs_counts.py`."""

import doctest
import json
import math
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference_results import example

from analytics.statistics import proportions, ratio
from analytics.statistics.proportions import (
    Interval,
    mcnemar,
    newcombe_difference,
    newcombe_paired,
    ratio_of_sums,
    wilson,
)


@pytest.mark.parametrize("module", [proportions, ratio])
def test_the_examples_in_the_docstrings_hold(module: Any) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


# Wilson


def published_wilson_intervals(node: Any) -> list[dict[str, Any]]:
    """Every `{x, n, wilson95}` at any depth of a worked example."""
    if isinstance(node, list):
        return [found for each in node for found in published_wilson_intervals(each)]
    if not isinstance(node, dict):
        return []
    here = [node] if {"x", "n", "wilson95"} <= node.keys() else []
    return here + [found for each in node.values() for found in published_wilson_intervals(each)]


def test_wilson_matches_every_interval_of_the_measure_catalogue(shared: Path) -> None:
    # Oracle: measure_examples.json, all of m12_*, early_dropout, abst_dis, ... (six digits).
    catalogue = json.loads((shared / "measure_examples.json").read_text(encoding="utf-8"))["examples"]
    cases = published_wilson_intervals(catalogue)
    assert len(cases) > 30
    for case in cases:
        limits = wilson(case["x"], case["n"])
        assert [limits.low, limits.high] == pytest.approx(case["wilson95"], abs=1e-6), case


@pytest.mark.parametrize("name", ["wilson_81_263", "ci_0_20", "ci_7_10", "ci_20_20", "ci_1_29"])
def test_wilson_matches_the_worked_example(shared: Path, name: str) -> None:
    # ex: wilson_81_263, ci_0_20, ci_7_10, ci_20_20, ci_1_29
    case = example(shared, name)
    limits = wilson(case["inputs"]["x"], case["inputs"]["n"])
    assert [limits.low, limits.high] == pytest.approx(case["expected"]["wilson95"], abs=1e-6)


def test_wilson_of_many_groups_is_wilson_of_each() -> None:
    counts, sizes = [0, 7, 20, 3, 0], [20, 10, 20, 400, 0]
    many = wilson(np.array(counts), np.array(sizes))
    for position, (count, n) in enumerate(zip(counts, sizes, strict=True)):
        one = wilson(count, n)
        assert many.low[position] == pytest.approx(one.low, nan_ok=True, abs=0)
        assert many.high[position] == pytest.approx(one.high, nan_ok=True, abs=0)


def test_wilson_agrees_with_statsmodels() -> None:
    from statsmodels.stats.proportion import proportion_confint

    for count, n in [(1, 3), (50, 1_000), (999_000, 1_000_000)]:
        low, high = proportion_confint(count, n, alpha=0.01, method="wilson")
        assert wilson(count, n, level=0.99) == Interval(pytest.approx(low, abs=1e-12), pytest.approx(high, abs=1e-12))


def test_wilson_of_nobody_is_not_a_number_and_the_ends_are_exact() -> None:
    assert isnan(wilson(0, 0).low) and isnan(wilson(0, 0).high)
    assert wilson(0, 7).low == 0.0
    assert wilson(7, 7).high == 1.0


@pytest.mark.parametrize(("count", "n"), [(-1, 5), (6, 5), (0, -1), (math.nan, 5)])
def test_wilson_refuses_what_is_no_count(count: float, n: float) -> None:
    with pytest.raises(ValueError, match="between 0 and n"):
        wilson(count, n)


def test_wilson_refuses_a_missing_count_in_an_array_from_the_database() -> None:
    with pytest.raises(ValueError, match="missing"):
        wilson(np.ma.array([1, 2], mask=[False, True]), np.array([5, 5]))


# Newcombe


def test_newcombe_difference_matches_the_published_example(shared: Path) -> None:
    # Oracle: measure_examples.json newcomb_indep (Newcombe 1998: 56/70 against 48/80).
    case = example(shared, "newcombe_indep")
    limits = newcombe_difference(*(case["inputs"][key] for key in ("x1", "n1", "x2", "n2")))
    assert [limits.low, limits.high] == pytest.approx([case["expected"]["lo"], case["expected"]["hi"]], abs=1e-6)


def test_newcombe_difference_agrees_with_statsmodels() -> None:
    from statsmodels.stats.proportion import confint_proportions_2indep

    theirs = confint_proportions_2indep(9, 30, 25, 41, compare="diff", method="newcomb")
    ours = newcombe_difference(9, 30, 25, 41)
    assert (ours.low, ours.high) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize(("n1", "n2"), [(0, 5), (5, 0), (0, 0)])
def test_a_difference_with_an_empty_group_is_not_a_number(n1: int, n2: int) -> None:
    limits = newcombe_difference(0, n1, 0, n2)
    assert isnan(limits.low) and isnan(limits.high)


def test_paired_change_from_admission_to_discharge(shared: Path) -> None:
    # Oracles: measure_examples.json paired_prop and abst_dis; discharge - admission, so discharge is first.
    case = example(shared, "paired_prop")
    both, admission_only, discharge_only, neither = (case["inputs"][key] for key in "abcd")
    limits = newcombe_paired(both, discharge_only, admission_only, neither)
    assert [limits.low, limits.high] == pytest.approx(case["expected"]["newcombe_paired_ci"], abs=1e-6)
    exact = mcnemar(both, discharge_only, admission_only, neither)
    mid_p = mcnemar(both, discharge_only, admission_only, neither, method="mid-p")
    assert exact.p_value == pytest.approx(case["expected"]["mcnemar_exact_p"], abs=1e-6)
    assert mid_p.p_value == pytest.approx(case["expected"]["mcnemar_midp"], abs=1e-6)

    case = example(shared, "abst_dis")
    both, admission_only, discharge_only, neither = (case["inputs"][key] for key in "abcd")
    limits = newcombe_paired(both, discharge_only, admission_only, neither)
    assert [limits.low, limits.high] == pytest.approx(case["expected"]["newcombe_paired"], abs=1e-6)
    exact = mcnemar(both, discharge_only, admission_only, neither)
    assert exact.p_value == pytest.approx(case["expected"]["mcnemar_exact_p"], abs=1e-6)


def test_a_paired_interval_of_nobody_is_not_a_number() -> None:
    limits = newcombe_paired(0, 0, 0, 0)
    assert isnan(limits.low) and isnan(limits.high)


def test_paired_counts_of_a_large_table_do_not_overflow() -> None:
    # n⁴ passes 2⁶³ from some 55,000 people on; numpy integers would wrap without a word.
    counts = [400_000, 60_000, 40_000, 500_000]
    from_numpy = newcombe_paired(*(np.int64(count) for count in counts))  # type: ignore[arg-type]
    assert from_numpy == newcombe_paired(*counts)
    # At this size the interval is the Wald interval to 4 digits: .02 ± 1.96 √(b + c - (b - c)²/n) / n.
    half = 1.959964 * math.sqrt(100_000 - 20_000**2 / 1_000_000) / 1_000_000
    assert [from_numpy.low, from_numpy.high] == pytest.approx([0.02 - half, 0.02 + half], abs=1e-5)


# McNemar


def test_mid_p_of_a_tie_is_one_less_half_the_probability_of_the_tie() -> None:
    # 2 against 2: P(X = 2) = 6/16, so 1 - 3/16 (Fagerland, Lydersen & Laake 2013).
    assert mcnemar(0, 2, 2, 0, method="mid-p").p_value == pytest.approx(13 / 16, abs=1e-15)
    assert mcnemar(0, 2, 2, 0).p_value == 1.0


def test_mcnemar_agrees_with_statsmodels() -> None:
    from statsmodels.stats.contingency_tables import mcnemar as theirs

    for b, c in [(3, 11), (120, 90), (0, 6)]:
        result = theirs([[9, b], [c, 4]], exact=True)
        ours = mcnemar(9, b, c, 4)
        assert (ours.statistic, ours.p_value) == pytest.approx((result.statistic, result.pvalue), abs=1e-12)


def test_nobody_changed_is_no_evidence() -> None:
    assert mcnemar(12, 0, 0, 8).p_value == 1.0
    assert mcnemar(12, 0, 0, 8, method="mid-p").p_value == 1.0


def test_mcnemar_refuses_a_negative_count_and_an_unknown_method() -> None:
    with pytest.raises(ValueError, match="negative"):
        mcnemar(1, -1, 2, 3)
    with pytest.raises(ValueError, match="unknown method"):
        mcnemar(1, 1, 2, 3, method="chi2")  # type: ignore[arg-type]


# Ratio of sums


def sums(x: Any, y: Any) -> tuple[int, float, float, float, float, float]:
    x, y = np.asarray(x), np.asarray(y)
    return len(x), x.sum(), y.sum(), (x * x).sum(), (x * y).sum(), (y * y).sum()


def test_ratio_of_sums_by_hand() -> None:
    # 8/10, 3/5, 1/5: r = 12/20; residuals 8-6, 3-3, 1-3; Var = 3/2 · 8 / 400 = .03.
    share = ratio_of_sums(*sums([10, 5, 5], [8, 3, 1]))
    assert share.value == 0.6
    assert share.standard_error == pytest.approx(math.sqrt(0.03), abs=1e-15)
    # logit(.6) ± 4.302653 · .173205 / .24, and back.
    centre, half = math.log(1.5), 4.302652730 * math.sqrt(0.03) / 0.24
    assert share.low == pytest.approx(1 / (1 + math.exp(half - centre)), abs=1e-9)
    assert share.high == pytest.approx(1 / (1 + math.exp(-half - centre)), abs=1e-9)


def test_ratio_of_sums_of_the_urine_tests(shared: Path) -> None:
    # Oracle: measure_examples.json uds; collected negative A 8 of 8, B 1 of 4; of scheduled 8/10, 1/10.
    case = example(shared, "uds")
    (scheduled_a, collected_a, negative_a), (scheduled_b, collected_b, negative_b) = (
        case["inputs"][person] for person in "AB"
    )
    negative = [negative_a, negative_b]
    collected = ratio_of_sums(*sums([collected_a, collected_b], negative))
    scheduled = ratio_of_sums(*sums([scheduled_a, scheduled_b], negative))
    assert collected.value == pytest.approx(case["expected"]["collected_only"])
    assert scheduled.value == pytest.approx(case["expected"]["missing_as_positive"])
    # Two persons as far apart as that say next to nothing.
    assert scheduled.low < 0.01 and scheduled.high > 0.99


def clusters(n: int, seed: int) -> tuple[Any, Any]:
    """Sessions booked and attended of n episodes that differ in how often they come."""
    draw = np.random.default_rng(seed)
    booked = draw.integers(3, 40, n)
    return booked, draw.binomial(booked, draw.beta(6, 2, n))


def test_ratio_of_sums_agrees_with_the_bootstrap_of_clusters() -> None:
    # Oracle: percentile bootstrap of whole episodes, 2,000 samples, seed 1 (the catalogue's own method).
    booked, attended = clusters(400, seed=7)
    share = ratio_of_sums(*sums(booked, attended))
    pick = np.random.default_rng(1).integers(0, 400, (2_000, 400))
    ratios = attended[pick].sum(axis=1) / booked[pick].sum(axis=1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    assert (share.low, share.high) == pytest.approx((low, high), abs=0.005)
    assert share.standard_error == pytest.approx(ratios.std(ddof=1), rel=0.05)


def test_ratio_of_sums_has_the_cluster_robust_error_of_statsmodels() -> None:
    # Oracle: WLS of each cluster's share on a constant with weight x, HC1; the same sandwich, n/(n-1).
    from statsmodels.regression.linear_model import WLS

    booked, attended = clusters(25, seed=3)
    fit = WLS(attended / booked, np.ones(25), weights=booked).fit(cov_type="HC1")
    share = ratio_of_sums(*sums(booked, attended))
    assert share.value == pytest.approx(fit.params[0], abs=1e-12)
    assert share.standard_error == pytest.approx(fit.bse[0], abs=1e-12)


def test_ratio_of_sums_stays_exact_when_the_sums_are_huge() -> None:
    # A million copies of the three clusters by hand: the variance of one copy over a million, but n/(n-1).
    million = 1_000_000
    n, *totals = sums([10, 5, 5], [8, 3, 1])
    share = ratio_of_sums(n * million, *(int(total) * million for total in totals))
    assert share.standard_error == pytest.approx(math.sqrt(0.02 / million * 3e6 / (3e6 - 1)), rel=1e-12)


def test_ratio_of_sums_keeps_a_small_spread_of_large_clusters() -> None:
    # Residuals -1/2 and +1/2: Var = 2/1 · 1/2 / (2·10⁶)². Sums in floating point lose 1 part in 10⁴.
    share = ratio_of_sums(*sums([1_000_000, 1_000_000], [500_000, 500_001]))
    assert share.standard_error == pytest.approx(5e-7, rel=1e-12)


NO_INTERVAL = [
    # booked         attended   value   why there is none
    ([10], [8], 0.8),  # one cluster has no spread
    ([10, 4], [0, 0], 0.0),  # nobody came: the clusters are all alike
    ([10, 4], [10, 4], 1.0),  # everybody came always
    ([10, 5], [8, 4], 0.8),  # the same share in each is no certainty
    ([1.1, 2.2, 3.3], [0.11, 0.22, 0.33], 0.1),  # the same with rounding in the sums
]


@pytest.mark.parametrize(("booked", "attended", "value"), NO_INTERVAL)
def test_clusters_without_spread_give_no_interval(booked: list[float], attended: list[float], value: float) -> None:
    share = ratio_of_sums(*sums(booked, attended))
    assert share.value == pytest.approx(value)
    assert isnan(share.low) and isnan(share.high) and isnan(share.standard_error)


def test_ratio_of_sums_of_nothing_is_not_a_number() -> None:
    nothing: Any = None  # SQL's sum over no rows
    assert isnan(ratio_of_sums(0, nothing, nothing, nothing, nothing, nothing).value)
    assert isnan(ratio_of_sums(2, 0, 0, 0, 0, 0).value)


def test_ratio_of_sums_refuses_what_is_no_share() -> None:
    with pytest.raises(ValueError, match="between 0 and sum_x"):
        ratio_of_sums(2, 10, 11, 50, 55, 61)
