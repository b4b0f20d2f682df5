"""A result as plain text for the command line: one sentence, a table by group, the ladder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from analytics.measures.cards import family_sentence
from analytics.measures.estimate import UNKNOWN_AS_NO
from analytics.measures.own_data import own_values_told
from analytics.measures.results import Estimate, Ladder, StratifiedResult
from analytics.measures.small_groups import SMALL_GROUP, SMALL_MARK, SMALL_WORDS, smaller_than
from analytics.measures.subjects import counted_as
from analytics.measures.tally import PLURAL
from analytics.measures.types import ALL, Cohort, Estimator, Measure
from analytics.texts import cohort_words, data_cut_words, label, unit_words

SHARES: Final = (Estimator.PROPORTION, Estimator.RATIO, Estimator.INCIDENCE, Estimator.CAPACITY)


def result_as_text(result: StratifiedResult, data_as_of: str = "") -> str:
    """Return a result as text: what it says, how sure, of whom, who is missing, from which snapshot, data to when.

    Parameters
    ----------
    data_as_of : the data cut as the snapshot's facts have it; "" for data without one.
    """
    measure, small = result.measure, smaller_than(result, SMALL_GROUP)
    parts = [
        f"{measure.title} ({measure.name})",
        measure.question,
        "",
        _sentence(measure, result.estimates[ALL], PLURAL[counted_as(measure, result.cohort.unit)]),
        *filter(None, [family_sentence(measure, result.estimates[ALL])]),
        "",
        *aligned(
            ["group", "value", "95% interval", "of", "not known", "too recent", ""],
            [
                [
                    group if result.by is None or group == ALL else label(result.by.value, group),
                    *_row(measure, estimate),
                    SMALL_MARK if group in small else "",
                ]
                for group, estimate in result.estimates.items()
            ],
        ),
    ]
    if small:
        parts.append(SMALL_WORDS)
    own = own_values_told(measure, result.estimates[ALL].details)
    parts += own
    for words in () if own else measure.also_counted:
        if counted := result.estimates[ALL].details.get(words):
            parts.append(f"{words.replace('_', ' ')}: {counted:,.0f}")
    for words, estimates in result.variants.items():
        if words == UNKNOWN_AS_NO and not result.estimates[ALL].known:
            continue  # of nobody known it would be a bare 0 %
        best = " (the best case)" if words == UNKNOWN_AS_NO and measure.better == "lower" else ""
        parts.append(f"{words}{best}: {_variant(measure, estimates[ALL])}")
    parts += ["", "Who is counted", *ladder_lines(result.ladder)]
    if result.overlapping:
        parts.append("A person can be in several of these groups; they do not add up.")
    for test in result.tests:
        parts.append(
            f"{test.name}: {test.statistic:.3f} on {test.degrees_of_freedom} degrees of freedom, "
            f"{_p_value(test.p_value)}; it asks {test.asks} (exploratory: people were not assigned by chance)"
        )
    for gap in result.differences:
        limits = f" ({100 * gap.ci_low:+.1f} to {100 * gap.ci_high:+.1f})" if gap.ci_low <= gap.ci_high else ""
        parts.append(f"By day {gap.day}, {gap.first} minus {gap.second}: {100 * gap.value:+.1f} points{limits}")
    people = "" if result.persons is None else f", {result.persons:,} people"
    parts += ["", f"Source: {measure.source}. Definition reviewed {measure.reviewed.isoformat()}."]
    rows = f"{result.episodes:,} {counted_as(measure, result.cohort.unit)} rows"
    parts.append(f"{snapshot_words(result.snapshot_id, result.cohort, data_as_of)}; {rows}{people}.")
    return "\n".join(parts)


def snapshot_words(snapshot_id: str, cohort: Cohort, data_as_of: str) -> str:
    """Return which snapshot, whom of it, and to which day its data go where they have a data cut."""
    who = cohort_words(cohort.where, cohort.start, cohort.end, cohort.unit)
    until = f"; data to {data_cut_words(data_as_of)}" if data_as_of else ""
    return f"Snapshot {snapshot_id}: {who}{until}"


def _p_value(value: float) -> str:
    return "p under 0.0001" if value < 0.0001 else f"p = {value:.4f}"


def _sentence(measure: Measure, estimate: Estimate, rows: str) -> str:
    """Return value, of whom, interval, and who is not in it, in one line; `rows` is what is counted ("episodes")."""
    if not estimate.has_value:
        return str(estimate.reason)
    left_out = f"Not known: {estimate.unknown:,}. Too recent: {estimate.too_recent:,}."
    no_interval = f" {estimate.reason}" if estimate.reason else ""
    value, counted = _value_and_interval(measure, estimate), _counts(measure, estimate)
    said = {
        Estimator.MEAN: f"{value} on average, from {counted} {measure.known_words}",
        Estimator.MEAN_CHANGE: f"The scores of {counted} {rows} improved by {value} on average",
        Estimator.SLOPE: f"The scores of {counted} {rows} improved by {value} on the typical path",
        Estimator.SURVIVAL: f"From {_moment(measure, estimate)} on, half or fewer of {counted} {measure.did}",
        Estimator.MEDIAN: f"Half of {counted} {measure.did} {value} or less",
        Estimator.RATE: f"{counted}: {value}",
        Estimator.COST: f"{value} per {measure.ratio_unit}, {counted}",
        Estimator.INCIDENCE: f"By day {_day(estimate)}, {value} of {counted} {measure.did}",
        Estimator.PROPORTION: share_sentence(measure, estimate, rows),
    }.get(measure.estimator, f"{value} {measure.of_whom} {measure.did}, {counted}")
    return f"{said}. {left_out}{no_interval}"


def share_sentence(measure: Measure, estimate: Estimate, rows: str) -> str:
    """Return a share with what it is a share of: where the unknown are left out, of those known only."""
    value = _value_and_interval(measure, estimate)
    if estimate.missing == "shown" and estimate.unknown:
        who = f"the {estimate.denominator:,} {rows} {measure.known_words}"
        return f"{value} of {who} {measure.did} ({estimate.numerator:,})"
    return f"{value} {measure.of_whom} {measure.did}, {_counts(measure, estimate)} {rows}"


def _moment(measure: Measure, estimate: Estimate) -> str:
    """Return when a curve comes down to one half: "day 42 (40 to 45)"."""
    limits = [f"{limit:.0f}" for limit in (estimate.ci_low, estimate.ci_high) if not math.isnan(limit)]
    doubt = f" ({limits[0]} {'to ' + limits[1] if len(limits) > 1 else 'or later'})" if limits else ""
    return f"{measure.time_unit} {estimate.value:.0f}{doubt}"


def _variant(measure: Measure, estimate: Estimate) -> str:
    if not estimate.has_value:
        return f"no value ({str(estimate.reason).rstrip('.')})"
    effective = estimate.details.get("effective_sample_size")
    worth = "" if effective is None else f", worth {effective:,.0f} equally weighted {estimate.unit}s"
    return f"{_value_and_interval(measure, estimate)}{worth}"


def _day(estimate: Estimate) -> str:
    return f"{estimate.details['day']:.0f}" if "day" in estimate.details else ""


def _value_and_interval(measure: Measure, estimate: Estimate) -> str:
    value = number_text(measure, estimate.value)
    interval = _interval(measure, estimate)
    return f"{value} ({interval})" if interval else value


def _row(measure: Measure, estimate: Estimate) -> list[str]:
    return [
        number_text(measure, estimate.value) if estimate.has_value else str(estimate.reason),
        _interval(measure, estimate),
        _counts(measure, estimate) if estimate.has_value else "",
        f"{estimate.unknown:,}",
        f"{estimate.too_recent:,}",
    ]


def _counts(measure: Measure, estimate: Estimate) -> str:
    if measure.estimator is Estimator.RATE:
        return f"{estimate.numerator:,} in {estimate.denominator:,} {measure.ratio_unit}s"
    if measure.estimator is Estimator.COST:
        return f"{estimate.numerator:,} for {estimate.denominator:,}"
    if measure.estimator in (Estimator.PROPORTION, Estimator.RATIO, Estimator.CAPACITY):
        return f"{estimate.numerator:,} of {estimate.denominator:,}"
    return f"{estimate.denominator:,}"


def _interval(measure: Measure, estimate: Estimate) -> str:
    return interval_text(measure, estimate.ci_low, estimate.ci_high)


def interval_text(measure: Measure, low: float, high: float) -> str:
    """Return an interval with its unit said once: "40 to 45 days"; "" without one."""
    if math.isnan(low) and math.isnan(high):
        return ""
    if math.isnan(high):
        return f"{number_text(measure, low)} or more"
    if math.isnan(low):
        return f"{number_text(measure, high)} or less"
    return f"{number_text(measure, low).partition(' ')[0]} to {number_text(measure, high)}"


def is_share(measure: Measure) -> bool:
    """Return whether the value is a share of something, written as percent."""
    return measure.estimator in SHARES or (measure.estimator is Estimator.MEAN and measure.amount_unit == "share")


def number_text(measure: Measure, value: float) -> str:
    """Return a value in the unit of its measure: "61.2%", "4.10 points", "12 days"."""
    if math.isnan(value):
        return "no value"
    if is_share(measure):
        return f"{100 * value:.1f}%"
    if measure.estimator is Estimator.RATE:
        return f"{value:.2f} per {measure.per:,} {measure.ratio_unit}s"
    if measure.estimator is Estimator.COST:
        return f"{value:,.0f}"
    if measure.estimator is Estimator.MEDIAN:
        return f"{round(value, 1):g} {unit_words(measure.amount_unit, 1 if value == 1 else 2)}"
    if measure.estimator is Estimator.SLOPE:
        return f"{value:.2f} points per week"
    if measure.estimator is Estimator.SURVIVAL:
        return f"{value:.0f} {unit_words(measure.time_unit, round(value))}"
    unit = measure.amount_unit if measure.estimator is Estimator.MEAN else "point"
    return f"{value:.2f} {unit_words(unit, 2)}"


def ladder_lines(ladder: Ladder) -> list[str]:
    """Return a line per rung: who remains, and who fell out on the way to it; then steps that take nobody out."""
    return [
        f"  {step.count:>9,} {step.label}" + (f"   (lost {step.lost:,}: {step.lost_label})" if step.lost else "")
        for step in ladder.steps
    ] + [
        f"  {step.count:>9,} of them {step.label}   ({step.lost:,} {step.lost_label}; all stay in)"
        for step in ladder.printed
    ]


def aligned(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table whose columns stand below their heads."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in (heads, *rows)
    ]
