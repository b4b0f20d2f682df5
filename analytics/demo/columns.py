"""Columns of whole numbers: the shape in which everything is made before it is written.

Codes are positions in a list of words, dates are days since 1970-01-01, yes and no are 1 and 0, decimals
are tenths, and `MISSING` is an empty field.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, Self, TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
# The columns of one file, all of one length.
Rows: TypeAlias = dict[str, Ints]

MISSING: Final = -1


@dataclass
class Columns:
    """A table whose fields are columns of one length, one row per episode."""

    @property
    def size(self) -> int:
        """Return the number of rows."""
        return int(getattr(self, fields(self)[0].name).size)

    def take(self, rows: Ints | slice) -> Self:
        """Return the rows at those positions."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return one table with the rows of all `parts`."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


def day_number(text: str) -> int:
    """Return an ISO date as whole days since 1970-01-01."""
    return int(np.datetime64(text, "D").astype(np.int64))


def weekday(day: Ints) -> Ints:
    """Return the weekday of days since 1970-01-01, Monday = 0."""
    return (day + 3) % 7  # 1970-01-01 was a Thursday


def take_rows(rows: Rows, at: Ints | Flags) -> Rows:
    """Return the rows at those positions, or where the flag is set."""
    return {name: column[at] for name, column in rows.items()}


def join_rows(parts: Sequence[Rows]) -> Rows:
    """Return one table with the rows of all `parts`, which have the same columns."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def sort_rows(rows: Rows, *keys: str) -> Rows:
    """Return the rows ordered by the columns `keys`, the first one slowest."""
    return take_rows(rows, np.lexsort([rows[key] for key in reversed(keys)]))
