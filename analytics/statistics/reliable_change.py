"""Reliable change: whether a person's score moved by more than the error of the questionnaire."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Jacobson and Truax print 1.96, and published thresholds were made with it.
RELIABLE = 1.96


@dataclass(frozen=True, eq=False)
class ReliableChange:
    """Change of each person against measurement error; arrays shaped like the scores."""

    change: NDArray[np.float64]
    index: NDArray[np.float64]
    standard_error_of_measurement: float
    standard_error_of_difference: float
    threshold: float
    improved: NDArray[np.bool_]
    deteriorated: NDArray[np.bool_]


def reliable_change(
    first: ArrayLike, last: ArrayLike, sd: float, reliability: float, direction: Literal[1, -1] = 1
) -> ReliableChange:
    """Reliable change index of Jacobson and Truax: change beyond the error of the questionnaire.

    S_E = SD √(1 - r), S_diff = √2 S_E, RC = change / S_diff; reliable when |RC| > 1.96.

    Parameters
    ----------
    first, last : number or array of equal shape
        Scores; NaN where one is missing, which is then neither improved nor deteriorated.
    sd : float
        SD of the score before treatment, in the same points, from the source the page names.
    reliability : float
        0 up to but not including 1, test-retest or internal consistency, from that source.
    direction : 1 or -1
        1 when a lower score is better, -1 when a higher one is. Positive change is improvement.

    Returns
    -------
    ReliableChange
        `threshold` is the change in points that must be exceeded.

    Raises
    ------
    ValueError
        sd is not positive, the reliability is out of range, or the direction is not 1 or -1.

    References
    ----------
    Jacobson & Truax 1991, doi:10.1037/0022-006X.59.1.12; the example is theirs: 47.5 after 32.5 with SD 7.5
    and reliability .80 gives RC = 3.16.

    >>> round(float(reliable_change(32.5, 47.5, sd=7.5, reliability=0.80, direction=-1).index), 2)
    3.16
    """
    if not sd > 0:
        raise ValueError("sd must be positive")
    if not 0 <= reliability < 1:
        raise ValueError("reliability must be at least 0 and below 1")
    if direction not in (1, -1):
        raise ValueError("direction must be 1 (lower is better) or -1 (higher is better)")
    error = sd * sqrt(1 - reliability)
    difference_error = sqrt(2) * error
    change = direction * (np.asarray(first, dtype=np.float64) - np.asarray(last, dtype=np.float64))
    index = np.asarray(change / difference_error)
    return ReliableChange(
        change=np.asarray(change),
        index=index,
        standard_error_of_measurement=error,
        standard_error_of_difference=difference_error,
        threshold=RELIABLE * difference_error,
        improved=np.asarray(index > RELIABLE),
        deteriorated=np.asarray(index < -RELIABLE),
    )
