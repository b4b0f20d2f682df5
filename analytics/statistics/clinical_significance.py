"""Clinical significance of each person's change: reliable, and across a cut-off between two populations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.statistics.reliable_change import ReliableChange, reliable_change

ClinicalClass = Literal["recovered", "improved", "unchanged", "deteriorated", "relapsed", "unknown"]
CutoffKind = Literal["a", "b", "c"]

CLASSES: Final[tuple[ClinicalClass, ...]] = get_args(ClinicalClass)


@dataclass(frozen=True)
class Cutoffs:
    """The three cut-offs of Jacobson and Truax, in points of the questionnaire.

    Attributes
    ----------
    a : two SD from the mean of people in care towards health; needs no other population.
    b : two SD from the mean of the general population towards illness; NaN without one.
    c : between the two means, nearer to the one that varies less; NaN without a general population.
    """

    a: float
    b: float
    c: float


@dataclass(frozen=True, eq=False)
class ClinicalSignificance:
    """Classes of everybody; arrays shaped like the scores.

    Attributes
    ----------
    classes : "recovered" (reliably better and across the cut-off), "improved" (reliably better only), "unchanged",
        "deteriorated" (reliably worse), "relapsed" (reliably worse and across the cut-off the other way), "unknown"
        (a score is missing). Who began beyond the cut-off can improve, but not recover.
    counts : people by class, all six.
    """

    cutoff: float
    kind: CutoffKind
    change: ReliableChange
    classes: NDArray[np.str_]
    counts: dict[ClinicalClass, int]


def cutoffs(
    clinical_mean: float,
    clinical_sd: float,
    general_mean: float = np.nan,
    general_sd: float = np.nan,
    direction: Literal[1, -1] = 1,
) -> Cutoffs:
    """Cut-offs a, b and c from means and SDs of people in care and of the general population.

    Parameters
    ----------
    direction : 1 when a lower score is better, -1 when a higher one is.

    References
    ----------
    Jacobson & Truax 1991, doi:10.1037/0022-006X.59.1.12; the example is theirs. R clinicalsignificance takes the SD of
    people in care for b.

    >>> cutoffs(40, 7.5, 60, 7.5, direction=-1)
    Cutoffs(a=55.0, b=45.0, c=50.0)
    """
    spread = clinical_sd + general_sd
    return Cutoffs(
        a=clinical_mean - direction * 2 * clinical_sd,
        b=general_mean + direction * 2 * general_sd,
        c=(general_sd * clinical_mean + clinical_sd * general_mean) / spread if spread else np.nan,
    )


def jacobson_truax(
    first: ArrayLike,
    last: ArrayLike,
    sd: float,
    reliability: float,
    *,
    clinical_mean: float | None = None,
    general_mean: float = np.nan,
    general_sd: float = np.nan,
    kind: CutoffKind = "a",
    direction: Literal[1, -1] = 1,
) -> ClinicalSignificance:
    """Classify every person by reliable change and by crossing a cut-off.

    Parameters
    ----------
    first, last : scores by person, NaN where one is missing.
    sd : SD before treatment, used for the reliable change index and as SD of people in care.
    reliability : as in `reliable_change`.
    clinical_mean : of people in care; None = the mean of `first` among people with both scores.
    general_mean, general_sd : of the general population; needed for the cut-offs b and c.
    kind : which cut-off.

    Raises
    ------
    ValueError
        The chosen cut-off needs a general population that was not given, or as `reliable_change`.

    References
    ----------
    Jacobson & Truax 1991; R clinicalsignificance (JT) is the oracle of the tests.
    """
    before, after = np.asarray(first, dtype=np.float64), np.asarray(last, dtype=np.float64)
    both = ~np.isnan(before) & ~np.isnan(after)
    if clinical_mean is None:
        clinical_mean = float(before[both].mean()) if both.any() else np.nan
    limits = cutoffs(clinical_mean, sd, general_mean, general_sd, direction)
    cutoff = {"a": limits.a, "b": limits.b, "c": limits.c}[kind]
    if kind != "a" and np.isnan(cutoff) and both.any():
        raise ValueError(f"cut-off {kind} needs the mean and SD of a general population")
    change = reliable_change(before, after, sd, reliability, direction)
    ill_before, ill_after = direction * (before - cutoff) > 0, direction * (after - cutoff) > 0
    # Who ends on the cut-off is on neither side of it.
    well_after = direction * (after - cutoff) < 0
    classes = np.select(
        [
            ~both,
            change.improved & ill_before & well_after,
            change.improved,
            change.deteriorated & ~ill_before & ill_after,
            change.deteriorated,
        ],
        ["unknown", "recovered", "improved", "relapsed", "deteriorated"],
        "unchanged",
    )
    counts: dict[ClinicalClass, int] = {name: int((classes == name).sum()) for name in CLASSES}
    return ClinicalSignificance(cutoff, kind, change, classes, counts)
