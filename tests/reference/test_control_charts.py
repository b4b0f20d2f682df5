"""Run charts and control charts against qicharts2, NHSRplotthedots and worked examples."""

import doctest
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference_results import column, example, expected, rows

from analytics.statistics import control_charts, run_rules
from analytics.statistics.control_charts import (
    ControlChart,
    RunChart,
    anhoej,
    laney_p_chart,
    making_data_count,
    p_chart,
    run_chart,
    u_chart,
    xmr_chart,
)

SPECIAL = {
    "Above UCL": "above_limit",
    "Below LCL": "below_limit",
    "7 Point Trend (Increasing)": "rising",
    "7 Point Trend (Decreasing)": "falling",
    "2 in 3 Above CL": "two_of_three_high",
    "2 in 3 Below CL": "two_of_three_low",
    "7 Points Above CL": "run_above",
    "7 Points Below CL": "run_below",
    "Common Cause": None,
}


def oracle(points: list[dict[str, Any]], name: str) -> np.ndarray:
    return np.array([nan if point[name] is None else point[name] for point in points], dtype=float)


def check(chart: ControlChart | RunChart, points: list[dict[str, Any]], tolerance: float = 1e-9) -> None:
    """Centre, limits and the runs of the last phase, as qicharts2 has them."""
    last = points[-1]
    if isinstance(chart, ControlChart):
        for ours, theirs in ((chart.centre, "cl"), (chart.lower, "lcl"), (chart.upper, "ucl")):
            np.testing.assert_allclose(ours, oracle(points, theirs), rtol=0, atol=tolerance, err_msg=theirs)
        assert chart.outside.tolist() == [point["sigma.signal"] for point in points]
    else:
        assert chart.centre == pytest.approx(last["cl"], abs=tolerance)
    found = (chart.useful, chart.longest_run, chart.longest_run_limit, chart.crossings, chart.crossings_limit)
    names = ("n.useful", "longest.run", "longest.run.max", "n.crossings", "n.crossings.min")
    assert found == tuple(last[name] for name in names)
    assert chart.signal is last["runs.signal"]


@pytest.mark.parametrize("module", [control_charts, run_rules])
def test_the_examples_in_the_docstrings_hold(module: Any) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize(
    ("chart", "name", "options"),
    [
        (p_chart, "p", {}),
        (p_chart, "p_freeze12", {"baseline": 12}),
        (p_chart, "p_part12", {"phases": [12]}),
        (laney_p_chart, "pp", {}),
    ],
)
def test_p_charts_match_qicharts2(chart: Any, name: str, options: dict[str, Any], shared: Path) -> None:
    table = rows(shared, "spc_cabg_monthly")
    found = chart(column(table, "readm"), column(table, "n"), **options)
    check(found, expected(shared, "spc_cabg_monthly")[name])


@pytest.mark.parametrize(
    ("name", "options"), [("u", {}), ("u_freeze24", {"baseline": 24}), ("u_part", {"phases": [24]})]
)
def test_u_charts_match_qicharts2(name: str, options: dict[str, Any], shared: Path) -> None:
    table = rows(shared, "spc_cdi_u")
    per_10_000 = [days / 10_000 for days in column(table, "days")]
    check(u_chart(column(table, "n"), per_10_000, **options), expected(shared, "spc_cdi_u")[name])


def test_run_charts_match_qicharts2(shared: Path) -> None:
    for case, count, size in (("spc_cabg_monthly", "readm", "n"), ("spc_cdi_u", "n", "days")):
        table = rows(shared, case)
        scale = 10_000 if size == "days" else 1
        shares = [scale * x / n for x, n in zip(column(table, count), column(table, size), strict=True)]
        check(run_chart(shares), expected(shared, case)["run"])


def test_an_xmr_chart_matches_qicharts2_but_for_the_rounded_constant(shared: Path) -> None:
    # qicharts2 multiplies by 3/1.128, Making Data Count by 2.66.
    points = expected(shared, "spc_cabg_monthly")["i_los"]
    chart = xmr_chart(column(rows(shared, "spc_cabg_monthly"), "mean_los"))
    np.testing.assert_allclose(chart.centre, oracle(points, "cl"), atol=1e-9)
    ours, theirs = chart.upper - chart.centre, oracle(points, "ucl") - oracle(points, "cl")
    np.testing.assert_allclose(ours / 2.66, theirs * 1.128 / 3, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "measured", "options"),
    [
        ("attendances", "attendances", {}),
        ("pct_increase", "pct", {}),
        ("pct_noscreen", "pct", {"screen": False}),
        ("pct_fix12", "pct", {"baseline": 12}),
        ("pct_rebase", "pct", {}),
        ("synthetic_increase", "value", {}),
    ],
)
def test_xmr_charts_and_their_special_causes_match_nhsrplotthedots(
    name: str, measured: str, options: dict[str, Any], shared: Path
) -> None:
    points = expected(shared, "spc_xmr_plotthedots")[name]
    file = "input_synthetic.csv" if name.startswith("synthetic") else "input.csv"
    if name == "pct_rebase":
        options = {"phases": [next(at for at, point in enumerate(points) if point["rebase_group"])]}
    chart = xmr_chart(column(rows(shared, "spc_xmr_plotthedots", file), measured), **options)
    for ours, theirs in ((chart.centre, "mean_col"), (chart.lower, "lpl"), (chart.upper, "upl")):
        np.testing.assert_allclose(ours, oracle(points, theirs), rtol=1e-12, atol=1e-9)
    assert list(chart.special) == [SPECIAL[point["special_cause_type"]] for point in points]


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
