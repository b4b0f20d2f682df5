"""Rules that tell a signal from ordinary variation in a series: Anhøj's for runs, Making Data Count's for points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analytics.statistics.event_table import Floats

Special = Literal[
    "above_limit", "below_limit", "rising", "falling", "two_of_three_high", "two_of_three_low", "run_above", "run_below"
]

# A run or a trend of this many points (Making Data Count, NHS England) are a signal.
SEVEN: Final = 7
_ROUNDING: Final = 1e-12  # of the larger number: what adding up and dividing may leave


@dataclass(frozen=True)
class Runs:
    """Anhøj's rules for one phase of a series.

    Attributes
    ----------
    useful : points that do not lie on the centre line; those on it belong to no side.
    longest_run : points of the longest run on one side. A signal above `longest_run_limit`.
    crossings : how often the series crosses the centre. A signal below `crossings_limit`.
    signal : either of the two; None when there is no useful point.
    """

    useful: int
    longest_run: int
    longest_run_limit: int
    crossings: int
    crossings_limit: int
    signal: bool | None


@dataclass(frozen=True)
class Stretch:
    """Points in a row: on one side of a centre, or each beyond the one before.

    Attributes
    ----------
    start, last : places of its first and last point in the series.
    points : how many; gaps between them are none.
    direction : 1 = above the centre, or rising; -1 = below, or falling.
    """

    start: int
    last: int
    points: int
    direction: int


def off_the_line(values: ArrayLike, line: ArrayLike) -> Floats:
    """Return how far values lie from a line, 0 for what is no more than the rounding of a mean."""
    series, at = np.asarray(values, dtype=np.float64), np.asarray(line, dtype=np.float64)
    distance = series - at
    return np.where(np.abs(distance) <= _ROUNDING * np.maximum(np.abs(series), np.abs(at)), 0.0, distance)


def moving_ranges(series: Floats) -> Floats:
    """Return how much each point differs from the one before; the points around a gap are not next to each other."""
    ranges = np.abs(np.diff(series))
    return ranges[~np.isnan(ranges)]


def runs_of(values: ArrayLike, centre: float, *, ended_by_centre: bool = False) -> list[Stretch]:
    """Return the runs of points on one side of a centre, in order of time.

    Parameters
    ----------
    values : the series; NaN where nothing was observed, which is left out and ends no run.
    ended_by_centre : whether a point on the centre line ends a run (Making Data Count), or belongs to no side and is
        left out (Anhøj).
    """
    series = np.asarray(values, dtype=np.float64)
    side = np.sign(off_the_line(series, centre))
    return _alike(side, ~np.isnan(side) & ((side != 0) | ended_by_centre))


def trends_of(values: ArrayLike) -> list[Stretch]:
    """Return the stretches in which each point is higher, or lower, than the one before; a gap ends none."""
    series = np.asarray(values, dtype=np.float64)
    places = np.flatnonzero(~np.isnan(series))
    steps = np.sign(np.diff(series[places]))
    # A stretch has one point more than it has steps: the one from which the first step leaves.
    return [
        Stretch(int(places[step.start]), int(places[step.last + 1]), step.points + 1, step.direction)
        for step in _alike(steps, np.ones(len(steps), dtype=np.bool_))
    ]


def _alike(side: Floats, counts: NDArray[np.bool_]) -> list[Stretch]:
    """Return the stretches of equal sides among the points that count; those of side 0 only end others."""
    places = np.flatnonzero(counts)
    ends = np.flatnonzero(np.diff(side[places])) + 1
    return [
        Stretch(int(each[0]), int(each[-1]), len(each), int(side[each[0]]))
        for each in np.split(places, ends)
        if len(each) and side[each[0]] != 0
    ]


def anhoej(values: ArrayLike, centre: float) -> Runs:
    """Unusually long runs and unusually few crossings of the centre line.

    Parameters
    ----------
    values : the series in order of time; NaN where nothing was observed, which is left out.
    centre : the median (run chart) or mean (control chart) of the phase.

    Notes
    -----
    The limits are round(log2(n) + 3) for the longest run and the 5 % point of a binomial with n - 1 trials for the
    crossings, n being the useful points. In a random series about one chart in twenty shows a signal.

    References
    ----------
    Anhøj & Olesen 2014, doi:10.1371/journal.pone.0113825; qicharts2 is the oracle of the tests.

    >>> anhoej([1, 2, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2], 1.5).signal
    True
    """
    runs = runs_of(values, centre)
    useful = sum(run.points for run in runs)
    if useful == 0:
        return Runs(0, 0, 0, 0, 0, None)
    longest, crossings = max(run.points for run in runs), len(runs) - 1
    longest_limit = round(float(np.log2(useful)) + 3)
    crossings_limit = int(stats.binom.ppf(0.05, useful - 1, 0.5)) if useful > 1 else 0
    signal = longest > longest_limit or crossings < crossings_limit
    return Runs(useful, longest, longest_limit, crossings, crossings_limit, signal)


def making_data_count(values: ArrayLike, centre: float, lower: float, upper: float) -> tuple[Special | None, ...]:
    """Special causes of one phase of an XmR chart, a code per point or None for common cause.

    In this order of precedence: a point outside the limits; seven points rising or falling; two of three points in
    the outer third with all three on one side; seven points on one side. Every point that takes part in a run or
    trend carries its code; of two in three only the points of the outer third.

    Parameters
    ----------
    values : the phase in order of time. A gap (NaN) is no point and ends no run.
    centre, lower, upper : of the phase; NaN limits leave only runs and trends.

    References
    ----------
    NHS England, Making Data Count; NHSRplotthedots is the oracle of the tests.
    """
    series = np.asarray(values, dtype=np.float64)
    given = ~np.isnan(series)
    points = series[given]
    side = np.sign(off_the_line(points, centre))
    high, low = off_the_line(points, upper) > 0, off_the_line(points, lower) < 0
    near_upper, near_lower = centre + (upper - centre) * 2 / 3, centre - (centre - lower) * 2 / 3
    near = ~(high | low) & ((points > near_upper) | (points < near_lower))
    runs = [run for run in runs_of(points, centre, ended_by_centre=True) if run.points >= SEVEN]
    trends = [trend for trend in trends_of(points) if trend.points >= SEVEN]
    found: list[tuple[Special, NDArray[np.bool_]]] = [
        ("above_limit", high),
        ("below_limit", low),
        ("rising", _marked(trends, 1, len(points))),
        ("falling", _marked(trends, -1, len(points))),
        ("two_of_three_high", _two_of_three(near, side == 1)),
        ("two_of_three_low", _two_of_three(near, side == -1)),
        ("run_above", _marked(runs, 1, len(points))),
        ("run_below", _marked(runs, -1, len(points))),
    ]
    codes: list[Special | None] = [None] * len(series)
    places = np.flatnonzero(given)
    for code, where in reversed(found):
        for at in np.flatnonzero(where):
            codes[int(places[at])] = code
    return tuple(codes)


def _marked(stretches: list[Stretch], direction: int, length: int) -> NDArray[np.bool_]:
    """Mark the points of the stretches of one direction."""
    marked = np.zeros(length, dtype=np.bool_)
    for stretch in stretches:
        if stretch.direction == direction:
            marked[stretch.start : stretch.last + 1] = True
    return marked


def _two_of_three(near: NDArray[np.bool_], on_side: NDArray[np.bool_]) -> NDArray[np.bool_]:
    marked = np.zeros(len(near), dtype=np.bool_)
    for start in range(len(near) - 2):
        window = slice(start, start + 3)
        if on_side[window].all() and near[window].sum() >= 2:
            marked[window] |= near[window]
    return marked
