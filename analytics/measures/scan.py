"""One scan: measures of one table, instrument, cohort and split, asked of a snapshot together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from analytics.measures.cohort_sql import Rows, at_grain, at_landmark, rows_of
from analytics.measures.curves import Cells, histogram, way_of
from analytics.measures.groups import added_up, groups_of
from analytics.measures.ladder_sql import (
    AFTER,
    BEFORE,
    VALUE,
    Statement,
    counting,
    is_matured,
    outcomes,
    steps_of,
)
from analytics.measures.slopes import Patterns, pattern_sums, patterns_by_group
from analytics.measures.subjects import counted_as, splits_of
from analytics.measures.sums_sql import PairSums, pairs_of, read_sums, summing
from analytics.measures.tally import Paired, Tally, answer_code
from analytics.measures.types import ALL, Cohort, Counted, Estimator, Measure, SnapshotCursor, Stratifier, Unit
from analytics.texts.periods import Grain

Row = tuple[Any, ...]
Key = TypeVar("Key", bound=Hashable)

# What is read from a histogram of whole numbers; each takes a statement of its own.
HISTOGRAMS = (Estimator.SURVIVAL, Estimator.INCIDENCE, Estimator.MEDIAN)
ALONE = (*HISTOGRAMS, Estimator.SLOPE)

PERIODS = (Stratifier.ADMIT_PERIOD, Stratifier.DISCHARGE_PERIOD)


@dataclass(frozen=True)
class Scan:
    """Measures that one statement can count. A histogram stands alone: its days are its own; so does a slope.

    `grain` is that of a split by period; months are what is stored, or coarser where the privacy mode says so.
    """

    measures: tuple[Measure, ...]
    matured: tuple[bool, ...]
    rows: Rows
    by: Stratifier | None
    unit: Unit
    grain: Grain = "month"

    @property
    def is_histogram(self) -> bool:
        """True when the scan holds the one measure that its histogram is about."""
        return self.measures[0].estimator in HISTOGRAMS

    @property
    def is_slope(self) -> bool:
        """True when the scan holds the one measure whose weekly scores it adds up."""
        return self.measures[0].estimator is Estimator.SLOPE

    @property
    def counted(self) -> Counted:
        """What a row is called in the results."""
        return counted_as(self.measures[0], self.unit)

    @property
    def split(self) -> str:
        """The column to group by, as SQL."""
        measure = self.measures[0]
        if self.by is None or self.by not in splits_of(measure):
            return "null"
        if self.by is Stratifier.AT_LANDMARK and measure.landmark is not None:
            return at_landmark(measure.landmark)
        return at_grain(self.by.value, self.grain) if self.by in PERIODS else self.by.value


@dataclass(frozen=True)
class Findings:
    """What the snapshot answered, by position of the measure in its scan and by group (`ALL` included).

    Attributes
    ----------
    tallies : (position, kind of outcome, its words) to group to counts by code.
    paired : position to group to the fourfold table of paired answers.
    sums : (position, words of the definition or None) to group to sums of pairs.
    cells : group to histogram of days (or amounts) and ways of leaving; of a histogram only.
    patterns : group to sums by pattern of weeks; of a slope only.
    planned : group to the longest planned length in weeks, 0 where none is known; of a histogram only.
    split_values : every value of the split that occurs, as the database has it.
    """

    tallies: dict[tuple[int, str, str], dict[str, Tally]]
    paired: dict[int, dict[str, Paired]] = field(default_factory=dict)
    sums: dict[tuple[int, str | None], dict[str, PairSums]] = field(default_factory=dict)
    cells: dict[str, Cells] = field(default_factory=dict)
    patterns: dict[str, Patterns] = field(default_factory=dict)
    planned: Counter[str] = field(default_factory=Counter)
    split_values: tuple[object, ...] = ()

    def of_kind(self, position: int, kind: str, group: str) -> dict[str, Tally]:
        """Return what was counted beside the measure in one group, by its words."""
        return {
            words: by_group[group]
            for (number, its_kind, words), by_group in self.tallies.items()
            if (number, its_kind) == (position, kind)
        }

    def own(self, position: int) -> dict[str, Tally]:
        """Return the tallies of the measure itself, by group."""
        return next(
            by_group for (number, kind, _), by_group in self.tallies.items() if (number, kind) == (position, VALUE)
        )


def scan_of(measures: Sequence[Measure], cohort: Cohort, by: Stratifier | None, grain: Grain = "month") -> Scan:
    """Return the scan of measures that share table and instrument."""
    rows = rows_of(measures[0].table, cohort, measures[0].instrument)
    matured = tuple(is_matured(measure, cohort, by) for measure in measures)
    return Scan(tuple(measures), matured, rows, by, cohort.unit, grain)


def statements(scan: Scan) -> Iterator[Statement]:
    """Yield the statements of a scan in the order in which `run` asks them; people are counted elsewhere."""
    if scan.is_histogram:
        yield histogram(scan.measures[0], scan.matured[0], scan.rows, scan.split)
        return
    if scan.is_slope:
        yield pattern_sums(scan.measures[0], scan.matured[0], scan.rows, scan.split)
        return
    yield counting(scan.measures, scan.matured, scan.rows, scan.split)
    pairs = pairs_of(scan.measures, scan.matured)
    if pairs:
        yield summing(pairs, scan.measures, scan.rows, scan.split)


def run(scan: Scan, snapshot: SnapshotCursor) -> Findings:
    """Ask the snapshot and add the answers up by group."""
    answers = [snapshot.query(each.text, each.parameters) for each in statements(scan)]
    if scan.is_slope:
        return _read_patterns(scan, answers[0])
    return _read_histogram(scan, answers[0]) if scan.is_histogram else _read_counts(scan, *answers)


def _read_counts(scan: Scan, counts: Sequence[Row], sums: Sequence[Row] = ()) -> Findings:
    columns, measures = outcomes(scan.measures), len(scan.measures)
    lengths = [len(steps) for steps in map(steps_of, scan.measures, scan.matured)]
    own = [[n for n, each in enumerate(columns) if each.measure == position] for position in range(measures)]
    both = [[n for n in numbers if columns[n].kind in (BEFORE, AFTER)] for numbers in own]
    # By outcome column: (value of the split, code) to rows; by measure: (value of the split, answers) to rows.
    codes: list[Counter[tuple[object, int]]] = [Counter() for _ in columns]
    answers: list[Counter[tuple[object, tuple[bool, ...]]]] = [Counter() for _ in scan.measures]
    for raw, *values, count in counts:
        position, step = next((p, s) for p, s in enumerate(values[:measures]) if s is not None)
        outcome, has_passed = values[measures:], step == lengths[position]
        for number in own[position]:
            codes[number][raw, step + (answer_code(outcome[number]) if has_passed else 0)] += count
        pair = tuple(outcome[number] for number in both[position])
        if has_passed and pair and None not in pair:
            answers[position][raw, pair] += count
    return Findings(
        tallies={
            (column.measure, column.kind, column.words): _tallies(scan, column.measure, codes[number])
            for number, column in enumerate(columns)
        },
        paired={
            position: {group: Paired(cells) for group, cells in _by_group(scan, counter).items()}
            for position, counter in enumerate(answers)
        },
        sums=_read_sums(scan, sums),
        split_values=tuple({raw for raw, *_ in counts}),
    )


def _read_sums(scan: Scan, answer: Sequence[Row]) -> dict[tuple[int, str | None], dict[str, PairSums]]:
    by_pair: dict[tuple[int, str | None], dict[str, PairSums]] = {}
    for number, pair in enumerate(pairs_of(scan.measures, scan.matured)):
        groups: dict[str, PairSums] = {ALL: PairSums()}
        for row in answer:
            for group in groups_of(row[0], scan.by):
                groups[group] = groups.get(group, PairSums()).plus(read_sums(row, number))
        by_pair[pair.measure, pair.words] = groups
    return by_pair


def _read_histogram(scan: Scan, answer: Sequence[Row]) -> Findings:
    measure = scan.measures[0]
    last_step = len(steps_of(measure, scan.matured[0]))
    codes: Counter[tuple[object, int]] = Counter()
    days: Counter[tuple[object, tuple[int, str | None]]] = Counter()
    planned: Counter[str] = Counter()
    for raw, step, day, way, count, longest in answer:
        for group in groups_of(raw, scan.by):
            planned[group] = max(planned[group], longest or 0)
        is_counted = step == last_step and day is not None
        codes[raw, step + (answer_code(True) if is_counted else 0)] += count
        if is_counted:
            days[raw, (day, way_of(way))] += count
    tallies = _tallies(scan, 0, codes)
    nobody: dict[str, Cells] = {group: {} for group in tallies}
    return Findings(
        {(0, VALUE, measure.title): tallies},
        cells=nobody | _by_group(scan, days),
        planned=planned,
        split_values=tuple({raw for raw, *_ in answer}),
    )


def _read_patterns(scan: Scan, answer: Sequence[Row]) -> Findings:
    measure = scan.measures[0]
    last_step = len(steps_of(measure, scan.matured[0]))
    codes: Counter[tuple[object, int]] = Counter()
    for raw, step, scores, _, _, stays, *_ in answer:
        codes[raw, step + (answer_code(True) if step == last_step and scores else 0)] += stays
    tallies = _tallies(scan, 0, codes)
    nothing: dict[str, Patterns] = {group: {} for group in tallies}
    return Findings(
        {(0, VALUE, measure.title): tallies},
        patterns=nothing | patterns_by_group(answer, scan.by, last_step),
        split_values=tuple({raw for raw, *_ in answer}),
    )


def _tallies(scan: Scan, position: int, codes: Counter[tuple[object, int]]) -> dict[str, Tally]:
    steps = steps_of(scan.measures[position], scan.matured[position])
    return {group: Tally(steps, counts) for group, counts in _by_group(scan, codes).items()}


def _by_group(scan: Scan, cells: Counter[tuple[object, Key]]) -> dict[str, dict[Key, int]]:
    return added_up(((raw, key, count) for (raw, key), count in cells.items()), scan.by)
