"""The typical path of scores over time, from everybody with at least one score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from analytics.statistics.restricted_likelihood import NOTHING, PathSums, RestrictedLikelihood, path_sums

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

    >>> found = mixed_slope([20, 16, 15, 12, 8, 9], [0, 1, 2, 0, 1, 2], ["a", "a", "a", "b", "b", "b"])
    >>> round(found.slope, 3), found.people, found.has_random_slope
    (-2.0, 2, False)
    """
    values, times = np.asarray(score, dtype=np.float64), np.asarray(time, dtype=np.float64)
    who = np.asarray(person)
    known = ~np.isnan(values) & ~np.isnan(times)
    if group is None:
        return mixed_slope_from_sums([path_sums(values[known], times[known], who[known])], random_slope, level)
    member = np.asarray(group, dtype=np.float64)
    sides = [known & (member == side) for side in (0, 1)]
    sums = [path_sums(values[side], times[side], who[side]) for side in sides]
    return mixed_slope_from_sums(sums, random_slope, level)


def mixed_slope_from_sums(
    groups: Sequence[PathSums], random_slope: bool | None = None, level: float = 0.95
) -> MixedSlope:
    """Fit the model of `mixed_slope` from sums by pattern of times, of one group or of two.

    Notes
    -----
    Restricted maximum likelihood. With a line of the same times for the group and for each person, a person enters
    the likelihood by the number of scores, Σt, Σt², Σy, Σty and Σy² alone: a database can do the adding, and a million
    people are some hundred patterns. The variances are of both groups together.

    References
    ----------
    Bates, Mächler, Bolker & Walker 2015, doi:10.18637/jss.v067.i01, for the profiled criterion that is minimised.
    """
    people = sum(int(each.people.sum()) for each in groups)
    scores = sum(int((each.people * each.scores).sum()) for each in groups)
    enough = sum(float(each.people[each.scores >= SLOPE_SCORES].sum()) for each in groups) >= SLOPE_PEOPLE
    slopes = enough if random_slope is None else random_slope
    reason = _no_reason(groups, people, scores)
    if reason is not None:
        return _nothing(people, scores, reason)
    problem = RestrictedLikelihood(groups)
    fit = problem.fit(slopes)
    if fit is None and slopes:
        slopes, fit = False, problem.fit(False)
    if fit is None:
        return _nothing(people, scores, "no score lies off its person's line, or the model did not settle")
    half = NormalDist().inv_cdf((1 + level) / 2)
    lines, errors, between, within = fit
    difference, apart, doubt = nan, nan, nan
    if len(groups) > 1:
        difference, apart = (float(step) for step in lines[1] - lines[0])
        doubt = half * float(np.hypot(errors[0], errors[1]))
    slope, error = float(lines[0][1]), float(errors[0])
    return MixedSlope(
        intercept=float(lines[0][0]),
        slope=slope,
        slope_error=error,
        slope_low=slope - half * error,
        slope_high=slope + half * error,
        group_difference=difference,
        slope_difference=apart,
        slope_difference_low=apart - doubt,
        slope_difference_high=apart + doubt,
        variance_between=between,
        variance_within=within,
        people=people,
        scores=scores,
        has_random_slope=slopes,
        reason=None,
    )


def _nothing(people: int, scores: int, reason: str) -> MixedSlope:
    return MixedSlope(*(nan,) * 11, people, scores, False, reason)


def _no_reason(groups: Sequence[PathSums], people: int, scores: int) -> str | None:
    """Return why there can be no line; None when there can."""
    if people < 2:
        return "fewer than two people have a score"
    if max(float(each.scores.max(initial=0)) for each in groups) < 2:
        return "nobody has two scores"
    for each in groups:
        count, time = float((each.people * each.scores).sum()), float((each.people * each.time).sum())
        squares = float((each.people * each.time_squared).sum())
        if count * squares - time**2 <= NOTHING * count * squares:
            return "the scores do not differ in time, or one of the groups has none"
    if scores <= 2 * len(groups) + 1:
        return "there are too few scores for the model"
    total = sum(float(each.score.sum()) for each in groups)
    squares = sum(float(each.score_squared.sum()) for each in groups)
    if scores * squares - total**2 <= NOTHING * scores * squares:
        return "all scores are equal"
    return None
