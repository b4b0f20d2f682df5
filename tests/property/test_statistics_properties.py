"""What has to hold for any counts: mirrors, bounds, order of rows, rows against counts."""

from collections.abc import Callable
from dataclasses import astuple
from math import isnan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.statistics.change import mean_change
from analytics.statistics.proportions import (
    mcnemar,
    newcombe_difference,
    newcombe_paired,
    ratio_of_sums,
    wilson,
)
from analytics.statistics.survival import (
    cumulative_incidence,
    kaplan_meier,
    log_rank,
    median_survival,
)


@st.composite
def share(draw: st.DrawFn, largest: int = 2_000) -> tuple[int, int]:
    n = draw(st.integers(1, largest))
    return draw(st.integers(0, n)), n


people = st.integers(0, 300)
# day, way of leaving (0 = censored), group, number of people
exits = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 3), st.sampled_from("abc"), st.integers(0, 4)),
    min_size=1,
    max_size=40,
)
pairs = st.lists(st.tuples(st.integers(0, 27), st.integers(0, 27), st.integers(1, 3)), min_size=1, max_size=30)


def columns(rows: list[tuple[Any, ...]]) -> list[Any]:
    return [np.array(column) for column in zip(*rows, strict=True)]


# Proportions


@given(share(), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_holds_the_share_and_mirrors(counted: tuple[int, int], level: float) -> None:
    count, n = counted
    limits, mirrored = wilson(count, n, level), wilson(n - count, n, level)
    assert 0 <= limits.low <= count / n <= limits.high <= 1
    assert limits.low < limits.high
    assert limits.low == pytest.approx(1 - mirrored.high, abs=1e-12)
    assert limits.high == pytest.approx(1 - mirrored.low, abs=1e-12)


@given(share())
def test_wilson_narrows_with_people_and_widens_with_the_level(counted: tuple[int, int]) -> None:
    count, n = counted
    limits, more, surer = wilson(count, n), wilson(4 * count, 4 * n), wilson(count, n, 0.99)
    assert more.high - more.low < limits.high - limits.low < surer.high - surer.low


@given(share(), share())
def test_newcombe_mirrors_and_holds_the_difference(first: tuple[int, int], second: tuple[int, int]) -> None:
    there, back = newcombe_difference(*first, *second), newcombe_difference(*second, *first)
    difference = first[0] / first[1] - second[0] / second[1]
    assert -1 - 1e-12 <= there.low <= difference <= there.high <= 1 + 1e-12
    assert there.low == pytest.approx(-back.high, abs=1e-12)
    assert there.high == pytest.approx(-back.low, abs=1e-12)


@given(people, people, people, people)
def test_the_paired_interval_mirrors_and_holds_the_difference(a: int, b: int, c: int, d: int) -> None:
    there, back = newcombe_paired(a, b, c, d), newcombe_paired(a, c, b, d)
    n = a + b + c + d
    if n == 0:
        assert isnan(there.low) and isnan(there.high)
        return
    assert -1 - 1e-12 <= there.low <= (b - c) / n + 1e-12 <= there.high + 1e-12 <= 1 + 2e-12
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-12)


@given(people, people, people, people)
def test_mid_p_is_never_above_exact_and_neither_sees_those_who_agree(a: int, b: int, c: int, d: int) -> None:
    exact, mid_p = mcnemar(a, b, c, d), mcnemar(a, b, c, d, method="mid-p")
    assert 0 <= mid_p.p_value <= exact.p_value <= 1
    assert mcnemar(0, c, b, 0) == exact


@given(st.lists(share(60), min_size=2, max_size=40))
def test_a_ratio_of_sums_lies_in_its_interval_and_inside_0_to_1(clusters: list[tuple[int, int]]) -> None:
    attended, booked = columns(clusters)
    ratio = ratio_of_sums(
        len(clusters),
        booked.sum(),
        attended.sum(),
        (booked**2).sum(),
        (booked * attended).sum(),
        (attended**2).sum(),
    )
    assert 0 <= ratio.value <= 1
    alike = len({each[0] * clusters[0][1] - each[1] * clusters[0][0] for each in clusters}) == 1
    assert isnan(ratio.low) == isnan(ratio.high) == alike
    if not alike:
        assert 0 <= ratio.low <= ratio.value <= ratio.high <= 1


# Survival


@given(exits)
def test_a_survival_curve_falls_inside_its_band(rows: list[tuple[Any, ...]]) -> None:
    day, cause, _, count = columns(rows)
    curve = kaplan_meier(day, cause > 0, count)
    assert np.all(np.diff(curve.survival, prepend=1.0) <= 0)
    assert np.all((curve.survival >= 0) & (curve.survival <= 1))
    drawn = ~np.isnan(curve.ci_low)
    assert np.array_equal(drawn, (curve.survival > 0) & (curve.survival < 1))
    assert np.all(curve.ci_low[drawn] >= 0) and np.all(curve.ci_high[drawn] <= 1)
    assert np.all(curve.ci_low[drawn] <= curve.survival[drawn])
    assert np.all(curve.survival[drawn] <= curve.ci_high[drawn])
    assert np.all(curve.at_risk[1:] == curve.at_risk[:-1] - curve.events[:-1] - curve.censored[:-1])
    median = median_survival(curve)
    if not isnan(median.value):
        assert not median.low > median.value and not median.high < median.value


@given(exits)
def test_all_incidences_and_those_still_in_make_one(rows: list[tuple[Any, ...]]) -> None:
    day, cause, _, count = columns(rows)
    curve = cumulative_incidence(day, cause, count, causes=(1, 2, 3))
    still_in = kaplan_meier(day, cause > 0, count)
    assert np.array_equal(curve.event_free, still_in.survival)
    total = curve.event_free + sum(curve.incidence.values())
    assert total == pytest.approx(np.ones(curve.time.size), abs=1e-12)
    for k in (1, 2, 3):
        naive = 1 - kaplan_meier(day, cause == k, count).survival
        assert np.all(curve.incidence[k] <= naive + 1e-12)
        assert np.all(np.diff(curve.incidence[k], prepend=0.0) >= 0)
        drawn = ~np.isnan(curve.ci_low[k])
        assert np.all(curve.ci_low[k][drawn] <= curve.incidence[k][drawn])
        assert np.all(curve.incidence[k][drawn] <= curve.ci_high[k][drawn])


def aalen_by_definition(day: Any, cause: Any, count: Any, k: int) -> list[float]:
    """Return the variance summed anew for every time, event by event, as the docstring has it."""
    curve = cumulative_incidence(day, cause, count, causes=(1, 2, 3))
    before = np.concatenate(([1.0], curve.event_free))[:-1]
    exits_of_all = sum(curve.events.values())
    variances = []
    for t in range(curve.time.size):
        total = 0.0
        for u in range(t + 1):
            n, own = int(curve.at_risk[u]), int(curve.events[k][u])
            other = int(exits_of_all[u]) - own
            later = curve.incidence[k][t] - curve.incidence[k][u]
            onward = later / curve.event_free[u] if curve.event_free[u] > 0 else 0.0
            for d, effect in ((own, 1 - onward), (other, -onward)):
                tie = 1 - (d - 1) / (n - 1) if d > 1 else 1.0
                total += d * tie * (before[u] / n * effect) ** 2
        variances.append(total)
    return variances


@given(exits)
def test_the_running_sums_of_the_aalen_variance_are_its_definition(rows: list[tuple[Any, ...]]) -> None:
    day, cause, _, count = columns(rows)
    curve = cumulative_incidence(day, cause, count, causes=(1, 2, 3))
    for k in (1, 2, 3):
        variances = aalen_by_definition(day, cause, count, k)
        assert curve.standard_error[k] ** 2 == pytest.approx(variances, abs=1e-12)


@given(exits, st.randoms(use_true_random=False))
def test_counts_are_rows_and_their_order_says_nothing(rows: list[tuple[Any, ...]], random: Any) -> None:
    day, cause, group, count = columns(rows)
    one_each = [np.repeat(column, count) for column in (day, cause, group)]
    order = list(range(len(rows)))
    random.shuffle(order)
    for compute in RESULTS:
        from_counts = compute(day, cause, group, count)
        assert from_counts == pytest.approx(compute(*one_each, None), abs=1e-9, nan_ok=True)
        shuffled = compute(day[order], cause[order], group[order], count[order])
        assert from_counts == pytest.approx(shuffled, abs=1e-9, nan_ok=True)


def survival_numbers(day: Any, cause: Any, _: Any, count: Any) -> list[float]:
    curve = kaplan_meier(day, cause > 0, count)
    return [*curve.time, *curve.at_risk, *curve.survival, *curve.standard_error, *curve.ci_low]


def incidence_numbers(day: Any, cause: Any, _: Any, count: Any) -> list[float]:
    curve = cumulative_incidence(day, cause, count)
    return [number for k in curve.causes for number in (*curve.incidence[k], *curve.standard_error[k])]


def log_rank_numbers(day: Any, cause: Any, group: Any, count: Any) -> list[float]:
    test = log_rank(day, cause > 0, group, count)
    return [test.statistic, test.p_value, test.degrees_of_freedom, *test.observed, *test.expected]


RESULTS: list[Callable[..., list[float]]] = [survival_numbers, incidence_numbers, log_rank_numbers]


@given(exits)
def test_log_rank_sees_groups_not_names_and_time_only_as_order(rows: list[tuple[Any, ...]]) -> None:
    day, cause, group, count = columns(rows)
    test = log_rank(day, cause > 0, group, count)
    renamed = log_rank(day**3 + 0.5, cause > 0, np.array([{"a": "z", "b": "y", "c": "x"}[g] for g in group]), count)
    assert renamed.degrees_of_freedom == test.degrees_of_freedom
    assert renamed.statistic == pytest.approx(test.statistic, abs=1e-8, nan_ok=True)
    if not isnan(test.statistic):
        assert test.statistic >= -1e-12
        assert 0 <= test.p_value <= 1
        assert test.observed.sum() == pytest.approx(test.expected.sum(), abs=1e-9)


# Change


@given(pairs)
def test_mean_change_of_counts_is_that_of_rows_and_mirrors(rows: list[tuple[int, int, int]]) -> None:
    first, last, count = columns(rows)
    counted = mean_change(first, last, weight=count)
    each = mean_change(np.repeat(first, count), np.repeat(last, count))
    assert astuple(counted) == pytest.approx(astuple(each), abs=1e-9, nan_ok=True)
    # The scale turned over (27 - score) with the other direction is the same change.
    turned = mean_change(27 - first, 27 - last, weight=count, direction=-1)
    assert (turned.mean, turned.sd, turned.t) == pytest.approx(
        (counted.mean, counted.sd, counted.t), abs=1e-9, nan_ok=True
    )
    if not isnan(counted.ci_low):
        assert counted.ci_low < counted.mean < counted.ci_high
    if not isnan(counted.d_z_low):
        assert counted.d_z_low < counted.d_z < counted.d_z_high
        assert counted.d_av_low < counted.d_av < counted.d_av_high
        # The interval of d_z and the t test are two views of one thing.
        assert (counted.p_value < 0.05) == (counted.d_z_low > 0 or counted.d_z_high < 0)
