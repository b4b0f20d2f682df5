"""A series over time as plain text for the command line: sentences to read aloud, and a small table."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from analytics.measures.as_text import SHARES, aligned, interval_text, is_share, number_text, snapshot_words
from analytics.measures.calendar_points import Point
from analytics.measures.cards import BETTER
from analytics.measures.chart_choice import Chart
from analytics.measures.over_time import Change, TimeSeries
from analytics.measures.small_groups import SMALL_GROUP, SMALL_MARK, SMALL_WORDS
from analytics.measures.types import Estimator, Measure
from analytics.statistics.time_series import Effect
from analytics.texts import (
    period_range_words,
    period_short,
    period_words,
    split_words,
    unit_words,
)

# Interrupted series with fewer points on a side are often wrong about slopes (a common recommendation is eight).
POINTS_FOR_A_SLOPE: Final = 8

_HOW: Final = {
    Chart.P: "limits from the counts",
    Chart.P_PRIME: "limits from the counts, widened because periods differ by more than counts alone explain",
    Chart.U: "limits from the counts of events",
    Chart.XMR: "limits from how much one period differs from the next",
}
_CANNOT: Final = (
    "A signal says that something changed, not what; ordinary movement needs no explanation. Limits are no targets."
)


def series_as_text(series: TimeSeries) -> str:
    """Return a series as text: what it says, by period, who is not counted and why, and from which snapshot."""
    measure = series.measure
    parts = [
        f"{measure.title} ({measure.name}) {split_words(series.by.value)}",
        measure.question,
        "",
        *_sentences(series),
    ]
    if series.change is not None:
        parts += _change_sentences(measure, series.grain, series.change)
    parts += ["", *_table(series)]
    if any(point.small for point in series.points):
        parts.append(SMALL_WORDS)
    if left_out := list(_not_counted(series)):
        parts += ["", "Not in the centre and the limits", *(f"  {line}" for line in left_out)]
    parts += ["", _CANNOT if series.chart is not Chart.POINTS else "Points alone tell no change from chance."]
    parts.append(f"Source: {measure.source}. Definition reviewed {measure.reviewed.isoformat()}.")
    parts.append(f"{snapshot_words(series.snapshot_id, series.cohort, series.data_as_of)}.")
    return "\n".join(parts)


def _sentences(series: TimeSeries) -> Iterator[str]:
    measure, counted = series.measure, series.counted
    if counted:
        span = period_range_words(counted[0].period, counted[-1].period)
        last = counted[-1]
        share = f", {last.numerator:,} of {last.denominator:,}" if measure.estimator in SHARES else ""
        yield f"{_capital(period_words(last.period))}: {number_text(measure, last.value)}{share}. {_direction(measure)}"
        many = f"{len(counted)} {unit_words(series.grain, len(counted))}"
        yield f"Counted: {many}, {span}. {_usual(series)}"
    elif series.reason:
        yield series.reason
    if 2 * sum(point.small for point in counted) > len(counted):
        yield f"Most {series.grain}s have fewer than {SMALL_GROUP} people: a longer period says more."
    if series.chart is Chart.POINTS:
        return
    yield from (signal.words for signal in series.signals)
    if not series.signals:
        yield "No signal: it moved within its usual range." if series.reason is None else "No signal by its runs."


def _direction(measure: Measure) -> str:
    return f"{_capital(BETTER[measure.better])}."


def _usual(series: TimeSeries) -> str:
    if series.reason is not None:
        return f"No limits: {series.reason}"
    last = series.counted[-1]
    frozen = "" if series.baseline is None else f", frozen on the first {series.baseline} {series.grain}s"
    wider = f" ({series.sigma_z:.1f} times as wide)" if series.chart is Chart.P_PRIME else ""
    return (
        f"Around a centre of {number_text(series.measure, last.centre)}, the usual range of the last {series.grain} "
        f"is {interval_text(series.measure, last.lower, last.upper)} "
        f"({series.chart.value}: {_HOW[series.chart]}{wider}{frozen})."
    )


def _change_sentences(measure: Measure, grain: str, change: Change) -> Iterator[str]:
    when = period_words(change.at)
    if change.reason is not None:
        yield f"The change of {when} cannot be told: {change.reason}."
        return
    level, slope = _moved(measure, change.level_change), _moved(measure, change.slope_change)
    yield f"At the change of {when}, against the line of the {change.before} {grain}s before: {level}."
    yield f"From {grain} to {grain} in the {change.after} since, against the former slope: {slope}."
    if min(change.before, change.after) < POINTS_FOR_A_SLOPE:
        yield f"With fewer than {POINTS_FOR_A_SLOPE} {grain}s on a side a slope is a guess."
    yield "This shows a change at that time, not what caused it; people who came at different times may differ."


def _moved(measure: Measure, effect: Effect) -> str:
    """Return "5.1 points higher (between 0.3 and 10.4)", or that there is no clear change and between what it lies."""
    scale, unit = (100, " points") if is_share(measure) else (1, f" {measure.amount_unit}s")
    if measure.estimator is Estimator.MEAN_CHANGE:
        unit = " points"
    elif measure.estimator is Estimator.RATE:
        unit = f" per {measure.per:,} {measure.ratio_unit}s"
    value, low, high = (scale * each for each in (effect.value, effect.ci_low, effect.ci_high))
    side = "higher" if value > 0 else "lower"
    if math.isnan(low):
        return f"{abs(value):.1f}{unit} {side}, without an interval"
    if low <= 0 <= high:
        return f"no clear change, between {abs(low):.1f}{unit} lower and {high:.1f} higher"
    near, far = sorted((abs(low), abs(high)))
    return f"{abs(value):.1f}{unit} {side} (95% interval {near:.1f} to {far:.1f})"


def _table(series: TimeSeries) -> list[str]:
    if not series.points:
        return []
    heads = [series.grain, "value", "of", "95% interval", "usual range", "", "not known", "too recent"]
    return aligned(heads, [_row(series.measure, point) for point in series.points])


def _row(measure: Measure, point: Point) -> list[str]:
    has_value, has_limits = not math.isnan(point.value), not math.isnan(point.lower)
    marks = [
        {"counted": ""}.get(point.standing, point.standing),
        "outside" if point.outside else "",
        SMALL_MARK if point.small else "",
    ]
    return [
        period_short(point.period),
        number_text(measure, point.value) if has_value else "-",
        f"{point.numerator:,} of {point.denominator:,}" if measure.estimator in SHARES else f"{point.denominator:,}",
        interval_text(measure, point.ci_low, point.ci_high) if has_value else "",
        interval_text(measure, point.lower, point.upper) if has_limits else "",
        ", ".join(mark for mark in marks if mark),
        f"{point.unknown:,}",
        f"{point.too_recent:,}",
    ]


def _not_counted(series: TimeSeries) -> Iterator[str]:
    """Yield the periods that are not counted, neighbours of one standing together."""
    for standing, group in groupby(series.points, key=lambda point: point.standing):
        if standing == "counted":
            continue
        periods = list(group)
        waiting, unknown = sum(point.waiting for point in periods), sum(point.unknown for point in periods)
        reason = {
            "too recent": f"for {waiting:,} the time has not passed yet",
            "unfinished": f"{waiting:,} stays are not over yet",
            "nobody": f"nobody to count{f' (not known: {unknown:,})' if unknown else ''}",
        }.get(standing, str(periods[0].reason).rstrip("."))
        yield f"{_capital(period_range_words(periods[0].period, periods[-1].period))}: {reason}."
    if series.undated:
        yield f"{series.undated:,} whose period is not known."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
