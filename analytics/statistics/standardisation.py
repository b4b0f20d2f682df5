"""Direct standardisation: what a group's rate would be if it had the mix of people that another has."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


@dataclass(frozen=True)
class StandardisedRate:
    """A rate as it would be if a group had the standard's mix; `weight_covered` < 1 when strata are empty there."""

    rate: float
    ci_low: float
    ci_high: float
    crude: float
    weight_covered: float
    reason: str | None


def standardised_rate(count: ArrayLike, n: ArrayLike, standard: ArrayLike, level: float = 0.95) -> StandardisedRate:
    """Direct standardisation: stratum rates of one group weighted by the standard's mix.

    Parameters
    ----------
    count, n : successes and people of the group by stratum. standard : people of the standard by stratum (such as
        all groups pooled).

    Returns
    -------
    StandardisedRate
        NaN with a reason when the group has nobody in a stratum of the standard: its rate there is not known.

    Notes
    -----
    Variance Σ w² p(1-p)/n; the interval is taken on the logit and lies within 0 and 1. With a stratum rate of 0 or 1
    throughout there is no spread and the limits are NaN, with a reason.

    Raises
    ------
    ValueError
        A count is more than its n.

    References
    ----------
    Breslow & Day 1987, section 2.2.

    >>> round(standardised_rate([81, 192], [87, 263], [357, 343]).rate, 4)
    0.8325
    """
    events, people = np.asarray(count, dtype=np.float64), np.asarray(n, dtype=np.float64)
    weights = np.asarray(standard, dtype=np.float64)
    if (events > people).any():
        raise ValueError("count is more than n in a stratum")
    if np.isnan(events).any() or np.isnan(people).any():
        return StandardisedRate(*(np.nan,) * 4, 0.0, "a count is not known")
    if not people.sum() > 0 or not weights.sum() > 0:
        return StandardisedRate(*(np.nan,) * 4, 0.0, "nobody to count")
    weights = weights / weights.sum()
    crude = float(events.sum() / people.sum())
    covered = float(weights[people > 0].sum())
    if covered < 1 - 1e-12:
        reason = "nobody in some of the strata that the standard has"
        return StandardisedRate(np.nan, np.nan, np.nan, crude, covered, reason)
    used = weights > 0
    share = events[used] / people[used]
    rate = float((weights[used] * share).sum())
    error = sqrt(float((weights[used] ** 2 * share * (1 - share) / people[used]).sum()))
    if not 0 < rate < 1 or error == 0:
        return StandardisedRate(rate, np.nan, np.nan, crude, covered, "no spread in any stratum: all are 0 or 1")
    half = float(stats.norm.ppf((1 + level) / 2)) * error / (rate * (1 - rate))
    middle = np.log(rate / (1 - rate))
    low, high = (1 / (1 + np.exp(-(middle + side * half))) for side in (-1, 1))
    return StandardisedRate(rate, float(low), float(high), crude, covered, None)
