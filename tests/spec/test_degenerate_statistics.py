"""Input that cannot be answered: nobody, all missing, one person, all at one time, all or none. NaN, and no noise."""

import importlib
import inspect
import math
import pkgutil
import warnings
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest

from analytics import statistics
from analytics.statistics import (
    change,
    competing,
    control_charts,
    counts,
    funnel,
    gray,
    mixed_model,
    multiplicity,
    nonresponse,
    proportions,
    ratio,
    restricted_likelihood,
    risk_adjustment,
    run_rules,
    standardisation,
    survival,
    time_series,
)

NAN = math.nan
TEN = list(range(10))
Case = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


def cases(function: Callable[..., Any], *calls: Any, **options: Any) -> list[Case]:
    return [(function, call if isinstance(call, tuple) else (call,), options) for call in calls]


# Nobody; missing only; one; all at one time or all alike; nobody or everybody with the event.
TIMES: list[tuple[Any, Any]] = [([], []), ([5], [0]), ([5], [1]), ([5] * 9, [1] * 9), ([5] * 9, [0] * 9), ([0], [1])]
SERIES: list[Any] = [[], [NAN, NAN], [3], [3, 3, 3], [0, 0, 0]]
SHARES: list[tuple[Any, Any]] = [
    ([], []),
    ([0], [0]),
    ([NAN], [NAN]),
    ([0] * 9, [9] * 9),
    ([9] * 9, [9] * 9),
    ([1], [2]),
]
GROUPED = [(time, event, ["a"] * len(time)) for time, event in TIMES] + [([5, 5], [1, 1], ["a", "b"])]
RISKS = [([], []), ([1], [1.0]), ([0, 0], [0.0, 0.0]), ([1, 1], [1.0, 1.0])]

NO_PATHS = restricted_likelihood.path_sums(np.zeros(0), np.zeros(0), [])

CALLS: list[Case] = [
    *cases(survival.kaplan_meier, *TIMES),
    *cases(survival.kaplan_meier_by_group, *[(group, time, event) for time, event, group in GROUPED]),
    *cases(survival.median_survival, *TIMES),
    *cases(survival.log_rank, *GROUPED),
    *cases(gray.gray_test, *GROUPED),
    *cases(competing.cumulative_incidence, *TIMES),
    *cases(competing.cumulative_incidence_by_group, *[(group, time, event) for time, event, group in GROUPED]),
    *[
        (competing.incidence_difference, (*[competing.cumulative_incidence(*each, causes=(1,))] * 2, 1, 5), {})
        for each in TIMES
    ],
    *cases(change.mean_change, ([], []), ([5], [5]), ([5, 5], [5, 5]), ([0] * 6, [0] * 6), ([9] * 6, [3] * 6)),
    *cases(change.mean_change_from_sums, (0, 0, 0, 0, 0, 0), (1, 5, 5, 25, 25, 25), (6, 0, 0, 0, 0, 0)),
    *cases(counts.mean_from_sums, (0, 0, 0), (1, 5, 25), (6, 0, 0), (6, 30, 150)),
    *cases(ratio.bootstrap_ratio, ([], []), ([5], [0]), ([5], [1]), ([3] * 12, [1] * 12), ([0] * 12, [0] * 12)),
    *cases(ratio.bootstrap_ratio, ([0] * 12, [1] * 12), ([1, *[0] * 11], [1, *[0] * 11])),
    *cases(change.mean_difference, ([], []), ([1], [2]), ([1, 1], [1, 1]), ([NAN], [1, 2]), ([1, 2], [NAN, NAN])),
    *cases(change.adjusted_difference, ([], [], []), ([1], [1], [1]), ([1] * 6, [1] * 6, [0, 1] * 3),
           ([NAN] * 6, TEN[:6], [0, 1] * 3)),
    *cases(change.reliable_change, ([], []), ([NAN], [5]), ([5], [5]), sd=5.5, reliability=0.84),
    *cases(change.jacobson_truax, ([], []), ([NAN], [5]), ([5], [5]), sd=5.5, reliability=0.84),
    *cases(change.cutoffs, (10, 3), (NAN, NAN), (0, 0, 0, 0)),
    *cases(change.mixed_slope, ([], [], []), ([5], [0], [1]), ([NAN] * 4, TEN[:4], [1, 1, 2, 2]),
           ([5] * 4, [0] * 4, [1, 1, 2, 2])),
    *cases(restricted_likelihood.path_sums, (np.zeros(0), np.zeros(0), []), (np.array([5.0]), np.array([0.0]), [1])),
    *cases(mixed_model.mixed_slope_from_sums, ([NO_PATHS],), ([NO_PATHS, NO_PATHS],)),
    *cases(control_charts.run_chart, *[(each,) for each in SERIES]),
    *cases(control_charts.xmr_chart, *[(each,) for each in SERIES]),
    *cases(control_charts.p_chart, *SHARES),
    *cases(control_charts.laney_p_chart, *SHARES),
    *cases(control_charts.u_chart, *SHARES),
    *cases(run_rules.anhoej, *[(each, 3.0) for each in SERIES], ([3], NAN)),
    *cases(run_rules.runs_of, *[(each, 3.0) for each in SERIES], ([3], NAN), ended_by_centre=True),
    *cases(run_rules.trends_of, *[(each,) for each in SERIES]),
    *cases(run_rules.making_data_count, *[(each, 3.0, 3.0, 3.0) for each in SERIES], ([3], NAN, NAN, NAN)),
    *cases(funnel.proportion_funnel, *SHARES, overdispersion="additive"),
    *cases(funnel.proportion_funnel, *SHARES, overdispersion="multiplicative"),
    *cases(funnel.ratio_funnel, *SHARES, overdispersion="additive"),
    *cases(funnel.exact_limits, ([], 0.5, 0.95), ([0], 0.5, 0.95), ([5], 0.0, 0.95), ([5], 1.0, 0.95),
           ([5], NAN, 0.95)),
    *cases(proportions.wilson, (0, 0), (0, 1), (1, 1)),
    *cases(proportions.newcombe_difference, (0, 0, 0, 0), (0, 1, 0, 0), (0, 1, 1, 1)),
    *cases(proportions.newcombe_paired, (0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, 5)),
    *cases(proportions.mcnemar, (0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0)),
    *cases(proportions.mcnemar, (0, 0, 0, 0), (0, 2, 2, 0), method="mid-p"),
    *cases(ratio.ratio_of_sums, (0, 0, 0, 0, 0, 0), (1, 5, 5, 25, 25, 25), (3, 0, 0, 0, 0, 0), (2, 4, 4, 8, 8, 8)),
    *cases(counts.poisson_rate, (0, 0), (0, 10), (3, 0)),
    *cases(counts.quantiles, *[(each,) for each in SERIES]),
    *cases(nonresponse.bounds, (0, 0, 0), (0, 0, 5), (5, 5, 5)),
    *cases(nonresponse.tipping_share, (0, 0, 0, 0.5), (5, 5, 5, 0.5)),
    *cases(nonresponse.followup_weights, ([], {}), ([0] * 9, {"x": [1] * 9}), ([1] * 9, {"x": TEN[:9]}),
           ([1], {"x": [NAN]})),
    *cases(nonresponse.weighted_share, ([], []), ([NAN], [1.0]), ([1.0], [1.0]), ([1.0, 0.0], [0.0, 0.0])),
    *cases(risk_adjustment.fit_risk_model, ([], {}), ([1] * 9, {"x": TEN[:9]}), ([0] * 9, {"x": [1] * 9}),
           ([NAN] * 3, {"x": [1] * 3})),
    *cases(risk_adjustment.risk_adjusted, ([], {}, []), ([1] * 9, {"x": TEN[:9]}, ["a"] * 9)),
    *cases(risk_adjustment.c_statistic, *RISKS),
    *cases(risk_adjustment.observed_expected, *[(y, p, ["a"] * len(y)) for y, p in RISKS]),
    *cases(risk_adjustment.byar_limits, (0, 0), (0, 5), (3, 0)),
    *cases(standardisation.standardised_rate, ([], [], []), ([0], [0], [0]), ([0, 1], [0, 1], [5, 5]), ([1], [1], [9])),
    *cases(time_series.interrupted_time_series, ([], 0), ([NAN] * 9, 4), ([3] * 9, 4), (TEN, 0), (TEN, 10), ([1], 0)),
    *cases(multiplicity.adjusted_p_values, ([],), ([NAN],), ([1.0],), ([0.0, NAN],)),
    *cases(multiplicity.adjusted_p_values, ([],), ([NAN],), method="benjamini_hochberg"),
]  # fmt: skip

# What the statistics are built of; each is called by what stands above.
PARTS = {
    "event_table", "tally", "still_to_come", "event_free_share", "log_log_limits", "point_at", "groups_of",
    "rows_of_groups", "numbers", "whole_numbers", "counts_of", "yes_or_no", "noncentrality_limits", "hedges_correction",
    "whole_if_whole", "off_the_line", "fits_exactly", "moving_ranges",
}  # fmt: skip


def public_functions() -> set[str]:
    names = set()
    for module in pkgutil.iter_modules(statistics.__path__):
        loaded = importlib.import_module(f"analytics.statistics.{module.name}")
        for name, member in inspect.getmembers(loaded, inspect.isfunction):
            if member.__module__ == loaded.__name__ and not name.startswith("_"):
                names.add(name)
    return names


def test_every_public_function_is_asked() -> None:
    assert public_functions() - PARTS == {function.__name__ for function, _, _ in CALLS}


def numbers_in(result: Any) -> list[float]:
    """Every number of a result at any depth."""
    if is_dataclass(result):
        return [number for each in fields(result) for number in numbers_in(getattr(result, each.name))]
    if isinstance(result, dict):
        return [number for each in result.values() for number in numbers_in(each)]
    if isinstance(result, (list, tuple)):
        return [number for each in result for number in numbers_in(each)]
    if isinstance(result, np.ndarray):
        return [float(number) for number in result.ravel()] if result.dtype.kind in "fiub" else []
    return [float(result)] if isinstance(result, (int, float, np.number)) else []


@pytest.mark.parametrize(
    ("function", "arguments", "options"), CALLS, ids=[f"{each[0].__name__}{each[1]}"[:70] for each in CALLS]
)
def test_what_cannot_be_answered_is_not_a_number_and_makes_no_noise(
    function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = function(*arguments, **options)
    reason = getattr(result, "reason", "")
    assert reason is None or isinstance(reason, str)
    infinite = [number for number in numbers_in(result) if math.isinf(number)]
    assert infinite == [], "neither a number nor NaN"
    if hasattr(result, "reason") and not any(not math.isnan(number) for number in numbers_in(result)):
        assert result.reason
