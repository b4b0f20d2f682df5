"""Funnels: worked examples and edges; the proofs against FunnelPlotR: `proofs_counts.py`."""

import doctest
from math import nan
from pathlib import Path

import numpy as np
import pytest
from reference_results import example

from analytics.statistics import funnel
from analytics.statistics.funnel import exact_limits, proportion_funnel, ratio_funnel


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(funnel).failed == 0


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
