"""From what a scan found to the result of one measure: estimates by group, curves, other definitions, the ladder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import nan

from analytics.measures import curve_comparisons, curves
from analytics.measures.estimate import (
    mean_amount,
    mean_difference,
    median_estimate,
    not_collected,
    other_treatment,
    paired_details,
    proportion,
    rate,
    ratio,
    weighted_proportion,
)
from analytics.measures.groups import in_order
from analytics.measures.ladder_sql import COUNT, STEP, VARIANT
from analytics.measures.own_data import own_details
from analytics.measures.persons import Persons
from analytics.measures.results import Curve, DayDifference, Estimate, GroupTest, StratifiedResult
from analytics.measures.scan import Findings, Scan
from analytics.measures.slopes import slope_estimate
from analytics.measures.subjects import why_no_groups
from analytics.measures.tally import Paired, Tally, ladder_of
from analytics.measures.types import ALL, Cohort, Estimator
from analytics.statistics.nonresponse import WeightedShare
from analytics.statistics.survival import CumulativeIncidence


def result_of(
    scan: Scan, findings: Findings, number: int, cohort: Cohort, absent: str | None, people: Persons | None
) -> StratifiedResult:
    """Return the result of the measure at one position of a scan, without the name of the snapshot.

    `absent` : why there is no number at all; None when there may be one. `people` : None where nobody counted them.
    """
    measure, tallies = scan.measures[number], findings.own(number)
    groups = in_order(tallies, scan.by, measure.instrument)
    found: dict[str, Curve] = {}
    variants: dict[str, dict[str, Estimate]] = {}
    tests: tuple[GroupTest, ...] = ()
    differences: tuple[DayDifference, ...] = ()
    # Therapies overlap where somebody received two; the arms of a trial do not, and may be tested.
    overlapping = sum(tally.total for group, tally in tallies.items() if group != ALL) > tallies[ALL].total
    if absent is not None:
        estimates = {group: not_collected(tallies[group], measure, scan.counted, absent) for group in groups}
    elif measure.estimator is Estimator.MEDIAN:
        estimates = {group: _median(scan, findings, group) for group in groups}
    elif measure.estimator is Estimator.SLOPE:
        estimates = {
            group: slope_estimate(findings.patterns[group], tallies[group], measure, scan.counted) for group in groups
        }
    elif scan.is_histogram:
        estimates, found, incidences = _curves(scan, findings, groups)
        if not overlapping:
            tests = curve_comparisons.group_tests(measure, findings.cells)
            differences = curve_comparisons.day_differences(measure, estimates, incidences)
    else:
        estimates = {group: _estimate(scan, findings, number, group) for group in groups}
        variants = _variants(scan, findings, number, groups)
    if absent is None and (no_groups := why_no_groups(measure, scan.by)):
        none = {group: not_collected(tallies[group], measure, scan.counted, no_groups) for group in groups[1:]}
        estimates |= none
        variants = {words: by_group | none for words, by_group in variants.items()}
    ladders = {
        group: ladder_of(tallies[group], measure, scan.unit, absent is None, findings.of_kind(number, STEP, group))
        for group in groups
    }
    return StratifiedResult(
        measure=measure,
        cohort=cohort,
        by=scan.by,
        estimates={group: _with_persons(estimates[group], people, number, group) for group in groups},
        ladder=ladders[ALL],
        snapshot_id="",
        ladders=ladders,
        variants=variants,
        curves=found,
        tests=tests,
        differences=differences,
        overlapping=overlapping,
        matured=scan.matured[number],
        episodes=tallies[ALL].total,
        persons=people.in_cohort if people else None,
    )


def _estimate(scan: Scan, findings: Findings, number: int, group: str) -> Estimate:
    measure, tally = scan.measures[number], findings.own(number)[group]
    details = {words: float(each.yes) for words, each in findings.of_kind(number, COUNT, group).items()}
    if measure.estimator is Estimator.PROPORTION:
        estimate = proportion(tally, measure, scan.counted)
        if measure.paired is not None:
            details |= paired_details(findings.paired[number].get(group, Paired({})))
    elif measure.estimator is Estimator.RATIO:
        estimate = ratio(tally, findings.sums[number, None][group], measure, scan.counted)
    elif measure.estimator is Estimator.RATE:
        estimate = rate(tally, findings.sums[number, None][group], measure, scan.counted)
    elif measure.estimator is Estimator.MEAN:
        estimate = mean_amount(tally, findings.sums[number, None][group], measure, scan.counted)
    else:
        estimate = mean_difference(tally, findings.sums[number, None][group], measure, scan.counted)
    if details.get(measure.open_ended or ""):
        estimate = replace(estimate, lower_bound=nan, upper_bound=nan)
    return replace(estimate, details={**estimate.details, **details, **own_details(measure)})


def _variants(scan: Scan, findings: Findings, number: int, groups: Sequence[str]) -> dict[str, dict[str, Estimate]]:
    """Return the other definitions, and for a proportion the other way to treat the unknown."""
    measure = scan.measures[number]
    if measure.estimator in (Estimator.RATIO, Estimator.MEAN):
        return {
            words: {
                group: ratio(findings.own(number)[group], findings.sums[number, words][group], measure, scan.counted)
                for group in groups
            }
            for words in measure.ratio_variants
        }
    if measure.estimator is not Estimator.PROPORTION:
        return {}
    words, missing = other_treatment(measure)
    own = findings.own(number)
    other = {words: {group: proportion(own[group], measure, scan.counted, missing) for group in groups}}
    if measure.open_ended is not None:
        left_open = findings.tallies[number, COUNT, measure.open_ended]
        other[words] |= {
            group: not_collected(own[group], measure, scan.counted, f"Nobody knows how many: {measure.open_ended}.")
            for group in groups
            if left_open[group].yes
        }
    return other | {
        words: {
            group: _variant(scan, findings.tallies[number, VARIANT, words][group], number, words) for group in groups
        }
        for words in measure.variants
    }


def weighted_by_group(
    tallies: Mapping[str, Tally], shares: Mapping[str, WeightedShare], result: StratifiedResult
) -> dict[str, Estimate]:
    """Return the weighted shares of a result as estimates, by group."""
    nobody = WeightedShare(nan, nan, nan, 0.0, "nobody to count")
    return {
        group: weighted_proportion(tallies[group], shares.get(group, nobody), result.measure, result.cohort.unit)
        for group in result.estimates
    }


def _variant(scan: Scan, tally: Tally, number: int, words: str) -> Estimate:
    measure = scan.measures[number]
    estimate = proportion(tally, measure, scan.counted)
    if words not in measure.narrower:
        return estimate
    return replace(estimate, unknown=0, lower_bound=estimate.value, upper_bound=estimate.value)


def _median(scan: Scan, findings: Findings, group: str) -> Estimate:
    cells = findings.cells[group]
    return median_estimate(
        [amount for amount, _ in cells], list(cells.values()), findings.own(0)[group], scan.measures[0], scan.counted
    )


def _curves(
    scan: Scan, findings: Findings, groups: Sequence[str]
) -> tuple[dict[str, Estimate], dict[str, Curve], dict[str, CumulativeIncidence]]:
    """Return estimates and curves by group, and where the curves are of ways of leaving, their statistics."""
    (measure,), tallies = scan.measures, findings.own(0)
    estimates: dict[str, Estimate] = {}
    found: dict[str, Curve] = {}
    incidences: dict[str, CumulativeIncidence] = {}
    for group in groups:
        cells = findings.cells[group]
        if measure.estimator is Estimator.SURVIVAL:
            left, found[group] = curves.survival(cells)
            estimates[group] = curves.survival_estimate(found[group], left, tallies[group], measure, scan.counted)
        else:
            incidences[group], found[group] = curves.incidence(cells)
            day = curves.day_of(measure, scan.by, group, findings.planned)
            estimates[group] = curves.incidence_estimate(incidences[group], tallies[group], measure, scan.counted, day)
    return estimates, found, incidences


def _with_persons(estimate: Estimate, people: Persons | None, number: int, group: str) -> Estimate:
    if people is None or estimate.denominator == 0:
        return estimate
    return replace(estimate, persons=people.behind[number].get(group))
