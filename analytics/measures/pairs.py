"""First and last totals of one instrument, counted: what a scatter of two scores is drawn from."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.errors import MeasureProblem
from analytics.instruments import find_instrument
from analytics.measures.cohort_sql import rows_of
from analytics.measures.denominators import MATURE
from analytics.measures.types import Cohort, SnapshotCursor, Table


@dataclass(frozen=True)
class PairCounts:
    """Counts of distinct pairs of the people who left, smallest first total first.

    Attributes
    ----------
    instrument : id of the instrument ("phq9").
    pairs : (first total, last total, how many have this pair).
    unmeasured : (first total, how many have it and no later total). People without a first total are in
        neither; the ladder of the symptom measures counts them.
    """

    instrument: str
    pairs: tuple[tuple[float, float, int], ...]
    unmeasured: tuple[tuple[float, int], ...]


def pair_counts(snapshot: SnapshotCursor, instrument: str, cohort: Cohort) -> PairCounts:
    """Count the pairs of first and last totals in a cohort, among those the symptom measures count.

    Open episodes have no last total yet, and recent admissions are left out where admission limits the
    cohort.

    Raises
    ------
    MeasureProblem
        There is no such instrument, or a filter that does not exist.
    """
    found = find_instrument(instrument)
    if found is None:
        raise MeasureProblem(f"There is no instrument '{instrument}'.")
    rows = rows_of(Table.SCORE_OUTCOME, cohort, found.id)
    mature = f" and ({MATURE}) is true" if cohort.bounded_by_admission else ""
    counted = snapshot.query(
        "select first, last, count(*) as episodes\n"
        f"from {rows.text}\nwhere is_closed is true and first is not null{mature}\n"
        "group by first, last\norder by first nulls last, last nulls last",
        rows.parameters,
    )
    return PairCounts(
        instrument=found.id,
        pairs=tuple((first, last, episodes) for first, last, episodes in counted if last is not None),
        unmeasured=tuple((first, episodes) for first, last, episodes in counted if last is None),
    )
