"""Fair comparison: the groups of a split with the same people in mind, and the reached weighted to stand for all.

Everything comes from one statement that counts people by group, by what was known at admission, and by outcome, so
that a million episodes become some thousand cells. Nothing that happens after admission enters a comparison: no
length of stay, no attendance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analytics.errors import MeasureProblem
from analytics.measures.comparison_cells import (
    SAME,
    TOO_FEW,
    Cells,
    belongs_to_groups,
    carried_by,
    codes_of,
    counted,
    dummies,
    pooled,
    settled_outcomes,
)
from analytics.measures.groups import groups_of
from analytics.measures.subjects import subject_of
from analytics.measures.types import ALL, Cohort, Estimator, Measure, SnapshotCursor, Stratifier
from analytics.statistics.nonresponse import WeightedShare, followup_weights, weighted_share
from analytics.statistics.risk_adjustment import (
    ObservedExpected,
    RiskModel,
    fit_risk_model,
    observed_expected,
)
from analytics.statistics.standardisation import StandardisedRate, standardised_rate
from analytics.texts.periods import Grain

# Known at admission; columns of both outcome tables. A split is never among its own covariates.
COVARIATES: Final = (
    "baseline_severity",
    "age_band",
    "gender",
    "track",
    "level_of_care",
    "payer_group",
    "person_sequence",
)
# The mix that direct standardisation holds fixed.
STANDARD: Final = "baseline_severity"
# Who could be reached later may depend on how people left, which is known for everybody: here it may enter.
REACHED_BY: Final = ("baseline_severity", "age_band", "track", "exit")


@dataclass(frozen=True)
class FairComparison:
    """The groups of a split, adjusted; nothing of it can be drawn before disclosure.

    Attributes
    ----------
    groups : observed and expected events by group; `adjusted_rate` = ratio × rate of all.
    standardised : each group's rate if it had the pooled mix of severity at the start.
    model : how well the characteristics tell the outcome (c-statistic, calibration); `reason` when there is none.
    covariates : those that entered. left_out : (covariate, why) for those that did not.
    overall : rate of all with a known outcome, NaN without anybody.
    """

    measure: Measure
    by: Stratifier
    groups: Mapping[str, ObservedExpected]
    standardised: Mapping[str, StandardisedRate]
    model: RiskModel
    covariates: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    overall: float
    snapshot_id: str

    def adjusted_rate(self, group: str) -> float:
        """Return the rate the group would have with the people of all; NaN without a ratio."""
        return self.groups[group].ratio * self.overall


def compare_fairly(
    measure: Measure,
    snapshot: SnapshotCursor,
    by: Stratifier,
    cohort: Cohort | None = None,
    covariates: Sequence[str] = COVARIATES,
) -> FairComparison:
    """Compare the groups of a split as if they had the same people.

    Raises
    ------
    MeasureProblem
        The measure is no share, or the split is of groups that overlap or came about later.

    Notes
    -----
    Logistic model on everybody with a known outcome, observed over expected with Byar's limits; beside it direct
    standardisation to the pooled mix of severity at the start. Covariates enter in the order given as long as each
    parameter has ten people with the outcome and ten without; the others, and those without spread, are left out and
    named. So is what each group has only one kind of, such as the level of care of a program: it would explain the
    group itself away. Codes too rare to tell an outcome by are taken together. Where the measure counts not known as
    no, so does the comparison.
    """
    if measure.estimator is not Estimator.PROPORTION:
        raise MeasureProblem(f"{measure.id} is no share of people, so groups cannot be adjusted for who they are.")
    if subject_of(measure).not_about_episodes is not None:
        raise MeasureProblem(f"{measure.id} is no share of people of whom enough is known to adjust for who they are.")
    if by in (Stratifier.THERAPY, Stratifier.EXIT, Stratifier.DOSE_BAND, Stratifier.AT_LANDMARK):
        raise MeasureProblem(f"A split by {by.value} cannot be compared fairly: it overlaps or came about later.")
    used = tuple(name for name in covariates if name != by.value)
    cells = counted(measure, snapshot, cohort or Cohort(), by, used)
    if measure.missing == "failure":
        cells = replace(cells, outcome=np.nan_to_num(cells.outcome, nan=0.0))
    raw, cells = cells, pooled(cells)
    own = [name for name in used if belongs_to_groups(cells, name)]
    may_enter = [name for name in used if name not in own]
    settled = settled_outcomes(cells, may_enter)
    undecided = replace(cells, outcome=np.where(np.isnan(settled), cells.outcome, np.nan))
    design, entered, left_out = carried_by(undecided, may_enter)
    left_out = (*left_out, *((name, "each group has only one kind") for name in own))
    # What was different before the rare kinds were taken together is not the same for everybody.
    left_out = tuple(
        (name, TOO_FEW if len(set(codes_of(raw, name))) > 1 and why == SAME else why) for name, why in left_out
    )
    model = fit_risk_model(undecided.outcome, design, cells.people)
    expected = model.probability if model.reason else np.where(np.isnan(settled), model.probability, settled)
    groups = observed_expected(cells.outcome, expected, cells.group, cells.people)
    known = ~np.isnan(cells.outcome)
    total = float(cells.people[known].sum())
    return FairComparison(
        measure=measure,
        by=by,
        groups={str(group): found for group, found in groups.items()},
        standardised=_standardised(cells) if STANDARD in used else {},
        model=model,
        covariates=entered,
        left_out=left_out,
        overall=float((cells.people * cells.outcome)[known].sum()) / total if total else np.nan,
        snapshot_id=snapshot.snapshot_id,
    )


def weighted_estimates(
    measure: Measure,
    snapshot: SnapshotCursor,
    cohort: Cohort | None = None,
    by: Stratifier | None = None,
    grain: Grain = "month",
    reached_by: Sequence[str] = REACHED_BY,
) -> dict[str, WeightedShare]:
    """Return shares among those whose outcome is known, weighted so that they resemble all who are eligible.

    Of everybody (`ALL`) and of each group of the split, each with weights of its own, from one statement. It mends only
    what `reached_by` explains. NaN with a reason where nobody of a kind was reached. Groups without anybody eligible
    are left out.
    """
    if measure.estimator is not Estimator.PROPORTION:
        raise MeasureProblem(f"{measure.id} is no share of people, so it has no weighted form.")
    if subject_of(measure).not_about_episodes is not None:
        raise MeasureProblem(f"{measure.id} is no share of people of whom enough is known for a weighted form.")
    cells = counted(measure, snapshot, cohort or Cohort(), by, reached_by, grain)
    groups = {group for raw in cells.raw for group in groups_of(raw, by)}
    return {ALL: _weighted(cells, reached_by)} | {
        group: _weighted(cells.of([group in groups_of(raw, by) for raw in cells.raw]), reached_by)
        for group in groups - {ALL}
    }


def _weighted(cells: Cells, reached_by: Sequence[str]) -> WeightedShare:
    design, _, _ = dummies(cells, reached_by, np.ones(len(cells.outcome), dtype=np.bool_))
    reached = (~np.isnan(cells.outcome)).astype(np.float64)
    if reached.size and (reached == 1).all():
        return weighted_share(cells.outcome, np.ones(len(reached)), cells.people)
    weights = followup_weights(reached, design, weight=cells.people)
    if weights.reason is not None:
        return WeightedShare(np.nan, np.nan, np.nan, np.nan, weights.reason)
    return weighted_share(cells.outcome, weights.weight, cells.people)


def _standardised(cells: Cells) -> dict[str, StandardisedRate]:
    known = ~np.isnan(cells.outcome)
    codes = codes_of(cells, STANDARD)
    strata = sorted(set(codes[known]))
    if len(strata) < 2:
        return {}

    def people(where: NDArray[np.bool_], outcome: bool) -> list[float]:
        weight = cells.people * (cells.outcome if outcome else 1.0)
        return [float(np.nansum(weight[known & where & (codes == stratum)])) for stratum in strata]

    everybody = people(np.ones(len(codes), dtype=np.bool_), outcome=False)
    return {
        str(group): standardised_rate(
            people(cells.group == group, True), people(cells.group == group, False), everybody
        )
        for group in dict.fromkeys(cells.group.tolist())
    }
