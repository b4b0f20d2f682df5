"""Log-rank test against libraries and exact fractions; the proofs against R: `proofs_survival.py`."""

import doctest
from fractions import Fraction
from math import isnan, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference_results import example

from analytics.statistics import log_rank as log_rank_module
from analytics.statistics.event_table import groups_of
from analytics.statistics.survival import log_rank


def test_the_examples_in_the_docstrings_hold() -> None:
    result = doctest.testmod(log_rank_module)
    assert result.attempted > 0
    assert result.failed == 0


def test_log_rank_of_freireich_matches_the_worked_example(shared: Path) -> None:
    # ex: km_freireich, relapse of children given 6-MP or placebo.
    case = example(shared, "km_freireich")
    given, theirs = case["inputs"], case["expected"]
    weeks = [*given["time_6mp"], *given["time_placebo"]]
    relapse = [*given["event_6mp"], *[1] * len(given["time_placebo"])]
    arm = ["6-MP"] * len(given["time_6mp"]) + ["placebo"] * len(given["time_placebo"])
    test = log_rank(weeks, relapse, arm)
    assert test.statistic == pytest.approx(theirs["logrank_chi2"], abs=1e-6)
    assert test.p_value == pytest.approx(theirs["logrank_p"], abs=1e-6)


# Cross-checks with libraries, on small data with ties


def small(seed: int = 5, size: int = 120, groups: int = 3) -> tuple[Any, Any, Any]:
    draw = np.random.default_rng(seed)
    return draw.integers(0, 25, size), draw.integers(0, 3, size), draw.integers(0, groups, size)


def test_cause_specific_log_rank_agrees_with_statsmodels() -> None:
    from statsmodels.duration.survfunc import survdiff

    days, cause, group = small()
    for k in (1, 2):
        statistic, p_value = survdiff(days, (cause == k).astype(int), group)
        ours = log_rank(days, cause == k, group)
        assert (ours.statistic, ours.p_value) == pytest.approx((statistic, p_value), abs=1e-9)
    site = days % 4  # strata
    statistic, p_value = survdiff(days, (cause == 1).astype(int), group, strata=site)
    ours = log_rank(days, cause == 1, group, strata=site)
    assert (ours.statistic, ours.p_value) == pytest.approx((statistic, p_value), abs=1e-9)


def test_log_rank_of_two_groups_agrees_with_scipy() -> None:
    from scipy.stats import CensoredData, logrank

    days, cause, group = small(groups=2)
    x, y = (CensoredData.right_censored(days[group == g].astype(float), cause[group == g] == 0) for g in (0, 1))
    assert log_rank(days, cause > 0, group).statistic == pytest.approx(logrank(x, y).statistic ** 2, abs=1e-9)


# Counts in place of rows


def exact_log_rank(counts: list[tuple[int, str, bool, int]]) -> Fraction:
    """Two-group log-rank chi-square in fractions, without rounding or overflow."""
    score = variance = Fraction(0)
    for day in sorted({row[0] for row in counts}):
        at_risk = [sum(n for when, arm, _, n in counts if when >= day and arm == each) for each in "ab"]
        left = [sum(n for when, arm, out, n in counts if when == day and out and arm == each) for each in "ab"]
        n, d = sum(at_risk), sum(left)
        score += left[0] - Fraction(at_risk[0] * d, n)
        if n > 1:
            variance += Fraction(d * (n - d) * at_risk[0] * at_risk[1], n * n * (n - 1))
    return score * score / variance


def test_log_rank_of_two_million_people_does_not_overflow() -> None:
    # Oracle: the same in fractions. scipy's integer product is wrong here without a warning.
    counts = [
        (7, "a", True, 150_000),
        (7, "b", True, 151_500),
        (30, "a", True, 250_000),
        (30, "b", True, 252_000),
        (30, "b", False, 48_000),
        (45, "a", False, 50_000),
        (60, "a", True, 400_000),
        (60, "b", True, 390_000),
        (90, "a", False, 150_000),
        (90, "b", False, 158_500),
    ]
    day, arm, left, people = zip(*counts, strict=True)
    assert sum(people) == 2_000_000
    test = log_rank(day, left, arm, people)
    assert test.statistic == pytest.approx(float(exact_log_rank(counts)), rel=1e-12)
    # The same test on a hundredth of everything is about a hundredth of the statistic.
    hundredth = log_rank(day, left, arm, [n // 100 for n in people])
    assert hundredth.statistic == pytest.approx(test.statistic / 100, rel=1e-3)


# What cannot be answered, and what is refused


def test_a_group_never_at_risk_at_an_event_is_dropped_and_named() -> None:
    # "early" is censored before the first event, "nobody" stands for 0 people: two groups are compared.
    day, left = [1, 5, 6, 7, 8, 5], [0, 1, 1, 1, 0, 1]
    group, people = ["early", "a", "b", "a", "b", "nobody"], [9, 4, 3, 2, 6, 0]
    test = log_rank(day, left, group, people)
    assert test.groups == ("a", "b")
    assert test.dropped == ("early", "nobody")
    assert test.degrees_of_freedom == 1
    assert test.statistic == log_rank(day[1:5], left[1:5], group[1:5], people[1:5]).statistic


def test_one_group_is_nothing_to_compare() -> None:
    test = log_rank([1, 2, 3], [1, 1, 0], ["a", "a", "a"])
    assert isnan(test.statistic) and test.degrees_of_freedom == 0


def test_strata_that_share_no_groups_lose_a_degree_of_freedom_each() -> None:
    # Site 1 compares a with b, site 2 c with d: two comparisons, not three, and their sum.
    day, left = [1, 2, 3, 4, 1, 3, 4, 6], [1, 1, 1, 0, 1, 1, 0, 1]
    group, site = list("abab" + "cdcd"), [1] * 4 + [2] * 4
    test = log_rank(day, left, group, strata=site)
    first = log_rank(day[:4], left[:4], group[:4])
    second = log_rank(day[4:], left[4:], group[4:])
    assert test.degrees_of_freedom == 2
    assert test.statistic == pytest.approx(first.statistic + second.statistic, abs=1e-12)


def test_groups_may_be_unknown_and_come_in_order() -> None:
    assert groups_of(["b", None, "a"])[0] == ("a", "b", None)
    assert groups_of(np.ma.array(["b", "x", "a"], mask=[False, True, False]))[0] == ("a", "b", None)
    assert groups_of([2.0, nan, 10.0])[0] == (2.0, 10.0, None)
    assert groups_of([10, 2, None])[0] == (2, 10, None)
    assert groups_of(np.array(["one", 1], dtype=object))[0] == (1, "one")
    test = log_rank([1, 2, 3, 4], [1, 1, 1, 0], ["a", None, "a", None])
    assert test.groups == ("a", None)


def test_log_rank_of_nobody_is_not_a_number() -> None:
    test = log_rank([], [], [])
    assert isnan(test.statistic) and isnan(test.p_value) and test.degrees_of_freedom == 0


def test_log_rank_refuses_columns_of_different_length() -> None:
    with pytest.raises(ValueError, match="same length"):
        log_rank([1, 2], [1, 0], ["a"])
