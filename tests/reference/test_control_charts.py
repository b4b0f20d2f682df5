"""Run charts and control charts: worked examples and rules; the proofs against R: `proofs_counts.py`."""

import doctest
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference_results import example

from analytics.statistics import control_charts, run_rules
from analytics.statistics.control_charts import (
    anhoej,
    laney_p_chart,
    making_data_count,
    p_chart,
    run_chart,
    u_chart,
    xmr_chart,
)


@pytest.mark.parametrize("module", [control_charts, run_rules])
def test_the_examples_in_the_docstrings_hold(module: Any) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def test_worked_examples_of_the_catalogue(shared: Path) -> None:
    # measure_examples.json: pchart, laney, xmr, anhoej.
    case = example(shared, "xmr")
    series = next(value for value in case["inputs"].values() if isinstance(value, list))
    chart = xmr_chart(series, screen=False)
    answer = case["expected"]
    assert chart.centre[0] == pytest.approx(answer["mean"], abs=1e-4)
    assert [chart.lower[0], chart.upper[0]] == pytest.approx([answer["lcl"], answer["ucl"]], abs=1e-3)


# Rules, by hand


def test_points_on_the_median_belong_to_no_side() -> None:
    # median 2: sides low, -, high, -, high -> 3 useful, 1 crossing, longest run 2
    runs = anhoej([1, 2, 3, 2, 4], 2)
    assert (runs.useful, runs.crossings, runs.longest_run) == (3, 1, 2)


def test_limits_of_anhoejs_rules() -> None:
    # measures.md 5.6: n = 24: 8 and 8; 12: 7 and 3; 20: 7 and 6; 36: 8 and 13
    for n, longest, crossings in ((24, 8, 8), (12, 7, 3), (20, 7, 6), (36, 8, 13)):
        runs = anhoej([0, 1] * (n // 2), 0.5)
        assert (runs.longest_run_limit, runs.crossings_limit) == (longest, crossings)


def test_seven_rising_points_are_marked_all() -> None:
    assert making_data_count([1, 2, 3, 4, 5, 6, 7, 5], 4.5, -9, 19)[:8] == ("rising",) * 7 + (None,)
    assert making_data_count([1, 2, 3, 4, 5, 6, 6, 5], 4.5, -9, 19) == (None,) * 8


def test_two_of_three_marks_only_the_points_of_the_outer_third() -> None:
    # centre 0, limits ±3: the outer third begins at 2
    assert making_data_count([0, 2.5, 0.5, 2.5, 0], 0, -3, 3) == (
        None, "two_of_three_high", None, "two_of_three_high", None,
    )  # fmt: skip
    assert making_data_count([0, 2.5, -0.5, 2.5, 0], 0, -3, 3) == (None,) * 5


def test_a_gap_is_no_point_and_ends_no_run() -> None:
    codes = making_data_count([1, 1, 1, nan, 1, 1, 1, 1], 0, -3, 3)
    assert codes == ("run_above",) * 3 + (None,) + ("run_above",) * 4


@pytest.mark.parametrize("chart", [p_chart, laney_p_chart, u_chart])
def test_points_without_a_denominator_are_gaps(chart: Any) -> None:
    found = chart([1, 0, 3, 2], [10, 0, 10, nan])
    assert np.isnan(found.value).tolist() == [False, True, False, True]
    assert found.centre[0] == pytest.approx(0.2)
    assert not found.outside.any()


def test_a_series_without_a_point_says_so() -> None:
    for chart in (run_chart([nan, nan]), xmr_chart([]), p_chart([0], [0]), u_chart([nan], [1])):
        assert chart.reason == "no point of the series was observed"
        assert chart.signal is None


def test_lines_never_leave_what_a_share_can_be() -> None:
    chart = p_chart([1, 0, 1, 0], [3, 3, 3, 3])
    assert chart.lower.min() == 0
    assert chart.upper.max() <= 1
    assert chart.approximate.all()  # fewer than five expected events everywhere


def test_laneys_limits_are_never_narrower_than_chance_unless_asked() -> None:
    count, n = [50, 50, 50, 50, 51, 50], [100] * 6
    assert laney_p_chart(count, n).sigma_z[0] < 1
    np.testing.assert_allclose(laney_p_chart(count, n).upper, p_chart(count, n).upper)
    assert (laney_p_chart(count, n, at_least_one=False).upper < p_chart(count, n).upper).all()


def test_a_frozen_baseline_does_not_see_later_points() -> None:
    chart = xmr_chart([1, 2, 1, 2, 50, 60], baseline=4)
    assert chart.centre.tolist() == [1.5] * 6
    assert chart.outside.tolist() == [False] * 4 + [True] * 2


@pytest.mark.parametrize("phases", [[3, 2], [6], [-1]])
def test_phases_are_ascending_places_within_the_series(phases: list[int]) -> None:
    with pytest.raises(ValueError, match="phases"):
        run_chart([1, 2, 3, 4, 5, 6], phases=phases)
