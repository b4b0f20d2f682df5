"""Several tests at once: adjusted p values."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analytics.statistics.event_table import Floats


def adjusted_p_values(p_values: ArrayLike, method: Literal["holm", "benjamini_hochberg"] = "holm") -> Floats:
    """Return adjusted p values in the order given; NaN (no test) stays NaN and counts for nothing.

    Parameters
    ----------
    method : "holm" keeps the chance of any false signal below the level (tables of up to ten groups);
        "benjamini_hochberg" the share of false ones among the signals (screens).

    References
    ----------
    Holm 1979; Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x.

    >>> adjusted_p_values([0.003, 0.012, 0.021, 0.04, 0.3]).round(3).tolist()
    [0.015, 0.048, 0.063, 0.08, 0.3]
    """
    from statsmodels.stats.multitest import multipletests

    values = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(len(values), np.nan)
    known = ~np.isnan(values)
    if known.any():
        adjusted[known] = multipletests(values[known], method="holm" if method == "holm" else "fdr_bh")[1]
    return adjusted
