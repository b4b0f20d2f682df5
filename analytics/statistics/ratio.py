"""Ratio of two sums over clusters, such as the sessions of an episode: share, error, interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, nan, sqrt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A residual sum of squares below this part of the raw one is rounding error of the sums, not spread.
ROUNDING = 1e-13

# A model's residual is added up from single points and is far smaller when it fits every one of them.
_EXACT = 1e-20

# A year of months. Below, the percentiles of the bootstrap are much too narrow.
FEWEST_CLUSTERS = 12
SAMPLES, SEED = 2000, 1


def fits_exactly(residual_squares: float, squares: float) -> bool:
    """True when what a model leaves of a sum of squares is rounding error: there is no scatter to judge it by."""
    return residual_squares <= _EXACT * squares


@dataclass(frozen=True)
class RatioOfSums:
    """A ratio of two sums over clusters with its interval. NaN: there is none."""

    value: float
    low: float
    high: float
    standard_error: float


def ratio_of_sums(
    n: int,
    sum_x: float,
    sum_y: float,
    sum_xx: float,
    sum_xy: float,
    sum_yy: float,
    level: float = 0.95,
) -> RatioOfSums:
    """Ratio of two sums over clusters, such as sessions attended / sessions booked over episodes.

    r = Σy / Σx; Var r = n/(n-1) · Σ(y - r x)² / (Σx)²; limits logit(r) ± t(n-1) · SE / (r(1-r)), taken
    back to the scale of r. The clusters are the independent units: sessions of one episode are not.

    Parameters
    ----------
    n : int
        Number of clusters with x > 0.
    sum_x, sum_y, sum_xx, sum_xy, sum_yy : float
        Sums over clusters of x, y, x², xy, y² as one scan of the database gives them; exact integers stay
        exact. With n = 0 they are not looked at and may be NULL.

    Returns
    -------
    RatioOfSums
        `value` is NaN when sum_x is 0. Limits and standard error are NaN, because the clusters say
        nothing about the spread, when n < 2, when r is 0 or 1 (every cluster alike), and when every
        cluster has the same share. No other interval is put in their place.

    Raises
    ------
    ValueError
        sum_y is negative or larger than sum_x: not a share.

    References
    ----------
    Cochran, *Sampling Techniques*, 3rd ed. 1977, ch. 6 (variance of a ratio). Logit limits with t:
    Korn & Graubard, *Analysis of Health Surveys*, 1999, doi:10.1002/9781118032619.

    Three episodes with 8 of 10, 3 of 5 and 1 of 5 sessions attended:

    >>> share = ratio_of_sums(3, sum_x=20, sum_y=12, sum_xx=150, sum_xy=100, sum_yy=74)
    >>> share.value, round(share.standard_error, 4)
    (0.6, 0.1732)
    """
    if n == 0:
        return RatioOfSums(nan, nan, nan, nan)
    x, y, xx, xy, yy = (whole_if_whole(total) for total in (sum_x, sum_y, sum_xx, sum_xy, sum_yy))
    if not 0 <= y <= x:
        raise ValueError("sum_y must lie between 0 and sum_x")
    if x == 0:
        return RatioOfSums(nan, nan, nan, nan)
    ratio = y / x
    # Σ(y - r x)² times (Σx)², in whole numbers when the sums are whole: nothing cancels.
    residual = (yy * x * x - 2 * xy * y * x + xx * y * y) / (x * x)
    if n < 2 or y == 0 or y == x or residual <= ROUNDING * yy:
        return RatioOfSums(ratio, nan, nan, nan)
    from scipy.special import stdtrit

    standard_error = sqrt(n / (n - 1) * residual) / x
    half = float(stdtrit(n - 1, (1 + level) / 2)) * standard_error / (ratio * (1 - ratio))
    centre = log(ratio / (1 - ratio))
    return RatioOfSums(ratio, _from_logit(centre - half), _from_logit(centre + half), standard_error)


def bootstrap_ratio(y: Sequence[float], x: Sequence[float], level: float = 0.95) -> RatioOfSums:
    """Ratio of two sums over clusters that need not be a share, such as cost / admissions over periods.

    r = Σy / Σx; limits are the percentiles of the ratio in 2,000 samples of clusters drawn with replacement, always
    the same ones (seed 1).

    Parameters
    ----------
    y, x : the parts of each cluster, not negative.

    Returns
    -------
    RatioOfSums
        `value` is NaN when sum x is 0. Limits and error are NaN with fewer than `FEWEST_CLUSTERS`, whose samples
        are too alike to say anything, and when every cluster has the same ratio. The upper limit alone is NaN when
        too many samples have no x at all.

    References
    ----------
    Efron & Tibshirani, *An Introduction to the Bootstrap*, 1993, ch. 13.

    >>> cost = bootstrap_ratio([3000, 5000, 4000] * 4, [1, 2, 2] * 4)
    >>> cost.value, cost.low < 2400 < cost.high
    (2400.0, True)
    """
    total = sum(x)
    if not total > 0:
        return RatioOfSums(nan, nan, nan, nan)
    value = sum(y) / total
    if len(x) < FEWEST_CLUSTERS or max(abs(a - value * b) for a, b in zip(y, x, strict=True)) <= ROUNDING * sum(y):
        return RatioOfSums(value, nan, nan, nan)
    import numpy as np
    from scipy import stats

    def ratio(y: NDArray[Any], x: NDArray[Any], axis: int = -1) -> NDArray[Any]:
        below = x.sum(axis=axis)
        shares: NDArray[Any] = np.divide(y.sum(axis=axis), below, out=np.full(below.shape, np.inf), where=below > 0)
        return shares

    with np.errstate(invalid="ignore"):  # samples without any x are infinite
        found = stats.bootstrap(
            (np.asarray(y, dtype=float), np.asarray(x, dtype=float)),
            ratio,
            paired=True,
            vectorized=True,
            n_resamples=SAMPLES,
            confidence_level=level,
            method="percentile",
            rng=np.random.default_rng(SEED),
        )
    low, high = (float(limit) if np.isfinite(limit) else nan for limit in found.confidence_interval)
    return RatioOfSums(value, low, high, float(found.standard_error) if np.isfinite(found.standard_error) else nan)


def whole_if_whole(value: float) -> int | float:
    """Return a sum as int when it is whole, so that products of sums stay exact, else as float."""
    return int(value) if value == int(value) else float(value)


def _from_logit(value: float) -> float:
    return 1 / (1 + exp(-value)) if value > -700 else 0.0
