"""The typical path of scores over time, from everybody with at least one score.

Of a person the model needs the number and the sums of their scores, not the scores, and people measured at the same
times can be added up: sums by pattern of times give the same answer as rows, so that DuckDB does the adding and a
million people are some hundred rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize

from analytics.statistics.event_table import Floats

# A slope of their own for each person needs so many people with so many scores.
SLOPE_PEOPLE: Final = 30
SLOPE_SCORES: Final = 3

# Below this part of the whole a sum of squares is rounding.
NOTHING: Final = 1e-12
# Where the search begins: standard deviations of people, at the middle of time and per standard deviation of time,
# as parts of the standard deviation of one score.
STARTS: Final = ((1.0, 0.0, 0.5), (0.2, 0.0, 0.1))
# The slope of the deviance per score at which the search has arrived.
FLAT: Final = 1e-4


@dataclass(frozen=True, eq=False)
class PathSums:
    """People and their scores, added up by pattern of times; every array has one entry per pattern.

    A pattern is people with the same `scores` (how many each has), `time` and `time_squared` (Σt and Σt² of one
    person); which times these were does not matter.

    Attributes
    ----------
    people : how many have the pattern.
    score, score_time, score_squared : Σy, Σty and Σy² over all their scores.
    score_by_score, score_by_time, time_by_time : sums over people of (Σy)², (Σy)(Σty) and (Σty)² of each person.
    """

    people: Floats
    scores: Floats
    time: Floats
    time_squared: Floats
    score: Floats
    score_time: Floats
    score_squared: Floats
    score_by_score: Floats
    score_by_time: Floats
    time_by_time: Floats


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


def path_sums(score: Floats, time: Floats, person: ArrayLike) -> PathSums:
    """Return the sums of rows without a NaN, each person a pattern of their own."""
    _, who = np.unique(np.asarray(person), return_inverse=True)

    def added(values: Floats) -> Floats:
        return np.asarray(np.bincount(who, weights=values, minlength=0), dtype=np.float64)

    own, own_time = added(score), added(score * time)
    return PathSums(
        people=np.ones(len(own)),
        scores=added(np.ones(len(score))),
        time=added(time),
        time_squared=added(time**2),
        score=own,
        score_time=own_time,
        score_squared=added(score**2),
        score_by_score=own**2,
        score_by_time=own * own_time,
        time_by_time=own_time**2,
    )


def mixed_slope_from_sums(
    groups: Sequence[PathSums], random_slope: bool | None = None, level: float = 0.95
) -> MixedSlope:
    """Fit the model of `mixed_slope` from sums by pattern of times, of one group or of two.

    Notes
    -----
    Restricted maximum likelihood. With a line of the same times for the group and for each person, a person enters
    the likelihood by the number of scores, Σt, Σt², Σy, Σty and Σy² alone; the variances of intercepts and slopes,
    their covariance, and the variance of scores are those of both groups together.

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
    problem = _Problem(groups)
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


class _Problem:
    """The sums at a time whose mean is 0 and standard deviation 1, of scores whose mean is 0: a round valley."""

    def __init__(self, groups: Sequence[PathSums]) -> None:
        count = sum(float((each.people * each.scores).sum()) for each in groups)
        mean = sum(float((each.people * each.time).sum()) for each in groups) / count
        square = sum(float((each.people * each.time_squared).sum()) for each in groups) / count
        spread = float(np.sqrt(square - mean**2))
        self.middle = sum(float(each.score.sum()) for each in groups) / count
        self.turn = np.array([[1.0, 0.0], [-mean / spread, 1 / spread]])
        self.freedom = count - 2 * len(groups)
        self.groups = [self._centred(each) for each in groups]
        self.squares = sum(
            float(each.score_squared.sum() - 2 * self.middle * each.score.sum()) for each in groups
        ) + self.middle**2 * count

    def _centred(self, sums: PathSums) -> tuple[Floats, Floats, Floats, Floats]:
        """Return by pattern: people, X'X of a person, ΣX'y, Σ(X'y)(X'y)'."""
        of_person = _square(sums.scores, sums.time, sums.time_squared)
        products = np.stack([sums.score, sums.score_time], axis=-1)
        crossed = _square(sums.score_by_score, sums.score_by_time, sums.time_by_time)
        ones = of_person[:, :, 0]
        mixed = products[:, :, None] * ones[:, None, :]
        whole = sums.people[:, None, None] * ones[:, :, None] * ones[:, None, :]
        crossed = crossed - self.middle * (mixed + mixed.transpose(0, 2, 1)) + self.middle**2 * whole
        products = products - self.middle * sums.people[:, None] * ones
        turn = self.turn
        return sums.people, turn @ of_person @ turn.T, products @ turn.T, turn @ crossed @ turn.T

    def fit(self, slopes: bool) -> tuple[list[Floats], list[float], float, float] | None:
        """Return lines by group, errors of their slopes, variance between people at time 0, variance within.

        None when nothing varies around people's own lines, or the search did not arrive.
        """
        starts = STARTS if slopes else tuple(start[:1] for start in STARTS)
        with np.errstate(all="ignore"):
            if self._left_within(slopes) <= NOTHING * self.squares:
                return None
            found = [
                minimize(lambda theta: self._profile(theta)[0], start, method="BFGS", jac="3-point",
                         options={"gtol": 1e-8})
                for start in starts
            ]
            best = min(found, key=lambda each: float(each.fun))
            if not np.isfinite(best.fun) or float(np.abs(best.jac).max()) > FLAT:
                return None
            _, squares, lines, precisions = self._profile(best.x)
        within = squares / self.freedom
        factor = _factor(best.x)
        between = within * (self.turn.T @ factor @ factor.T @ self.turn)
        covariances = [within * (self.turn.T @ _inverse(each) @ self.turn) for each in precisions]
        return (
            [self.turn.T @ line + [self.middle, 0.0] for line in lines],
            [float(np.sqrt(each[1, 1])) for each in covariances],
            float(between[0, 0]),
            within,
        )

    def _left_within(self, slopes: bool) -> float:
        """Return the sum of squares that is left when people's own intercepts (and slopes) are taken out."""
        left = self.squares
        for people, own, products, squares in self.groups:
            count, middle = own[:, 0, 0], own[:, 0, 1] / own[:, 0, 0]
            apart = own[:, 1, 1] - count * middle**2
            left -= float((squares[:, 0, 0] / count).sum())
            if slopes:
                both = squares[:, 1, 1] - 2 * middle * squares[:, 0, 1] + middle**2 * squares[:, 0, 0]
                left -= float((both / np.where(apart > NOTHING, apart, np.inf)).sum())
            elif float(people @ apart) > NOTHING:
                left -= float((products[:, 1] - middle * products[:, 0]).sum()) ** 2 / float(people @ apart)
        return left

    def _profile(self, theta: Floats) -> tuple[float, float, list[Floats], list[Floats]]:
        """Return the REML deviance per score, the sum of squares, and lines and precisions by group."""
        factor = _factor(theta)
        squares, deviance = self.squares, 0.0
        lines: list[Floats] = []
        precisions: list[Floats] = []
        for people, own, products, crossed in self.groups:
            inner = factor.T @ own @ factor + np.eye(2)
            shrink = factor @ _inverse(inner) @ factor.T
            precision = np.einsum("k,kij->ij", people, own - own @ shrink @ own)
            right = (products - np.einsum("kij,kj->ki", own @ shrink, products)).sum(axis=0)
            line = _inverse(precision) @ right
            squares -= float(np.einsum("kij,kji->", shrink, crossed)) + float(right @ line)
            deviance += float(people @ np.log(_determinant(inner)) + np.log(_determinant(precision)))
            lines.append(line)
            precisions.append(precision)
        return deviance / self.freedom + float(np.log(squares)), squares, lines, precisions


def _square(corner: Floats, side: Floats, end: Floats) -> Floats:
    """Return one symmetric matrix of two rows per entry."""
    return np.stack([np.stack([corner, side], axis=-1), np.stack([side, end], axis=-1)], axis=-2)


def _determinant(matrix: Floats) -> Floats:
    return np.asarray(matrix[..., 0, 0] * matrix[..., 1, 1] - matrix[..., 0, 1] * matrix[..., 1, 0])


def _inverse(matrix: Floats) -> Floats:
    """Return the inverse of each matrix of two rows; ten times as fast as the general one where there are many."""
    turned = np.stack(
        [
            np.stack([matrix[..., 1, 1], -matrix[..., 0, 1]], axis=-1),
            np.stack([-matrix[..., 1, 0], matrix[..., 0, 0]], axis=-1),
        ],
        axis=-2,
    )
    return np.asarray(turned / _determinant(matrix)[..., None, None])


def _factor(theta: Floats) -> Floats:
    """Return the lower triangle whose square is the variance of people over that of one score."""
    if len(theta) == 1:
        return np.array([[theta[0], 0.0], [0.0, 0.0]])
    return np.array([[theta[0], 0.0], [theta[1], theta[2]]])
