"""Costs and places by program and period: what they are divided by covers the same months.

People are counted by program and period of admission. A period of the finance file goes in only when all of it is
known: its cost (or places), the months in which its program admitted people (or held sessions), and, where an outcome
takes time, that everybody came long enough ago. What does not go in is a rung of the ladder and a count in `details`;
nothing is joined over months that only one side has.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import Final

from analytics.measures.cohort_sql import Rows, rows_of
from analytics.measures.estimate import not_collected, without_bounds
from analytics.measures.groups import in_order
from analytics.measures.ladder_sql import (
    TOO_RECENT,
    Statement,
    Step,
    counting,
    outcome_of,
    parameters_in,
    passed,
    steps_of,
)
from analytics.measures.results import Estimate, StratifiedResult
from analytics.measures.small_groups import PERSONS_NOT_COUNTED_FROM
from analytics.measures.subjects import period_steps, why_no_groups
from analytics.measures.tally import Tally, answer_code, ladder_of, why_nothing
from analytics.measures.types import ALL, NOT_KNOWN, Cohort, Estimator, Measure, SnapshotCursor, Stratifier
from analytics.statistics.ratio import FEWEST_CLUSTERS, bootstrap_ratio
from analytics.texts.periods import months_of

Key = tuple[str, str | None]  # program, period of admission

# No program id has a bar.
SPLIT: Final = "cast(program_id as varchar) || '|' || coalesce(admit_period, '')"
AMOUNT: Final = {Estimator.COST: "cost", Estimator.CAPACITY: "capacity_slots"}
WITHOUT_AMOUNT, WITHOUT_PEOPLE, IMMATURE = "periods_without_amount", "periods_without_people", "periods_too_recent"
NO_CALENDAR: Final = "Sessions by calendar period are kept only in the privacy modes limited and synthetic."


@dataclass(frozen=True)
class Period:
    """A program's period as the finance file has it. `amount`: its cost or places, None where not all is known."""

    program: str
    label: str
    amount: float | None

    @property
    def months(self) -> range:
        """Its months, counted from the year 0."""
        return months_of(self.label)


@dataclass(frozen=True)
class Part:
    """One group's share of the answer: (y, x) by period that went in, whose they are, and what did not go in."""

    clusters: list[tuple[float, float]]
    counts: Counter[int]
    keys: list[Key]
    left_out: Counter[str]


def program_statements(measure: Measure, cohort: Cohort) -> Iterator[Statement]:
    """Yield the statements behind the measure: people by program and period, what there is to divide, the months."""
    rows, amount = rows_of(measure.table, cohort, measure.instrument), AMOUNT[measure.estimator]
    yield counting([measure], [measure.mature is not None], rows, SPLIT)
    yield Statement(
        "select cast(program_id as varchar) as program, period, cast(sum(period_months) as integer) as months,\n"
        f"  case when count({amount}) = count(*) then sum({amount}) end as amount\n"
        "from finance\ngroup by program, period\norder by program, period",
        {},
    )
    if measure.estimator is Estimator.CAPACITY:
        yield Statement(
            "select cast(program_id as varchar) as program, period,\n"
            "  coalesce(sum(sessions) filter (where status = 'attended'), 0) as attended\n"
            "from attendance_calendar\ngroup by program, period",
            {},
        )
    else:
        everybody = rows_of(measure.table, Cohort(), measure.instrument)
        text = (
            "select distinct cast(program_id as varchar) as program, admit_period as period, 0 as attended\n"
            f"from {everybody.text}\nwhere admit_period is not null"
        )
        yield Statement(text, parameters_in(text, {}, everybody))


def program_ratio(
    measure: Measure,
    snapshot: SnapshotCursor,
    cohort: Cohort,
    by: Stratifier | None,
    absent: str | None,
    *,
    persons: bool,
) -> StratifiedResult:
    """Compute one measure of costs or places; the arguments are those of `evaluate`.

    Parameters
    ----------
    absent : why there can be no number; None = there can.
    """
    counted, finance, seen = (
        snapshot.query(each.text, each.parameters) for each in program_statements(measure, cohort)
    )
    cells: dict[Key, Counter[int]] = defaultdict(Counter)
    steps = steps_of(measure, measure.mature is not None)
    for raw, step, outcome, people in counted:
        program, _, period = str(raw).partition("|")
        cells[program, period or None][step + (answer_code(outcome) if step == len(steps) else 0)] += people
    periods = [Period(program, label, amount if months == len(months_of(label)) else None)
               for program, label, months, amount in finance]  # fmt: skip
    sessions: dict[str, dict[str, int]] = defaultdict(dict)
    for program, label, attended in seen:
        sessions[program][label] = attended
    parts = _parts(measure, cohort, by, periods, cells, sessions)
    shown = tuple(Step("", label, lost, lost == TOO_RECENT) for label, lost in period_steps(measure))
    shown += steps[1:] if measure.mature else steps
    tallies = {group: Tally(shown, dict(part.counts)) for group, part in parts.items()}
    if absent is None and measure.estimator is Estimator.CAPACITY and not sessions:
        absent = NO_CALENDAR
    if absent is not None:
        estimates = {group: not_collected(tally, measure, "episode", absent) for group, tally in tallies.items()}
    else:
        estimates = {group: _estimate(measure, part, tallies[group]) for group, part in parts.items()}
        if no_groups := why_no_groups(measure, by):
            nobody = {group: not_collected(tallies[group], measure, "episode", no_groups) for group in parts}
            estimates = nobody | {ALL: estimates[ALL]}
    in_cohort: int | None = None
    if persons:
        in_cohort = _people_in_cohort(measure, snapshot, cohort)
        behind = _people_behind(measure, snapshot, cohort, {g: p for g, p in parts.items() if tallies[g].yes})
        estimates = {
            group: replace(each, persons=behind.get(group)) if each.denominator else each
            for group, each in estimates.items()
        }
    ladders = {group: ladder_of(tally, measure, "episode", absent is None) for group, tally in tallies.items()}
    groups = in_order(estimates, by)
    return StratifiedResult(
        measure=measure,
        cohort=cohort,
        by=by,
        estimates={group: estimates[group] for group in groups},
        ladder=ladders[ALL],
        snapshot_id=snapshot.snapshot_id,
        ladders={group: ladders[group] for group in groups},
        matured=measure.mature is not None,
        episodes=tallies[ALL].total,
        persons=in_cohort,
    )


def _parts(
    measure: Measure,
    cohort: Cohort,
    by: Stratifier | None,
    periods: Iterable[Period],
    cells: Mapping[Key, Counter[int]],
    sessions: Mapping[str, Mapping[str, int]],
) -> dict[str, Part]:
    """Return by group what goes in and what does not; codes are those of the shown ladder, one more than counted."""
    parts: dict[str, Part] = defaultdict(lambda: Part([], Counter(), [], Counter()))
    parts[ALL]
    last = len(steps_of(measure, measure.mature is not None))
    placed: set[Key] = set()
    for period in periods:
        if not _is_asked_for(cohort, period):
            continue
        own = [key for key in cells if key[0] == period.program and _lies_in(key[1], period)]
        placed.update(own)
        counts: Counter[int] = Counter()
        for key in own:
            counts.update(cells[key])
        code, why, cluster = None, "", None
        if period.amount is None:
            code, why = 0, WITHOUT_AMOUNT
        elif not _is_covered(period, sessions.get(period.program, {})):
            code, why = 0, WITHOUT_PEOPLE
        elif measure.mature is not None and counts[0]:
            code, why = 1, IMMATURE
        elif measure.estimator is Estimator.COST:
            cluster = (period.amount, float(counts[last + 2]))
        else:
            held = sum(n for label, n in sessions[period.program].items() if _lies_in(label, period))
            cluster = (float(held), period.amount)
        for part in (parts[group] for group in _groups(by, period.program, period.label)):
            part.counts.update(
                {code: counts.total()} if code is not None else {step + 1: n for step, n in counts.items()}
            )
            if cluster is None:
                part.left_out[why] += 1
            else:
                part.clusters.append(cluster)
                part.keys.extend(own)
    for key in cells.keys() - placed:
        for group in _groups(by, key[0], key[1]):
            parts[group].counts[0] += cells[key].total()
    return dict(parts)


def _groups(by: Stratifier | None, program: str, period: str | None) -> tuple[str, ...]:
    if by is None:
        return (ALL,)
    if by is Stratifier.PROGRAM:
        return (ALL, program)
    return (ALL, period or NOT_KNOWN) if by is Stratifier.ADMIT_PERIOD else (ALL, NOT_KNOWN)


def _lies_in(label: str | None, period: Period) -> bool:
    if label is None:
        return False
    months = months_of(label)
    return months.start >= period.months.start and months.stop <= period.months.stop


def _is_covered(period: Period, seen: Mapping[str, int]) -> bool:
    """Return whether all months lie between the first and the last ones that the data have of the program."""
    if not seen:
        return False
    months = [months_of(label) for label in seen]
    first, after = min(each.start for each in months), max(each.stop for each in months)
    return period.months.start >= first and period.months.stop <= after


def _is_asked_for(cohort: Cohort, period: Period) -> bool:
    """Return whether the cohort's filters hold the whole period."""
    programs = cohort.where.get(Stratifier.PROGRAM.value) or (period.program,)
    labels = cohort.where.get(Stratifier.ADMIT_PERIOD.value)
    months = {month for label in labels or () if label != NOT_KNOWN for month in months_of(label)}
    return (
        period.program in programs
        and (not labels or months.issuperset(period.months))
        and (cohort.start is None or months_of(cohort.start).start <= period.months.start)
        and (cohort.end is None or months_of(cohort.end).stop >= period.months.stop)
    )


def _estimate(measure: Measure, part: Part, tally: Tally) -> Estimate:
    above, below = [y for y, _ in part.clusters], [x for _, x in part.clusters]
    found = bootstrap_ratio(above, below)
    reason = why_nothing(tally, measure, "episode")
    if reason is None and isnan(found.value):
        reason = f"Nothing to divide by: no {measure.ratio_unit} in {len(below)} periods."
    elif reason is None and isnan(found.low):
        few = len(below) < FEWEST_CLUSTERS
        too = f"are too few for one, it takes {FEWEST_CLUSTERS}" if few else "do not differ, so they show no spread"
        reason = f"No interval: {len(below)} periods {too}."
    estimate = without_bounds(
        tally,
        value=found.value,
        ci_low=found.low,
        ci_high=found.high,
        numerator=round(sum(above)),
        denominator=round(sum(below)),
        method="ratio of sums, bootstrap of periods",
        unit=str(measure.ratio_unit),
        reason=reason,
        details={"periods": float(len(below)), **{name: float(n) for name, n in part.left_out.items()}},
    )
    if measure.estimator is not Estimator.COST or isnan(found.value):
        return estimate
    return replace(estimate, lower_bound=sum(above) / (sum(below) + tally.unknown), upper_bound=found.value)


def _people_in_cohort(measure: Measure, snapshot: SnapshotCursor, cohort: Cohort) -> int:
    rows = rows_of(measure.table, cohort, measure.instrument)
    text = f"select count(distinct person_id) from {rows.text}"
    ((people,),) = snapshot.query(text, parameters_in(text, {}, rows))
    return int(people)


def _people_behind(
    measure: Measure, snapshot: SnapshotCursor, cohort: Cohort, parts: Mapping[str, Part]
) -> dict[str, int]:
    """Count the distinct people with the outcome behind each group of fewer than `PERSONS_NOT_COUNTED_FROM` of them."""
    yes = len(steps_of(measure, measure.mature is not None)) + 3
    small: dict[str, Sequence[Key]] = {
        g: part.keys for g, part in parts.items() if part.counts[yes] < PERSONS_NOT_COUNTED_FROM
    }
    keys = sorted({f"{program}|{period}" for each in small.values() for program, period in each})
    if not keys:
        return {}
    rows = rows_of(measure.table, cohort, measure.instrument)
    conditions = [*passed(steps_of(measure, measure.mature is not None)), f"({outcome_of(measure)}) is true"]
    behind = " and ".join(conditions)
    text = f"select distinct {SPLIT}, person_id\nfrom {rows.text}\nwhere {behind} and {SPLIT} in (select unnest($keys))"
    values = {**rows.parameters, **measure.parameters, "keys": keys}
    named = parameters_in(text, {}, Rows("", values))
    people: dict[str, set[object]] = defaultdict(set)
    for key, person in snapshot.query(text, named):
        people[str(key)].add(person)
    return {
        group: len(set().union(*(people[f"{program}|{period}"] for program, period in each)))
        for group, each in small.items()
    }
