"""Mean change of a score from the first to the last measurement, its interval and its effect sizes."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log, nan, sqrt
from statistics import NormalDist
from typing import Literal

from numpy.typing import ArrayLike

from analytics.statistics.event_table import counts_of, numbers
from analytics.statistics.ratio import ROUNDING, whole_if_whole

# Below five pairs an effect size says more about chance than about people: points only.
FEWEST_FOR_EFFECT_SIZE = 5
# The noncentral t distribution of scipy gives out above some 38,000; no real scores come near.
LARGEST_T = 30_000.0


@dataclass(frozen=True)
class MeanChange:
    """Mean change of paired scores and its effect sizes. Positive change is improvement.

    `mean`, `sd`, `ci_low`, `ci_high` and the two times' means and SDs are in points of the score. `d_z`
    divides the mean by the SD of the changes, `d_av` by the root mean square of the two times' SDs, `d_pre`
    by the first SD; `hedges_g` = `hedges_j` · `d_av`. NaN: not enough people, or no spread, to say.
    """

    n: int
    mean: float
    sd: float
    ci_low: float
    ci_high: float
    t: float
    p_value: float
    mean_first: float
    mean_last: float
    sd_first: float
    sd_last: float
    correlation: float
    d_z: float
    d_z_low: float
    d_z_high: float
    d_av: float
    d_av_low: float
    d_av_high: float
    d_pre: float
    hedges_j: float
    hedges_g: float


def mean_change(
    first: ArrayLike,
    last: ArrayLike,
    level: float = 0.95,
    weight: ArrayLike | None = None,
    direction: Literal[1, -1] = 1,
) -> MeanChange:
    """Mean change from first to last score with the paired t interval and effect sizes.

    The formulas are those of `mean_change_from_sums`.

    Parameters
    ----------
    first, last : array
        Complete pairs, in points; the people without a last score are the caller's to count and show.
    weight : array of int, optional
        Counts: the pair occurred that often (`group by first, last` in SQL).
    direction : 1 or -1
        1 when a lower score is better (change = first - last), -1 when a higher one is.

    Returns
    -------
    MeanChange
        NaN where fewer than two pairs, or five for effect sizes, are given.

    Raises
    ------
    ValueError
        Lengths differ, a value is missing, a weight is no whole number ≥ 0, a direction is not 1 or -1.

    References
    ----------
    The example is the sleep data of Student 1908, doi:10.1093/biomet/6.1.1: hours of sleep gained with
    two drugs by ten people; mean difference 1.58, t = 4.06.

    >>> dextro = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    >>> laevo = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    >>> result = mean_change(dextro, laevo, direction=-1)
    >>> round(result.mean, 2), round(result.t, 2), round(result.ci_low, 2), round(result.ci_high, 2)
    (1.58, 4.06, 0.7, 2.46)
    """
    x, y = numbers(first, "first").astype(float), numbers(last, "last").astype(float)
    if x.size != y.size:
        raise ValueError("first and last must have the same length: complete pairs only")
    w = counts_of(weight, x.size)
    wx, wy = w * x, w * y
    return mean_change_from_sums(
        int(w.sum()),
        sum_first=float(wx.sum()),
        sum_last=float(wy.sum()),
        sum_first_sq=float(wx @ x),
        sum_last_sq=float(wy @ y),
        sum_product=float(wx @ y),
        level=level,
        direction=direction,
    )


def mean_change_from_sums(
    n: int,
    sum_first: float,
    sum_last: float,
    sum_first_sq: float,
    sum_last_sq: float,
    sum_product: float,
    level: float = 0.95,
    direction: Literal[1, -1] = 1,
) -> MeanChange:
    """`mean_change` from the sums of one scan over complete pairs: n, Σx, Σy, Σx², Σy², Σxy.

    With x the first and y the last score: m = ±(x̄ - ȳ); SD² = s₁² + s₂² - 2 r s₁ s₂; t = m √n / SD with
    n-1 degrees of freedom; interval m ± t(n-1) SD/√n. d_z = m/SD, d_av = m/√((s₁² + s₂²)/2), d_pre = m/s₁;
    J = Γ(v/2) / (√(v/2) Γ((v-1)/2)), v = n-1; g = J d_av. With λ the noncentralities that put t at the
    tails of the noncentral t: limits of d_z λ/√n, of d_av λ SD √(2/(n(s₁² + s₂²))).

    The interval of d_av (Algina & Keselman) is approximate. d_z grows with the correlation of the two times
    and must never be compared with a d_av or d_pre.

    Parameters
    ----------
    n : int
        Number of complete pairs; with 0 the sums are not looked at and may be NULL.
    sum_first, sum_last, sum_first_sq, sum_last_sq, sum_product : float
        Whole numbers are used exactly.
    level, direction
        As `mean_change`.

    Returns
    -------
    MeanChange
        n = 0: all NaN. n = 1: the means and the change, no spread. n < 5: no effect sizes. When everybody
        changed by the same amount (SD 0): no interval, t, p or d_z, since one pattern shows no spread.

    Raises
    ------
    ValueError
        n is negative or the direction is not 1 or -1.

    References
    ----------
    Effect sizes: Cumming, *Understanding the New Statistics*, 2012, ch. 11; Lakens 2013,
    doi:10.3389/fpsyg.2013.00863 (whose d_av divides by the mean of the SDs). J: Hedges 1981,
    doi:10.3102/10769986006002107. Intervals: Cumming & Finch 2001, doi:10.1177/0013164401614002; Algina &
    Keselman 2003, doi:10.1177/0013164403256358.

    Four people, 20 to 10, 20 to 10, 10 to 10, 10 to 10:

    >>> result = mean_change_from_sums(4, 60, 40, 1000, 400, 600)
    >>> result.mean, round(result.sd, 4), result.d_z
    (5.0, 5.7735, nan)
    """
    if direction not in (1, -1):
        raise ValueError("direction must be 1 (lower is better) or -1 (higher is better)")
    if n < 0:
        raise ValueError("n must not be negative")
    if n == 0:
        return MeanChange(0, *(nan,) * 20)
    x, y, xx, yy, xy = map(whole_if_whole, (sum_first, sum_last, sum_first_sq, sum_last_sq, sum_product))
    n = int(n)  # a numpy integer would overflow in the products below
    # Sums of squares about the means, times n: in whole numbers when the sums are whole.
    square_x, square_y, product = n * xx - x * x, n * yy - y * y, n * xy - x * y
    raw = n * (xx + yy)
    sd_first, sd_last = _sd(square_x, raw, n), _sd(square_y, raw, n)
    sd = _sd(square_x + square_y - 2 * product, raw, n)
    mean = direction * (x - y) / n
    t, p_value, half = _paired_t(mean, sd, n, level)
    correlation = nan
    if sd_first > 0 and sd_last > 0:
        correlation = min(1.0, max(-1.0, product / sqrt(square_x * square_y)))
    d_z = d_av = d_pre = j = d_z_low = d_z_high = rescale = nan
    if n >= FEWEST_FOR_EFFECT_SIZE:
        j = hedges_correction(n - 1)
        sd_average = sqrt((sd_first**2 + sd_last**2) / 2)
        d_pre, d_av = _ratio(mean, sd_first), _ratio(mean, sd_average)
        if sd > 0:
            d_z, rescale = mean / sd, _ratio(sd, sd_average)
            d_z_low, d_z_high = (limit / sqrt(n) for limit in noncentrality_limits(t, n - 1, level))
    return MeanChange(
        n=n,
        mean=mean,
        sd=sd,
        ci_low=mean - half,
        ci_high=mean + half,
        t=t,
        p_value=p_value,
        mean_first=x / n,
        mean_last=y / n,
        sd_first=sd_first,
        sd_last=sd_last,
        correlation=correlation,
        d_z=d_z,
        d_z_low=d_z_low,
        d_z_high=d_z_high,
        d_av=d_av,
        d_av_low=d_z_low * rescale,
        d_av_high=d_z_high * rescale,
        d_pre=d_pre,
        hedges_j=j,
        hedges_g=j * d_av,
    )


def _paired_t(mean: float, sd: float, n: int, level: float) -> tuple[float, float, float]:
    """Return t, its two-sided p and the half width of the interval of the mean; NaN without spread."""
    if not sd > 0:
        return nan, nan, nan
    from scipy.special import stdtr, stdtrit

    error = sd / sqrt(n)
    t = mean / error
    return t, float(2 * stdtr(n - 1, -abs(t))), float(stdtrit(n - 1, (1 + level) / 2)) * error


def noncentrality_limits(t: float, degrees_of_freedom: int, level: float) -> tuple[float, float]:
    """Noncentralities that put t at the upper and the lower tail of the noncentral t distribution."""
    if abs(t) > LARGEST_T:
        return nan, nan
    from scipy.optimize import brentq
    from scipy.special import nctdtr

    if t < 0:
        low, high = noncentrality_limits(-t, degrees_of_freedom, level)
        return -high, -low

    z = NormalDist().inv_cdf((1 + level) / 2)
    # Some 1.25 times the large-sample distance; far from t scipy's distribution function may give NaN.
    reach = 1.25 * z * sqrt(1 + t * t / (2 * degrees_of_freedom)) + 0.5
    # With noncentrality -z a t of 0 has the upper probability, so for t ≥ 0 no root lies lower.
    floor = -z - 0.5

    def limit(probability: float) -> float:
        below, above = max(t - reach, floor), t + reach
        while below > floor and nctdtr(degrees_of_freedom, below, t) < probability:
            below = max(below - reach, floor)
        while nctdtr(degrees_of_freedom, above, t) > probability:
            above += reach
        root = brentq(
            lambda shift: float(nctdtr(degrees_of_freedom, shift, t)) - probability,
            below,
            above,
            xtol=1e-12,
            rtol=1e-13,
        )
        return float(root)

    return limit((1 + level) / 2), limit((1 - level) / 2)


def hedges_correction(v: int) -> float:
    """Factor that takes the upward bias out of a standardised difference with v degrees of freedom (Hedges 1981)."""
    return exp(lgamma(v / 2) - log(sqrt(v / 2)) - lgamma((v - 1) / 2))


def _sd(square: float, raw: float, n: int) -> float:
    """Return the SD from n times the sum of squares about the mean; 0 when that is rounding error."""
    if n < 2:
        return nan
    return sqrt(square / (n * (n - 1))) if square > ROUNDING * raw else 0.0


def _ratio(value: float, divisor: float) -> float:
    return value / divisor if divisor > 0 else nan
