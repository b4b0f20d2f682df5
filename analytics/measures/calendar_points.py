"""A measure by calendar period: which period places people, and which periods are complete.

A period is not counted while the data end within it, while some of its people are too recent, or, by the period in
which people left, as long as only short stays could have ended.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from analytics.errors import MeasureProblem
from analytics.measures.cohort_sql import at_grain, rows_of
from analytics.measures.denominators import GRACE_DAYS, LEFT, MATURE, USUAL_WEEKS
from analytics.measures.groups import choices
from analytics.measures.results import Estimate, StratifiedResult
from analytics.measures.small_groups import SMALL_GROUP, smaller_than
from analytics.measures.subjects import subject_of
from analytics.measures.types import ALL, NOT_KNOWN, Cohort, Estimator, Measure, SnapshotCursor, Stratifier
from analytics.texts import data_cut_words, period_words
from analytics.texts.periods import MONTHS_IN, Grain, grain_of, is_over, months_of, period_at, place_of

Standing = Literal["counted", "not over", "too recent", "unfinished", "too early", "nobody"]

_DAYS_IN_MONTH: Final = 365.25 / 12


@dataclass(frozen=True)
class Point:
    """One period.

    Attributes
    ----------
    period : its label. standing : "counted" = part of the chart; else why not, and `reason` says it in words.
    waiting : people whose time has not passed, or whose stay is not over.
    value, ci_low, ci_high : in the unit of the measure; NaN where there is none.
    numerator, denominator, persons, unknown, too_recent : as in `Estimate`. small : fewer than 11 people.
    centre, lower, upper : of the chart at this point; NaN without one. outside : whether it lies beyond the limits.
    """

    period: str
    standing: Standing
    value: float
    ci_low: float
    ci_high: float
    numerator: int
    denominator: int
    persons: int | None
    unknown: int
    too_recent: int
    small: bool
    reason: str | None
    waiting: int = 0
    centre: float = math.nan
    lower: float = math.nan
    upper: float = math.nan
    outside: bool = False


def axis_of(measure: Measure, snapshot: SnapshotCursor, cohort: Cohort) -> Stratifier:
    """Return the period that places people: of leaving for a measure of those who left, where the data keep it."""
    if LEFT not in measure.eligible or cohort.bounded_by_admission:
        return Stratifier.ADMIT_PERIOD
    kept = any(label != NOT_KNOWN for label in choices(snapshot, Stratifier.DISCHARGE_PERIOD))
    return Stratifier.DISCHARGE_PERIOD if kept else Stratifier.ADMIT_PERIOD


def grain_within(asked: Grain | None, snapshot: SnapshotCursor, by: Stratifier, measure: Measure) -> Grain:
    """Return the length of a period: as asked, or as fine as the data keep it for the rows of the measure.

    Raises
    ------
    MeasureProblem
        The data keep no period as fine as that.
    """
    labels = [label for label in choices(snapshot, by, subject_of(measure).rows) if label != NOT_KNOWN]
    kept: Grain = max(map(grain_of, labels), key=MONTHS_IN.__getitem__, default="month")
    if asked is None:
        return kept
    if labels and MONTHS_IN[asked] < MONTHS_IN[kept]:
        raise MeasureProblem(f"These data keep no period finer than a {kept}. Ask for a {kept} or longer.")
    return asked


def steady_from(measure: Measure, snapshot: SnapshotCursor, cohort: Cohort, by: Stratifier) -> int | None:
    """Return the first month (its place) in which stays of the planned length could have ended; None = any.

    Data that begin with the admissions of some month have, at first, only short stays among those who left.
    """
    if by is not Stratifier.DISCHARGE_PERIOD:
        return None
    rows = rows_of(measure.table, cohort, measure.instrument)
    answer = snapshot.query(
        f"select planned_weeks, count(*), min(admit_period) from {rows.text} group by 1 order by 1", rows.parameters
    )
    admitted = [label for *_, label in answer if label is not None]
    if not admitted:
        return None
    planned = [(weeks, people) for weeks, people, _ in answer if weeks is not None] or [(USUAL_WEEKS, 1)]
    # One plan of a year must not cost a year of points: nine in ten are planned for at most so many weeks.
    reached = np.cumsum([people for _, people in planned])
    weeks = int(planned[int(np.searchsorted(reached, 0.9 * reached[-1]))][0])
    return months_of(min(admitted)).start + math.ceil((7 * weeks + GRACE_DAYS) / _DAYS_IN_MONTH)


def unfinished(
    measure: Measure, snapshot: SnapshotCursor, cohort: Cohort, by: Stratifier, grain: Grain
) -> dict[str, int]:
    """Return, by period of admission, how many stays are not over; of measures that add up over the stay.

    What is added up over the first weeks only is not like what is added up over whole stays. Somebody who is still in
    long after the planned length does not hold a period back.
    """
    adds_up = measure.estimator in (Estimator.RATIO, Estimator.RATE) and measure.mature is measure.horizon is None
    if by is not Stratifier.ADMIT_PERIOD or not adds_up:
        return {}
    rows = rows_of(measure.table, cohort, measure.instrument)
    answer = snapshot.query(
        f"select {at_grain(by.value, grain)}, count(*) from {rows.text} where (is_closed or {MATURE}) is not true "
        "group by 1",
        rows.parameters,
    )
    return dict(answer)


def points_of(
    result: StratifiedResult, grain: Grain, data_as_of: str, steady: int | None, open_stays: Mapping[str, int]
) -> list[Point]:
    """Return every period of a result from its first to its last, those without anybody too, and how each stands.

    Parameters
    ----------
    data_as_of : the data cut, "" for data without one. steady : place of the first month in which planned stays could
        have ended; None = any. open_stays : by period, stays that must end first.
    """
    found = {group: each for group, each in result.estimates.items() if group not in (ALL, NOT_KNOWN)}
    if not found:
        return []
    small = smaller_than(result, SMALL_GROUP)
    places = [place_of(period) for period in found]
    return [
        _point(period, found.get(period), period in small, data_as_of, steady, open_stays.get(period, 0))
        for period in (period_at(place, grain) for place in range(min(places), max(places) + 1))
    ]


def _point(
    period: str, estimate: Estimate | None, small: bool, data_as_of: str, steady: int | None, open_stays: int
) -> Point:
    standing: Standing = "counted"
    reason = None if estimate is None else estimate.reason
    waiting = estimate.too_recent if estimate else 0
    if data_as_of and not is_over(period, data_as_of):
        standing, reason = "not over", f"the data end with {data_cut_words(data_as_of)}, before this period was over"
    elif waiting:
        standing, reason = "too recent", f"for {waiting:,} the time has not passed yet"
    elif open_stays:
        standing, reason, waiting = "unfinished", f"{open_stays:,} stays are not over yet", open_stays
    elif steady is not None and months_of(period).start < steady:
        standing = "too early"
        reason = (
            f"only short stays could have ended: planned ones do from {period_words(period_at(steady, 'month'))} on"
        )
    elif estimate is None or not estimate.has_value:
        standing, reason = "nobody", reason or "nobody to count"
    if estimate is None:
        return Point(period, standing, *(math.nan,) * 3, 0, 0, None, 0, 0, small, reason)
    return Point(
        period, standing, estimate.value, estimate.ci_low, estimate.ci_high, estimate.numerator, estimate.denominator,
        estimate.persons, estimate.unknown, estimate.too_recent, small, reason, waiting,
    )  # fmt: skip
