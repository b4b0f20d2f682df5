"""The typical path of scores over time, from everybody with at least one score."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analytics.statistics.event_table import Floats

# A slope of their own for each person needs so many people with so many scores.
SLOPE_PEOPLE: Final = 30
SLOPE_SCORES: Final = 3


@dataclass(frozen=True)
class MixedSlope:
    """A linear mixed model of score on time, by REML; NaN with a reason where there is none.

    Attributes
    ----------
    intercept, slope : score at time 0, and points per unit of time. Wald limits.
    group_difference, slope_difference : of the second group against the first; NaN without groups.
    variance_between, variance_within : of people's intercepts, and of scores around a person's line, in points².
    people, scores : that the model used. has_random_slope : people were given slopes of their own.
    """

    intercept: float
    slope: float
    slope_error: float
    slope_low: float
    slope_high: float
    group_difference: float
    slope_difference: float
    slope_difference_low: float
    slope_difference_high: float
    variance_between: float
    variance_within: float
    people: int
    scores: int
    has_random_slope: bool
    reason: str | None


def mixed_slope(
    score: ArrayLike,
    time: ArrayLike,
    person: ArrayLike,
    group: ArrayLike | None = None,
    random_slope: bool | None = None,
    level: float = 0.95,
) -> MixedSlope:
    """Fit score = a + b time (+ group, group × time) + a person's own deviation.

    Parameters
    ----------
    score, time : of each measurement, NaN = not measured (left out). person : who it belongs to.
    group : 0 or 1 of the person; None = one group.
    random_slope : None = when at least 30 people have at least 3 scores.

    Returns
    -------
    MixedSlope
        Without an answer when fewer than two people, fewer scores than parameters, or no spread in time.

    Notes
    -----
    Right when scores are missing for reasons that the scores before explain (missing at random); wrong when people
    leave because they are about to get worse.

    References
    ----------
    Laird & Ware 1982, doi:10.2307/2529876; lme4 is the oracle of the tests (REML, fixed effects to 1e-5).
    """
    values, times = np.asarray(score, dtype=np.float64), np.asarray(time, dtype=np.float64)
    who = np.asarray(person)
    groups = None if group is None else np.asarray(group, dtype=np.float64)
    known = ~np.isnan(values) & ~np.isnan(times)
    if groups is not None:
        known &= ~np.isnan(groups)
    values, times, who = values[known], times[known], who[known]
    columns = [np.ones(len(values)), times]
    if groups is not None:
        columns += [groups[known], groups[known] * times]
    design = np.column_stack(columns)
    people, each = np.unique(who, return_counts=True)
    slopes = bool((each >= SLOPE_SCORES).sum() >= SLOPE_PEOPLE) if random_slope is None else random_slope
    reason = _no_reason(values, design, len(people), int(each.max(initial=0)))
    if reason is not None:
        return MixedSlope(*(np.nan,) * 11, len(people), len(values), False, reason)
    fit = _fit(values, design, who, slopes)
    if fit is None and slopes:
        slopes, fit = False, _fit(values, design, who, False)
    if fit is None:
        reason = "the model did not settle on an answer"
        return MixedSlope(*(np.nan,) * 11, len(people), len(values), False, reason)
    fixed, error = np.asarray(fit.fe_params, dtype=np.float64), np.asarray(fit.bse_fe, dtype=np.float64)
    half = float(stats.norm.ppf((1 + level) / 2)) * error
    several = groups is not None
    return MixedSlope(
        intercept=float(fixed[0]),
        slope=float(fixed[1]),
        slope_error=float(error[1]),
        slope_low=float(fixed[1] - half[1]),
        slope_high=float(fixed[1] + half[1]),
        group_difference=float(fixed[2]) if several else np.nan,
        slope_difference=float(fixed[3]) if several else np.nan,
        slope_difference_low=float(fixed[3] - half[3]) if several else np.nan,
        slope_difference_high=float(fixed[3] + half[3]) if several else np.nan,
        variance_between=float(np.asarray(fit.cov_re)[0, 0]),
        variance_within=float(fit.scale),
        people=len(people),
        scores=len(values),
        has_random_slope=slopes,
        reason=None,
    )


def _no_reason(values: Floats, design: Floats, people: int, most: int) -> str | None:
    if people < 2:
        return "fewer than two people have a score"
    if most < 2:
        return "nobody has two scores"
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return "the scores do not differ in time, or one of the groups has none"
    if len(values) <= design.shape[1] + 1:
        return "there are too few scores for the model"
    if float(np.ptp(values)) == 0:
        return "all scores are equal"
    return None


def _fit(values: Floats, design: Floats, who: NDArray[Any], slopes: bool) -> Any:
    """Fit by REML without a warning; None when it does not converge."""
    import statsmodels.api as sm  # here: it takes half a second, which a page without a model need not wait

    random = design[:, :2] if slopes else np.ones((len(values), 1))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            fit = sm.MixedLM(values, design, groups=who, exog_re=random).fit(reml=True)
        except (np.linalg.LinAlgError, ValueError):
            return None
    return fit if fit.converged and np.isfinite(fit.bse_fe).all() else None
