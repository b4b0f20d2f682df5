"""Which chart the counts of a series allow: p, p′, u, XmR, a run chart, or only the points.

Limits need twelve points, and those of counts five people with and five without the outcome in each; with ten or
eleven points there is a median and its runs. A chart never recomputes its limits by itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analytics.errors import MeasureProblem
from analytics.measures.types import Estimator, Measure
from analytics.statistics.control_charts import (
    ControlChart,
    Phase,
    laney_p_chart,
    p_chart,
    run_chart,
    u_chart,
    xmr_chart,
)
from analytics.statistics.run_rules import Special
from analytics.texts import unit_words
from analytics.texts.periods import Grain

Floats = NDArray[np.float64]

FEWEST_FOR_LIMITS: Final = 12
FEWEST_FOR_RUNS: Final = 10


class Chart(StrEnum):
    """What is made of a series."""

    P = "p chart"  # shares, limits from the counts
    P_PRIME = "p′ chart"  # the same, widened because periods differ by more than chance
    U = "u chart"  # events per time
    XMR = "XmR chart"  # single values, limits from their moving ranges
    RUN = "run chart"  # the median and its runs, no limits
    POINTS = "points only"


@dataclass(frozen=True, eq=False)
class Series:
    """A measure from its first counted period to its last; arrays are NaN where a period between is not counted."""

    measure: Measure
    grain: Grain
    periods: tuple[str, ...]
    count: Floats
    n: Floats
    value: Floats

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which periods are counted."""
        return np.asarray(~np.isnan(self.value))

    @property
    def grains(self) -> str:
        """The periods in the plural: "months"."""
        return f"{self.grain}s"

    def complete(self, count: int) -> str:
        """Return how many are complete, in words: "1 complete month"."""
        return f"{count} complete {unit_words(self.grain, count)}"


@dataclass(frozen=True, eq=False)
class Charted:
    """A series with its chart. Arrays by point, NaN without limits (or without a centre, of points only).

    `baseline` counts the points that gave the limits when they are frozen; `reason` says why there are none.
    """

    chart: Chart
    centre: Floats
    lower: Floats
    upper: Floats
    outside: NDArray[np.bool_]
    phases: tuple[Phase, ...]
    special: tuple[Special | None, ...]
    sigma_z: float
    baseline: int | None
    reason: str | None


def charted(series: Series, baseline: int | None, change: int | None) -> Charted:
    """Return the chart that the counts allow.

    Parameters
    ----------
    baseline : counted points whose centre and limits are frozen; None = all.
    change : place of the first point after a known change. With twelve counted points on each side it begins a phase
        of its own; with twelve before it only, later points are judged by those.

    Raises
    ------
    MeasureProblem
        A baseline shorter than limits need, or longer than what has been seen.

    References
    ----------
    Shewhart 1931; Laney 2002, doi:10.1081/QEN-120006708; Anhøj & Olesen 2014; NHS England, Making Data Count.
    """
    if baseline is not None and baseline < FEWEST_FOR_LIMITS:
        raise MeasureProblem(f"Limits need a baseline of at least {FEWEST_FOR_LIMITS} {series.grains}.")
    known = series.known
    total = int(known.sum())
    if baseline is not None and baseline > total:
        raise MeasureProblem(f"A baseline of {baseline} has to wait: {series.complete(total)} so far.")
    if total < FEWEST_FOR_RUNS:
        return _points_only(
            series,
            f"{series.complete(total)}: a run chart needs {FEWEST_FOR_RUNS}, limits need {FEWEST_FOR_LIMITS}.",
        )
    phases: tuple[int, ...] = ()
    frozen = baseline
    if change is not None:
        before, after = int(known[:change].sum()), int(known[change:].sum())
        if before < FEWEST_FOR_LIMITS:
            return _points_only(
                series,
                f"{series.complete(before)} before the change: limits need {FEWEST_FOR_LIMITS}, and none are "
                "taken across it.",
            )
        phases, frozen = ((change,), None) if after >= FEWEST_FOR_LIMITS else ((), before)
    stop = None if frozen is None else int(np.flatnonzero(known)[frozen - 1]) + 1
    if total < FEWEST_FOR_LIMITS:
        few = f"{series.complete(total)}: limits need {FEWEST_FOR_LIMITS}. The centre is the median."
        return _runs(series, phases, stop, frozen, few)
    chart, found = _control(series, phases, stop)
    if not float(np.nanmax(found.upper - found.lower)) > 0:
        alike = f"The {series.grains} that would give the limits are all equal, so there is no usual range."
        return _runs(series, phases, stop, frozen, alike)
    lower, upper = _possible(series, found)
    sigma_z = found.sigma_z[-1] if chart in (Chart.P, Chart.P_PRIME) else math.nan
    return Charted(chart, found.centre, lower, upper, found.outside, found.phases, found.special, sigma_z, frozen, None)


def _control(series: Series, phases: tuple[int, ...], stop: int | None) -> tuple[Chart, ControlChart]:
    """Return the control chart: from counts where they are large enough, else from the values themselves."""
    estimator = series.measure.estimator
    if estimator is Estimator.PROPORTION:
        found = laney_p_chart(series.count, series.n, phases, stop)
        if not found.approximate.any():
            if max(found.sigma_z) > 1:
                return Chart.P_PRIME, found
            plain = p_chart(series.count, series.n, phases, stop)
            return Chart.P, ControlChart(**{**vars(plain), "sigma_z": found.sigma_z})
    if estimator is Estimator.RATE:
        found = u_chart(series.count, series.n / series.measure.per, phases, stop)
        if not found.approximate.any():
            return Chart.U, found
    # Sessions of one person are alike, means and medians are no counts: their spread shows in the points alone.
    return Chart.XMR, xmr_chart(series.value, phases, stop)


def _possible(series: Series, found: ControlChart) -> tuple[Floats, Floats]:
    """Return the limits within what the measure can be: XmR limits know nothing of 0 and 100 %."""
    if series.measure.estimator is Estimator.MEAN_CHANGE:
        return found.lower, found.upper
    measure = series.measure
    is_share = measure.estimator is Estimator.PROPORTION or (
        float(np.nanmax(series.value)) <= 1 if measure.estimator is Estimator.RATIO else measure.amount_unit == "share"
    )
    return np.maximum(found.lower, 0.0), np.minimum(found.upper, 1.0) if is_share else found.upper


def _runs(series: Series, phases: tuple[int, ...], stop: int | None, frozen: int | None, reason: str) -> Charted:
    found = run_chart(series.value, phases, stop)
    centre = np.concatenate([np.full(phase.stop - phase.start, phase.centre) for phase in found.phases])
    return _without_limits(series, Chart.RUN, centre, found.phases, frozen, reason)


def _points_only(series: Series, reason: str) -> Charted:
    return _without_limits(series, Chart.POINTS, _gaps(series), (), None, reason)


def _without_limits(
    series: Series, chart: Chart, centre: Floats, phases: tuple[Phase, ...], frozen: int | None, reason: str
) -> Charted:
    nowhere: NDArray[Any] = np.zeros(len(series.value), dtype=np.bool_)
    return Charted(chart, centre, _gaps(series), _gaps(series), nowhere, phases, (), math.nan, frozen, reason)


def _gaps(series: Series) -> Floats:
    return np.full(len(series.value), np.nan)
