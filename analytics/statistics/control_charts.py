"""Run charts and control charts: whether a series over time changed, or only varies as it always did.

A chart has phases (after a known change the centre and limits start anew) and may have a frozen baseline (the first
points of a phase give its centre and limits; later points are judged by them). Charts never recompute limits by
themselves: a new phase is a decision of people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from analytics.statistics.event_table import Floats
from analytics.statistics.run_rules import Runs, Special, anhoej, making_data_count, moving_ranges, off_the_line

__all__ = [
    "ControlChart",
    "Phase",
    "RunChart",
    "anhoej",
    "laney_p_chart",
    "making_data_count",
    "p_chart",
    "run_chart",
    "u_chart",
    "xmr_chart",
]

# Mean range of two draws from a normal distribution, in standard deviations (Shewhart's d2 for n = 2).
_D2: Final = 1.128
# 3 / d2 and the upper limit of a moving range, rounded as they are published (Wheeler; Making Data Count).
_XMR: Final = 2.66
_RANGE_LIMIT: Final = 3.267
# A p chart's normal limits want this many expected events and non-events in every point.
_EXPECTED: Final = 5.0


@dataclass(frozen=True)
class Phase:
    """One phase: points `start` to `stop` (half-open), its centre, and Anhøj's rules over it.

    `centre` is NaN when the phase has no observed point.
    """

    start: int
    stop: int
    centre: float
    runs: Runs


class _OfLastPhase:
    """What counts now: Anhøj's figures of the last phase."""

    phases: tuple[Phase, ...]

    @property
    def useful(self) -> int:
        """Points that do not lie on the centre line."""
        return self.phases[-1].runs.useful if self.phases else 0

    @property
    def longest_run(self) -> int:
        """Points of the longest run on one side of the centre."""
        return self.phases[-1].runs.longest_run if self.phases else 0

    @property
    def longest_run_limit(self) -> int:
        """A longer run than this is a signal."""
        return self.phases[-1].runs.longest_run_limit if self.phases else 0

    @property
    def crossings(self) -> int:
        """How often the series crosses its centre."""
        return self.phases[-1].runs.crossings if self.phases else 0

    @property
    def crossings_limit(self) -> int:
        """Fewer crossings than this are a signal."""
        return self.phases[-1].runs.crossings_limit if self.phases else 0

    @property
    def signal(self) -> bool | None:
        """Whether the last phase shows a signal by runs; None without a useful point."""
        return self.phases[-1].runs.signal if self.phases else None


@dataclass(frozen=True, eq=False)
class RunChart(_OfLastPhase):
    """A series around its median; the properties speak of the last phase.

    `reason` says in words why there is nothing to see, else None.
    """

    value: Floats
    phases: tuple[Phase, ...]
    reason: str | None

    @property
    def centre(self) -> float:
        """Median of the last phase (of its baseline); NaN without a point."""
        return self.phases[-1].centre if self.phases else float("nan")


@dataclass(frozen=True, eq=False)
class ControlChart(_OfLastPhase):
    """A series with centre and limits; arrays have one entry per point of the series.

    Attributes
    ----------
    value : what is drawn (share, rate, or the value itself); NaN where the denominator is 0 or nothing is given.
    centre, lower, upper : of each point's phase; NaN where they cannot be computed.
    outside : the point lies outside its limits.
    sigma_z : Laney's ratio of the variation between points to that expected within them, by phase; NaN elsewhere.
    special : Making Data Count's code per point (XmR only), else empty.
    approximate : points whose limits are doubtful, since fewer than 5 events or non-events are expected.
    reason : in words, why there is nothing to see; else None.
    """

    value: Floats
    centre: Floats
    lower: Floats
    upper: Floats
    outside: np.ndarray[Any, np.dtype[np.bool_]]
    phases: tuple[Phase, ...]
    sigma_z: tuple[float, ...]
    special: tuple[Special | None, ...]
    approximate: np.ndarray[Any, np.dtype[np.bool_]]
    reason: str | None


# Of one phase: centre, lower, upper (arrays by point) and Laney's ratio.
_Limits = tuple[float, Floats, Floats, float]


def run_chart(values: ArrayLike, phases: Sequence[int] = (), baseline: int | None = None) -> RunChart:
    """Run chart: the series around its median, with Anhøj's rules.

    Parameters
    ----------
    values : in order of time; NaN where nothing was observed.
    phases : places in the series at which a new phase begins (0 need not be given).
    baseline : how many first points of each phase give its median; None = all of them.

    Raises
    ------
    ValueError
        Phases are not ascending places within the series, or the baseline is below 1.

    >>> chart = run_chart([3, 5, 4, 6, 5, 4])
    >>> (chart.centre, chart.useful, chart.crossings)
    (4.5, 6, 4)
    """
    series = np.asarray(values, dtype=np.float64)
    found = []
    for start, stop in _bounds(len(series), phases, baseline):
        centre = _median(series[start : _until(start, stop, baseline)])
        found.append(Phase(start, stop, centre, anhoej(series[start:stop], centre)))
    return RunChart(series, tuple(found), _nothing(series))


def p_chart(count: ArrayLike, n: ArrayLike, phases: Sequence[int] = (), baseline: int | None = None) -> ControlChart:
    """p chart: shares with limits p ± 3 √(p(1-p)/n), clipped to 0 and 1; p from the sums of the phase.

    Parameters
    ----------
    count, n : events and denominators per point; n = 0 or NaN is a gap.

    References
    ----------
    Shewhart 1931; qicharts2 is the oracle of the tests.
    """
    return _attribute_chart(count, n, phases, baseline, _binomial, highest=1.0, laney=False, floor=False)


def laney_p_chart(
    count: ArrayLike,
    n: ArrayLike,
    phases: Sequence[int] = (),
    baseline: int | None = None,
    *,
    at_least_one: bool = True,
) -> ControlChart:
    """Laney's p′ chart: the limits of a p chart times sigma_z, for large and over-dispersed denominators.

    sigma_z = mean |difference of neighbouring z| / 1.128.

    Parameters
    ----------
    at_least_one : True keeps the p chart's limits when sigma_z is below 1 (our rule: a chart never gets narrower
        than chance); False is Laney's plain form.

    References
    ----------
    Laney 2002, doi:10.1081/QEN-120006708.
    """
    return _attribute_chart(count, n, phases, baseline, _binomial, highest=1.0, laney=True, floor=at_least_one)


def u_chart(count: ArrayLike, n: ArrayLike, phases: Sequence[int] = (), baseline: int | None = None) -> ControlChart:
    """u chart: events per unit of exposure with limits u ± 3 √(u/n), not below 0.

    Parameters
    ----------
    count, n : events and exposure (such as days enrolled) per point; `value` is events per one unit.
    """
    return _attribute_chart(count, n, phases, baseline, _poisson, highest=np.inf, laney=False, floor=False)


def xmr_chart(
    values: ArrayLike, phases: Sequence[int] = (), baseline: int | None = None, *, screen: bool = True
) -> ControlChart:
    """XmR chart: single values with limits mean ± 2.66 × mean moving range.

    Parameters
    ----------
    screen : leave moving ranges above 3.267 × their mean out once before the mean is taken (Making Data Count).

    References
    ----------
    Wheeler 1993, Understanding Variation; NHSRplotthedots is the oracle of the tests (qicharts2 has 3/1.128, not 2.66).

    >>> chart = xmr_chart([12, 14, 13, 15, 12, 13])
    >>> round(float(chart.upper[0]), 2)
    17.95
    """
    series = np.asarray(values, dtype=np.float64)

    def limits(phase: slice, base: slice) -> _Limits:
        known = series[base][~np.isnan(series[base])]
        if len(known) == 0:
            return np.nan, _filled(phase), _filled(phase), np.nan
        centre = float(known.mean())
        ranges = moving_ranges(series[base])
        if screen and len(ranges) and ranges.mean() > 0:
            ranges = ranges[ranges <= _RANGE_LIMIT * ranges.mean()]
        width = _XMR * float(ranges.mean()) if len(ranges) else np.nan
        return centre, _filled(phase, centre - width), _filled(phase, centre + width), np.nan

    chart = _chart(series, phases, baseline, limits, np.zeros(len(series), dtype=np.bool_))
    special: list[Special | None] = []
    for phase in chart.phases:
        here = slice(phase.start, phase.stop)
        lower, upper = float(chart.lower[phase.start]), float(chart.upper[phase.start])
        special += making_data_count(series[here], phase.centre, lower, upper)
    return ControlChart(**{**vars(chart), "special": tuple(special)})


def _binomial(centre: float, n: Floats) -> Floats:
    return np.asarray(np.sqrt(centre * (1 - centre) / n))


def _poisson(centre: float, n: Floats) -> Floats:
    return np.asarray(np.sqrt(centre / n))


def _attribute_chart(
    count: ArrayLike,
    n: ArrayLike,
    phases: Sequence[int],
    baseline: int | None,
    error: Callable[[float, Floats], Floats],
    *,
    highest: float,
    laney: bool,
    floor: bool,
) -> ControlChart:
    events = np.asarray(count, dtype=np.float64)
    exposed = np.asarray(n, dtype=np.float64)
    if events.shape != exposed.shape:
        raise ValueError("count and n must have the same length")
    gap = np.isnan(events) | ~(exposed > 0)
    events, exposed = np.where(gap, np.nan, events), np.where(gap, np.nan, exposed)
    value = events / exposed

    def limits(phase: slice, base: slice) -> _Limits:
        total = float(np.nansum(exposed[base]))
        if total == 0:
            return np.nan, _filled(phase), _filled(phase), np.nan
        centre = float(np.nansum(events[base])) / total
        spread = error(centre, exposed[phase])
        ratio = np.nan
        if laney:
            deviation = error(centre, exposed[base])
            with np.errstate(divide="ignore", invalid="ignore"):
                z = (value[base] - centre) / deviation
            ranges = moving_ranges(np.where(np.isfinite(z), z, np.nan))
            ratio = float(ranges.mean()) / _D2 if len(ranges) else np.nan
        factor = 1.0 if np.isnan(ratio) else max(ratio, 1.0) if floor else ratio
        low = np.where(np.isnan(spread), np.nan, np.maximum(0.0, centre - 3 * factor * spread))
        high = np.where(np.isnan(spread), np.nan, np.minimum(highest, centre + 3 * factor * spread))
        return centre, low, high, ratio

    chart = _chart(value, phases, baseline, limits, np.zeros(len(value), dtype=np.bool_))
    expected = exposed * (np.minimum(chart.centre, 1 - chart.centre) if highest == 1.0 else chart.centre)
    return ControlChart(**{**vars(chart), "approximate": expected < _EXPECTED})


def _chart(
    value: Floats,
    phases: Sequence[int],
    baseline: int | None,
    limits: Callable[[slice, slice], _Limits],
    approximate: np.ndarray[Any, np.dtype[np.bool_]],
) -> ControlChart:
    centre, lower, upper = (np.full(len(value), np.nan) for _ in range(3))
    found, ratios = [], []
    for start, stop in _bounds(len(value), phases, baseline):
        phase = slice(start, stop)
        middle, low, high, ratio = limits(phase, slice(start, _until(start, stop, baseline)))
        centre[phase], lower[phase], upper[phase] = middle, low, high
        found.append(Phase(start, stop, middle, anhoej(value[phase], middle)))
        ratios.append(ratio)
    outside = (off_the_line(value, upper) > 0) | (off_the_line(value, lower) < 0)
    return ControlChart(
        value, centre, lower, upper, outside, tuple(found), tuple(ratios), (), approximate, _nothing(value)
    )


def _bounds(length: int, phases: Sequence[int], baseline: int | None) -> list[tuple[int, int]]:
    starts = sorted({0, *phases})
    if list(phases) != sorted(set(phases)) or starts[0] < 0 or (phases and starts[-1] >= length):
        raise ValueError("phases are ascending places within the series")
    if baseline is not None and baseline < 1:
        raise ValueError("a baseline has at least one point")
    return list(zip(starts, [*starts[1:], length], strict=True)) if length else []


def _until(start: int, stop: int, baseline: int | None) -> int:
    return stop if baseline is None else min(stop, start + baseline)


def _filled(phase: slice, value: float = np.nan) -> Floats:
    return np.full(phase.stop - phase.start, value)


def _median(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _nothing(values: Floats) -> str | None:
    return "no point of the series was observed" if np.isnan(values).all() else None
