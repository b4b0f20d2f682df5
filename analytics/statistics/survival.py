"""Time to leaving: Kaplan-Meier, median, log-rank; with `competing`, all that a retention page shows."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.statistics.competing import (
    CumulativeIncidence,
    IncidenceDifference,
    cumulative_incidence,
    cumulative_incidence_by_group,
    incidence_difference,
)
from analytics.statistics.event_table import (
    CurvePoint,
    Floats,
    event_free_share,
    event_table,
    log_log_limits,
    point_at,
    rows_of_groups,
    yes_or_no,
)
from analytics.statistics.log_rank import LogRank, log_rank

__all__ = [
    "CumulativeIncidence",
    "CurvePoint",
    "IncidenceDifference",
    "LogRank",
    "MedianSurvival",
    "SurvivalCurve",
    "cumulative_incidence",
    "cumulative_incidence_by_group",
    "incidence_difference",
    "kaplan_meier",
    "kaplan_meier_by_group",
    "log_rank",
    "median_survival",
]

# S(t) is a product of fractions: a half reached exactly may come out a hair above .5.
HALF = 0.5 + 1e-9


@dataclass(frozen=True, eq=False)
class SurvivalCurve:
    """Kaplan-Meier estimate at each distinct time, ascending; all arrays have the length of `time`.

    `at_risk` counts everyone whose time is this one or later. `standard_error` (Greenwood) is NaN once
    nobody is left; limits (log-log) are NaN where the survival is 1 or 0.
    """

    time: NDArray[Any]
    at_risk: NDArray[np.int64]
    events: NDArray[np.int64]
    censored: NDArray[np.int64]
    survival: Floats
    standard_error: Floats
    ci_low: Floats
    ci_high: Floats
    level: float

    def at(self, time: float) -> CurvePoint:
        """Read the curve at `time`, in the unit of its times.

        Before the first time it is 1. After the last it is NaN as long as somebody was left: nobody was
        watched that long.
        """
        columns = (self.survival, self.standard_error, self.ci_low, self.ci_high)
        return point_at(time, self.time, self.at_risk, self.survival, columns, start=1.0)


@dataclass(frozen=True)
class MedianSurvival:
    """The time by which half have left, with its interval. NaN: the curve, or the band, stays above."""

    value: float
    low: float
    high: float


def kaplan_meier(
    time: ArrayLike, event: ArrayLike, weight: ArrayLike | None = None, level: float = 0.95
) -> SurvivalCurve:
    """Kaplan-Meier estimate of still being in, with Greenwood errors and log-log limits.

    S(t) = Π (1 - d/n) over times up to t; SE = S √Σ d / (n(n - d)); limits S^exp(±z SE / (S |ln S|)).

    Parameters
    ----------
    time : array of int or float
        Days (or weeks) to leaving or to the end of observation.
    event : array of bool, or of 0 and 1
        True = left, False = censored. At equal times events come before censorings.
    weight : array of int, optional
        Counts: the row stands for that many people.
    level : float
        Confidence level of the pointwise limits.

    Returns
    -------
    SurvivalCurve
        Empty arrays when nobody is given.

    Raises
    ------
    ValueError
        Lengths differ, values are missing, an event is not 0 or 1, a weight no whole number ≥ 0.

    References
    ----------
    Kaplan & Meier 1958, doi:10.1080/01621459.1958.10501452; Greenwood 1926. The example is the
    6-mercaptopurine arm of Freireich et al. 1963, doi:10.1182/blood.V21.6.699.699: S(10) = .753.

    >>> weeks = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    >>> relapse = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    >>> point = kaplan_meier(weeks, relapse).at(10)
    >>> round(point.value, 4), round(point.standard_error, 4), round(point.ci_low, 4), round(point.ci_high, 4)
    (0.7529, 0.0963, 0.5032, 0.8894)
    """
    table = event_table(time, yes_or_no(event), weight, causes=(1,))
    exits, at_risk = table.exits, table.at_risk
    survival = event_free_share(exits, at_risk)
    somebody_left = at_risk > exits
    hazard_variance = np.cumsum(
        np.divide(exits, at_risk * (at_risk - exits), out=np.zeros_like(exits), where=somebody_left)
    )
    standard_error = np.where(somebody_left, survival * np.sqrt(hazard_variance), nan)
    low, high = log_log_limits(survival, standard_error, level)
    return SurvivalCurve(
        time=table.time,
        at_risk=at_risk.astype(np.int64),
        events=exits.astype(np.int64),
        censored=table.counts[0].astype(np.int64),
        survival=survival,
        standard_error=standard_error,
        ci_low=low,
        ci_high=high,
        level=level,
    )


def kaplan_meier_by_group(
    group: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    weight: ArrayLike | None = None,
    level: float = 0.95,
) -> dict[Hashable, SurvivalCurve]:
    """`kaplan_meier` of every group: the door for rows of `group, day, left, count(*)` from SQL.

    A dense array `counts[group, cause, day]` comes in by `group, cause, day = np.nonzero(counts)` with
    `event = cause > 0` and `weight = counts[group, cause, day]`.

    Returns
    -------
    dict
        Label (None for "not known", last) to curve.

    Raises
    ------
    ValueError
        As `kaplan_meier`.

    >>> curves = kaplan_meier_by_group(["a", "b", "a"], [5, 7, 9], [True, False, False], [1, 4, 3])
    >>> curves["a"].survival.tolist(), curves["b"].survival.tolist()
    ([0.75, 0.75], [1.0])
    """
    times, happened = np.asarray(time), np.asarray(event)
    people = None if weight is None else np.asarray(weight)
    return {
        label: kaplan_meier(times[rows], happened[rows], None if people is None else people[rows], level)
        for label, rows in rows_of_groups(group).items()
    }


def median_survival(
    time: ArrayLike | SurvivalCurve,
    event: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    level: float = 0.95,
) -> MedianSurvival:
    """Median time to leaving: the smallest t with S(t) ≤ 0.5, with its interval.

    Where S is flat at exactly .5 this is the start of the flat part (R gives its midpoint). The limits are
    the first times at which the lower and the upper log-log limit of S are ≤ 0.5.

    Parameters
    ----------
    time : SurvivalCurve, or array with `event` and optionally `weight`
        A curve brings its own level.

    Returns
    -------
    MedianSurvival
        In the unit of `time`. NaN: fewer than half had left when observation ended, or the limit of the
        curve never crosses .5 (no upper bound can be given).

    Raises
    ------
    ValueError
        Times without events, or as `kaplan_meier`.

    References
    ----------
    Brookmeyer & Crowley 1982, doi:10.2307/2530286. Freireich et al. 1963: 8 weeks on placebo.

    >>> placebo = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    >>> median_survival(placebo, [1] * 21)
    MedianSurvival(value=8.0, low=4.0, high=11.0)
    """
    if isinstance(time, SurvivalCurve):
        curve = time
    elif event is None:
        raise ValueError("times need their events: median_survival(time, event) or median_survival(curve)")
    else:
        curve = kaplan_meier(time, event, weight, level)
    steps = (curve.survival, curve.ci_low, curve.ci_high)
    return MedianSurvival(*(_first_time(curve.time, step <= HALF) for step in steps))


def _first_time(time: NDArray[Any], reached: NDArray[np.bool_]) -> float:
    return float(time[np.argmax(reached)]) if bool(reached.any()) else nan
