"""Statistics at the edge: rounding that is no difference, gaps, ties with a cut-off, missing input, exact fits.

The expected figures are of R: mean, diff and ranks with NA as qicharts2, NHSRplotthedots and FunnelPlotR take them, hat
values as in sandwich; or they follow from the definition, as said.
"""

import numpy as np
import pytest

from analytics.statistics.clinical_significance import jacobson_truax
from analytics.statistics.control_charts import laney_p_chart, u_chart, xmr_chart
from analytics.statistics.counts import mean_from_sums, poisson_rate
from analytics.statistics.funnel import proportion_funnel, ratio_funnel
from analytics.statistics.group_difference import adjusted_difference
from analytics.statistics.risk_adjustment import byar_limits, c_statistic, fit_risk_model
from analytics.statistics.standardisation import standardised_rate
from analytics.statistics.time_series import interrupted_time_series


def test_who_ends_on_the_cut_off_has_improved_but_not_recovered() -> None:
    """clinicalsignificance asks for a score beyond the cut-off; b is 10 here."""
    found = jacobson_truax([22, 20], [10, 9], 6.0, 0.86, kind="b", clinical_mean=18, general_mean=4, general_sd=3)
    assert found.cutoff == 10
    assert list(found.classes) == ["improved", "recovered"]


@pytest.mark.parametrize("value", [0.1, 0.7, 1.1, 3.3])
def test_a_value_that_never_changes_lies_on_its_mean(value: float) -> None:
    chart = xmr_chart([value] * 12)
    assert not chart.outside.any()
    assert set(chart.special) == {None}
    assert chart.phases[0].runs.useful == 0 and chart.phases[0].runs.signal is None


def test_a_rate_that_never_changes_has_no_run() -> None:
    chart = u_chart(np.arange(3, 39, 3), np.arange(3, 39, 3) / 10)
    assert chart.phases[0].runs.useful == 0


def test_points_on_the_mean_belong_to_no_side() -> None:
    """The mean is exactly 1.7: 17 points are useful, the longest run 6, with 3 crossings (R: sign(y - mean(y)))."""
    series = [0.3, 0.7, 0.4, 2.2, 2.4, 2.1, 2.9, 1.1, 0.4, 1.5, 1.7, 1.1, 1.9, 1.7, 1.9, 1.7, 2.4, 1.7, 2.3, 2.7, 2.6]
    runs = xmr_chart(series).phases[0].runs
    assert (runs.useful, runs.longest_run, runs.crossings, runs.signal) == (17, 6, 3, True)


def test_no_moving_range_reaches_across_a_gap() -> None:
    assert xmr_chart([10, 12, np.nan, 20, 18, 19]).upper[0] == pytest.approx(20.2333, abs=1e-4)
    chart = laney_p_chart([3, 5, 0, 9, 4, 6], [20, 20, 0, 20, 20, 20])
    assert chart.sigma_z[0] == pytest.approx(1.3395, abs=1e-4)


@pytest.mark.parametrize("series", [[1.0] * 19, [0.0] * 24, list(np.arange(20) / 7), [5.0] * 10 + [9.0] * 10])
def test_a_series_without_scatter_has_no_p_value(series: list[float]) -> None:
    """R's summary.lm warns of an essentially perfect fit."""
    found = interrupted_time_series(series, change_at=10)
    assert found.reason == "every point lies on the line, so there is no scatter to judge a change by"
    effects = (found.level_before, found.slope_before, found.level_change, found.slope_change)
    assert all(np.isnan([each.p_value, each.ci_low, each.ci_high]).all() for each in effects)
    assert found.level_change.value == pytest.approx(4.0 if series[-1] == 9 else 0.0, abs=1e-12)


def test_one_person_alone_decides_no_coefficient() -> None:
    """The hat values are 1, 1, .5, .5, and sandwich gives NaN."""
    found = adjusted_difference([1, 2, 3, 5.0], [1, 3, 2, 2], [0, 0, 1, 1])
    assert found.reason == "one person alone decides a coefficient" and np.isnan(found.p_value)


def test_scores_that_follow_from_the_first_have_no_spread() -> None:
    first = [12.3, 14.1, 9.7, 11.1, 18.2, 7.9]
    for last in (first, [each - 5 for each in first], [3.0] * 6):
        assert adjusted_difference(last, first, [0, 1, 0, 1, 0, 1]).reason == "the scores have no spread"


def test_an_unknown_unit_changes_no_funnel() -> None:
    observed, expected = [30, 45, 60, 20, 90, 50, 40, 55, 33, 70, 10, 80], [50.0] * 12
    without = ratio_funnel(observed, expected, overdispersion="additive")
    with_one = ratio_funnel([*observed, np.nan], [*expected, 50.0], overdispersion="additive")
    assert (with_one.phi, with_one.tau2) == pytest.approx((without.phi, without.tau2))
    shares = proportion_funnel([5, 6, 7, 8, 4, 5, 6, 7, 8, np.nan], [10] * 10)
    assert shares.target == pytest.approx(56 / 90) and not np.isnan(shares.phi)


def test_a_unit_without_an_event_ranks_lowest() -> None:
    """Ten units: the outer tenths of z are left out, so the one without an event is."""
    observed, expected = [0, 4, 5, 6, 7, 8, 9, 10, 12, 30], [0.1, 8, 8, 8, 8, 8, 8, 8, 8, 8]
    found = ratio_funnel(observed, expected, overdispersion="additive")
    rest = ratio_funnel([1, *observed[1:]], [8.0, *expected[1:]], overdispersion="additive")
    assert found.phi == pytest.approx(rest.phi)


def test_a_missing_outcome_or_risk_is_in_no_pair() -> None:
    assert c_statistic([1, 0, np.nan], [0.9, 0.1, 0.95]) == 1.0
    assert c_statistic([1, 0, 0], [0.9, 0.1, np.nan]) == 1.0


def test_a_row_of_nobody_is_no_row() -> None:
    outcome, trait = [0, 1] * 60 + [1] * 5, [0.0] * 120 + [1e4] * 5
    assert fit_risk_model(outcome, {"trait": trait}, [1] * 120 + [0] * 5).reason == (
        fit_risk_model(outcome[:120], {"trait": trait[:120]}).reason
    )


def test_whole_numbers_keep_their_spread_however_large() -> None:
    """10,000,000, 10,000,001 and 10,000,002 have SD 1."""
    values = [10**7, 10**7 + 1, 10**7 + 2]
    assert mean_from_sums(3, sum(values), sum(each**2 for each in values)).sd == pytest.approx(1.0)


def test_missing_counts_have_no_limits() -> None:
    for limits in (poisson_rate(np.nan, 5), byar_limits(np.nan, 5)):
        assert np.isnan([limits.low, limits.high]).all()
    assert standardised_rate([np.nan, 4], [9, 9], [9, 9]).reason == "a count is not known"
    assert standardised_rate([0, 9], [9, 9], [9, 9]).reason == "no spread in any stratum: all are 0 or 1"
    with pytest.raises(ValueError, match="count is more than n"):
        standardised_rate([5], [3], [9])
