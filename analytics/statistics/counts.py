"""Events per time, the median of a few values, and a mean from its sums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analytics.statistics.proportions import Interval
from analytics.statistics.ratio import ROUNDING


@dataclass(frozen=True)
class Quantiles:
    """Median with the limits of its order-statistic interval, and the quantiles that describe the spread.

    `coverage` is the true probability of the interval, at least the level; limits are NaN when too few values reach
    it. Quantiles by linear interpolation (type 7).
    """

    n: int
    median: float
    ci_low: float
    ci_high: float
    coverage: float
    quarter: float
    three_quarters: float
    ninety: float


def poisson_rate(events: float, exposure: float, level: float = 0.95) -> Interval:
    """Exact (Garwood) limits of events / exposure, in events per unit of exposure; NaN without exposure.

    References
    ----------
    Garwood 1936, doi:10.1093/biomet/28.3-4.437.

    >>> limits = poisson_rate(10, 1)
    >>> round(limits.low, 3), round(limits.high, 3)
    (4.795, 18.39)
    """
    if not exposure > 0 or np.isnan(events):
        return Interval(np.nan, np.nan)
    tail = (1 - level) / 2
    low = float(stats.chi2.ppf(tail, 2 * events)) / 2 if events > 0 else 0.0
    high = float(stats.chi2.ppf(1 - tail, 2 * (events + 1))) / 2
    return Interval(low / exposure, high / exposure)


@dataclass(frozen=True)
class Mean:
    """Mean of n values with its t interval. NaN: no values; limits and SD also of one value, limits of equal ones."""

    mean: float
    sd: float
    ci_low: float
    ci_high: float


def mean_from_sums(n: int, total: float, total_of_squares: float, level: float = 0.95) -> Mean:
    """Mean of n values from their sum and the sum of their squares: mean ± t(n-1) · SD / √n.

    References
    ----------
    Student 1908, doi:10.1093/biomet/6.1.1.

    >>> found = mean_from_sums(5, 10, 30)  # 0, 1, 2, 3, 4
    >>> found.mean, round(found.sd, 4), round(found.ci_low, 4), round(found.ci_high, 4)
    (2.0, 1.5811, 0.0368, 3.9632)
    """
    if n < 2:
        return Mean(total / n if n else np.nan, np.nan, np.nan, np.nan)
    mean = total / n
    # Whole sums stay whole, so that equal values have no spread at all and large ones keep theirs.
    if float(total).is_integer() and float(total_of_squares).is_integer():
        residual, rounding = (n * int(total_of_squares) - int(total) ** 2) / n, 0.0
    else:
        residual, rounding = (n * total_of_squares - total * total) / n, ROUNDING * total_of_squares
    if residual <= rounding:
        return Mean(mean, 0.0, np.nan, np.nan)
    sd = float(np.sqrt(residual / (n - 1)))
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * sd / float(np.sqrt(n))
    return Mean(mean, sd, mean - half, mean + half)


def quantiles(values: ArrayLike, weight: ArrayLike | None = None, level: float = 0.95) -> Quantiles:
    """Median with a distribution-free interval from the ranks of the values.

    Parameters
    ----------
    values : numbers, NaN left out. weight : how many people have each value (counts); None = one each.

    References
    ----------
    Hahn & Meeker 1991, Statistical Intervals, section 5.2.

    >>> waits = quantiles([1, 2, 2, 3, 4, 5, 6, 8, 9, 14, 21, 30])
    >>> waits.median, waits.ci_low, waits.ci_high, round(waits.coverage, 4)
    (5.5, 2.0, 14.0, 0.9614)
    """
    numbers = np.asarray(values, dtype=np.float64)
    counts = np.ones(len(numbers)) if weight is None else np.asarray(weight, dtype=np.float64)
    used = ~np.isnan(numbers) & (counts > 0)
    order = np.argsort(numbers[used], kind="stable")
    numbers, upto = numbers[used][order], np.cumsum(counts[used][order])
    n = int(upto[-1]) if len(upto) else 0
    if n == 0:
        return Quantiles(0, *(np.nan,) * 7)

    def at(rank: int) -> float:
        return float(numbers[np.searchsorted(upto, rank)])

    def quantile(share: float) -> float:
        place = (n - 1) * share
        below = int(place)
        low = at(below + 1)
        return low if place == below else low + (place - below) * (at(below + 2) - low)

    # The largest rank whose binomial tail stays within half of what the interval may miss.
    rank = int(stats.binom.ppf((1 - level) / 2, n, 0.5))
    if stats.binom.cdf(rank - 1, n, 0.5) > (1 - level) / 2:
        rank -= 1
    low = high = coverage = np.nan
    if rank >= 1:
        low, high = at(rank), at(n + 1 - rank)
        coverage = 1 - 2 * float(stats.binom.cdf(rank - 1, n, 0.5))
    return Quantiles(n, quantile(0.5), low, high, coverage, quantile(0.25), quantile(0.75), quantile(0.9))
