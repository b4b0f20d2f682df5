"""The typical path of weekly scores: sums by pattern of weeks as SQL, and the slope that follows from them.

A mixed model needs of each stay how many weeks have a score, the sums of those weeks and the sums of its scores
(`analytics.statistics.restricted_likelihood`). The snapshot adds up stays with the same sums of weeks, so the answer is
that of the rows, without a sample, whatever the number of stays: a million of them are some hundred patterns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import Any, Final

import numpy as np

from analytics.measures.cohort_sql import Rows
from analytics.measures.estimate import without_bounds
from analytics.measures.groups import groups_of
from analytics.measures.ladder_sql import Statement, bound_to, parameters_in, step_code, steps_of
from analytics.measures.results import Estimate
from analytics.measures.tally import Tally, why_nothing
from analytics.measures.types import ALL, Counted, Measure, Stratifier
from analytics.statistics.mixed_model import mixed_slope_from_sums
from analytics.statistics.restricted_likelihood import PathSums

# Of a pattern (scores, Σweek, Σweek² of one stay): stays, Σy, Σty, Σy², Σ(Σy)², Σ(Σy)(Σty), Σ(Σty)². Whole scores are
# added up exactly.
SUMS: Final = 7

# (scores, Σweek, Σweek²) to the sums above and then the number of scores by week.
Patterns = Mapping[tuple[int, int, int], Sequence[float]]


def pattern_sums(measure: Measure, matured: bool, rows: Rows, split: str) -> Statement:
    """Return the statement whose rows are `group, step code, scores, Σweek, Σweek²`, then sums and scores by week."""
    step = bound_to(0, step_code(steps_of(measure, matured)))
    weeks = [bound_to(0, f"({week})") for week in measure.weekly]

    def added(term: str) -> str:
        return " + ".join(
            f"case when {week} is null then 0 else {term.format(week=week, number=number)} end"
            for number, week in enumerate(weeks)
        )

    inner = {
        "n": added("1"),
        "t": added("{number}"),
        "tt": added("{number} * {number}"),
        "y": added("{week}"),
        "ty": added("{number} * {week}"),
        "yy": added("{week} * {week}"),
    }
    columns = ",\n    ".join(f"{text} as {name}" for name, text in inner.items())
    by_week = ", ".join(f"count(w{number})" for number in range(len(weeks)))
    named = ", ".join(f"{week} as w{number}" for number, week in enumerate(weeks))
    text = (
        "select g, s, n, t, tt, count(*), sum(y), sum(ty), sum(yy), sum(y * y), sum(y * ty), sum(ty * ty),\n"
        f"  {by_week}\nfrom (\n  select {split} as g,\n    {step} as s,\n    {columns},\n    {named}\n"
        f"  from {rows.text}\n)\ngroup by g, s, n, t, tt\norder by g, s, n, t, tt"
    )
    return Statement(text, parameters_in(text, {0: measure}, rows))


def patterns_by_group(
    answer: Sequence[Sequence[Any]], by: Stratifier | None, passed: int
) -> dict[str, dict[tuple[int, int, int], list[float]]]:
    """Add up the rows of `pattern_sums` that passed every step and have a score, by group, `ALL` included."""
    groups: dict[str, dict[tuple[int, int, int], list[float]]] = {ALL: {}}
    for raw, step, scores, time, time_squared, *sums in answer:
        if step != passed or not scores:
            continue
        for group in groups_of(raw, by):
            patterns = groups.setdefault(group, {})
            before = patterns.get((scores, time, time_squared), [0.0] * len(sums))
            patterns[scores, time, time_squared] = [old + float(new) for old, new in zip(before, sums, strict=True)]
    return groups


def slope_estimate(patterns: Patterns, tally: Tally, measure: Measure, unit: Counted) -> Estimate:
    """Return the points of improvement per week, positive when better, with Wald's limits.

    `numerator` and `denominator` are the stays with a score. `details` hold the number of scores, in all and by week,
    the score at week 0, the variances, and whether stays had slopes of their own.
    """
    keys = np.array(list(patterns), dtype=np.float64).reshape(len(patterns), 3)
    sums = np.array(list(patterns.values()), dtype=np.float64)
    sums = sums.reshape(len(patterns), SUMS + len(measure.weekly))
    people, score, score_time, score_squared, own, own_time, own_time_squared = sums[:, :SUMS].T
    found = mixed_slope_from_sums(
        [
            PathSums(
                people, keys[:, 0], keys[:, 1], keys[:, 2], score, score_time, score_squared, own, own_time,
                own_time_squared,
            )
        ]
    )  # fmt: skip
    better = -1 if measure.parameters["direction"] == 1 else 1  # a falling score is improvement where low is better
    limits = sorted((better * found.slope_low, better * found.slope_high)) if not isnan(found.slope) else (nan, nan)
    reason = why_nothing(tally, measure, unit)
    if reason is None and found.reason is not None:
        reason = f"No slope: {found.reason}."
    by_week = {f"scores_week_{week}": float(count) for week, count in enumerate(sums[:, SUMS:].sum(axis=0))}
    details = {
        "scores": found.scores,
        "score_at_week_0": found.intercept,
        "variance_between": found.variance_between,
        "variance_within": found.variance_within,
        "own_slopes": float(found.has_random_slope),
        **by_week,
    }
    return without_bounds(
        tally,
        value=better * found.slope,
        ci_low=limits[0],
        ci_high=limits[1],
        numerator=found.people,
        denominator=found.people,
        method="mixed model, Wald",
        unit="point",
        reason=reason,
        details=details if found.people else {},
    )
