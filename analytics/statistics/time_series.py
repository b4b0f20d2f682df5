"""Interrupted time series: the level and the slope of a series before and after a known change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analytics.statistics.event_table import Floats
from analytics.statistics.ratio import fits_exactly

# With fewer points on a side a slope is a guess (EPOC: at least three; eight is a common recommendation).
MINIMUM_POINTS: Final = 3


@dataclass(frozen=True, eq=False)
class Segmented:
    """A segmented regression; every effect as value, standard error (Newey–West), limits and p value.

    Attributes
    ----------
    level_before, slope_before : of the series at its first point, and per point.
    level_change : the jump at the change. slope_change : how much steeper each point is afterwards.
    fitted : by point, NaN where nothing was observed. without_change : the former line carried on over the points
        after the change, NaN before it.
    lag : of the Newey–West errors. reason : in words, why there is no answer (all NaN), or none but
        the line (every error NaN); else None.
    """

    level_before: Effect
    slope_before: Effect
    level_change: Effect
    slope_change: Effect
    fitted: Floats
    without_change: Floats
    lag: int
    reason: str | None


@dataclass(frozen=True)
class Effect:
    """One coefficient, in units of the series (per point of time for a slope); NaN without an answer."""

    value: float
    standard_error: float
    ci_low: float
    ci_high: float
    p_value: float


def interrupted_time_series(
    values: ArrayLike, change_at: int, lag: int | None = None, level: float = 0.95
) -> Segmented:
    """Segmented regression y = a + b t + c after + d (t - change) after, with Newey–West standard errors.

    Parameters
    ----------
    values : in order of time, equally spaced; NaN where nothing was observed.
    change_at : place of the first point after the change.
    lag : for how many neighbouring points errors may be related; None =
        floor(4 (n/100)^(2/9)).

    Returns
    -------
    Segmented
        With a reason, when fewer than three points were observed on either side.

    Notes
    -----
    Errors without prewhitening and small-sample factor (sandwich: prewhite = FALSE, adjust = FALSE); t with n - 4
    degrees of freedom. It shows a change at that time, not what caused it.

    References
    ----------
    Newey & West 1987, doi:10.2307/1913610; Bernal et al. 2017, doi:10.1093/ije/dyw098; R sandwich is the oracle.
    """
    import statsmodels.api as sm  # here: it takes half a second, which a page without a model need not wait

    series = np.asarray(values, dtype=np.float64)
    time = np.arange(len(series), dtype=np.float64)
    after = (time >= change_at).astype(np.float64)
    known = ~np.isnan(series)
    width = int(4 * (known.sum() / 100) ** (2 / 9)) if lag is None else lag
    before_points, after_points = int((known & (after == 0)).sum()), int((known & (after == 1)).sum())
    nothing = np.full(len(series), np.nan)
    if min(before_points, after_points) < MINIMUM_POINTS:
        none = Effect(*(np.nan,) * 5)
        reason = (
            f"at least {MINIMUM_POINTS} observed points are needed before and after the change; "
            f"there are {before_points} and {after_points}"
        )
        return Segmented(none, none, none, none, nothing, nothing, width, reason)
    design = np.column_stack([np.ones(len(series)), time, after, (time - change_at) * after])
    fit = sm.OLS(series[known], design[known]).fit(
        cov_type="HAC", cov_kwds={"maxlags": width, "use_correction": False}, use_t=True
    )
    if fits_exactly(float(fit.ssr), float(np.square(series[known]).sum())):
        return _on_the_line(np.asarray(fit.params), float(np.abs(series[known]).max()), design, known, width)
    freedom = int(known.sum()) - design.shape[1]
    critical = float(stats.t.ppf((1 + level) / 2, freedom)) if freedom > 0 else np.nan
    effects = []
    for value, error in zip(map(float, fit.params), map(float, fit.bse), strict=True):
        ratio = abs(value) / error if error > 0 else np.nan
        p_value = 2 * float(stats.t.sf(ratio, freedom)) if freedom > 0 else np.nan
        effects.append(Effect(value, error, value - critical * error, value + critical * error, p_value))
    start, slope = effects[0].value, effects[1].value
    return Segmented(
        level_before=effects[0],
        slope_before=effects[1],
        level_change=effects[2],
        slope_change=effects[3],
        fitted=np.where(known, design @ np.asarray(fit.params), np.nan),
        without_change=np.where(after == 1, start + slope * time, np.nan),
        lag=width,
        reason=None,
    )


def _on_the_line(parameters: Floats, largest: float, design: Floats, known: NDArray[np.bool_], lag: int) -> Segmented:
    """Return the fit of points without any scatter: there is no error to judge a change by."""
    exact = np.where(np.abs(parameters) <= 1e-12 * largest, 0.0, parameters)
    level_before, slope_before, level_change, slope_change = (Effect(float(each), *(np.nan,) * 4) for each in exact)
    after = design[:, 2] == 1
    return Segmented(
        level_before,
        slope_before,
        level_change,
        slope_change,
        np.where(known, design @ exact, np.nan),
        np.where(after, exact[0] + exact[1] * design[:, 1], np.nan),
        lag,
        "every point lies on the line, so there is no scatter to judge a change by",
    )
