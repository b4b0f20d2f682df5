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
from analytics.measures.groups import groups_of
from analytics.measures.ladder_sql import bound_to, outcome_of, parameters_in, passed, steps_of
from analytics.measures.scan import scan_of
from analytics.measures.types import ALL, NOT_KNOWN, Cohort, Estimator, Measure, SnapshotCursor, Stratifier
from analytics.statistics.nonresponse import WeightedShare, followup_weights, weighted_share
from analytics.statistics.risk_adjustment import EVENTS_PER_PARAMETER, ObservedExpected, RiskModel, risk_adjusted
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

# A code with fewer expected outcomes (or none of the other kind) can tell the outcomes apart by chance.
_EXPECTED_OF_A_CODE: Final = 5.0
_RARE: Final = "rare codes together"
_SAME: Final = "the same for everybody"
_TOO_FEW: Final = "too few people"
# From this share of people on whose code is that of most of their group, a covariate is the group's own.
_OF_THE_GROUP: Final = 0.95

_SQL: Final[Mapping[str, str]] = {
    "person_sequence": "case when person_sequence > 1 then 'came before' else 'first time' end",
}


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


@dataclass(frozen=True)
class _Cells:
    """Counted people: one row per group, characteristics and outcome (1, 0, NaN = not known).

    `raw` is the value of the split as the snapshot has it, `group` the first group that it makes.
    """

    raw: NDArray[np.object_]
    group: NDArray[np.object_]
    known_by: dict[str, NDArray[np.object_]]
    outcome: NDArray[np.float64]
    people: NDArray[np.float64]

    def of(self, rows: Sequence[bool]) -> _Cells:
        """Return some of the rows."""
        at = np.array(rows, dtype=np.bool_)
        known_by = {name: codes[at] for name, codes in self.known_by.items()}
        return _Cells(self.raw[at], self.group[at], known_by, self.outcome[at], self.people[at])


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
    if by in (Stratifier.THERAPY, Stratifier.EXIT, Stratifier.DOSE_BAND):
        raise MeasureProblem(f"A split by {by.value} cannot be compared fairly: it overlaps or came about later.")
    used = tuple(name for name in covariates if name != by.value)
    cells = _counted(measure, snapshot, cohort or Cohort(), by, used)
    if measure.missing == "failure":
        cells = replace(cells, outcome=np.nan_to_num(cells.outcome, nan=0.0))
    raw, cells = cells, _pooled(cells)
    design, entered, left_out = _carried(cells, used)
    # What was different before the rare kinds were taken together is not the same for everybody.
    left_out = tuple(
        (name, _TOO_FEW if len(set(_codes(raw, name))) > 1 and why == _SAME else why) for name, why in left_out
    )
    adjusted = risk_adjusted(cells.outcome, design, cells.group, cells.people)
    known = ~np.isnan(cells.outcome)
    total = float(cells.people[known].sum())
    return FairComparison(
        measure=measure,
        by=by,
        groups={str(group): found for group, found in adjusted.groups.items()},
        standardised=_standardised(cells) if STANDARD in used else {},
        model=adjusted.model,
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
    cells = _counted(measure, snapshot, cohort or Cohort(), by, reached_by, grain)
    groups = {group for raw in cells.raw for group in groups_of(raw, by)}
    return {ALL: _weighted(cells, reached_by)} | {
        group: _weighted(cells.of([group in groups_of(raw, by) for raw in cells.raw]), reached_by)
        for group in groups - {ALL}
    }


def _weighted(cells: _Cells, reached_by: Sequence[str]) -> WeightedShare:
    design, _, _ = _dummies(cells, reached_by)
    reached = (~np.isnan(cells.outcome)).astype(np.float64)
    if reached.size and (reached == 1).all():
        return weighted_share(cells.outcome, np.ones(len(reached)), cells.people)
    weights = followup_weights(reached, design, weight=cells.people)
    if weights.reason is not None:
        return WeightedShare(np.nan, np.nan, np.nan, np.nan, weights.reason)
    return weighted_share(cells.outcome, weights.weight, cells.people)


def _counted(
    measure: Measure,
    snapshot: SnapshotCursor,
    cohort: Cohort,
    by: Stratifier | None,
    columns: Sequence[str],
    grain: Grain = "month",
) -> _Cells:
    """Count the eligible by group, characteristics and outcome in one scan."""
    scan = scan_of([measure], cohort, by, grain)
    conditions = bound_to(0, " and ".join(passed(steps_of(measure, scan.matured[0]))) or "true")
    outcome = bound_to(0, outcome_of(measure))
    known_by = [f"cast({_SQL.get(name, name)} as varchar) as k{number}" for number, name in enumerate(columns)]
    names = [f"k{number}" for number in range(len(columns))]
    text = (
        f"select g, o, {', '.join([*names, 'count(*)'])}\nfrom (\n"
        f"  select {scan.split} as g, {', '.join([*known_by, f'({outcome}) as o'])}\n  from {scan.rows.text}\n"
        f"  where {conditions}\n)\ngroup by all order by all"
    )
    answer = snapshot.query(text, parameters_in(text, {0: measure}, scan.rows))
    labels = [next(group for group in groups_of(row[0], by) if group != ALL) if by else ALL for row in answer]
    raw = np.empty(len(answer), dtype=object)
    raw[:] = [row[0] for row in answer]
    return _Cells(
        raw,
        np.array(labels, dtype=object),
        {name: np.array([row[2 + at] for row in answer], dtype=object) for at, name in enumerate(columns)},
        np.array([np.nan if row[1] is None else float(row[1]) for row in answer], dtype=np.float64),
        np.array([row[-1] for row in answer], dtype=np.float64),
    )


def _dummies(
    cells: _Cells, columns: Sequence[str]
) -> tuple[dict[str, NDArray[np.float64]], tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return 0/1 columns by covariate and code, without the code that most people have."""
    design: dict[str, NDArray[np.float64]] = {}
    entered, left_out = [], []
    for name in columns:
        codes = _codes(cells, name)
        people = {code: float(cells.people[codes == code].sum()) for code in sorted(set(codes))}
        if len(people) < 2:
            left_out.append((name, _SAME if people else "nobody to count"))
            continue
        entered.append(name)
        usual = max(people, key=lambda code: people[code])
        design |= {f"{name}: {code}": (codes == code).astype(np.float64) for code in people if code != usual}
    return design, tuple(entered), tuple(left_out)


def _carried(
    cells: _Cells, columns: Sequence[str]
) -> tuple[dict[str, NDArray[np.float64]], tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return the 0/1 columns that the outcomes can carry, the covariates that entered, and those that did not."""
    known = ~np.isnan(cells.outcome)
    own = [name for name in columns if _belongs_to_groups(cells, name)]
    design, entered, left_out = _dummies(cells, [name for name in columns if name not in own])
    dropped = [*left_out, *((name, "each group has only one kind") for name in own)]
    events = float((cells.people * cells.outcome)[known].sum())
    rarer = min(events, float(cells.people[known].sum()) - events)
    room = int(rarer // EVENTS_PER_PARAMETER) - 1  # one parameter is the constant
    carried: dict[str, NDArray[np.float64]] = {}
    kept = []
    for name in entered:
        added = {label: column for label, column in design.items() if label.startswith(f"{name}: ")}
        if len(added) > room:
            dropped.append((name, _TOO_FEW))
            continue
        room -= len(added)
        kept.append(name)
        carried |= added
    return carried, tuple(kept), tuple(dropped)


def _belongs_to_groups(cells: _Cells, name: str) -> bool:
    """Return whether a covariate says which group it is, not who its people are: then it explains the group away."""
    codes = _codes(cells, name)
    enough = _OF_THE_GROUP * float(cells.people.sum())

    def usual(group: NDArray[np.bool_]) -> float:
        return max((float(cells.people[group & (codes == code)].sum()) for code in set(codes)), default=0.0)

    same_for_all = usual(np.ones(len(codes), dtype=np.bool_)) >= enough
    return not same_for_all and sum(usual(cells.group == group) for group in set(cells.group)) >= enough


def _codes(cells: _Cells, name: str) -> NDArray[np.object_]:
    return np.array([NOT_KNOWN if code is None else code for code in cells.known_by[name]], dtype=object)


def _pooled(cells: _Cells) -> _Cells:
    """Take the rare codes of each covariate together, or with the most usual one where they are rare together too.

    Rare: fewer than five people with the outcome, or without, are to be expected of those whose outcome is known.
    """
    known = ~np.isnan(cells.outcome)
    people, events = (float(each[known].sum()) for each in (cells.people, cells.people * cells.outcome))
    rarer = min(events, people - events)
    if not rarer:
        return cells
    fewest = _EXPECTED_OF_A_CODE * people / rarer
    known_by = {}
    for name in cells.known_by:
        codes = _codes(cells, name)
        sizes = {code: float(cells.people[known & (codes == code)].sum()) for code in sorted(set(codes))}
        rare = [code for code, size in sizes.items() if size < fewest]
        usual = max(sizes, key=lambda code: sizes[code])
        together = _RARE if sum(sizes[code] for code in rare) >= fewest else usual
        known_by[name] = np.array([together if code in rare else code for code in codes], dtype=object)
    return replace(cells, known_by=known_by)


def _standardised(cells: _Cells) -> dict[str, StandardisedRate]:
    known = ~np.isnan(cells.outcome)
    codes = _codes(cells, STANDARD)
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
