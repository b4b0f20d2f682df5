"""Groups of a split: which ones a row belongs to, and the order in which they are shown."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from analytics.measures.cohort_sql import CLOSED_LISTS, severity_bands
from analytics.measures.types import ALL, NOT_KNOWN, SnapshotCursor, Stratifier, Table

Key = TypeVar("Key", bound=Hashable)


def groups_of(raw: object, by: Stratifier | None) -> tuple[str, ...]:
    """Return the groups in which a row with this value of the split is counted, `ALL` first.

    A NULL is the group `NOT_KNOWN`. An episode with therapies `cbt|dbt` is in both groups and once in `ALL`.
    """
    if by is None:
        return (ALL,)
    if raw is None:
        return (ALL, NOT_KNOWN)
    if by is Stratifier.THERAPY:
        return (ALL, *dict.fromkeys(str(raw).split("|")))
    return (ALL, str(raw))


def in_order(groups: Iterable[str], by: Stratifier | None, instrument: str | None = None) -> list[str]:
    """Return the groups as they are shown: `ALL`, then the split's own order, then `NOT_KNOWN`.

    Coded columns follow their code list, severity goes up (the bands of `instrument`; None: of the episodes
    themselves), planned weeks are numbers, and everything else is text.
    """
    present = set(groups)
    place = _place(by, instrument)
    between = sorted(present - {ALL, NOT_KNOWN}, key=lambda group: (place(group), group))
    return [ALL, *between, *([NOT_KNOWN] if NOT_KNOWN in present else [])]


def choices(snapshot: SnapshotCursor, by: Stratifier, rows: str = Table.EPISODE_OUTCOME.value) -> tuple[str, ...]:
    """Return the groups of a split that occur in the snapshot, as they are shown, without `ALL`.

    `rows` is where they are read from, as SQL: the episodes, or what another subject's rows are.
    """
    found = snapshot.query(f"select distinct {by.value} from {rows}", {})
    groups = {group for (raw,) in found for group in groups_of(raw, by)}
    return tuple(group for group in in_order(groups, by) if group != ALL)


def added_up(cells: Iterable[tuple[object, Key, int]], by: Stratifier | None) -> dict[str, dict[Key, int]]:
    """Add counts given as (value of the split, key, count) up to group → key → count, `ALL` included."""
    sums: dict[str, dict[Key, int]] = {ALL: {}}
    for raw, key, count in cells:
        for group in groups_of(raw, by):
            counts = sums.setdefault(group, {})
            counts[key] = counts.get(key, 0) + count
    return sums


def _place(by: Stratifier | None, instrument: str | None) -> Callable[[str], int]:
    if by is Stratifier.PLANNED_WEEKS:
        return int
    order: tuple[str, ...] = ()
    if by is Stratifier.BASELINE_SEVERITY:
        order = severity_bands(instrument)
    elif by is not None:
        order = CLOSED_LISTS.get(by.value, ())
    return lambda group: order.index(group) if group in order else len(order)
