"""`evaluate`: measures × cohort × split, from one outcome table to results with their doubt.

Counts and sums take one statement per table and kind of estimator, whatever the number of measures; a curve
takes one of its own. Every statement is one scan without joins, and Python sees groups, never rows of people,
except the people of small groups, who are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import nan
from typing import Final

from analytics.measures import curve_comparisons, curves
from analytics.measures.estimate import (
    WEIGHTED,
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
from analytics.measures.fair_comparison import weighted_estimates
from analytics.measures.groups import in_order
from analytics.measures.ladder_sql import COUNT, STEP, VARIANT
from analytics.measures.persons import Persons, count_persons
from analytics.measures.program_ratio import program_ratio, program_statements
from analytics.measures.results import Curve, DayDifference, Estimate, GroupTest, StratifiedResult
from analytics.measures.scan import ALONE, Findings, Scan, run, scan_of, statements
from analytics.measures.slopes import slope_estimate
from analytics.measures.subjects import PROGRAM_RATIOS, why_no_groups, why_not_known
from analytics.measures.tally import Paired, Tally, ladder_of, why_not_collected
from analytics.measures.types import ALL, Cohort, Estimator, Measure, SnapshotCursor, Stratifier, Table
from analytics.statistics.nonresponse import WeightedShare
from analytics.statistics.survival import CumulativeIncidence
from analytics.texts.periods import Grain

EVERYBODY: Final = Cohort()


def evaluate(
    measures: Sequence[Measure],
    snapshot: SnapshotCursor,
    cohort: Cohort = EVERYBODY,
    by: Stratifier | None = None,
    *,
    persons: bool = True,
    grain: Grain = "month",
    weighted: bool = False,
) -> list[StratifiedResult]:
    """Compute measures for a cohort, in total and for every group of a split.

    Parameters
    ----------
    measures : any of the catalogue; results come back in this order.
    snapshot : the open snapshot, or anything with its `snapshot_id` and `query`.
    cohort : which episodes, and what is counted (episodes, people, courses).
    by : the split; None gives `ALL` only.
    persons : count the distinct people behind the totals and behind groups under 200 episodes (one or two
        more statements). False leaves every `persons` None.
    grain : of a split by period: "quarter" and "year" take the stored months together.
    weighted : for measures that declare it, also the share weighted so that those reached stand for all, among the
        variants (one more statement and a model per group).

    Returns
    -------
    list of StratifiedResult
        Where there is no number the value is NaN and `reason` says why in words.

    Raises
    ------
    MeasureProblem
        A filter names a column or a code that does not exist.
    """
    collected = _collected(measures, snapshot)
    results: dict[int, StratifiedResult] = {}
    for positions in _shared(measures):
        measure = measures[positions[0]]
        if measure.estimator in PROGRAM_RATIOS:
            absent = why_not_collected(measure, collected) or why_not_known(measure, cohort)
            results[positions[0]] = program_ratio(measure, snapshot, cohort, by, absent, persons=persons)
            continue
        scan = scan_of([measures[position] for position in positions], cohort, by, grain)
        findings = run(scan, snapshot)
        people = count_persons(scan, findings, snapshot) if persons else None
        for number, position in enumerate(positions):
            absent = why_not_collected(measures[position], collected) or why_not_known(measures[position], cohort)
            found = replace(_result(scan, findings, number, cohort, absent, people), snapshot_id=snapshot.snapshot_id)
            if weighted and found.measure.weighted and absent is None:
                known_by = by if why_no_groups(found.measure, by) is None else None
                shares = weighted_estimates(found.measure, snapshot, cohort, known_by, grain)
                found = replace(
                    found, variants={**found.variants, WEIGHTED: _weighted(findings.own(number), shares, found)}
                )
            results[position] = found
    for position, others in _of_more(measures, snapshot, cohort, by, grain).items():
        # Where nothing was collected there is no variant either.
        if results[position].variants:
            variants = {**results[position].variants, **others}
            results[position] = replace(results[position], variants=variants)
    return [results[position] for position in range(len(measures))]


def statement(measure: Measure, cohort: Cohort = EVERYBODY, by: Stratifier | None = None) -> str:
    """Return the SQL behind a measure, statement by statement, the bound values as comments before each."""
    if measure.estimator in PROGRAM_RATIOS:
        asked = program_statements(measure, cohort)
    else:
        asked = (
            each
            for counted in (measure, *_wider(measure).values())
            for each in statements(scan_of([counted], cohort, by))
        )
    return "\n\n".join(
        "\n".join([*(f"-- ${name} = {value!r}" for name, value in each.parameters.items()), f"{each.text};"])
        for each in asked
    )


def _wider(measure: Measure) -> dict[str, Measure]:
    """Return the measure over more rows: without a step of its ladder."""
    return {
        words: replace(
            measure,
            eligible={label: condition for label, condition in measure.eligible.items() if label != step},
            lost={label: lost for label, lost in measure.lost.items() if label != step},
            wider={},
            variants={},
        )
        for words, step in measure.wider.items()
    }


def _of_more(
    measures: Sequence[Measure], snapshot: SnapshotCursor, cohort: Cohort, by: Stratifier | None, grain: Grain
) -> dict[int, dict[str, dict[str, Estimate]]]:
    """Return the variants over more rows, by position of the measure: one more statement for all of them together."""
    asked = [(position, *each) for position, measure in enumerate(measures) for each in _wider(measure).items()]
    found: dict[int, dict[str, dict[str, Estimate]]] = {}
    if asked:
        results = evaluate([each for *_, each in asked], snapshot, cohort, by, persons=False, grain=grain)
        for (position, words, _), result in zip(asked, results, strict=True):
            found.setdefault(position, {})[words] = dict(result.estimates)
    return found


def _shared(measures: Sequence[Measure]) -> Iterator[list[int]]:
    """Yield positions of measures that share statements: a table, instrument and landmark; some stand alone."""
    together: dict[tuple[Table, str | None, int | None], list[int]] = {}
    for position, measure in enumerate(measures):
        if measure.estimator in (*ALONE, *PROGRAM_RATIOS):
            yield [position]
        else:
            together.setdefault((measure.table, measure.instrument, measure.landmark), []).append(position)
    yield from together.values()


def _collected(measures: Iterable[Measure], snapshot: SnapshotCursor) -> dict[str, bool]:
    """Return what the snapshot holds of all that any of the measures needs."""
    names = sorted({name for measure in measures for name in measure.needs})
    if not names:
        return {}
    (answer,) = snapshot.query(f"select {', '.join(names)} from collected", {})
    return dict(zip(names, map(bool, answer), strict=True))


def _result(
    scan: Scan, findings: Findings, number: int, cohort: Cohort, absent: str | None, people: Persons | None
) -> StratifiedResult:
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
    return replace(estimate, details={**estimate.details, **details})


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


def _weighted(
    tallies: Mapping[str, Tally], shares: Mapping[str, WeightedShare], result: StratifiedResult
) -> dict[str, Estimate]:
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
