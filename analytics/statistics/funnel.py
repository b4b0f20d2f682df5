"""Funnel plots: which units (sites, programs) differ from the whole by more than their size explains.

A funnel says where to look, not whom to blame. Limits are for a unit of each size around one target; with
over-dispersion (units differ for reasons nobody measured) they widen, by an amount estimated from the units themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analytics.statistics.event_table import Floats

Overdispersion = Literal["additive", "multiplicative"]

# 95 % and 99.8 %, the two and three sigma of a control chart.
LEVELS: Final = (0.95, 0.998)
# With fewer units there is no funnel to see.
MINIMUM_UNITS: Final = 8
# The share of units at each end whose z is pulled in (or left out) before the over-dispersion is estimated.
TAIL: Final = 0.10


@dataclass(frozen=True, eq=False)
class Funnel:
    """Units around a target; arrays have one entry per unit, in the order given.

    Attributes
    ----------
    value : share or ratio of each unit; NaN where its denominator is 0. target : the centre line.
    lower, upper : by level; arrays of the limits for a unit of this size, over-dispersion included.
    outside : by level; whether a unit lies outside. False where the value or the limits are NaN.
    z : of each unit on the scale of the method, without over-dispersion.
    phi : mean z² (with the ends pulled in); 1 = units differ by chance only. tau2 : the variance between units.
    is_overdispersed : whether the limits were widened.
    reason : in words, why there are no limits; else None.
    """

    value: Floats
    target: float
    lower: dict[float, Floats]
    upper: dict[float, Floats]
    outside: dict[float, np.ndarray[tuple[int], np.dtype[np.bool_]]]
    z: Floats
    phi: float
    tau2: float
    is_overdispersed: bool
    reason: str | None


def exact_limits(n: ArrayLike, target: float, level: float) -> tuple[Floats, Floats]:
    """Limits of a share around a target: binomial quantiles, interpolated so that they are smooth in n.

    Parameters
    ----------
    n : denominators; nobody gives NaN. target : share, 0 to 1. level : probability between the limits.

    References
    ----------
    Spiegelhalter 2005, doi:10.1002/sim.1970, appendix A.1.1.

    >>> low, high = exact_limits([40], 0.55, 0.95)
    >>> round(float(low[0]), 3), round(float(high[0]), 3)
    (0.381, 0.691)
    """
    given = np.asarray(n, dtype=np.float64)
    sizes = np.where(given > 0, given, np.nan)
    if target in (0.0, 1.0):  # then nothing varies
        return np.where(sizes > 0, target, np.nan), np.where(sizes > 0, target, np.nan)

    def limit(probability: float) -> Floats:
        rank = stats.binom.ppf(probability, sizes, target)
        above = stats.binom.cdf(rank, sizes, target)
        step = above - stats.binom.cdf(rank - 1, sizes, target)
        with np.errstate(divide="ignore", invalid="ignore"):
            part = np.where(step > 0, (above - probability) / step, 0.0)
        return np.asarray(np.clip((rank - part) / sizes, 0, 1))

    tail = (1 - level) / 2
    return limit(tail), limit(1 - tail)


def proportion_funnel(
    count: ArrayLike,
    n: ArrayLike,
    target: float | None = None,
    *,
    method: Literal["exact", "arcsine"] = "exact",
    overdispersion: Overdispersion | None = None,
    tail: float = TAIL,
) -> Funnel:
    """Funnel of shares.

    Parameters
    ----------
    count, n : successes and denominators by unit; n = 0 gives NaN and no limits for that unit.
    target : None = the pooled share.
    method : "exact" binomial limits; "arcsine" reproduces FunnelPlotR.
    overdispersion : "additive" adds tau² on the arcsine scale whenever it is above 0; "multiplicative" widens the
        limits by √phi when phi exceeds 1 + 2 √(2 / units). None = chance only.
    tail : share of units at each end whose z is pulled in before phi is taken; 0 = none.

    Notes
    -----
    Fewer than 8 units give NaN limits and a reason.

    References
    ----------
    Spiegelhalter 2005, doi:10.1002/sim.1970; FunnelPlotR 0.6.0 is the oracle of the tests.
    """
    events, sizes = _columns(count, n)
    known = (sizes > 0) & ~np.isnan(events)
    value = _divided(events, sizes)
    if not known.any():
        return _no_funnel(value, np.nan, "no unit has anybody to count")
    centre = float(events[known].sum() / sizes[known].sum()) if target is None else target
    if known.sum() < MINIMUM_UNITS:
        return _no_funnel(value, centre, f"a funnel needs at least {MINIMUM_UNITS} units")
    arcsine = method == "arcsine" or overdispersion == "additive"
    if arcsine:
        middle, error = float(np.arcsin(sqrt(centre))), _divided(0.5, np.sqrt(sizes))
        z = (np.arcsin(np.sqrt(value)) - middle) / error
    else:
        middle, error = centre, np.sqrt(_divided(centre * (1 - centre), sizes))
        z = _divided(value - centre, error)
    phi, tau2 = _between(_winsorised(z[known], tail), error[known])
    threshold = 1 + 2 * sqrt(2 / int(known.sum()))
    wider = (overdispersion == "additive" and tau2 > 0) or (overdispersion == "multiplicative" and phi > threshold)
    lower, upper = {}, {}
    for level in LEVELS:
        if arcsine:
            half = _normal(level) * np.sqrt(error**2 + (tau2 if overdispersion == "additive" else 0.0))
            low = np.sin(np.clip(middle - half, 0, np.pi / 2)) ** 2
            high = np.sin(np.clip(middle + half, 0, np.pi / 2)) ** 2
        else:
            low, high = exact_limits(np.where(known, sizes, np.nan), centre, level)
        if wider and overdispersion == "multiplicative":
            low, high = (np.clip(centre + sqrt(phi) * (limit - centre), 0, 1) for limit in (low, high))
        lower[level], upper[level] = low, high
    return _funnel(value, centre, lower, upper, z, phi, tau2, wider)


def ratio_funnel(
    observed: ArrayLike, expected: ArrayLike, *, overdispersion: Literal["additive"] | None = None, tail: float = TAIL
) -> Funnel:
    """Funnel of observed over expected around 1, such as risk-adjusted ratios.

    Parameters
    ----------
    observed, expected : events by unit; an expected 0 gives NaN.
    overdispersion : "additive" adds tau² on the log scale (the method of NHS England's SHMI: units in the outer
        tenths of z are left out when it is estimated). None = exact Poisson limits.

    Notes
    -----
    Ratios that were risk-standardised and shrunken before are under-dispersed: a funnel on them is misleading.

    References
    ----------
    Spiegelhalter 2005; NHS England, SHMI specification; FunnelPlotR 0.6.0 ("SHMI") is the oracle of the tests.
    """
    events, sizes = _columns(observed, expected)
    known = (sizes > 0) & ~np.isnan(events)
    value = _divided(events, sizes)
    if known.sum() < MINIMUM_UNITS:
        return _no_funnel(value, 1.0, f"a funnel needs at least {MINIMUM_UNITS} units")
    error = _divided(1.0, np.sqrt(sizes))
    # A unit without an event has no logarithm: it ranks below all others, and half an event stands for it.
    z = np.log(_divided(np.maximum(events, 0.5), sizes)) / error
    rank = stats.rankdata(np.where(events == 0, -np.inf, z)[known])
    groups = np.floor(rank / tail / (len(rank) + 1)) if tail > 0 else np.full(len(rank), -1.0)
    inner = (groups != 0) & (groups != round(1 / tail) - 1) if tail > 0 else np.ones(len(rank), dtype=np.bool_)
    phi, tau2 = _between(z[known][inner], error[known][inner])
    lower, upper = {}, {}
    for level in LEVELS:
        if overdispersion is None:
            outer = (1 - level) / 2
            low = _divided(stats.chi2.ppf(outer, 2 * sizes) / 2, sizes)
            high = _divided(stats.chi2.ppf(1 - outer, 2 * (sizes + 1)) / 2, sizes)
        else:
            half = _normal(level) * np.sqrt(error**2 + tau2)
            low, high = np.exp(-half), np.exp(half)
        lower[level], upper[level] = low, high
    return _funnel(value, 1.0, lower, upper, z, phi, tau2, overdispersion is not None and tau2 > 0)


def _between(z: Floats, error: Floats) -> tuple[float, float]:
    """Return mean z² and the variance between units (DerSimonian and Laird), not below 0."""
    finite = np.isfinite(z) & (error > 0)
    z, error = z[finite], error[finite]
    if len(z) < 2:
        return np.nan, 0.0
    phi = float((z**2).mean())
    weight = 1 / error**2
    spare = float(weight.sum() - (weight**2).sum() / weight.sum())
    return phi, max(0.0, (len(z) * phi - (len(z) - 1)) / spare) if spare > 0 else 0.0


def _winsorised(z: Floats, tail: float) -> Floats:
    return np.clip(z, np.quantile(z, tail), np.quantile(z, 1 - tail))


def _normal(level: float) -> float:
    return float(stats.norm.ppf((1 + level) / 2))


def _columns(count: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    events, sizes = np.asarray(count, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if events.shape != sizes.shape:
        raise ValueError("counts and denominators must have the same length")
    return events, sizes


def _divided(value: ArrayLike, by: ArrayLike) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = np.asarray(value, dtype=np.float64) / np.asarray(by, dtype=np.float64)
    return np.where(np.isfinite(quotient), quotient, np.nan)


def _no_funnel(value: Floats, target: float, reason: str) -> Funnel:
    nothing = {level: np.full(len(value), np.nan) for level in LEVELS}
    return _funnel(value, target, nothing, nothing, np.full(len(value), np.nan), np.nan, np.nan, False, reason)


def _funnel(
    value: Floats,
    target: float,
    lower: dict[float, Floats],
    upper: dict[float, Floats],
    z: Floats,
    phi: float,
    tau2: float,
    wider: bool,
    reason: str | None = None,
) -> Funnel:
    outside = {level: (value < lower[level]) | (value > upper[level]) for level in LEVELS}
    return Funnel(value, target, lower, upper, outside, z, phi, tau2, wider, reason)
