"""Fair comparison between groups: events observed against events expected of the same people.

What people bring with them differs between sites and programs. Only what is known at admission may adjust for it:
never length of stay, attendance, or anything else that happens afterwards.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from analytics.statistics.event_table import Floats, counts_of, groups_of
from analytics.statistics.proportions import Interval

# Fewer events (or non-events) per parameter make a logistic model follow noise.
EVENTS_PER_PARAMETER: Final = 10
CALIBRATION_GROUPS: Final = 10
# Below this many expected events a ratio says little.
MINIMUM_EXPECTED: Final = 5.0
# Log odds that only a fit without end reaches.
_SEPARATED: Final = 15.0


@dataclass(frozen=True, eq=False)
class RiskModel:
    """A logistic model of an outcome from what was known at admission.

    Attributes
    ----------
    probability : expected share per row, 0 to 1; NaN where a covariate is missing or there is no model.
    coefficients : log odds by name, the first the constant.
    c_statistic : probability that a person with the event was given the higher risk; 0.5 = no better than chance.
    calibration_intercept, calibration_slope : of the outcome on the logit of the expected share; 0 and 1 by
        construction in the data of the fit, and worth reading elsewhere.
    observed, expected : sums of the events in ten groups of rising expected share.
    events_per_parameter : of the rarer outcome. reason : in words, why there is no model; else None.
    """

    probability: Floats
    coefficients: dict[str, float]
    c_statistic: float
    calibration_intercept: float
    calibration_slope: float
    observed: Floats
    expected: Floats
    events_per_parameter: float
    reason: str | None


@dataclass(frozen=True, eq=False)
class RiskAdjusted:
    """The model, and observed against expected by group."""

    model: RiskModel
    groups: dict[Hashable, ObservedExpected]


@dataclass(frozen=True)
class ObservedExpected:
    """One group: events, events expected of such people, their ratio with Byar's limits, and z.

    `reason` says why there is no ratio (NaN); a ratio from fewer than 5 expected events carries a warning there too.
    """

    observed: float
    expected: float
    ratio: float
    ci_low: float
    ci_high: float
    z: float
    p_value: float
    reason: str | None


def byar_limits(observed: float, expected: float, level: float = 0.95) -> Interval:
    """Byar's approximation to the exact Poisson limits of observed / expected.

    References
    ----------
    Breslow & Day 1987, Statistical Methods in Cancer Research II, p. 69.

    >>> limits = byar_limits(9, 7)
    >>> round(limits.low, 3), round(limits.high, 3)
    (0.587, 2.441)
    """
    if not expected > 0 or np.isnan(observed):
        return Interval(np.nan, np.nan)
    z = float(stats.norm.ppf((1 + level) / 2))
    above = observed + 1
    low = observed * (1 - 1 / (9 * observed) - z / (3 * sqrt(observed))) ** 3 if observed > 0 else 0.0
    high = above * (1 - 1 / (9 * above) + z / (3 * sqrt(above))) ** 3
    return Interval(low / expected, high / expected)


def fit_risk_model(
    outcome: ArrayLike, covariates: Mapping[str, ArrayLike], weight: ArrayLike | None = None
) -> RiskModel:
    """Fit a logistic model of a yes-or-no outcome on covariates known at admission.

    Parameters
    ----------
    outcome : 1, 0, NaN = not known (left out of the fit, still given an expected share).
    covariates : by name, numbers per row; a code list enters as 0/1 columns without its first code. A row with a
        missing covariate takes no part.
    weight : how many people each row stands for (counts); None = one each.

    Returns
    -------
    RiskModel
        Without a model (`reason`): fewer than 10 events or non-events per parameter, no spread in the outcome, a
        covariate that separates the outcomes or is a sum of others, or nobody.
    """
    known = np.asarray(outcome, dtype=np.float64)
    people = counts_of(weight, len(known))
    columns = [np.asarray(column, dtype=np.float64) for column in covariates.values()]
    matrix = np.column_stack(columns) if columns else np.empty((len(known), 0))
    complete = ~np.isnan(matrix).any(axis=1)
    rows = complete & ~np.isnan(known) & (people > 0)
    parameters = matrix.shape[1] + 1
    events = float((people * known)[rows].sum())
    rarer = min(events, float(people[rows].sum()) - events)
    per_parameter = rarer / parameters
    if per_parameter < EVENTS_PER_PARAMETER:
        return _no_model(
            len(known),
            per_parameter,
            f"a model of {parameters} parameter{'s' if parameters > 1 else ''} needs "
            f"{EVENTS_PER_PARAMETER * parameters} people with a yes "
            f"and as many with a no; of the rarer there are {round(rarer):,}",
        )
    design = np.column_stack([np.ones(len(known)), matrix])
    if np.linalg.matrix_rank(design[rows]) < parameters:
        return _no_model(len(known), per_parameter, "one covariate follows from the others")
    fit = _logistic(known[rows], design[rows], people[rows])
    linear = design @ np.asarray(fit.params)
    if not fit.converged or float(np.abs(linear[rows]).max()) > _SEPARATED:
        return _no_model(len(known), per_parameter, "one trait tells yes and no apart completely")
    risk = np.where(complete, special.expit(linear), np.nan)
    intercept, slope = _calibration(known[rows], risk[rows], people[rows])
    observed, expected = _tenths(known[rows], risk[rows], people[rows])
    names = ["constant", *covariates]
    return RiskModel(
        risk, dict(zip(names, map(float, fit.params), strict=True)), c_statistic(known[rows], risk[rows], people[rows]),
        intercept, slope, observed, expected, per_parameter, None,
    )  # fmt: skip


def risk_adjusted(
    outcome: ArrayLike, covariates: Mapping[str, ArrayLike], group: ArrayLike, weight: ArrayLike | None = None
) -> RiskAdjusted:
    """Fit the model on everybody and compare each group's events with those expected of its people.

    Parameters and reasons as in `fit_risk_model` and `observed_expected`.
    """
    model = fit_risk_model(outcome, covariates, weight)
    return RiskAdjusted(model, observed_expected(outcome, model.probability, group, weight))


def c_statistic(outcome: ArrayLike, probability: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Share of pairs (one with, one without the outcome) in which the one with it has the higher probability.

    Ties count half; rows with a NaN are left out; NaN when everybody has the same outcome. The same as the area under
    the ROC curve. `weight`: how many people each row stands for.
    """
    known, risk = np.asarray(outcome, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    both = ~np.isnan(known) & ~np.isnan(risk)
    people = counts_of(weight, known.size)[both]
    happened = known[both] == 1
    levels, at = np.unique(risk[both], return_inverse=True)
    with_it = np.bincount(at, people * happened, levels.size)
    without = np.bincount(at, people * ~happened, levels.size)
    pairs = float(with_it.sum() * without.sum())
    if not pairs:
        return np.nan
    lower = np.cumsum(without) - without
    return float((with_it * (lower + without / 2)).sum()) / pairs


def observed_expected(
    outcome: ArrayLike,
    probability: ArrayLike,
    group: ArrayLike,
    weight: ArrayLike | None = None,
    level: float = 0.95,
) -> dict[Hashable, ObservedExpected]:
    """Observed events against those expected of the same people, by group.

    Parameters
    ----------
    outcome : 1, 0, NaN = not known. probability : of each row, such as `RiskModel.probability`. Rows with either
        missing take no part.
    group : of each row. weight : how many people each row stands for (counts).

    Notes
    -----
    z = (O - E) / √Σ p(1-p), two-sided normal p value.
    """
    happened = np.asarray(outcome, dtype=np.float64)
    risk = np.asarray(probability, dtype=np.float64)
    people = counts_of(weight, len(happened))
    labels, member = groups_of(group)
    rows = ~np.isnan(happened) & ~np.isnan(risk)
    results: dict[Hashable, ObservedExpected] = {}
    for place, each in enumerate(labels):
        mine = rows & (member == place)
        observed, expected = float((people * happened)[mine].sum()), float((people * risk)[mine].sum())
        limits = byar_limits(observed, expected, level)
        variance = float((people * risk * (1 - risk))[mine].sum())
        z = (observed - expected) / sqrt(variance) if variance > 0 else np.nan
        reason = (
            "nobody with a known outcome and known characteristics" if not mine.any()
            else f"fewer than {MINIMUM_EXPECTED:g} events are expected" if expected < MINIMUM_EXPECTED
            else None
        )  # fmt: skip
        results[each] = ObservedExpected(
            observed,
            expected,
            observed / expected if expected > 0 else np.nan,
            limits.low,
            limits.high,
            z,
            2 * float(stats.norm.sf(abs(z))) if not np.isnan(z) else np.nan,
            reason,
        )
    return results


def _logistic(outcome: Floats, design: Floats, people: Floats) -> Any:
    """Fit without a warning: what a warning would say is looked at in the result."""
    import statsmodels.api as sm  # here: it takes half a second, which a page without a model need not wait

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return sm.GLM(outcome, design, family=sm.families.Binomial(), freq_weights=people).fit()


def _calibration(outcome: Floats, risk: Floats, people: Floats) -> tuple[float, float]:
    logit = np.log(risk / (1 - risk))
    if float(np.ptp(logit)) < 1e-12:
        return 0.0, np.nan
    fit = _logistic(outcome, np.column_stack([np.ones(len(logit)), logit]), people)
    return float(fit.params[0]), float(fit.params[1])


def _tenths(outcome: Floats, risk: Floats, people: Floats) -> tuple[Floats, Floats]:
    """Return events and expected events by tenths of people in order of risk; a row is not divided."""
    order = np.argsort(risk, kind="stable")
    middle = np.cumsum(people[order]) - people[order] / 2
    tenth = np.minimum((middle / people.sum() * CALIBRATION_GROUPS).astype(np.int64), CALIBRATION_GROUPS - 1)
    observed, expected = (
        np.bincount(tenth, (people * values)[order], CALIBRATION_GROUPS).astype(np.float64)
        for values in (outcome, risk)
    )
    return observed, expected


def _no_model(rows: int, per_parameter: float, reason: str) -> RiskModel:
    nothing = np.full(rows, np.nan)
    return RiskModel(nothing, {}, np.nan, np.nan, np.nan, np.empty(0), np.empty(0), per_parameter, reason)
