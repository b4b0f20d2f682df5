"""Whether the mean change of one group differs from that of another, plainly and at equal starting scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analytics.statistics.event_table import Floats
from analytics.statistics.mean_change import hedges_correction, noncentrality_limits
from analytics.statistics.ratio import fits_exactly


@dataclass(frozen=True)
class GroupDifference:
    """First group minus second, in points; NaN with a reason where it cannot be computed.

    Attributes
    ----------
    difference, ci_low, ci_high, p_value, degrees_of_freedom : Welch, or of the adjusted model.
    hedges_g, g_low, g_high : difference in pooled SDs with the small-sample factor, limits by the noncentral t
        distribution; NaN for an adjusted difference.
    n_first, n_second : people.
    """

    difference: float
    ci_low: float
    ci_high: float
    p_value: float
    degrees_of_freedom: float
    hedges_g: float
    g_low: float
    g_high: float
    n_first: int
    n_second: int
    method: str
    reason: str | None


def mean_difference(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> GroupDifference:
    """Difference of two means, Welch's test, and Hedges' g.

    Parameters
    ----------
    first, second : values of the people of each group, NaN left out.

    References
    ----------
    Welch 1947, doi:10.1093/biomet/34.1-2.28; Hedges 1981, doi:10.3102/10769986006002107; R effectsize is the oracle.

    >>> result = mean_difference([12, 6, 1, -6], [3, -2, 6, 6, 4])
    >>> round(result.difference, 2), round(result.degrees_of_freedom, 4), round(result.p_value, 4)
    (-0.15, 3.8917, 0.9725)
    """
    one, two = _known(first), _known(second)
    n1, n2 = len(one), len(two)
    if min(n1, n2) < 2 or float(np.ptp(one)) == 0 == float(np.ptp(two)):
        difference = float(one.mean() - two.mean()) if n1 and n2 else np.nan
        return _nothing(difference, n1, n2, "Welch", "at least two people in each group, and some spread, are needed")
    difference = float(one.mean() - two.mean())
    parts = one.var(ddof=1) / n1, two.var(ddof=1) / n2
    error = sqrt(float(sum(parts)))
    freedom = float(sum(parts) ** 2 / (parts[0] ** 2 / (n1 - 1) + parts[1] ** 2 / (n2 - 1)))
    half = float(stats.t.ppf((1 + level) / 2, freedom)) * error
    pooled = sqrt(((n1 - 1) * float(one.var(ddof=1)) + (n2 - 1) * float(two.var(ddof=1))) / (n1 + n2 - 2))
    scale = sqrt(1 / n1 + 1 / n2)
    low, high = noncentrality_limits(difference / (pooled * scale), n1 + n2 - 2, level)
    factor = hedges_correction(n1 + n2 - 2)
    return GroupDifference(
        difference, difference - half, difference + half,
        2 * float(stats.t.sf(abs(difference) / error, freedom)), freedom,
        factor * difference / pooled, factor * low * scale, factor * high * scale, n1, n2, "Welch", None,
    )  # fmt: skip


def adjusted_difference(
    last: ArrayLike, first: ArrayLike, group: ArrayLike, covariates: Mapping[str, ArrayLike] | None = None,
    level: float = 0.95, robust: bool = True,
) -> GroupDifference:  # fmt: skip
    """Difference of last scores between two groups at equal first scores (analysis of covariance).

    Parameters
    ----------
    last, first : scores by person. group : 1 for the first group, 0 for the second. Rows with a NaN are left out.
    covariates : further numbers known at the start.
    robust : HC3 standard errors; False = the classical ones.

    References
    ----------
    Vickers & Altman 2001, doi:10.1136/bmj.323.7321.1123; MacKinnon & White 1985 (HC3).
    """
    import statsmodels.api as sm  # here: it takes half a second, which a page without a model need not wait

    columns = [np.asarray(each, dtype=np.float64) for each in (first, group, *(covariates or {}).values())]
    outcome, design = np.asarray(last, dtype=np.float64), np.column_stack(columns)
    rows = ~np.isnan(outcome) & ~np.isnan(design).any(axis=1)
    outcome, design = outcome[rows], np.column_stack([np.ones(int(rows.sum())), design[rows]])
    n1 = int((design[:, 2] == 1).sum()) if len(design) else 0
    n2 = len(outcome) - n1
    freedom = len(outcome) - design.shape[1]
    if min(n1, n2) < 2 or freedom < 1 or np.linalg.matrix_rank(design) < design.shape[1]:
        return _nothing(np.nan, n1, n2, "ANCOVA", "there are too few people, or the groups do not overlap")
    with np.errstate(all="ignore"):
        fit = sm.OLS(outcome, design).fit(cov_type="HC3" if robust else "nonrobust", use_t=True)
    difference, error = float(fit.params[2]), float(fit.bse[2])
    if fits_exactly(float(fit.ssr), float(np.square(outcome).sum())):
        return _nothing(difference, n1, n2, "ANCOVA", "the scores have no spread")
    # With a leverage of 1 a person is fitted exactly, whatever the score, and the robust error has no bound.
    if robust and float(np.square(np.linalg.qr(design)[0]).sum(axis=1).max()) > 1 - 1e-10:
        return _nothing(difference, n1, n2, "ANCOVA", "one person alone decides a coefficient")
    if not np.isfinite(error) or error == 0:
        return _nothing(difference, n1, n2, "ANCOVA", "the scores have no spread")
    half = float(stats.t.ppf((1 + level) / 2, freedom)) * error
    p_value = 2 * float(stats.t.sf(abs(difference) / error, freedom))
    return GroupDifference(
        difference, difference - half, difference + half, p_value, float(freedom), np.nan, np.nan, np.nan, n1, n2,
        "ANCOVA", None,
    )  # fmt: skip


def _known(values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    return array[~np.isnan(array)]


def _nothing(difference: float, n1: int, n2: int, method: str, reason: str) -> GroupDifference:
    return GroupDifference(difference, *(np.nan,) * 7, n1, n2, method, reason)
