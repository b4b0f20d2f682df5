"""Benchmark of counted measures: one, one with persons, and all of the overview."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from analytics.bench.budget import BUDGET_SIZE, Gate, Row
from analytics.bench.timing import medians
from analytics.measures import catalog, evaluate
from analytics.measures.evaluate import statement
from analytics.measures.types import Measure, Stratifier
from analytics.store.snapshot import Snapshot, open_current

# Reading the columns is the floor of any answer. Ten times the data no longer fit the processor's caches.
MANY_EPISODES: Final = 10_000_000
OF_THE_FLOOR: Final = Gate(4, target=3)
OF_THE_FLOOR_WHEN_MANY: Final = Gate(5, target=3)
OF_THE_FLOOR_WITH_PERSONS: Final = Gate(30)
# Seconds for a million: every column is read, so ten million take ten times as long.
OVERVIEW_SECONDS: Final = Gate(0.8, target=0.5, until_episodes=BUDGET_SIZE)

BY: Final = Stratifier.MODALITY


def evaluation_rows(store: Path, episodes: int) -> list[Row]:
    """Time measures on the published snapshot of `store`."""
    snapshot = open_current(store)
    completion = catalog.find("completion")
    floor = bare_sum(snapshot, completion, BY)
    headline = catalog.headline()
    (bare, counted, with_persons), runs = medians(
        lambda: snapshot.query(floor),
        lambda: evaluate([completion], snapshot, by=BY, persons=False),
        lambda: evaluate([completion], snapshot, by=BY),
    )
    (overview,), overview_runs = medians(lambda: evaluate(headline, snapshot))
    work, peer, milliseconds = f"{completion.name} by {BY}", "bare sum of the same columns", 1000 * bare
    gate = OF_THE_FLOOR_WHEN_MANY if episodes >= MANY_EPISODES else OF_THE_FLOOR
    everything = f"overview: {len(headline)} measures, persons counted"
    return [
        Row(work, "ms", gate, 1000 * counted, peer, milliseconds, runs),
        Row(f"{work}, persons counted", "ms", OF_THE_FLOOR_WITH_PERSONS, 1000 * with_persons, peer, milliseconds, runs),
        Row(everything, "s", OVERVIEW_SECONDS, overview, runs=overview_runs),
    ]


def bare_sum(snapshot: Snapshot, measure: Measure, by: Stratifier) -> str:
    """Return the least statement that reads every column which the measure and its split read."""
    text = statement(measure, by=by)
    columns = snapshot.query(f"describe {measure.table}")
    sums = [_sum(name, kind) for name, kind, *_ in columns if re.search(rf"\b{name}\b", text)]
    return f"select {', '.join(sums)} from {measure.table}"


def _sum(column: str, kind: str) -> str:
    """Return SQL that adds up a column of any type with as little work as possible."""
    if kind.startswith("ENUM"):
        return f"sum(enum_code({column}))"
    if kind == "VARCHAR":
        return f"sum(strlen({column}))"
    return f"sum(cast({column} as integer))" if kind == "BOOLEAN" else f"sum({column})"
