"""Curves by day from counts: still in the program, and ways of leaving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analytics.measures.cohort_sql import Rows
from analytics.measures.estimate import without_bounds
from analytics.measures.ladder_sql import Statement, amount_of, bound_to, parameters_in, step_code, steps_of
from analytics.measures.results import STILL_IN, Curve, Estimate
from analytics.measures.tally import Tally, why_nothing
from analytics.measures.types import ALL, NOT_KNOWN, Counted, Measure, Stratifier
from analytics.statistics.survival import (
    CumulativeIncidence,
    SurvivalCurve,
    cumulative_incidence,
    kaplan_meier,
    median_survival,
)
from analytics.store.codes import CODES

STILL_ENROLLED: Final = "active"  # the exit code of an episode that has not ended

# Every way of leaving in the order of the code list, then those whose reason is not known.
WAYS: Final = (*(code for code in CODES["exit"] if code != STILL_ENROLLED), NOT_KNOWN)

# (day, way of leaving or None) to people; the cells of one group's histogram.
Cells = Mapping[tuple[int, str | None], int]


def histogram(measure: Measure, matured: bool, rows: Rows, split: str) -> Statement:
    """Return the statement whose rows are `group, step code, day, way, count, longest plan` for one measure.

    The day is the amount of a median, which has no way of leaving.

    The step code is the ladder's, so that no second scan is needed for it; `way_of` reads the way.
    """
    step = bound_to(0, step_code(steps_of(measure, matured)))
    day = bound_to(0, amount_of(measure))
    way = "null" if measure.cause is None else bound_to(0, measure.cause)
    text = (
        "select g, s, d, w, count(*) as episodes, max(planned_weeks) as planned\n"
        f"from (\n  select {split} as g,\n    {step} as s,\n    {day} as d,\n    {way} as w,\n    planned_weeks\n"
        f"  from {rows.text}\n)\ngroup by g, s, d, w"
    )
    return Statement(text, parameters_in(text, {0: measure}, rows))


def way_of(raw: object) -> str | None:
    """Return the way of leaving from a row of `histogram`: None for those still in, `NOT_KNOWN` for NULL."""
    if raw is None:
        return NOT_KNOWN
    return None if raw is False or raw == STILL_ENROLLED else str(raw)


def survival(cells: Cells) -> tuple[SurvivalCurve, Curve]:
    """Return the Kaplan-Meier estimate of still being in, and the curve that travels in a result."""
    estimate = kaplan_meier(_days(cells), [way is not None for _, way in cells], list(cells.values()))
    median = median_survival(estimate)
    curve = Curve(
        time=_floats(estimate.time),
        at_risk=_ints(estimate.at_risk),
        events=_ints(estimate.events),
        censored=_ints(estimate.censored),
        values={STILL_IN: _floats(estimate.survival)},
        ci_low={STILL_IN: _floats(estimate.ci_low)},
        ci_high={STILL_IN: _floats(estimate.ci_high)},
        median=median.value,
        median_low=median.low,
        median_high=median.high,
    )
    return estimate, curve


def incidence(cells: Cells) -> tuple[CumulativeIncidence, Curve]:
    """Return the Aalen-Johansen estimate of every way of leaving; with those still in they add up to 1."""
    codes = [WAYS.index(way) + 1 if way is not None else 0 for _, way in cells]
    estimate = cumulative_incidence(_days(cells), codes, list(cells.values()), causes=tuple(range(1, len(WAYS) + 1)))
    still_in = estimate.event_free
    none = (nan,) * len(still_in)
    curve = Curve(
        time=_floats(estimate.time),
        at_risk=_ints(estimate.at_risk),
        events=_ints(np.sum(list(estimate.events.values()), axis=0)),
        censored=_ints(estimate.censored),
        values={**_by_way(estimate.incidence), STILL_IN: _floats(still_in)},
        ci_low={**_by_way(estimate.ci_low), STILL_IN: none},
        ci_high={**_by_way(estimate.ci_high), STILL_IN: none},
    )
    return estimate, curve


def survival_estimate(curve: Curve, estimate: SurvivalCurve, tally: Tally, measure: Measure, unit: Counted) -> Estimate:
    """Return the median stay in days; `details` hold the share still in at each day of `read_at`.

    `numerator` is how many left, `denominator` how many were watched. The upper limit is NaN when the band
    never falls to one half.
    """
    reason = why_nothing(tally, measure, unit)
    if reason is None and isnan(curve.median):
        ended = "had left" if measure.cause == "is_closed" else "were known to have had it"
        reason = f"Fewer than half of {tally.yes} {ended} when last seen."
    elif reason is None and isnan(curve.median_low):
        reason = f"No interval: too little spread among {tally.yes}."
    details: dict[str, float] = {}
    for day in measure.read_at:
        point = estimate.at(day)
        details |= {
            f"still_in_{day}": point.value,
            f"still_in_{day}_low": point.ci_low,
            f"still_in_{day}_high": point.ci_high,
            f"still_in_{day}_standard_error": point.standard_error,
        }
    return without_bounds(
        tally,
        value=curve.median,
        ci_low=curve.median_low,
        ci_high=curve.median_high,
        numerator=sum(curve.events),
        denominator=tally.yes,
        method="kaplan-meier, log-log",
        unit=measure.time_unit,
        reason=reason,
        details=details,
    )


def incidence_estimate(
    estimate: CumulativeIncidence, tally: Tally, measure: Measure, unit: Counted, day: int
) -> Estimate:
    """Return the share that had left in the measure's way by `day`; `details` hold every way and those still
    in.

    `numerator` counts the exits seen by then and is not value times denominator: those still in are censored.
    """
    chosen = WAYS.index(str(measure.way)) + 1
    point = estimate.at(chosen, day)
    reason = why_nothing(tally, measure, unit)
    if reason is None and isnan(point.value):
        reason = f"Not known yet: nobody was watched for {day} days."
    elif reason is None and isnan(point.ci_low):
        reason = f"No interval: all {tally.yes} show the same by day {day}."
    every = {way: estimate.at(code, day).value for code, way in enumerate(WAYS, start=1)}
    return without_bounds(
        tally,
        value=point.value,
        ci_low=point.ci_low,
        ci_high=point.ci_high,
        numerator=int(estimate.events[chosen][estimate.time <= day].sum()),
        denominator=tally.yes,
        method="aalen-johansen, log-log",
        unit=unit,
        reason=reason,
        details={"day": day, **every, STILL_IN: 1 - sum(every.values())},
    )


def day_of(measure: Measure, by: Stratifier | None, group: str, planned: Mapping[str, int]) -> int:
    """Return the day an incidence is read at: the end of the longest plan.

    `planned` is the longest planned length in weeks by group, 0 where none is known: then `read_at` is the day.
    Groups are read at the day of all, so that they can be compared, unless the planned length is the split.
    """
    weeks = planned[group if by is Stratifier.PLANNED_WEEKS else ALL]
    return 7 * weeks if weeks else measure.read_at[0]


def _days(cells: Cells) -> list[int]:
    return [day for day, _ in cells]


def _by_way(columns: Mapping[int, NDArray[Any]]) -> dict[str, tuple[float, ...]]:
    return {way: _floats(columns[code]) for code, way in enumerate(WAYS, start=1)}


def _floats(values: NDArray[Any] | Sequence[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _ints(values: NDArray[Any] | Sequence[int]) -> tuple[int, ...]:
    return tuple(int(value) for value in values)
