"""The table under every survival curve: at each time, how many were at risk and what happened to whom."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from math import nan
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# A share this near to 1 is 1: a sum of fractions of fewer than 10¹² people that rounding left below it.
CERTAIN = 1 - 1e-12
# exp(700) is near the end of floating point; the limit is then 0 or 1 to any precision anyway.
LARGEST_SHIFT = 700.0


@dataclass(frozen=True, eq=False)
class EventTable:
    """Counts at each distinct time, ascending. Rows of `counts`: 0 censored, then one per cause."""

    time: NDArray[Any]
    causes: tuple[int, ...]
    counts: Floats
    at_risk: Floats

    @property
    def exits(self) -> Floats:
        """Events of any cause at each time."""
        total: Floats = self.counts[1:].sum(axis=0)
        return total


@dataclass(frozen=True)
class CurvePoint:
    """A curve read at one time. `at_risk` counts those still followed at that time, exits included."""

    time: float
    value: float
    standard_error: float
    ci_low: float
    ci_high: float
    at_risk: int


def event_table(
    time: ArrayLike,
    cause: ArrayLike,
    weight: ArrayLike | None = None,
    causes: tuple[int, ...] | None = None,
) -> EventTable:
    """Count people by time and cause; with `weight`, every row stands for that many people.

    Rows may repeat a time and cause, come in any order, and have weight 0 (they are no one). `causes`
    names the causes to make room for, in that order; without it, those that occur, ascending.

    Raises
    ------
    ValueError
        Lengths differ, a value is missing, a cause is no whole number ≥ 0 or not among `causes`, a weight
        is no whole number ≥ 0 (weights are counts; probability weights need another variance).
    """
    times, kind = numbers(time, "time"), whole_numbers(cause, "cause")
    people = counts_of(weight, times.size)
    if kind.size != times.size:
        raise ValueError("time and cause must have the same length")
    present = people > 0
    times, kind, people = times[present], kind[present], people[present]
    occurring = np.unique(kind[kind > 0])
    wanted = tuple(int(k) for k in (occurring if causes is None else causes))
    if not set(occurring.tolist()) <= set(wanted):
        raise ValueError("a cause occurs that is not among `causes`")
    row = np.zeros(times.size, dtype=np.int64)
    for number, each in enumerate(wanted, start=1):
        row[kind == each] = number
    distinct, at = np.unique(times, return_inverse=True)
    counts = tally(row * distinct.size + at, people, len(wanted) + 1, distinct.size)
    return EventTable(distinct, wanted, counts, still_to_come(counts.sum(axis=0)))


def tally(cell: NDArray[np.int64], people: Floats, rows: int, columns: int) -> Floats:
    """Add up people by cell number (row * columns + column) into a table."""
    return np.bincount(cell, people, minlength=rows * columns).astype(np.float64).reshape(rows, columns)


def still_to_come(counts: Floats) -> Floats:
    """Those at risk at each time (first axis): everyone whose own time is this one or later."""
    return np.cumsum(counts[::-1], axis=0, dtype=np.float64)[::-1]


def event_free_share(exits: Floats, at_risk: Floats) -> Floats:
    """Product-limit estimate Π (1 - d/n) just after each time."""
    return np.cumprod((at_risk - exits) / at_risk, dtype=np.float64)


def log_log_limits(share: Floats, standard_error: Floats, level: float) -> tuple[Floats, Floats]:
    """Limits p^exp(±z·SE / (p |ln p|)); NaN where p is 0 or 1, or its error is not known.

    References
    ----------
    Kalbfleisch & Prentice, *The Statistical Analysis of Failure Time Data*, 2nd ed. 2002, ch. 1.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    inside = (share > 0) & (share < CERTAIN) & (standard_error > 0)
    p = np.where(inside, share, 0.5)
    shift = np.where(inside, np.minimum(z * standard_error / (p * -np.log(p)), LARGEST_SHIFT), nan)
    return p ** np.exp(shift), p ** np.exp(-shift)


def point_at(
    when: float,
    time: NDArray[Any],
    at_risk: NDArray[np.int64],
    event_free: Floats,
    columns: tuple[Floats, Floats, Floats, Floats],
    start: float,
) -> CurvePoint:
    """Read a step curve (value, error, limits) at `when`; `start` is its value before the first time.

    After the last time all is NaN as long as somebody was left event-free: nobody was watched that long.
    """
    last = int(np.searchsorted(time, when, side="right")) - 1
    following = int(np.searchsorted(time, when, side="left"))
    people = int(at_risk[following]) if following < time.size else 0
    if time.size == 0 or (when > time[-1] and event_free[-1] > 0):
        return CurvePoint(when, nan, nan, nan, nan, people)
    if last < 0:
        return CurvePoint(when, start, 0.0, nan, nan, people)
    value, standard_error, low, high = (float(column[last]) for column in columns)
    return CurvePoint(when, value, standard_error, low, high, people)


def groups_of(group: ArrayLike) -> tuple[tuple[Hashable, ...], NDArray[np.int64]]:
    """Distinct labels in order, and for each row the position of its label. None (not known) comes last."""
    given: Any = np.asarray(group)
    if isinstance(group, np.ma.MaskedArray):
        given = np.where(np.ma.getmaskarray(group), None, given.astype(object))
    if given.dtype.kind == "f" and bool(np.isnan(given).any()):
        given = given.astype(object)
    if given.dtype.kind != "O":
        distinct, code = np.unique(given, return_inverse=True)
        return tuple(distinct.tolist()), code.astype(np.int64)
    # A missing label arrives as None from SQL and as NaN from pandas; NaN is the value unequal to itself.
    labels = [None if label is None or label != label else label for label in given.tolist()]
    known: list[Any] = list(dict.fromkeys(label for label in labels if label is not None))
    try:
        known.sort()
    except TypeError:
        known.sort(key=str)
    ordered: list[Hashable] = [*known, None] if None in labels else known
    place = {label: position for position, label in enumerate(ordered)}
    return tuple(ordered), np.array([place[label] for label in labels], dtype=np.int64)


def rows_of_groups(group: ArrayLike) -> dict[Hashable, NDArray[np.int64]]:
    """Row numbers of each group, in the order of `groups_of`."""
    labels, code = groups_of(group)
    order = np.argsort(code, kind="stable")
    ends = np.cumsum(np.bincount(code, minlength=len(labels)))[:-1]
    return dict(zip(labels, np.split(order, ends), strict=True)) if labels else {}


def numbers(values: ArrayLike, name: str) -> NDArray[Any]:
    """A one-dimensional array of numbers without gaps; anything else is a ValueError."""
    if np.ma.is_masked(values):
        raise ValueError(f"{name} must not hold missing values")
    array = np.asarray(values)
    if array.size == 0:
        array = array.astype(np.float64)
    if array.ndim != 1 or array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be a one-dimensional array of numbers")
    if not bool(np.isfinite(array).all()):
        raise ValueError(f"{name} must not hold missing values")
    return array


def whole_numbers(values: ArrayLike, name: str) -> NDArray[np.int64]:
    """As `numbers`, and every one a whole number of at least 0."""
    array = numbers(values, name)
    if not bool(((array >= 0) & (array == np.floor(array))).all()):
        raise ValueError(f"{name} must hold whole numbers, 0 or more")
    return array.astype(np.int64)


def counts_of(weight: ArrayLike | None, size: int) -> Floats:
    """How many people each row stands for: 1 without weights."""
    if weight is None:
        return np.ones(size)
    # As floating point: N³ of two million people overflows 64-bit integers without a word.
    people = whole_numbers(weight, "weight").astype(np.float64)
    if people.size != size:
        raise ValueError("weight must have the length of time")
    return people


def yes_or_no(event: ArrayLike) -> NDArray[np.int64]:
    """Event as 1, censored as 0; any other value is a ValueError (a cause is not an event: `cause == k`)."""
    happened = whole_numbers(event, "event")
    if bool((happened > 1).any()):
        raise ValueError("event must be true or false; for causes pass cause == k")
    return happened
