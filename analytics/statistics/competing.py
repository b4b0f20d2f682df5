"""Competing ways to leave: the share that has left in each way by each day (Aalen-Johansen)."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from math import nan, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.statistics.event_table import (
    CurvePoint,
    Floats,
    event_free_share,
    event_table,
    log_log_limits,
    point_at,
    rows_of_groups,
    whole_numbers,
)


@dataclass(frozen=True, eq=False)
class CumulativeIncidence:
    """Cumulative incidence by cause at each distinct time; `event_free` and the incidences sum to 1.

    `incidence`, `standard_error`, `ci_low`, `ci_high` and `events` are keyed by cause. Limits are NaN where
    the incidence is 0 or 1. `at_risk` counts everyone whose time is this one or later.
    """

    time: NDArray[Any]
    causes: tuple[int, ...]
    at_risk: NDArray[np.int64]
    censored: NDArray[np.int64]
    event_free: Floats
    events: dict[int, NDArray[np.int64]]
    incidence: dict[int, Floats]
    standard_error: dict[int, Floats]
    ci_low: dict[int, Floats]
    ci_high: dict[int, Floats]
    level: float

    def at(self, cause: int, time: float) -> CurvePoint:
        """Read the incidence of one cause at `time`, in the unit of the curve's times.

        Before the first time it is 0. After the last it is NaN as long as somebody was left: nobody was
        watched that long. A cause that did not occur has incidence 0.
        """
        never = np.zeros(self.time.size)
        columns = (
            self.incidence.get(cause, never),
            self.standard_error.get(cause, never),
            self.ci_low.get(cause, never + nan),
            self.ci_high.get(cause, never + nan),
        )
        return point_at(time, self.time, self.at_risk, self.event_free, columns, start=0.0)


@dataclass(frozen=True)
class IncidenceDifference:
    """Difference of two incidences of one cause at one time, with its normal interval."""

    value: float
    low: float
    high: float
    standard_error: float


def cumulative_incidence(
    time: ArrayLike,
    cause: ArrayLike,
    weight: ArrayLike | None = None,
    level: float = 0.95,
    causes: tuple[int, ...] | None = None,
) -> CumulativeIncidence:
    """Aalen-Johansen estimate of the cumulative incidence of every cause of leaving.

    F_k(t) = Σ S(t-) d_k / n over times up to t, S the product-limit estimate of not having left at all.
    1 - Kaplan-Meier with the other causes censored overstates every one of them.

    Variance (Aalen; the one of cmprsk): each event of cause k at u moves F_k(t) by S(u-)/n times
    1 - (F_k(t) - F_k(u)) / S(u), each other event by -(F_k(t) - F_k(u)) / S(u); squares summed with the
    tie factor 1 - (d - 1)/(n - 1), d counting cause k and all other causes apart. With one cause each term
    is n/(n - 1) times Greenwood's, so small groups get a wider band than on a Kaplan-Meier curve. Limits:
    log-log.

    Parameters
    ----------
    time : array of int or float
        Days (or months) to leaving or to the end of observation.
    cause : array of int
        0 = censored, else the code of the cause. At equal times events come before censorings.
    weight : array of int, optional
        Counts: the row stands for that many people. Rows grouped by day and cause in SQL give the same
        curve as one row per person.
    level : float
        Confidence level of the limits.
    causes : tuple of int, optional
        Causes to report even if they did not occur, so that all groups have the same keys.

    Returns
    -------
    CumulativeIncidence
        Empty arrays when nobody is given.

    Raises
    ------
    ValueError
        Lengths differ, values are missing, codes or weights are no whole numbers ≥ 0, or a cause occurs
        that `causes` does not name.

    References
    ----------
    Aalen & Johansen 1978, Scand J Statist 5:141-150; Aalen 1978, doi:10.1214/aos/1176344198. Defined and
    shown on transplant data by Scrucca, Santucci & Aversa 2007, doi:10.1038/sj.bmt.1705727.

    Ten clients, 1 = left early, 2 = completed; with nobody censored yet at day 12 the incidence is a
    plain share, 2 of 10 and 1 of 10:

    >>> curve = cumulative_incidence([5, 8, 12, 15, 20, 20, 28, 30, 35, 40], [1, 2, 1, 0, 2, 1, 2, 0, 1, 2])
    >>> round(curve.at(1, 12).value, 4), round(curve.at(2, 12).value, 4)
    (0.2, 0.1)
    >>> round(curve.at(1, 20).value, 4), round(curve.at(1, 20).standard_error, 4)
    (0.3167, 0.1645)
    """
    table = event_table(time, cause, weight, causes)
    event_free = event_free_share(table.exits, table.at_risk)
    before = np.concatenate(([1.0], event_free))[:-1]
    incidence: dict[int, Floats] = {}
    standard_error: dict[int, Floats] = {}
    low: dict[int, Floats] = {}
    high: dict[int, Floats] = {}
    for code, own in zip(table.causes, table.counts[1:], strict=True):
        incidence[code] = np.cumsum(before * own / table.at_risk)
        variance = _aalen_variance(incidence[code], before, event_free, own, table.exits - own, table.at_risk)
        standard_error[code] = np.sqrt(variance)
        low[code], high[code] = log_log_limits(incidence[code], standard_error[code], level)
    whole = table.counts.astype(np.int64)
    return CumulativeIncidence(
        time=table.time,
        causes=table.causes,
        at_risk=table.at_risk.astype(np.int64),
        censored=whole[0],
        event_free=event_free,
        events=dict(zip(table.causes, whole[1:], strict=True)),
        incidence=incidence,
        standard_error=standard_error,
        ci_low=low,
        ci_high=high,
        level=level,
    )


def cumulative_incidence_by_group(
    group: ArrayLike,
    time: ArrayLike,
    cause: ArrayLike,
    weight: ArrayLike | None = None,
    level: float = 0.95,
) -> dict[Hashable, CumulativeIncidence]:
    """`cumulative_incidence` of every group, all with the causes that occur anywhere.

    The door for rows of `group, day, cause, count(*)` from SQL. A dense array `counts[group, cause, day]`
    comes in by `group, cause, day = np.nonzero(counts)` with `weight = counts[group, cause, day]`.

    Returns
    -------
    dict
        Label (None for "not known", last) to curve.

    Raises
    ------
    ValueError
        As `cumulative_incidence`.

    >>> curves = cumulative_incidence_by_group(["a", "a", "b"], [3, 5, 4], [1, 0, 2], [1, 3, 2])
    >>> curves["a"].incidence[1].tolist(), curves["a"].incidence[2].tolist(), curves["b"].causes
    ([0.25, 0.25], [0.0, 0.0], (1, 2))
    """
    codes = whole_numbers(cause, "cause")
    all_causes = tuple(int(code) for code in np.unique(codes[codes > 0]))
    times, people = np.asarray(time), None if weight is None else np.asarray(weight)
    return {
        label: cumulative_incidence(
            times[rows], codes[rows], None if people is None else people[rows], level, all_causes
        )
        for label, rows in rows_of_groups(group).items()
    }


def incidence_difference(
    curve_a: CumulativeIncidence,
    curve_b: CumulativeIncidence,
    cause: int,
    time: float,
    level: float = 0.95,
) -> IncidenceDifference:
    """Incidence of one cause in group a minus that in group b at one fixed time.

    F_a - F_b ± z √(SE_a² + SE_b²), cut at -1 and 1. The groups must not share people, and the time must
    be chosen before looking: the largest gap of two curves is no fair comparison.

    Returns
    -------
    IncidenceDifference
        NaN when either curve ends before `time`; limits are NaN also when neither group has an error
        (nobody, or everybody, left that way in both), which is no certainty.

    References
    ----------
    Aalen's variance as in `cumulative_incidence`; a group comparison at a fixed time as in Klein, Logan,
    Harhoff & Andersen 2007, doi:10.1002/sim.2864.

    >>> a = cumulative_incidence([1, 2, 3, 4], [1, 1, 0, 0])
    >>> b = cumulative_incidence([1, 2, 3, 4], [2, 0, 0, 1])
    >>> gap = incidence_difference(a, b, cause=1, time=3)
    >>> gap.value, round(gap.standard_error, 4), round(gap.low, 4)
    (0.5, 0.3005, -0.0889)
    """
    a, b = curve_a.at(cause, time), curve_b.at(cause, time)
    difference, error = a.value - b.value, sqrt(a.standard_error**2 + b.standard_error**2)
    half = NormalDist().inv_cdf((1 + level) / 2) * error if error > 0 else nan
    low, high = np.clip([difference - half, difference + half], -1.0, 1.0).tolist()
    return IncidenceDifference(difference, low, high, error)


def _aalen_variance(
    incidence: Floats, before: Floats, after: Floats, own: Floats, other: Floats, at_risk: Floats
) -> Floats:
    """Σ (effect on F(t))² over events up to t, by three running sums, since F(t) enters squared."""
    spare = np.maximum(at_risk - 1, 1.0)
    per_event = (before / at_risk) ** 2
    own_part = per_event * own * (1 - np.maximum(own - 1, 0.0) / spare)
    other_part = per_event * other * (1 - np.maximum(other - 1, 0.0) / spare)
    # When nobody is left, F cannot move any more and the effect on later events is nil.
    onward = np.divide(1.0, after, out=np.zeros_like(after), where=after > 0)
    reached = incidence * onward
    squared = np.cumsum(own_part * (1 + reached) ** 2 + other_part * reached**2)
    crossed = np.cumsum(onward * (own_part * (1 + reached) + other_part * reached))
    slope = np.cumsum(onward**2 * (own_part + other_part))
    variance: Floats = squared - 2 * incidence * crossed + incidence**2 * slope
    return np.maximum(variance, 0.0)
