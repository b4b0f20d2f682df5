"""`evaluate`: measures × cohort × split, from one outcome table to results with their doubt.

Counts and sums take one statement per table and kind of estimator, whatever the number of measures; a curve
takes one of its own. Every statement is one scan without joins, and Python sees groups, never rows of people,
except the people of small groups, who are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from analytics.measures.estimate import WEIGHTED
from analytics.measures.fair_comparison import weighted_estimates
from analytics.measures.ladder_sql import Statement
from analytics.measures.own_data import as_told_above, own_thresholds, why_no_threshold, with_own_thresholds
from analytics.measures.persons import count_persons
from analytics.measures.program_ratio import program_ratio, program_statements
from analytics.measures.result_of import result_of, weighted_by_group
from analytics.measures.results import Estimate, StratifiedResult
from analytics.measures.scan import ALONE, run, scan_of, statements
from analytics.measures.subjects import PROGRAM_RATIOS, why_no_groups, why_not_known
from analytics.measures.tally import why_not_collected
from analytics.measures.types import Cohort, Measure, SnapshotCursor, Stratifier, Table
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
        held = [with_own_thresholds(measures[position], snapshot, cohort, by) for position in positions]
        scan = scan_of(held, cohort, by, grain)
        findings = run(scan, snapshot)
        people = count_persons(scan, findings, snapshot) if persons else None
        for number, position in enumerate(positions):
            absent = why_not_collected(measures[position], collected) or why_not_known(measures[position], cohort)
            absent = absent or why_no_threshold(held[number])
            found = result_of(scan, findings, number, cohort, absent, people)
            found = replace(found, measure=measures[position], snapshot_id=snapshot.snapshot_id)
            if weighted and found.measure.weighted and absent is None:
                known_by = by if why_no_groups(found.measure, by) is None else None
                shares = weighted_estimates(found.measure, snapshot, cohort, known_by, grain)
                found = replace(
                    found, variants={**found.variants, WEIGHTED: weighted_by_group(findings.own(number), shares, found)}
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
    asked: Iterable[Statement]
    if measure.estimator in PROGRAM_RATIOS:
        asked = program_statements(measure, cohort)
    else:
        asked = (
            *([own_thresholds(measure, cohort, by)] if measure.of_cohort else []),
            *(
                each
                for counted in (as_told_above(measure), *_wider(measure).values())
                for each in statements(scan_of([counted], cohort, by))
            ),
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
