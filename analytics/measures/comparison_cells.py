"""People counted by group, by what was known at admission, and by outcome, and what a model of these can carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analytics.measures.groups import groups_of
from analytics.measures.ladder_sql import bound_to, outcome_of, parameters_in, passed, steps_of
from analytics.measures.own_data import with_own_thresholds
from analytics.measures.scan import scan_of
from analytics.measures.types import ALL, NOT_KNOWN, Cohort, Measure, SnapshotCursor, Stratifier
from analytics.statistics.risk_adjustment import EVENTS_PER_PARAMETER
from analytics.texts.periods import Grain

# A code with fewer expected outcomes (or none of the other kind) can tell the outcomes apart by chance.
_EXPECTED_OF_A_CODE: Final = 5.0
_RARE: Final = "rare codes together"
SAME: Final = "the same for everybody"
TOO_FEW: Final = "too few people"
# From this share of people on whose code is that of most of their group, a covariate is the group's own.
_OF_THE_GROUP: Final = 0.95

_SQL: Final[Mapping[str, str]] = {
    "person_sequence": "case when person_sequence > 1 then 'came before' else 'first time' end",
}


@dataclass(frozen=True)
class Cells:
    """Counted people: one row per group, characteristics and outcome (1, 0, NaN = not known).

    `raw` is the value of the split as the snapshot has it, `group` the first group that it makes.
    """

    raw: NDArray[np.object_]
    group: NDArray[np.object_]
    known_by: dict[str, NDArray[np.object_]]
    outcome: NDArray[np.float64]
    people: NDArray[np.float64]

    def of(self, rows: Sequence[bool]) -> Cells:
        """Return some of the rows."""
        at = np.array(rows, dtype=np.bool_)
        known_by = {name: codes[at] for name, codes in self.known_by.items()}
        return Cells(self.raw[at], self.group[at], known_by, self.outcome[at], self.people[at])


def counted(
    measure: Measure,
    snapshot: SnapshotCursor,
    cohort: Cohort,
    by: Stratifier | None,
    columns: Sequence[str],
    grain: Grain = "month",
) -> Cells:
    """Count the eligible by group, characteristics and outcome in one scan."""
    measure = with_own_thresholds(measure, snapshot, cohort, by)
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
    return Cells(
        raw,
        np.array(labels, dtype=object),
        {name: np.array([row[2 + at] for row in answer], dtype=object) for at, name in enumerate(columns)},
        np.array([np.nan if row[1] is None else float(row[1]) for row in answer], dtype=np.float64),
        np.array([row[-1] for row in answer], dtype=np.float64),
    )


def pooled(cells: Cells) -> Cells:
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
        codes = codes_of(cells, name)
        sizes = {code: float(cells.people[known & (codes == code)].sum()) for code in sorted(set(codes))}
        rare = [code for code, size in sizes.items() if size < fewest]
        usual = max(sizes, key=lambda code: sizes[code])
        together = _RARE if sum(sizes[code] for code in rare) >= fewest else usual
        known_by[name] = np.array([together if code in rare else code for code in codes], dtype=object)
    return replace(cells, known_by=known_by)


def belongs_to_groups(cells: Cells, name: str) -> bool:
    """Return whether a covariate says which group it is, not who its people are: then it explains the group away."""
    codes = codes_of(cells, name)
    enough = _OF_THE_GROUP * float(cells.people.sum())

    def usual(group: NDArray[np.bool_]) -> float:
        return max((float(cells.people[group & (codes == code)].sum()) for code in set(codes)), default=0.0)

    same_for_all = usual(np.ones(len(codes), dtype=np.bool_)) >= enough
    return not same_for_all and sum(usual(cells.group == group) for group in set(cells.group)) >= enough


def settled_outcomes(cells: Cells, columns: Sequence[str]) -> NDArray[np.float64]:
    """Return 0 or 1 for people of a kind of whom nobody, or everybody, had the outcome; NaN for the others.

    Who starts at the floor of a questionnaire cannot improve on it: no model needs to find that out, and a logistic
    one cannot.
    """
    settled = np.full(len(cells.outcome), np.nan)
    for name in columns:
        codes = codes_of(cells, name)
        for code in set(codes):
            outcomes = set(cells.outcome[(codes == code) & ~np.isnan(cells.outcome)].tolist())
            if len(outcomes) == 1 and len(set(codes)) > 1:
                settled[codes == code] = outcomes.pop()
    return settled


def carried_by(
    cells: Cells, columns: Sequence[str]
) -> tuple[dict[str, NDArray[np.float64]], tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return the 0/1 columns that the outcomes can carry, the covariates that entered, and those that did not."""
    known = ~np.isnan(cells.outcome)
    design, entered, left_out = dummies(cells, columns, known)
    dropped = list(left_out)
    events = float((cells.people * cells.outcome)[known].sum())
    rarer = min(events, float(cells.people[known].sum()) - events)
    room = int(rarer // EVENTS_PER_PARAMETER) - 1  # one parameter is the constant
    carried: dict[str, NDArray[np.float64]] = {}
    kept = []
    for name in entered:
        added = {label: column for label, column in design.items() if label.startswith(f"{name}: ")}
        if len(added) > room:
            dropped.append((name, TOO_FEW))
            continue
        room -= len(added)
        kept.append(name)
        carried |= added
    return carried, tuple(kept), tuple(dropped)


def dummies(
    cells: Cells, columns: Sequence[str], among: NDArray[np.bool_]
) -> tuple[dict[str, NDArray[np.float64]], tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return 0/1 columns by covariate and code of those among whom the model is fitted, without the most usual code."""
    design: dict[str, NDArray[np.float64]] = {}
    entered, left_out = [], []
    for name in columns:
        codes = codes_of(cells, name)
        people = {code: float(cells.people[among & (codes == code)].sum()) for code in sorted(set(codes[among]))}
        if len(people) < 2:
            left_out.append((name, SAME if people else "nobody to count"))
            continue
        entered.append(name)
        usual = max(people, key=lambda code: people[code])
        design |= {f"{name}: {code}": (codes == code).astype(np.float64) for code in people if code != usual}
    return design, tuple(entered), tuple(left_out)


def codes_of(cells: Cells, name: str) -> NDArray[np.object_]:
    """Return the code of each cell, `NOT_KNOWN` for NULL."""
    return np.array([NOT_KNOWN if code is None else code for code in cells.known_by[name]], dtype=object)
