"""Gray's test: whether groups have the same cumulative incidence of one way of leaving."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from analytics.statistics.event_table import Floats, counts_of, groups_of, numbers, still_to_come, tally, whole_numbers
from analytics.statistics.log_rank import NEGLIGIBLE


@dataclass(frozen=True, eq=False)
class GrayTest:
    """Gray's test of one cause. `statistic` and `p_value` are NaN when there is nothing to compare.

    `score` is, by group in the order of `groups`, events of the cause beyond those expected if all groups had one
    incidence.
    """

    statistic: float
    p_value: float
    degrees_of_freedom: int
    groups: tuple[Hashable, ...]
    score: Floats


class _Moments:
    """Sums over time of what the variance needs: the influence of the events after a day is not known on it."""

    def __init__(self, size: int) -> None:
        self.square = np.zeros((size, size))
        self.with_coming = np.zeros((size, size))
        self.of_coming = np.zeros(size)

    def add(self, group: int, influence: Floats, coming: float, jump: float) -> None:
        """Add one group's jump: its influence on every score is `influence` + `coming` × what is still to come."""
        self.square += np.outer(influence, influence) * jump
        self.with_coming[:, group] += influence * coming * jump
        self.of_coming[group] += coming**2 * jump

    def total(self, whole: Floats) -> Floats:
        """Return the covariance of the scores; `whole` is what had come in the end."""
        crossed = whole @ self.with_coming.T
        return np.asarray(self.square + crossed + crossed.T + (whole * self.of_coming) @ whole.T)


def gray_test(
    time: ArrayLike, cause: ArrayLike, group: ArrayLike, weight: ArrayLike | None = None, of: int = 1
) -> GrayTest:
    """Gray's K-sample test (ρ = 0) from rows or from counts by day.

    Parameters
    ----------
    time : of leaving, or of being last seen. cause : 0 = censored, else the way of leaving.
    group : label of each row. weight : how many people each row stands for.
    of : the cause that is compared; all other causes compete.

    Notes
    -----
    It compares how many have left in that way, where the cause-specific log-rank test compares the rates among those
    still in. Two groups may differ in one and not in the other.

    References
    ----------
    Gray 1988, doi:10.1214/aos/1176350951; R cmprsk is the oracle of the tests (to 1e-9).
    """
    times, causes = numbers(time, "time"), whole_numbers(cause, "cause")
    people = counts_of(weight, times.size)
    labels, member = groups_of(group)
    if not times.size == causes.size == member.size:
        raise ValueError("time, cause and group must have the same length")
    size = len(labels)
    distinct, at = np.unique(times, return_inverse=True)
    cell = at * size + member
    at_risk = still_to_come(tally(cell, people, distinct.size, size))
    ours = tally(cell, people * (causes == of), distinct.size, size)
    others = tally(cell, people * ((causes != of) & (causes != 0)), distinct.size, size)
    moments, score, coming = _Moments(size), np.zeros(size), np.zeros((size, size))
    free, incidence, pooled = np.ones(size), np.zeros(size), 0.0  # before the day: S and F by group, F of all
    for n, d, e in zip(at_risk, ours, others, strict=True):
        if not (d + e).any():
            continue
        present = n > 0
        divisor = np.where(present, n, 1.0)
        after = np.where(present, free * (n - d - e) / divisor, free)
        # Those at risk as if nobody had been lost to censoring or to the other causes.
        whole = np.where(present & (free > 0), n / np.where(free > 0, free, 1.0), 0.0)
        events = float(d.sum())
        pooled_after = pooled + events / float(whole.sum())
        if events:
            share = whole * (1 - incidence)
            score += np.where(present, d - events * share / float(share.sum()), 0.0)
            weights = np.diag(whole) - np.outer(whole, whole) / float(whole.sum())
            coming = coming + weights * events / (float(whole.sum()) * (1 - pooled))
        for k in np.flatnonzero(present):
            ratio = (1 - pooled_after) / after[k] if after[k] > 0 else 0.0
            if events:
                ties = 1 - (events - 1) / (float(whole.sum()) * free[k] - 1) if events > 1 else 1.0
                jump = ties * free[k] * events / (float(whole.sum()) * n[k])
                moments.add(int(k), weights[:, k] - (1 - ratio) * coming[:, k], 1 - ratio, jump)
            if e[k] and after[k] > 0:
                ties = 1 - (e[k] - 1) / (n[k] - 1) if e[k] > 1 else 1.0
                moments.add(int(k), ratio * coming[:, k], -ratio, ties * free[k] ** 2 * e[k] / n[k] ** 2)
        incidence = np.where(present, incidence + free * d / divisor, incidence)
        free, pooled = after, pooled_after
    variance = moments.total(coming)
    solution, _, rank, _ = np.linalg.lstsq(variance[:-1, :-1], score[:-1], rcond=NEGLIGIBLE)
    if size < 2 or rank == 0:
        return GrayTest(nan, nan, 0, labels, score)
    statistic = float(score[:-1] @ solution)
    return GrayTest(statistic, float(chdtrc(int(rank), statistic)), int(rank), labels, score)
