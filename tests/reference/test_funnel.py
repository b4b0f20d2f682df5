"""Funnels against FunnelPlotR and worked examples."""

import doctest
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference_results import example, expected

from analytics.statistics import funnel
from analytics.statistics.funnel import exact_limits, proportion_funnel, ratio_funnel

# FunnelPlotR rounds its normal quantiles to six digits, and z of 99.8 % further.
LIMITS = 1e-6


def by(points: list[dict[str, Any]], name: str) -> np.ndarray:
    return np.array([point[name] for point in points], dtype=float)


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(funnel).failed == 0


@pytest.mark.parametrize(("case", "tail"), [("od", 0.10), ("trim5", 0.05)])
def test_a_funnel_of_shares_matches_funnelplotr(case: str, tail: float, shared: Path) -> None:
    # Oracle: funnel_nhstt_recovery_2023_24 (arcsine, additive over-dispersion), 145 providers.
    theirs = expected(shared, "funnel_nhstt_recovery_2023_24")[case]
    points = theirs["aggregated"]
    count, n = by(points, "numerator"), by(points, "denominator")
    wide = proportion_funnel(count, n, method="arcsine", overdispersion="additive", tail=tail)
    narrow = proportion_funnel(count, n, method="arcsine")
    assert wide.phi == pytest.approx(theirs["phi"], abs=1e-9)
    assert wide.tau2 == pytest.approx(theirs["tau2"], abs=1e-12)
    np.testing.assert_allclose(wide.z, by(points, "Uzscore"), atol=1e-9)
    for ours, name in ((wide, "OD"), (narrow, "")):
        np.testing.assert_allclose(ours.lower[0.95], by(points, f"{name}{'95LCL' if name else 'LCL95'}"), atol=LIMITS)
        np.testing.assert_allclose(ours.upper[0.998], by(points, f"{name}{'99UCL' if name else 'UCL99'}"), atol=LIMITS)
    assert wide.outside[0.998].sum() == by(points, "outlier").sum()


@pytest.mark.parametrize("case", ["shmi", "shmi_norounding"])
def test_a_funnel_of_ratios_matches_funnelplotr(case: str, shared: Path) -> None:
    # Oracle: funnel_medpar_sr (SHMI: log scale, outer tenths left out).
    theirs = expected(shared, "funnel_medpar_sr")[case]
    points = theirs["aggregated"]
    observed, expectation = by(points, "numerator"), by(points, "denominator")
    wide = ratio_funnel(observed, expectation, overdispersion="additive")
    narrow = ratio_funnel(observed, expectation)
    assert wide.phi == pytest.approx(theirs["phi"], abs=1e-9)
    assert wide.tau2 == pytest.approx(theirs["tau2"], abs=1e-12)
    np.testing.assert_allclose(wide.lower[0.95], by(points, "OD95LCL"), atol=LIMITS)
    np.testing.assert_allclose(wide.upper[0.998], by(points, "OD99UCL"), atol=LIMITS)
    np.testing.assert_allclose(narrow.lower[0.95], by(points, "LCL95"), atol=1e-9)
    np.testing.assert_allclose(narrow.upper[0.998], by(points, "UCL99"), atol=1e-9)


def test_exact_limits_match_the_worked_example(shared: Path) -> None:
    case = example(shared, "funnel")
    for level, name in ((0.95, "95"), (0.998, "998")):
        low, high = exact_limits([case["inputs"]["n"]], case["inputs"]["target"], level)
        assert low[0] == pytest.approx(case["expected"][f"l{name}"], abs=1e-4)
        assert high[0] == pytest.approx(case["expected"][f"u{name}"], abs=1e-4)


def test_multiplicative_overdispersion_matches_the_worked_example(shared: Path) -> None:
    case = example(shared, "funnel_phi")
    count, n = case["inputs"]["x"], case["inputs"]["n"]
    found = proportion_funnel(count, n, overdispersion="multiplicative", tail=0)
    plain = proportion_funnel(count, n)
    assert found.phi == pytest.approx(case["expected"]["phi"], abs=1e-5)
    np.testing.assert_allclose(found.z, case["expected"]["z"], atol=1e-5)
    assert found.is_overdispersed
    widened = (found.upper[0.95] - found.target) / (plain.upper[0.95] - plain.target)
    np.testing.assert_allclose(widened, case["expected"]["limit_multiplier"], atol=1e-4)


def test_fewer_than_eight_units_make_no_funnel() -> None:
    found = proportion_funnel([5] * 7, [10] * 7)
    assert found.reason == "a funnel needs at least 8 units"
    assert np.isnan(found.lower[0.95]).all()
    assert not found.outside[0.95].any()


def test_a_unit_without_people_has_no_value_and_no_limits() -> None:
    found = proportion_funnel([5] * 8 + [0], [10] * 8 + [0])
    assert np.isnan(found.value[8])
    assert np.isnan(found.lower[0.95][8])
    assert not found.outside[0.95][8]
    assert found.target == pytest.approx(0.5)


def test_units_that_are_all_equal_are_not_overdispersed() -> None:
    found = proportion_funnel([5] * 10, [10] * 10, overdispersion="additive")
    assert (found.tau2, found.is_overdispersed) == (0.0, False)


@pytest.mark.parametrize("share", [0, 10])
def test_everybody_or_nobody_gives_no_signal_and_no_warning(share: int, recwarn: pytest.WarningsRecorder) -> None:
    found = proportion_funnel([share] * 9, [10] * 9)
    assert not found.outside[0.998].any()
    ratio_funnel([0] * 9, [2.5] * 9, overdispersion="additive")
    assert not recwarn.list


def test_nobody_anywhere_says_so() -> None:
    assert proportion_funnel([], []).reason == "no unit has anybody to count"
    assert np.isnan(proportion_funnel([nan], [nan]).target)
