"""The groups of a split beside each other: as they were counted, and as if they had the same people.

A comparison flags groups to look at, not to blame. It takes away what was known of people at admission; what nobody
recorded stays in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from analytics.measures.evaluate import evaluate
from analytics.measures.fair_comparison import STANDARD, FairComparison, compare_fairly
from analytics.measures.results import Estimate, Ladder
from analytics.measures.small_groups import SMALL_GROUP, smaller_than
from analytics.measures.types import ALL, NOT_KNOWN, Cohort, Measure, SnapshotCursor, Stratifier
from analytics.statistics.funnel import LEVELS, Funnel, proportion_funnel
from analytics.statistics.multiplicity import adjusted_p_values

Position = Literal["within", "above", "below", "far above", "far below"]
Correction = Literal["holm", "benjamini_hochberg"]

# Holm keeps any false signal rare and is for tables; with more groups only the share of false ones can be kept low.
MOST_FOR_HOLM: Final = 10


@dataclass(frozen=True)
class ComparedGroup:
    """One group. Shares are 0 to 1; NaN where there is none, and `reason` says why.

    Attributes
    ----------
    estimate : as counted. small : fewer than 11 people; neither tested nor placed in the funnel.
    expected : events expected of such people; the observed are the numerator of `estimate`. ratio : observed over
        expected with Byar's limits.
    adjusted : ratio × rate of all, with its limits; at most 1.
    same_mix : rate if the group had everybody's mix of severity at the start, with limits. same_mix_reason : why not.
    usual_low, usual_high : within these lie 95 % of groups of this size that differ by chance only; `position` says
        where the adjusted share lies, "far" = beyond 99.8 %. None without a funnel.
    p_value : of the adjusted share against that of all; adjusted_p : for the number of groups tested.
    """

    group: str
    estimate: Estimate
    small: bool
    expected: float
    ratio: float
    ratio_low: float
    ratio_high: float
    adjusted: float
    adjusted_low: float
    adjusted_high: float
    same_mix: float
    same_mix_low: float
    same_mix_high: float
    same_mix_reason: str | None
    usual_low: float
    usual_high: float
    position: Position | None
    p_value: float
    adjusted_p: float
    reason: str | None


@dataclass(frozen=True)
class GroupComparison:
    """What `compare_groups` returns; nothing of it can be drawn before disclosure.

    Attributes
    ----------
    everybody : as counted, all groups together. ladder : who is counted, and who fell out.
    groups : in the order in which they are shown; those whose split is not known last.
    adjusted_for : what was known at admission and entered the model. not_adjusted_for : (what, why not).
    c_statistic : how well the model tells the outcomes apart; 0.5 = no better than chance.
    calibration : (observed, expected) events in ten groups of rising expected share.
    model_reason : why there is no model, else None. funnel_reason : why there is no funnel, else None.
    widened : whether groups differ by more than chance on the whole, so that the funnel was made wider (by the root of
        `phi`).
    correction : of the p values for the number of groups, None without any.
    reason : why there is nothing to compare, else None.
    """

    measure: Measure
    cohort: Cohort
    by: Stratifier
    everybody: Estimate
    ladder: Ladder
    groups: tuple[ComparedGroup, ...]
    adjusted_for: tuple[str, ...]
    not_adjusted_for: tuple[tuple[str, str], ...]
    c_statistic: float
    calibration: tuple[tuple[float, float], ...]
    model_reason: str | None
    funnel_reason: str | None
    widened: bool
    phi: float
    correction: Correction | None
    reason: str | None
    snapshot_id: str


def compare_groups(
    measure: Measure, snapshot: SnapshotCursor, by: Stratifier, cohort: Cohort | None = None
) -> GroupComparison:
    """Compare the groups of a split: crude, risk-adjusted, standardised, in a funnel, and tested.

    Parameters
    ----------
    measure : a share of people. by : a split that is fixed at admission and whose groups do not overlap.
    cohort : who; None = everybody.

    Raises
    ------
    MeasureProblem
        The measure is no share, or groups of this split overlap or came about later.

    Notes
    -----
    The funnel is of adjusted shares around the share of all, with exact binomial limits for the people of each group,
    widened when groups differ by more than chance (phi > 1 + 2 √(2/groups)); it needs eight groups. p values are
    adjusted by Holm for up to ten groups, else by Benjamini and Hochberg. Groups of fewer than 11 people, and people
    whose group is not known, take part in the model and are neither tested nor placed.

    References
    ----------
    Spiegelhalter 2005, doi:10.1002/sim.1970; Breslow & Day 1987; Holm 1979; Benjamini & Hochberg 1995.
    """
    who = cohort or Cohort()
    fair = compare_fairly(measure, snapshot, by, who)
    (result,) = evaluate([measure], snapshot, who, by)
    small = smaller_than(result, SMALL_GROUP)
    everybody = result.estimates[ALL]
    names = [group for group in result.estimates if group != ALL] if everybody.has_value else []
    placed = [name for name in names if name not in small and name != NOT_KNOWN]
    funnel = _funnel(fair, placed, [result.estimates[name] for name in placed])
    tested = {name: fair.groups[name].p_value for name in placed if fair.groups[name].reason is None}
    tested = {name: p_value for name, p_value in tested.items() if not math.isnan(p_value)}
    correction: Correction = "holm" if len(tested) <= MOST_FOR_HOLM else "benjamini_hochberg"
    adjusted_p = dict(zip(tested, map(float, adjusted_p_values(list(tested.values()), correction)), strict=True))
    return GroupComparison(
        measure=measure,
        cohort=who,
        by=by,
        everybody=everybody,
        ladder=result.ladder,
        groups=tuple(
            _group(
                name,
                result.estimates[name],
                fair,
                funnel,
                placed.index(name) if name in placed else None,
                tested.get(name, math.nan),
                adjusted_p.get(name, math.nan),
                name in small,
            )
            for name in names
        ),
        adjusted_for=fair.covariates if fair.model.reason is None else (),
        not_adjusted_for=fair.left_out,
        c_statistic=fair.model.c_statistic,
        calibration=tuple(zip(map(float, fair.model.observed), map(float, fair.model.expected), strict=True)),
        model_reason=fair.model.reason,
        funnel_reason=funnel.reason,
        widened=funnel.is_overdispersed,
        phi=funnel.phi,
        correction=correction if tested else None,
        reason=everybody.reason if not everybody.has_value else None,
        snapshot_id=result.snapshot_id,
    )


def _funnel(fair: FairComparison, names: Sequence[str], estimates: Sequence[Estimate]) -> Funnel:
    """Place groups by their adjusted shares; by those counted where there is no model."""
    people = np.array([each.denominator for each in estimates], dtype=np.float64)
    shares = np.array([each.value for each in estimates], dtype=np.float64)
    if fair.model.reason is None:
        shares = np.array([_possible(fair.adjusted_rate(name)) for name in names], dtype=np.float64)
    known = (people > 0) & ~np.isnan(shares)
    count, n = np.where(known, shares * people, 0.0), np.where(known, people, 0.0)
    return proportion_funnel(count, n, fair.overall if n.any() else None, overdispersion="multiplicative")


def _possible(share: float) -> float:
    """Return a share of at most 1: more events than people can be expected of none."""
    return min(share, 1.0) if not math.isnan(share) else share


def _group(
    name: str,
    estimate: Estimate,
    fair: FairComparison,
    funnel: Funnel,
    place: int | None,
    p_value: float,
    adjusted_p: float,
    small: bool,
) -> ComparedGroup:
    found, mix = fair.groups.get(name), fair.standardised.get(name)
    ratio, low, high = (found.ratio, found.ci_low, found.ci_high) if found else (math.nan,) * 3
    limits = (math.nan, math.nan)
    if place is not None:
        limits = (float(funnel.lower[LEVELS[0]][place]), float(funnel.upper[LEVELS[0]][place]))
    return ComparedGroup(
        group=name,
        estimate=estimate,
        small=small,
        expected=found.expected if found and not math.isnan(ratio) else math.nan,
        ratio=ratio,
        ratio_low=low,
        ratio_high=high,
        adjusted=_possible(ratio * fair.overall),
        adjusted_low=_possible(low * fair.overall),
        adjusted_high=_possible(high * fair.overall),
        same_mix=mix.rate if mix else math.nan,
        same_mix_low=mix.ci_low if mix else math.nan,
        same_mix_high=mix.ci_high if mix else math.nan,
        same_mix_reason=mix.reason if mix else _no_mix(fair.by),
        usual_low=limits[0],
        usual_high=limits[1],
        position=None if place is None else _position(funnel, place),
        p_value=p_value,
        adjusted_p=adjusted_p,
        reason=estimate.reason or fair.model.reason or (found.reason if found else "nobody whose outcome is known"),
    )


def _no_mix(by: Stratifier) -> str:
    is_severity = by.value == STANDARD
    return "the groups are the severities" if is_severity else "too few people to tell severities apart"


def _position(funnel: Funnel, place: int) -> Position | None:
    if funnel.reason is not None or math.isnan(funnel.value[place]):
        return None
    side: Literal["above", "below"] = "above" if funnel.value[place] > funnel.target else "below"
    wide, narrow = (bool(funnel.outside[level][place]) for level in reversed(LEVELS))
    if wide:
        return "far above" if side == "above" else "far below"
    return side if narrow else "within"
