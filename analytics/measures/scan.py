"""One scan: measures of one table, instrument, cohort and split, asked of a snapshot together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from analytics.measures.cohort_sql import Rows, rows_of
from analytics.measures.curves import Cells, histogram
from analytics.measures.groups import added_up, groups_of
from analytics.measures.ladder_sql import VALUE, Statement, code_columns, counting, is_matured, steps_of
from analytics.measures.sums_sql import PairSums, pairs_of, read_sums, summing
from analytics.measures.tally import Tally
from analytics.measures.types import ALL, Cohort, Estimator, Measure, SnapshotCursor, Stratifier, Unit

CURVES = (Estimator.SURVIVAL, Estimator.INCIDENCE)


@dataclass(frozen=True)
class Scan:
    """Measures that one statement can count. A curve stands alone: its days are its own."""

    measures: tuple[Measure, ...]
    matured: tuple[bool, ...]
    rows: Rows
    by: Stratifier | None
    unit: Unit

    @property
    def is_curve(self) -> bool:
        """True when the scan holds the one curve that its statement is about."""
        return self.measures[0].estimator in CURVES

    @property
    def split(self) -> str:
        """The column to group by, as SQL."""
        return self.by.value if self.by else "null"


@dataclass(frozen=True)
class Findings:
    """What the snapshot answered, by position of the measure in its scan and by group (`ALL` included).

    Attributes
    ----------
    tallies : (position, kind of column, its words) to group to counts by code.
    sums : (position, words of the definition or None) to group to sums of pairs.
    cells : group to histogram of days and ways of leaving; of a curve only.
    split_values : every value of the split that occurs, as the database has it.
    """

    tallies: dict[tuple[int, str, str], dict[str, Tally]]
    sums: dict[tuple[int, str | None], dict[str, PairSums]] = field(default_factory=dict)
    cells: dict[str, Cells] = field(default_factory=dict)
    split_values: tuple[object, ...] = ()

    def own(self, position: int) -> dict[str, Tally]:
        """Return the tallies of the measure itself, by group."""
        return next(
            by_group
            for (number, kind, _), by_group in self.tallies.items()
            if (number, kind) == (position, VALUE)
        )


def scan_of(measures: Sequence[Measure], cohort: Cohort, by: Stratifier | None) -> Scan:
    """Return the scan of measures that share table and instrument."""
    rows = rows_of(measures[0].table, cohort, measures[0].instrument)
    matured = tuple(is_matured(measure, cohort, by) for measure in measures)
    return Scan(tuple(measures), matured, rows, by, cohort.unit)


def statements(scan: Scan) -> Iterator[Statement]:
    """Yield the statements of a scan in the order in which `run` asks them; people are counted elsewhere."""
    if scan.is_curve:
        yield histogram(scan.measures[0], scan.matured[0], scan.rows, scan.split)
        return
    yield counting(scan.measures, scan.matured, scan.rows, scan.split)
    pairs = pairs_of(scan.measures, scan.matured)
    if pairs:
        yield summing(pairs, scan.measures, scan.rows, scan.split)


def run(scan: Scan, snapshot: SnapshotCursor) -> Findings:
    """Ask the snapshot and add the answers up by group."""
    answers = [snapshot.query(each.text, each.parameters) for each in statements(scan)]
    return _read_curve(scan, answers[0]) if scan.is_curve else _read_counts(scan, *answers)


def _read_counts(
    scan: Scan, counts: Sequence[Sequence[object]], sums: Sequence[Sequence[object]] = ()
) -> Findings:
    columns = code_columns(scan.measures, scan.matured)
    cells: list[list[tuple[object, int, int]]] = [[] for _ in columns]
    for raw, *codes, count in counts:
        number, code = next((n, c) for n, c in enumerate(codes) if c is not None)
        cells[number].append((raw, _whole(code), _whole(count)))
    tallies = {
        (column.measure, column.kind, column.words): _tallies(scan, column.measure, cells[number])
        for number, column in enumerate(columns)
    }
    by_pair: dict[tuple[int, str | None], dict[str, PairSums]] = {}
    for number, pair in enumerate(pairs_of(scan.measures, scan.matured)):
        groups: dict[str, PairSums] = {ALL: PairSums()}
        for row in sums:
            for group in groups_of(row[0], scan.by):
                groups[group] = groups.get(group, PairSums()).plus(read_sums(row, number))
        by_pair[pair.measure, pair.words] = groups
    return Findings(tallies, by_pair, split_values=tuple({raw for raw, *_ in counts}))


def _read_curve(scan: Scan, answer: Sequence[Sequence[object]]) -> Findings:
    measure = scan.measures[0]
    last_code = len(steps_of(measure, scan.matured[0])) + 2
    people = [(raw, _whole(code), _whole(count)) for raw, code, _, _, count in answer]
    days = [
        (raw, (_whole(day), None if way is None else str(way)), _whole(count))
        for raw, code, day, way, count in answer
        if code == last_code
    ]
    tallies = _tallies(scan, 0, people)
    cells: dict[str, Cells] = {group: {} for group in tallies}
    return Findings(
        {(0, VALUE, measure.title): tallies},
        cells=cells | added_up(days, scan.by),
        split_values=tuple({raw for raw, *_ in answer}),
    )


def _tallies(scan: Scan, position: int, cells: Sequence[tuple[object, int, int]]) -> dict[str, Tally]:
    steps = steps_of(scan.measures[position], scan.matured[position])
    return {group: Tally(steps, counts) for group, counts in added_up(cells, scan.by).items()}


def _whole(value: object) -> int:
    """Return a number of the database as int; the driver's rows are untyped."""
    return int(str(value))
