"""Shares of episodes: their intervals, their differences, paired yes/no answers, ratios of sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, sqrt
from statistics import NormalDist
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from analytics.statistics.ratio import RatioOfSums, ratio_of_sums

__all__ = [
    "Interval",
    "Intervals",
    "PairedTest",
    "RatioOfSums",
    "mcnemar",
    "newcombe_difference",
    "newcombe_paired",
    "ratio_of_sums",
    "wilson",
]


@dataclass(frozen=True)
class Interval:
    """Confidence limits of one number, in its own unit. NaN: there is no interval."""

    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Intervals:
    """Confidence limits of many numbers at once, one element per group. NaN: there is no interval."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class PairedTest:
    """A test of paired yes/no answers. `p_value` is two-sided."""

    statistic: float
    p_value: float


@overload
def wilson(count: float, n: float, level: float = 0.95) -> Interval: ...


@overload
def wilson(
    count: NDArray[Any] | Sequence[float], n: NDArray[Any] | Sequence[float], level: float = 0.95
) -> Intervals: ...


def wilson(count: Any, n: Any, level: float = 0.95) -> Interval | Intervals:
    """Wilson score interval of a proportion, without continuity correction.

    Centre (p + z²/2n) / (1 + z²/n), half width z √(p(1-p)/n + z²/4n²) / (1 + z²/n), with p = count / n.

    Parameters
    ----------
    count, n : int, or arrays of equal shape
        How many of how many. Arrays hold one element per group and are computed at once.
    level : float
        Confidence level between 0 and 1.

    Returns
    -------
    Interval, or Intervals for arrays
        Limits as fractions 0 to 1; NaN where n is 0.

    Raises
    ------
    ValueError
        A count is negative, larger than its n, or missing.

    References
    ----------
    Wilson 1927, doi:10.1080/01621459.1927.10502953. The example is Newcombe 1998,
    doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E: 0.2553 to 0.3662.

    >>> limits = wilson(81, 263)
    >>> round(limits.low, 4), round(limits.high, 4)
    (0.2553, 0.3662)
    >>> wilson([0, 15, 0], [20, 148, 0]).high.round(4).tolist()
    [0.1611, 0.1605, nan]
    """
    if np.ma.is_masked(count) or np.ma.is_masked(n):
        raise ValueError("count and n must not hold missing values")
    x, m = np.asarray(count, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if x.shape != m.shape:
        raise ValueError("count and n must have the same shape")
    if not bool(np.all((x >= 0) & (x <= m))):
        raise ValueError("count must lie between 0 and n")
    z = NormalDist().inv_cdf((1 + level) / 2)
    known = np.where(m > 0, m, 1.0)
    share = x / known
    scale = 1 + z * z / known
    centre = (share + z * z / (2 * known)) / scale
    half = z * np.sqrt(share * (1 - share) / known + z * z / (4 * known * known)) / scale
    # At 0 of n and n of n the limit is 0 or 1 exactly; rounding would leave it a hair off.
    low = np.where(m > 0, np.where(x == 0, 0.0, centre - half), nan)
    high = np.where(m > 0, np.where(x == m, 1.0, centre + half), nan)
    return Interval(float(low), float(high)) if x.ndim == 0 else Intervals(low, high)


def newcombe_difference(count1: int, n1: int, count2: int, n2: int, level: float = 0.95) -> Interval:
    """Newcombe's hybrid score interval (method 10) of p1 - p2, two independent proportions.

    With d = p1 - p2 and Wilson limits l, u: d - √((p1-l1)² + (u2-p2)²) to d + √((u1-p1)² + (p2-l2)²).

    Returns
    -------
    Interval
        Limits of the difference, -1 to 1; NaN when n1 or n2 is 0.

    Raises
    ------
    ValueError
        A count is negative or larger than its n.

    References
    ----------
    Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I; the example is
    the paper's first, .0524 to .3339.

    >>> limits = newcombe_difference(56, 70, 48, 80)
    >>> round(limits.low, 4), round(limits.high, 4)
    (0.0524, 0.3339)
    """
    first, second = wilson(count1, n1, level), wilson(count2, n2, level)
    if n1 == 0 or n2 == 0:
        return Interval(nan, nan)
    return _square_and_add(count1 / n1, first, count2 / n2, second, correlation=0.0)


def newcombe_paired(both: int, only_first: int, only_second: int, neither: int, level: float = 0.95) -> Interval:
    """Newcombe's score interval (method 10) of p_first - p_second, the same people asked twice.

    As `newcombe_difference`, with -2φ(p1-l1)(u2-p2) under the lower root and -2φ(u1-p1)(p2-l2) under the
    upper. φ is the correlation of the fourfold table; a positive ad - bc is first lowered by n/2, not
    below 0. φ = 0 when a margin is empty.

    Parameters
    ----------
    both, only_first, only_second, neither : int
        People who said yes both times, only the first time, only the second time, never. For the change
        from admission to discharge as *discharge - admission*, let discharge be the first.

    Returns
    -------
    Interval
        Limits of the difference, -1 to 1; NaN when nobody answered twice.

    Raises
    ------
    ValueError
        A count is negative.

    References
    ----------
    Newcombe 1998, doi:10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C. The example is
    the 2 x 2 crossover of the CAMIS project (SAS 9.4): .0026 to .3699.

    >>> limits = newcombe_paired(20, 15, 6, 5)
    >>> round(limits.low, 4), round(limits.high, 4)
    (0.0026, 0.3699)
    """
    a, b, c, d = _people(both, only_first, only_second, neither)
    n = a + b + c + d
    if n == 0:
        return Interval(nan, nan)
    yes_first, yes_second = a + b, a + c
    margins = yes_first * (n - yes_first) * yes_second * (n - yes_second)
    agreement: float = a * d - b * c
    if agreement > 0:
        agreement = max(agreement - n / 2, 0.0)
    return _square_and_add(
        yes_first / n,
        wilson(yes_first, n, level),
        yes_second / n,
        wilson(yes_second, n, level),
        correlation=agreement / sqrt(margins) if margins else 0.0,
    )


def mcnemar(
    both: int,
    only_first: int,
    only_second: int,
    neither: int,
    method: Literal["exact", "mid-p"] = "exact",
) -> PairedTest:
    """McNemar's test that yes was as frequent the first time as the second, from the binomial.

    With m the smaller and M the larger discordant count and X ~ Binomial(m + M, 1/2): exact
    p = min(1, 2 P(X ≤ m)); mid-p = 2 P(X ≤ m) - P(X = m), and 1 - P(X = m)/2 when m = M.

    Parameters
    ----------
    both, only_first, only_second, neither : int
        As in `newcombe_paired`. People who agree with themselves say nothing about the change.
    method : "exact" or "mid-p"
        Mid-p is less conservative and recommended by Fagerland et al.

    Returns
    -------
    PairedTest
        `statistic` is m. Nobody changed: p = 1 by either method.

    Raises
    ------
    ValueError
        A count is negative, or the method is unknown.

    References
    ----------
    McNemar 1947, doi:10.1007/BF02295996; Fagerland, Lydersen & Laake 2013, doi:10.1186/1471-2288-13-91.
    The example is Agresti's approval rating, 794/150/86/570 (*Categorical Data Analysis*).

    >>> test = mcnemar(794, 150, 86, 570)
    >>> test.statistic, f"{test.p_value:.3g}"
    (86.0, '3.72e-05')
    """
    from scipy.special import bdtr

    _, b, c, _ = _people(both, only_first, only_second, neither)
    if method not in ("exact", "mid-p"):
        raise ValueError(f"unknown method {method!r}: use 'exact' or 'mid-p'")
    smaller, changed = min(b, c), b + c
    if changed == 0:
        return PairedTest(0.0, 1.0)
    up_to = float(bdtr(smaller, changed, 0.5))
    below = float(bdtr(smaller - 1, changed, 0.5)) if smaller > 0 else 0.0
    if method == "exact":
        p_value = min(1.0, 2 * up_to)
    elif 2 * smaller == changed:
        p_value = 0.5 + below
    else:
        p_value = up_to + below
    return PairedTest(float(smaller), p_value)


def _square_and_add(share1: float, limits1: Interval, share2: float, limits2: Interval, correlation: float) -> Interval:
    difference = share1 - share2
    below1, above1 = share1 - limits1.low, limits1.high - share1
    below2, above2 = share2 - limits2.low, limits2.high - share2
    lower = below1**2 - 2 * correlation * below1 * above2 + above2**2
    upper = above1**2 - 2 * correlation * above1 * below2 + below2**2
    return Interval(difference - sqrt(max(lower, 0.0)), difference + sqrt(max(upper, 0.0)))


def _people(*counts: int) -> tuple[int, ...]:
    """Counts as Python integers, whose products do not overflow; a negative one is a ValueError."""
    if min(counts) < 0:
        raise ValueError("counts of people must not be negative")
    return tuple(int(count) for count in counts)
