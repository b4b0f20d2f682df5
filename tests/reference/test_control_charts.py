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
from analytics.statistics.run_rules import Stretch, runs_of, trends_of


@pytest.mark.parametrize("module", [control_charts, run_rules])
def test_the_examples_in_the_docstrings_hold(module: Any) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def test_limits_of_single_values_match_the_worked_example(shared: Path) -> None:
    case = example(shared, "xmr")
    answer = case["expected"]
    chart = xmr_chart(case["inputs"]["x"], screen=False)
    assert chart.centre[0] == pytest.approx(answer["mean"], abs=1e-6)
    assert [chart.lower[0], chart.upper[0]] == pytest.approx([answer["lcl"], answer["ucl"]], abs=1e-6)


def test_special_causes_match_the_worked_example(shared: Path) -> None:
    case = example(shared, "mdc_rules")
    answer = case["expected"]
    chart = xmr_chart(case["inputs"]["series"], screen=False)
    limits = [chart.centre[0], chart.lower[0], chart.upper[0]]
    assert limits == pytest.approx([answer["mean"], answer["lcl"], answer["ucl"]], abs=1e-6)
    assert [at for at, cause in enumerate(chart.special, start=1) if cause] == answer["flagged_points"]


def test_limits_of_shares_match_the_worked_examples(shared: Path) -> None:
    case = example(shared, "pchart")
    count, n, answer = case["inputs"]["num"], case["inputs"]["den"], case["expected"]
    plain, adjusted = p_chart(count, n), laney_p_chart(count, n, at_least_one=False)
    assert plain.centre[0] == pytest.approx(answer["center"], abs=1e-6)
    assert [plain.lower[0], plain.upper[0]] == pytest.approx(answer["p_lcl_ucl_month1"], abs=1e-6)
    assert adjusted.sigma_z[0] == pytest.approx(answer["sigma_z"], abs=1e-6)
    assert [adjusted.lower[0], adjusted.upper[0]] == pytest.approx(answer["laney_lcl_ucl_month1"], abs=1e-6)
    # Months that differ by far more than chance: all six outside of p, none outside of p prime.
    case = example(shared, "laney")
    count, n, answer = case["inputs"]["num"], case["inputs"]["den"], case["expected"]
    plain, adjusted = p_chart(count, n), laney_p_chart(count, n)
    assert [plain.lower[0], plain.upper[0]] == pytest.approx(answer["p_limits"], abs=1e-6)
    assert adjusted.sigma_z[0] == pytest.approx(answer["sigma_z"], abs=1e-5)
    assert (int(plain.outside.sum()), int(adjusted.outside.sum())) == (6, 0)
    # The example's limits are not cut; ours end where a share can end.
    low, high = answer["laney_limits_unclipped"]
    assert [adjusted.lower[0], adjusted.upper[0]] == pytest.approx([max(low, 0), min(high, 1)], abs=1e-6)


def test_runs_match_the_worked_example(shared: Path) -> None:
    case = example(shared, "anhoej")
    answer = case["expected"]
    chart = run_chart(case["inputs"]["series"])
    found = (chart.centre, chart.useful, chart.longest_run, chart.crossings, chart.signal)
    names = ("median", "useful", "longest_run", "crossings", "signal")
    assert found == tuple(answer[name] for name in names)
    for n, limits in answer["limits"].items():
        runs = anhoej([0, 1] * (int(n) // 2), 0.5)
        assert (runs.longest_run_limit, runs.crossings_limit) == tuple(limits.values()), n


# Rules, by hand


def test_points_on_the_median_belong_to_no_side() -> None:
    # median 2: sides low, -, high, -, high -> 3 useful, 1 crossing, longest run 2
    runs = anhoej([1, 2, 3, 2, 4], 2)
    assert (runs.useful, runs.crossings, runs.longest_run) == (3, 1, 2)


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


def test_runs_and_trends_say_where_they_lie() -> None:
    # Above twice, a gap, above once more, one on the centre, below twice.
    series = [4, 5, nan, 6, 3, 1, 2]
    assert runs_of(series, 3) == [Stretch(0, 3, 3, 1), Stretch(5, 6, 2, -1)]
    assert runs_of([4, 3, 5], 3) == [Stretch(0, 2, 2, 1)]
    assert runs_of([4, 3, 5], 3, ended_by_centre=True) == [Stretch(0, 0, 1, 1), Stretch(2, 2, 1, 1)]
    # Rises by three points over a gap, falls by three; an equal point ends both.
    assert trends_of(series) == [Stretch(0, 3, 3, 1), Stretch(3, 5, 3, -1), Stretch(5, 6, 2, 1)]
    assert trends_of([1, 1, 2]) == [Stretch(1, 2, 2, 1)]
