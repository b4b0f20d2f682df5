"""What a chart signals, in sentences: points beyond the usual range, runs, trends, too few crossings.

Counts (p, p′, u) and medians are read by Anhøj's rules for runs, single values (XmR) by those of Making Data Count; a
point beyond a limit is a signal on either. More rules on one chart would only give more false alarms.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from analytics.measures.as_text import number_text
from analytics.measures.chart_choice import Chart, Charted, Series
from analytics.statistics.control_charts import Phase
from analytics.statistics.run_rules import SEVEN, runs_of, trends_of
from analytics.texts import period_range_words

Rule = Literal["outside", "run", "trend", "near_limit", "crossings"]

_SIDE: Final = {1: "above", -1: "below"}
_WAY: Final = {1: "higher", -1: "lower"}


@dataclass(frozen=True)
class Signal:
    """One thing that chance alone rarely does.

    Attributes
    ----------
    rule : "outside" the usual range, a "run" on one side of the centre, a "trend", two of three "near_limit", or too
        few "crossings" of the centre.
    first, last : periods. direction : 1 = above or rising, -1 = below or falling, 0 = neither.
    words : a whole sentence.
    """

    rule: Rule
    first: str
    last: str
    direction: int
    words: str


def signals_of(series: Series, found: Charted) -> tuple[Signal, ...]:
    """Return the signals of a chart, points beyond the limits first; none of points without a chart."""
    if found.chart is Chart.POINTS:
        return ()
    signals = list(_outside(series, found))
    for phase in found.phases:
        if found.chart is Chart.XMR:
            signals += _making_data_count(series, phase)
        else:
            signals += _anhoej(series, phase, "median" if found.chart is Chart.RUN else "centre")
    return (*signals, *_near_limit(series, found))


def _outside(series: Series, found: Charted) -> Iterator[Signal]:
    """Yield points beyond the limits; neighbours on one side in one sentence."""
    side = np.where(found.outside, np.sign(series.value - found.centre), 0)
    for first, last in _blocks(side, series.known):
        direction = int(side[first])
        when = period_range_words(series.periods[first], series.periods[last])
        limit = found.upper if direction > 0 else found.lower
        if first == last:
            value, bound = (number_text(series.measure, float(each[first])) for each in (series.value, limit))
            usual = f"the usual range ends at {bound}"
            words = f"{_capital(when)}: {value}, {_SIDE[direction]} the usual range ({usual})."
        else:
            many = int(found.outside[first : last + 1].sum())
            words = f"{_capital(when)}: {many} {series.grains} in a row {_SIDE[direction]} the usual range."
        yield Signal("outside", series.periods[first], series.periods[last], direction, words)


def _anhoej(series: Series, phase: Phase, centre: str) -> Iterator[Signal]:
    rules = phase.runs
    for run in runs_of(series.value[phase.start : phase.stop], phase.centre):
        if run.points > rules.longest_run_limit:
            rare = f"chance alone rarely gives more than {rules.longest_run_limit}"
            yield _stretch("run", series, phase, run.start, run.last, run.direction, (
                f"{run.points} {series.grains} in a row {_SIDE[run.direction]} the {centre}", rare
            ))  # fmt: skip
    if rules.signal and rules.crossings < rules.crossings_limit:
        yield _stretch("crossings", series, phase, 0, phase.stop - phase.start - 1, 0, (
            f"the series crosses its {centre} {_times(rules.crossings)} in {rules.useful} {series.grains}",
            f"chance alone rarely gives fewer than {rules.crossings_limit}, so it moved or drifted",
        ))  # fmt: skip


def _making_data_count(series: Series, phase: Phase) -> Iterator[Signal]:
    values = series.value[phase.start : phase.stop]
    rare = "chance alone rarely does that"
    for run in runs_of(values, phase.centre, ended_by_centre=True):
        if run.points >= SEVEN:
            words = f"{run.points} {series.grains} in a row {_SIDE[run.direction]} the centre"
            yield _stretch("run", series, phase, run.start, run.last, run.direction, (words, rare))
    for trend in trends_of(values):
        if trend.points >= SEVEN:
            words = f"{trend.points} {series.grains} in a row, each {_WAY[trend.direction]} than the one before"
            yield _stretch("trend", series, phase, trend.start, trend.last, trend.direction, (words, rare))


def _near_limit(series: Series, found: Charted) -> Iterator[Signal]:
    """Yield two of three points in the outer third of the usual range; a later pair that overlaps joins the first."""
    codes = {"two_of_three_high": 1, "two_of_three_low": -1}
    side = np.array([codes.get(code or "", 0) for code in found.special] or [0] * len(series.value))
    for first, last in _blocks(side, series.known, apart=2):
        direction = int(side[first])
        when = period_range_words(series.periods[first], series.periods[last])
        many = int((side[first : last + 1] == direction).sum())
        words = f"{_capital(when)}: {many} {series.grains} close to the {'upper' if direction > 0 else 'lower'} limit."
        yield Signal("near_limit", series.periods[first], series.periods[last], direction, words)


def _stretch(
    rule: Rule, series: Series, phase: Phase, start: int, last: int, direction: int, said: tuple[str, str]
) -> Signal:
    first_period, last_period = series.periods[phase.start + start], series.periods[phase.start + last]
    what, rare = said
    words = f"{_capital(period_range_words(first_period, last_period))}: {what}; {rare}."
    return Signal(rule, first_period, last_period, direction, words)


def _blocks(side: NDArray[np.int64], known: NDArray[np.bool_], apart: int = 1) -> list[tuple[int, int]]:
    """Return (first, last) places of marked points on one side, at most `apart` known points from each other."""
    order = np.cumsum(known)
    marked = np.flatnonzero(side)
    if not len(marked):
        return []
    ends = [
        number + 1
        for number, (one, other) in enumerate(pairwise(marked))
        if side[one] != side[other] or order[other] - order[one] > apart
    ]
    return [(int(block[0]), int(block[-1])) for block in np.split(marked, ends)]


def _times(count: int) -> str:
    return "never" if count == 0 else "once" if count == 1 else f"{count} times"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
