"""Thresholds that come from the people measured: asked of the cohort first, then bound like any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from analytics.measures.cohort_sql import rows_of
from analytics.measures.ladder_sql import Statement, bound_to, is_matured, parameters_in, passed, steps_of
from analytics.measures.types import Cohort, Measure, SnapshotCursor, Stratifier

# What the values of a cohort are called, by the name under which a measure binds them.
VALUES: Final = {
    "own_sd": "SD of the first scores",
    "own_reliable_change": "reliable change by our own data, in points",
    "own_cutoff": "cut-off by our own data",
}
NO_THRESHOLD: Final = "No threshold of our own: it takes first scores of at least two people that differ."


def own_thresholds(measure: Measure, cohort: Cohort, by: Stratifier | None) -> Statement:
    """Return the statement whose one row holds the values of `of_cohort`, over those who pass every step.

    A split does not change them: every group is held against the same threshold.
    """
    rows = rows_of(measure.table, cohort, measure.instrument)
    conditions = " and ".join(passed(steps_of(measure, is_matured(measure, cohort, by)))) or "true"
    columns = ",\n  ".join(f"{bound_to(0, value)} as {name}" for name, value in measure.of_cohort.items())
    text = f"select\n  {columns}\nfrom (select * from {rows.text} where {bound_to(0, conditions)})"
    return Statement(text, parameters_in(text, {0: measure}, rows))


def with_own_thresholds(
    measure: Measure, snapshot: SnapshotCursor, cohort: Cohort, by: Stratifier | None = None
) -> Measure:
    """Return the measure with the values of its cohort among its parameters; NULL where there are none."""
    if not measure.of_cohort:
        return measure
    asked = own_thresholds(measure, cohort, by)
    (values,) = snapshot.query(asked.text, asked.parameters)
    return replace(measure, parameters={**measure.parameters, **dict(zip(measure.of_cohort, values, strict=True))})


def as_told_above(measure: Measure) -> Measure:
    """Return the measure with words in place of the values of a cohort that nobody has asked, to print its SQL."""
    told = {name: f"{name} of the statement above" for name in measure.of_cohort}
    return replace(measure, parameters={**measure.parameters, **told})


def why_no_threshold(measure: Measure) -> str | None:
    """Return the sentence for a bound measure whose cohort gave no threshold; None where it did, or none is needed."""
    return NO_THRESHOLD if any(measure.parameters[name] is None for name in measure.of_cohort) else None


def own_values_told(measure: Measure, details: Mapping[str, float]) -> list[str]:
    """Return what everybody was held against and how many were on which side of it, each as "words: value"."""
    values = [f"{VALUES[name]}: {details[name]:.2f}" for name in measure.of_cohort if name in details]
    counts = [f"{words}: {details[words]:,.0f}" for words in measure.also_counted if words in details]
    return [*values, *counts] if values else []


def own_details(measure: Measure) -> dict[str, float]:
    """Return the values of its cohort that a bound measure was held against, by name."""
    return {name: float(str(measure.parameters[name])) for name in measure.of_cohort}
