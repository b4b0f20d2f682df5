"""Ratios, means and mean changes as SQL: the sums of one scan from which value and interval follow.

They stand on pairs (x, y) per row: sessions booked and sessions attended, the first and the last score, 1 and a total.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from analytics.measures.cohort_sql import Rows
from analytics.measures.ladder_sql import (
    Statement,
    bound_to,
    parameters_in,
    passed,
    ratio_outcome,
    steps_of,
)
from analytics.measures.types import Estimator, Measure

# n, Σx, Σy, Σx², Σxy, Σy², and Σ y/x for the mean over rows; doubles, in which whole sums below 2^53 are
# exact.
SUMS_PER_PAIR: Final = 7


@dataclass(frozen=True)
class Pair:
    """One (x, y) to be summed: whose it is, in which words (None: the value itself), and its expressions."""

    measure: int
    words: str | None
    x: str
    y: str


@dataclass(frozen=True)
class PairSums:
    """Sums over the rows of one group that have both x and y."""

    n: int = 0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    xy: float = 0.0
    yy: float = 0.0
    shares: float = 0.0

    def plus(self, other: PairSums) -> PairSums:
        """Return the sums over both groups' rows."""
        return PairSums(
            self.n + other.n,
            self.x + other.x,
            self.y + other.y,
            self.xx + other.xx,
            self.xy + other.xy,
            self.yy + other.yy,
            self.shares + other.shares,
        )


def pairs_of(measures: Sequence[Measure], matured: Sequence[bool]) -> list[Pair]:
    """Return the pairs that the ratios, means and mean changes among the measures ask for."""
    return [
        Pair(position, words, bound_to(position, x), bound_to(position, y))
        for position, (measure, mature) in enumerate(zip(measures, matured, strict=True))
        for words, x, y in _pairs_of_one(measure, mature)
    ]


def summing(pairs: Sequence[Pair], measures: Sequence[Measure], rows: Rows, split: str) -> Statement:
    """Return the statement whose rows are `group` and then `SUMS_PER_PAIR` numbers for each pair."""
    inner = ",\n".join(f"    {pair.x} as x{number}, {pair.y} as y{number}" for number, pair in enumerate(pairs))
    outer = ",\n".join(
        f"  count(x{n}), sum(x{n}), sum(y{n}), sum(x{n} * x{n}), sum(x{n} * y{n}), sum(y{n} * y{n}), "
        f"sum(y{n} / nullif(x{n}, 0))"
        for n in range(len(pairs))
    )
    text = f"select g,\n{outer}\nfrom (\n  select {split} as g,\n{inner}\n  from {rows.text}\n)\ngroup by g"
    return Statement(text, parameters_in(text, dict(enumerate(measures)), rows))


def read_sums(row: Sequence[Any], number: int) -> PairSums:
    """Return the sums of the nth pair from a row of the statement's answer."""
    start = 1 + number * SUMS_PER_PAIR
    count, *sums = (value or 0.0 for value in row[start : start + SUMS_PER_PAIR])
    return PairSums(int(count), *sums)


def _pairs_of_one(measure: Measure, matured: bool) -> Iterator[tuple[str | None, str, str]]:
    conditions = passed(steps_of(measure, matured))
    if measure.estimator is Estimator.MEAN_CHANGE:
        both = [f"({measure.first}) is not null", f"({measure.last}) is not null"]
        yield (
            None,
            _where(conditions + both, str(measure.first)),
            _where(conditions + both, str(measure.last)),
        )
    if measure.estimator is Estimator.MEAN:
        amount = str(measure.amount)
        yield None, _where([*conditions, f"({amount}) is not null"], "1"), _where(conditions, amount)
    ratios: list[tuple[str | None, tuple[str, str]]] = [*measure.ratio_variants.items()]
    if measure.estimator in (Estimator.RATIO, Estimator.RATE):
        ratios = [(None, (str(measure.numerator), str(measure.denominator))), *ratios]
    for words, (numerator, denominator) in ratios:
        counted = [*conditions, f"({ratio_outcome(numerator, denominator)}) is true"]
        yield words, _where(counted, denominator), _where(counted, numerator)


def _where(conditions: Sequence[str], value: str) -> str:
    return f"case when {' and '.join(conditions)} then cast({value} as double) end"
