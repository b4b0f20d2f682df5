"""How many episodes of a snapshot are alike: the k and l that an expert needs (k-anonymity, l-diversity).

k is the size of the smallest group of episodes that agree in some columns, l the fewest different reasons for leaving
within a group (Sweeney 2002; Machanavajjhala et al. 2007). Stored rows of a program are never k-anonymous: the table
is evidence, not a promise; what protects people is that rows are internal and that what leaves is fixed and audited.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

SMALL_GROUP: Final = 11

# What somebody outside may know of a person, added one by one; the last row has all of them.
KNOWN_OUTSIDE: Final = ("admit_period", "age_band", "gender", "primary_condition")


@dataclass(frozen=True)
class Anonymity:
    """Groups of episodes that agree in `columns`.

    Attributes
    ----------
    k : episodes in the smallest group. l : fewest different reasons for leaving in a group; 0 where all are still in
        the program. share_small : share of the episodes in groups of fewer than 11, 0 to 1.
    """

    columns: tuple[str, ...]
    k: int
    l: int  # noqa: E741 - its name in the literature
    share_small: float


def anonymity(snapshot: Path) -> tuple[Anonymity, ...]:
    """Return one row for the first column that is known outside, one for the first two, and so on.

    Parameters
    ----------
    snapshot : a database file that was built and closed.
    """
    rows = []
    with duckdb.connect(str(snapshot), read_only=True) as connection:
        for count in range(1, len(KNOWN_OUTSIDE) + 1):
            columns = KNOWN_OUTSIDE[:count]
            found = connection.execute(
                f"select min(n), min(l), coalesce(sum(n) filter (n < {SMALL_GROUP}), 0) / sum(n) from "
                "(select count(*) as n, count(distinct discharge_reason) as l from episode "
                f"group by {', '.join(columns)})"
            ).fetchone()
            if found is not None and found[0] is not None:
                rows.append(Anonymity(columns, int(found[0]), int(found[1]), round(float(found[2]), 4)))
    return tuple(rows)
