"""A measure over calendar time: its counts by period, the chart that fits them, and what the chart signals.

Only periods that are complete give the centre and the usual range. The others are shown and named: the period in which
the data end, periods of which some people's time has not passed, and, by the period in which people left, the first
ones, in which only short stays could have ended.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from analytics.errors import MeasureProblem
from analytics.measures.calendar_points import Point, axis_of, grain_within, points_of, steady_from, unfinished
from analytics.measures.chart_choice import Chart, Series, charted
from analytics.measures.chart_signals import Signal, signals_of
from analytics.measures.evaluate import evaluate
from analytics.measures.results import Estimate, StratifiedResult
from analytics.measures.subjects import PROGRAM_RATIOS
from analytics.measures.types import ALL, NOT_KNOWN, Cohort, Estimator, Measure, SnapshotCursor, Stratifier, Table
from analytics.statistics.time_series import Effect, interrupted_time_series
from analytics.texts.periods import Grain

# A curve has no one value per period that a chart could take, a model over the stay too little of it in one.
CHARTED: Final = (
    Estimator.PROPORTION,
    Estimator.RATIO,
    Estimator.RATE,
    Estimator.MEDIAN,
    Estimator.MEAN,
    Estimator.MEAN_CHANGE,
)


@dataclass(frozen=True)
class Change:
    """Level and slope before and after a known change, by segmented regression over the counted periods.

    Attributes
    ----------
    at : the first period after the change. before, after : counted periods on either side.
    slope_before : per period. level_change : the jump at the change, against the former line.
    slope_change : how much steeper each period is afterwards. All in the unit of the measure, with Newey-West errors
        of this `lag`; NaN with a `reason` where they cannot be said.
    """

    at: str
    before: int
    after: int
    slope_before: Effect
    level_change: Effect
    slope_change: Effect
    lag: int
    reason: str | None


@dataclass(frozen=True)
class TimeSeries:
    """What `over_time` returns; nothing of it can be drawn before disclosure.

    Attributes
    ----------
    by : the period people were admitted in, or left in. grain : length of a period.
    chart : which one the counts allow; `reason` says why there are no limits, None when there are.
    points : every period from the first to the last, also those without anybody. signals : in words.
    centre : of the last phase. sigma_z : of the last phase of a p′ or p chart, NaN elsewhere.
    baseline : how many counted points gave centre and limits, when they were frozen; else None.
    change : asked for, else None. undated : people to count whose period is not known.
    data_as_of : the data cut at the grain of the privacy mode, "" for data without a calendar.
    """

    measure: Measure
    cohort: Cohort
    by: Stratifier
    grain: Grain
    chart: Chart
    reason: str | None
    points: tuple[Point, ...]
    signals: tuple[Signal, ...]
    centre: float
    sigma_z: float
    baseline: int | None
    change: Change | None
    undated: int
    data_as_of: str
    snapshot_id: str

    @property
    def counted(self) -> tuple[Point, ...]:
        """The periods that make the chart."""
        return tuple(point for point in self.points if point.standing == "counted")


def over_time(
    measure: Measure,
    snapshot: SnapshotCursor,
    data_as_of: str,
    grain: Grain | None = None,
    cohort: Cohort | None = None,
    *,
    baseline: int | None = None,
    change_at: str | None = None,
) -> TimeSeries:
    """Count a measure by calendar period and say whether it changed or only varies as it always did.

    Parameters
    ----------
    data_as_of : the data cut as the snapshot's facts have it: a day, or a period in the modes that keep no day.
    grain : length of a period; None = as fine as the data keep it.
    cohort : who; None = everybody. When admission periods limit it, periods are those of admission.
    baseline : freeze centre and limits on this many first counted periods.
    change_at : a period from which on something was done: a new phase where both sides have enough periods, and a
        segmented regression.

    Raises
    ------
    MeasureProblem
        The measure is a curve or a model over the stay, the data keep coarser periods, a baseline is too short for
        limits, the change lies outside the data, or both a baseline and a change are given.

    Notes
    -----
    By the period in which people left, where the measure is about them and the data keep it: nobody there is too
    recent. Else by the period of admission, with the measure's rule of maturity.
    """
    who = cohort or Cohort()
    of_answers = measure.estimator is Estimator.MEAN and measure.table is Table.SATISFACTION_OUTCOME
    if of_answers or measure.estimator in PROGRAM_RATIOS:
        raise MeasureProblem(f"{measure.id} has no chart over time. Split it by admit_period.")
    if measure.estimator not in CHARTED:
        raise MeasureProblem(f"{measure.id} is about the whole stay, so it has no one value per period.")
    if baseline is not None and change_at is not None:
        raise MeasureProblem("Give a baseline or a change: a change ends the baseline and begins a phase of its own.")
    by = axis_of(measure, snapshot, who)
    length = grain_within(grain, snapshot, by, measure)
    (result,) = evaluate([measure], snapshot, who, by, grain=length)
    steady, open_stays = steady_from(measure, snapshot, who, by), unfinished(measure, snapshot, who, by, length)
    points = points_of(result, length, data_as_of, steady, open_stays)
    at = None if change_at is None else _place_in(points, change_at, length)
    counted = [place for place, point in enumerate(points) if point.standing == "counted"]
    first, last = (counted[0], counted[-1]) if counted else (0, -1)
    inside = points[first : last + 1]
    series = Series(
        measure,
        length,
        tuple(point.period for point in inside),
        np.array([_or_gap(point, point.numerator) for point in inside], dtype=np.float64),
        np.array([_or_gap(point, point.denominator) for point in inside], dtype=np.float64),
        np.array([_or_gap(point, point.value) for point in inside], dtype=np.float64),
    )
    since = None if at is None else min(max(at - first, 0), len(inside))
    found = charted(series, baseline, since)
    charted_points = [
        replace(point, centre=centre, lower=lower, upper=upper, outside=outside)
        for point, centre, lower, upper, outside in zip(
            inside,
            map(float, found.centre),
            map(float, found.lower),
            map(float, found.upper),
            map(bool, found.outside),
            strict=True,
        )
    ]
    return TimeSeries(
        measure=measure,
        cohort=who,
        by=by,
        grain=length,
        chart=found.chart,
        reason=_why_nothing(result, points) or found.reason,
        points=(*points[:first], *charted_points, *points[last + 1 :]),
        signals=signals_of(series, found),
        centre=float(found.centre[-1]) if inside else math.nan,
        sigma_z=found.sigma_z,
        baseline=found.baseline,
        change=None if change_at is None or since is None else _change(series, change_at, since),
        undated=_people(result.estimates.get(NOT_KNOWN)),
        data_as_of=data_as_of,
        snapshot_id=result.snapshot_id,
    )


def _why_nothing(result: StratifiedResult, points: list[Point]) -> str | None:
    """Return why not even one point can be shown; None when one can."""
    everybody = result.estimates[ALL]
    if not everybody.has_value:
        return everybody.reason
    return None if points else "These data have no calendar: their days count from each admission."


def _or_gap(point: Point, value: float) -> float:
    return value if point.standing == "counted" else math.nan


def _people(estimate: Estimate | None) -> int:
    if estimate is None:
        return 0
    return estimate.denominator + (estimate.unknown if estimate.missing == "shown" else 0)


def _place_in(points: list[Point], period: str, grain: Grain) -> int:
    """Return where a change lies among the points, or say what may be given."""
    labels = [point.period for point in points]
    if period not in labels[1:]:
        span = f"They go from {labels[0]} to {labels[-1]}." if labels else "They have no period at all."
        raise MeasureProblem(f"The change is given as a {grain} within the data, after the first. {span}")
    return labels.index(period)


def _change(series: Series, at: str, since: int) -> Change:
    known = ~np.isnan(series.value)
    fit = interrupted_time_series(series.value, since)
    return Change(
        at, int(known[:since].sum()), int(known[since:].sum()), fit.slope_before, fit.level_change, fit.slope_change,
        fit.lag, fit.reason,
    )  # fmt: skip
