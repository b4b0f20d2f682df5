"""People whose outcome is not known: how far the truth can lie, and weights by who could be reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analytics.statistics.event_table import Floats, counts_of
from analytics.statistics.proportions import Interval, wilson
from analytics.statistics.risk_adjustment import fit_risk_model

# Weights above this percentile are cut off: one person must not stand for a dozen.
TRIM: Final = 99.0


@dataclass(frozen=True)
class Bounds:
    """A share when some outcomes are not known (Manski): everything between `lower` and `upper` agrees with the data.

    Attributes
    ----------
    observed : share among those known; NaN when nobody is. lower, upper : unknown as failures, as successes.
    limits : Wilson's lower limit of the lower and upper limit of the upper bound: sampling error included.
    """

    observed: float
    lower: float
    upper: float
    limits: Interval


def bounds(count: int, known: int, n: int, level: float = 0.95) -> Bounds:
    """Return the bounds of a share: `count` successes among `known` of `n` people; NaN for n = 0.

    References
    ----------
    Manski 2003, Partial Identification of Probability Distributions; Horowitz & Manski 2000.

    >>> round(bounds(39, 60, 100).limits.low, 3), round(bounds(39, 60, 100).limits.high, 3)
    (0.3, 0.858)
    """
    if not 0 <= count <= known <= n:
        raise ValueError("successes are among the known, and the known among all")
    if n == 0:
        return Bounds(np.nan, np.nan, np.nan, Interval(np.nan, np.nan))
    best = count + n - known
    limits = Interval(wilson(count, n, level).low, wilson(best, n, level).high)
    return Bounds(count / known if known else np.nan, count / n, best / n, limits)


def tipping_share(count: int, known: int, n: int, target: float) -> float:
    """Return the share of successes among the unknown at which the share of all reaches `target`.

    Below 0 or above 1: the target holds, or fails, whatever happened to them. NaN when nobody is unknown.

    >>> tipping_share(39, 60, 100, 0.5)
    0.275
    """
    return (target * n - count) / (n - known) if n > known else np.nan


@dataclass(frozen=True, eq=False)
class FollowupWeights:
    """Inverse-probability weights of those who were reached.

    Attributes
    ----------
    weight : by row; 0 for people not reached, NaN where a covariate is missing. Stabilised: they add up to about
        the number reached.
    effective : (Σw)² / Σw²: how many equally weighted people the weighted ones are worth.
    reason : in words, why there are none; else None.
    """

    weight: Floats
    effective: float
    reason: str | None


@dataclass(frozen=True)
class WeightedShare:
    """A share under weights, with limits from a robust variance on the logit; NaN with a reason."""

    share: float
    ci_low: float
    ci_high: float
    effective: float
    reason: str | None


def followup_weights(
    reached: ArrayLike, covariates: Mapping[str, ArrayLike], trim: float = TRIM, weight: ArrayLike | None = None
) -> FollowupWeights:
    """Weight those reached so that they resemble everybody in what was known before.

    Parameters
    ----------
    reached : 1 or 0 per person who was due. covariates : as in `risk_adjustment.fit_risk_model`.
    trim : percentile (of people) at which weights are cut off; 100 = not.
    weight : how many people each row stands for (counts); None = one each.

    Notes
    -----
    weight = share reached / P(reached | covariates). It mends only what the covariates explain: whether people were
    out of reach *because* they relapsed, no weight can know. Not possible where nobody of a kind was reached.

    References
    ----------
    Seaman & White 2013, doi:10.1177/0962280210395740.
    """
    found = np.asarray(reached, dtype=np.float64)
    people = counts_of(weight, len(found))
    model = fit_risk_model(found, covariates, people)
    if model.reason is not None:
        return FollowupWeights(np.full(len(found), np.nan), np.nan, f"of who was reached, {model.reason}")
    known = ~np.isnan(model.probability)
    share = float((people * found)[known].sum() / people[known].sum())
    each = np.where(known, np.where(found == 1, share / model.probability, 0.0), np.nan)
    positive = each > 0
    highest = np.percentile(np.repeat(each[positive], people[positive].astype(np.int64)), trim)
    each = np.minimum(each, highest)
    return FollowupWeights(each, _effective(each[known], people[known]), None)


def weighted_share(
    success: ArrayLike, weight: ArrayLike, people: ArrayLike | None = None, level: float = 0.95
) -> WeightedShare:
    """Return the weighted share of successes (1, 0; NaN takes no part).

    Parameters
    ----------
    weight : of each person of the row, such as `FollowupWeights.weight`. people : how many each row stands for.

    Notes
    -----
    Linearised (robust) variance Σ w² (y - p)² / (Σ w)², t with effective - 1 degrees of freedom on the logit. It
    takes the weights as known, which is a little too wide when they were estimated.

    >>> y = [1] * 32 + [0] * 8 + [1] * 4 + [0] * 6
    >>> result = weighted_share(y, [1.5] * 40 + [4.0] * 10)
    >>> round(result.share, 2), round(result.effective)
    (0.64, 40)
    """
    values, weights = np.asarray(success, dtype=np.float64), np.asarray(weight, dtype=np.float64)
    used = ~np.isnan(values) & (weights > 0)
    counts = counts_of(people, len(values))[used]
    values, weights = values[used], weights[used]
    total = float((counts * weights).sum())
    if not total > 0:
        return WeightedShare(np.nan, np.nan, np.nan, 0.0, "nobody was reached whose characteristics are known")
    share, effective = float((counts * weights * values).sum()) / total, _effective(weights, counts)
    error = sqrt(float((counts * weights**2 * (values - share) ** 2).sum())) / total
    if not 0 < share < 1 or effective <= 1:
        return WeightedShare(share, np.nan, np.nan, effective, "too few people for an interval")
    half = float(stats.t.ppf((1 + level) / 2, effective - 1)) * error / (share * (1 - share))
    middle = float(np.log(share / (1 - share)))
    low, high = (float(1 / (1 + np.exp(-(middle + side * half)))) for side in (-1, 1))
    return WeightedShare(share, low, high, effective, None)


def _effective(weights: Floats, people: Floats) -> float:
    squares = float((people * weights**2).sum())
    return float((people * weights).sum()) ** 2 / squares if squares > 0 else 0.0
