"""Log-rank test from rows or from counts by day."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike

from analytics.statistics.event_table import (
    Floats,
    counts_of,
    groups_of,
    numbers,
    rows_of_groups,
    still_to_come,
    tally,
    yes_or_no,
)

# Directions of the covariance below this part of the largest are rounding, not information.
NEGLIGIBLE = 1e-11


@dataclass(frozen=True, eq=False)
class LogRank:
    """Log-rank test. `observed` and `expected` events are in the order of `groups`.

    `dropped` are groups of which nobody was at risk at any event; they are not tested and not counted in
    `degrees_of_freedom`. `statistic` and `p_value` are NaN when there is nothing to compare.
    """

    statistic: float
    p_value: float
    degrees_of_freedom: int
    groups: tuple[Hashable, ...]
    observed: Floats
    expected: Floats
    dropped: tuple[Hashable, ...]


def log_rank(
    time: ArrayLike,
    event: ArrayLike,
    group: ArrayLike,
    weight: ArrayLike | None = None,
    strata: ArrayLike | None = None,
) -> LogRank:
    """Log-rank test that all groups leave at the same rate, from rows or from counts by day.

    At each event time with n at risk, d events, n_k at risk in group k: U_k = Σ (d_k - n_k d/n),
    V_kl = Σ d (n-d)/(n-1) · n_k/n · (δ_kl - n_l/n), summed over strata; statistic U'V⁻U, χ² with rank(V)
    degrees of freedom. In floating point throughout: products of counts overflow 64-bit integers.

    Parameters
    ----------
    time, event, weight
        As `kaplan_meier`. For one cause among several pass `event = (cause == k)`: the other causes are
        censored when they occur. That cause-specific test compares the *rates* of leaving in that way
        among those still in; two groups may differ in it and have equal cumulative incidence.
    group : array
        Label of each row. None is a group of its own: "not known".
    strata : array, optional
        Compare only within these, such as sites.

    Returns
    -------
    LogRank
        NaN statistic and p when fewer than two groups are at risk at an event.

    Raises
    ------
    ValueError
        Lengths differ, or as `kaplan_meier`.

    References
    ----------
    Mantel 1966, Cancer Chemother Rep 50:163-170; Peto & Peto 1972, doi:10.2307/2344317. The example is
    Freireich et al. 1963: χ² = 16.79.

    >>> weeks = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    >>> relapse = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    >>> placebo = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    >>> test = log_rank(weeks + placebo, relapse + [1] * 21, ["6-MP"] * 21 + ["placebo"] * 21)
    >>> round(test.statistic, 2), test.degrees_of_freedom, test.observed.tolist()
    (16.79, 1, [9.0, 21.0])
    """
    times, happened = numbers(time, "time"), yes_or_no(event)
    people = counts_of(weight, times.size)
    labels, member = groups_of(group)
    stratum = np.zeros(times.size) if strata is None else groups_of(strata)[1]
    if not times.size == happened.size == member.size == stratum.size:
        raise ValueError("time, event, group and strata must have the same length")
    size = len(labels)
    observed, expected, variance = np.zeros(size), np.zeros(size), np.zeros((size, size))
    ever_at_risk = np.zeros(size, dtype=bool)
    for rows in rows_of_groups(stratum).values():
        distinct, at = np.unique(times[rows], return_inverse=True)
        cell = at * size + member[rows]
        everyone = tally(cell, people[rows], distinct.size, size)
        events = tally(cell, people[rows] * happened[rows], distinct.size, size)
        eventful = events.sum(axis=1) > 0
        at_risk = still_to_come(everyone)[eventful]
        n, d = at_risk.sum(axis=1), events[eventful].sum(axis=1)
        share = at_risk / n[:, None]
        spread = d * (n - d) / np.maximum(n - 1, 1.0)
        observed += events.sum(axis=0)
        expected += d @ share
        variance += np.diag(spread @ share) - (share.T * spread) @ share
        ever_at_risk |= (at_risk > 0).any(axis=0)
    kept = np.flatnonzero(ever_at_risk)
    groups, dropped = (tuple(labels[k] for k in np.flatnonzero(at)) for at in (ever_at_risk, ~ever_at_risk))
    # The deviations sum to zero, so one group is redundant; strata that share no group make more so.
    score, free = (observed - expected)[kept[:-1]], kept[:-1]
    solution, _, rank, _ = np.linalg.lstsq(variance[np.ix_(free, free)], score, rcond=NEGLIGIBLE)
    statistic, p_value = nan, nan
    if rank > 0:
        from scipy.special import chdtrc

        statistic = float(score @ solution)
        p_value = float(chdtrc(rank, statistic))
    return LogRank(statistic, p_value, int(rank), groups, observed[kept], expected[kept], dropped)
