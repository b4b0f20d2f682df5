"""Who left when, how and from which group, as the arrays on which the peers compute their curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analytics.measures.types import Measure, Stratifier
from analytics.store.snapshot import Snapshot

STILL_IN: Final = "active"  # the way of leaving of those who have not left


@dataclass(frozen=True, eq=False)
class LeavingRows:
    """One entry per episode of a known group, in every array.

    Attributes
    ----------
    labels : the groups, sorted; `group` holds positions in it. `name` : the group as a data frame gives it, as text.
    day : days until leaving, or until last seen. `left` : 1 = left, 0 = still in. `way` : how, as text.
    by_group : day and left of each group.
    """

    labels: tuple[str, ...]
    group: NDArray[np.int64]
    name: NDArray[np.object_]
    day: NDArray[np.float64]
    left: NDArray[np.float64]
    way: NDArray[np.str_]
    by_group: tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]


def leaving_rows(snapshot: Snapshot, staying: Measure, leaving: Measure, by: Stratifier) -> LeavingRows:
    """Fetch the rows behind two curves over one table: the days of `staying`, the ways of `leaving`."""
    fetched: list[tuple[Any, ...]] = snapshot.query(
        f"select cast({by} as varchar), {staying.time}, cast({leaving.cause} as varchar) "
        f"from {staying.table} where {by} is not null"
    )
    name = np.array([row[0] for row in fetched], dtype=object)
    labels, group = np.unique(name.astype(str), return_inverse=True)
    day = np.array([row[1] for row in fetched], dtype=np.float64)
    way = np.array([row[2] for row in fetched])
    left = (way != STILL_IN).astype(np.float64)
    by_group = tuple((day[group == code], left[group == code]) for code in range(len(labels)))
    return LeavingRows(tuple(labels.tolist()), group, name, day, left, way, by_group)
