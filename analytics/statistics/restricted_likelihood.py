"""The likelihood of a line for everybody and a line of their own for each, from sums of people's scores.

Of a person it needs the number and the sums of their scores, not the scores, and people measured at the same times can
be added up: sums by pattern of times give the same answer as rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize

from analytics.statistics.event_table import Floats

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


class _Group:
    """One group's patterns; all that the likelihood asks of them is linear in three numbers per pattern.

    With Λ the factor of `_factor` and A = X'X of one person, these are the entries of K = Λ (Λ'AΛ + I)⁻¹ Λ', by which
    a person's own line is shrunk.
    """

    def __init__(self, sums: PathSums, middle: float, turn: Floats) -> None:
        # At turned time, of scores from which their mean was taken.
        own = turn @ _symmetric(sums.scores, sums.time, sums.time_squared) @ turn.T
        self.people, (self.n, self.t, self.q) = sums.people, (own[:, 0, 0], own[:, 0, 1], own[:, 1, 1])
        one = np.stack([sums.scores, sums.time], axis=-1)
        products = np.stack([sums.score, sums.score_time], axis=-1)
        mixed = products[:, :, None] * one[:, None, :]
        whole = sums.people[:, None, None] * one[:, :, None] * one[:, None, :]
        crossed = _symmetric(sums.score_by_score, sums.score_by_time, sums.time_by_time)
        crossed = turn @ (crossed - middle * (mixed + mixed.transpose(0, 2, 1)) + middle**2 * whole) @ turn.T
        first, second = ((products - middle * sums.people[:, None] * one) @ turn.T).T
        people, n, t, q = self.people, self.n, self.t, self.q
        self.first, self.second, self.crossed = first, second, crossed
        # A (three entries), X'y (two) and y'y, and what each entry of K takes away from them.
        self.whole = np.array([people @ n, people @ t, people @ q, first.sum(), second.sum(), 0.0])
        self.taken = np.concatenate(
            [
                np.stack([people * n * n, people * n * t, people * t * t, n * first, t * first, crossed[:, 0, 0]]),
                np.stack(
                    [
                        2 * people * n * t,
                        people * (n * q + t * t),
                        2 * people * t * q,
                        n * second + t * first,
                        t * second + q * first,
                        2 * crossed[:, 0, 1],
                    ]
                ),
                np.stack([people * t * t, people * t * q, people * q * q, t * second, q * second, crossed[:, 1, 1]]),
            ],
            axis=1,
        )

    def under(self, factor: Floats) -> tuple[float, Floats]:
        """Return the log determinant of everybody's variance, and `whole` without what the own lines take."""
        (u, _), (v, w) = factor
        first, second, third = self.n * u + self.t * v, self.t * u + self.q * v, self.q * w
        corner, side, end = u * first + v * second + 1, w * second, w * third + 1
        determinant = corner * end - side * side
        shrink = np.concatenate(
            [u * u * end, u * (v * end - w * side), v * v * end - 2 * v * w * side + w * w * corner]
        )
        return float(self.people @ np.log(determinant)), self.whole - self.taken @ (shrink / np.tile(determinant, 3))

    def left_within(self, slopes: bool) -> float:
        """Return by how much own intercepts (and one slope for all, or own slopes) lessen the sum of squares."""
        middle = self.t / self.n
        apart = self.q - self.t * middle
        less = float((self.crossed[:, 0, 0] / self.n).sum())
        if slopes:
            both = self.crossed[:, 1, 1] - 2 * middle * self.crossed[:, 0, 1] + middle**2 * self.crossed[:, 0, 0]
            return less + float((both / np.where(apart > NOTHING, apart, np.inf)).sum())
        spread = float(self.people @ apart)
        return less + (float((self.second - middle * self.first).sum()) ** 2 / spread if spread > NOTHING else 0.0)


class RestrictedLikelihood:
    """The likelihood at a time whose mean is 0 and standard deviation 1, of scores whose mean is 0: a round valley."""

    def __init__(self, groups: Sequence[PathSums]) -> None:
        count = sum(float(each.people @ each.scores) for each in groups)
        mean = sum(float(each.people @ each.time) for each in groups) / count
        square = sum(float(each.people @ each.time_squared) for each in groups) / count
        spread = float(np.sqrt(square - mean**2))
        self.middle = sum(float(each.score.sum()) for each in groups) / count
        self.turn = np.array([[1.0, 0.0], [-mean / spread, 1 / spread]])
        self.freedom = count - 2 * len(groups)
        self.groups = [_Group(each, self.middle, self.turn) for each in groups]
        self.squares = sum(float(each.score_squared.sum()) for each in groups) - self.middle**2 * count

    def fit(self, slopes: bool) -> tuple[list[Floats], list[float], float, float] | None:
        """Return lines by group, errors of their slopes, variance between people at time 0, variance within.

        None when nothing varies around people's own lines, or the search did not arrive.
        """
        starts = STARTS if slopes else tuple(start[:1] for start in STARTS)
        with np.errstate(all="ignore"):
            within_people = self.squares - sum(each.left_within(slopes) for each in self.groups)
            if within_people <= NOTHING * self.squares:
                return None
            found = [
                minimize(
                    lambda theta: self._profile(theta)[0], start, method="BFGS", jac="3-point", options={"gtol": 1e-8}
                )
                for start in starts
            ]
            best = min(found, key=lambda each: float(each.fun))
            if not np.isfinite(best.fun) or float(np.abs(best.jac).max()) > FLAT:
                return None
            _, squares, lines, precisions = self._profile(best.x)
        within = squares / self.freedom
        factor, turn = _factor(best.x), self.turn
        between = within * (turn.T @ factor @ factor.T @ turn)
        covariances = [within * (turn.T @ np.linalg.inv(each) @ turn) for each in precisions]
        return (
            [turn.T @ line + [self.middle, 0.0] for line in lines],
            [float(np.sqrt(each[1, 1])) for each in covariances],
            float(between[0, 0]),
            within,
        )

    def _profile(self, theta: Floats) -> tuple[float, float, list[Floats], list[Floats]]:
        """Return the REML deviance per score, the sum of squares, and lines and precisions by group."""
        factor = _factor(theta)
        squares, deviance = self.squares, 0.0
        lines: list[Floats] = []
        precisions: list[Floats] = []
        for group in self.groups:
            spread, (corner, side, end, right, right_time, taken) = group.under(factor)
            determinant = corner * end - side * side
            line = np.array([end * right - side * right_time, corner * right_time - side * right]) / determinant
            squares += float(taken - line @ (right, right_time))
            deviance += spread + float(np.log(determinant))
            lines.append(line)
            precisions.append(np.array([[corner, side], [side, end]]))
        return deviance / self.freedom + float(np.log(squares)), squares, lines, precisions


def _symmetric(corner: Floats, side: Floats, end: Floats) -> Floats:
    """Return one symmetric matrix of two rows per entry."""
    return np.stack([np.stack([corner, side], axis=-1), np.stack([side, end], axis=-1)], axis=-2)


def _factor(theta: Floats) -> Floats:
    """Return the lower triangle whose square is the variance of people over that of one score."""
    if len(theta) == 1:
        return np.array([[theta[0], 0.0], [0.0, 0.0]])
    return np.array([[theta[0], 0.0], [theta[1], theta[2]]])
