"""Benchmark of the outcome tables: time and memory of the build, and its largest steps against pandas."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Final

from analytics.bench.budget import Gate, Row, memory_row
from analytics.bench.pandas_peer import weeks_and_pairs
from analytics.bench.timing import in_child, medians, peak_memory, runs_after
from analytics.store.outcomes import range_sql
from analytics.store.publish import build_database
from analytics.store.snapshot import Snapshot, open_current

SECONDS_PER_MILLION: Final = Gate(25, target=12)
PEAK_GIGABYTES: Final = Gate(2.5)
FASTER_THAN_PANDAS: Final = Gate(3, at_least=True)

# What analytics.store.publish says it begins; the time between the two is that of the outcome tables.
OUTCOMES_BEGIN, OUTCOMES_DONE = "making outcome tables", "verifying"

# The statement of the outcome SQL after which weeks and pairs are there.
LAST_OF_PAIRING: Final = "create or replace temp table score_pair"


def outcome_rows(store: Path, scratch: Path, episodes: int) -> list[Row]:
    """Build the outcome tables of the published state again and again, each time in a process of its own."""
    state = store / "batches" / open_current(store).snapshot_id
    warm_up = in_child(build_once, state, scratch)
    measured = [in_child(build_once, state, scratch) for _ in range(runs_after(warm_up[0]))] or [warm_up]
    seconds = median(each for each, _ in measured)
    peaks = [peak for _, peak in measured if peak is not None]
    return [
        Row("outcome tables, time", "s per million", SECONDS_PER_MILLION, seconds * 1e6 / episodes, runs=len(measured)),
        memory_row("outcome tables, peak memory", PEAK_GIGABYTES, max(peaks, default=None), len(measured)),
    ]


def build_once(state: Path, scratch: Path) -> tuple[float, int | None]:
    """Load a state into a new database and make its outcome tables, as an import does.

    Returns
    -------
    tuple
        Seconds of the outcome tables alone; the peak memory in bytes until they were there, loading included.
    """
    build = scratch / "build"
    build.mkdir()
    began = time.perf_counter()

    def progress(step: str) -> None:
        nonlocal began
        if step == OUTCOMES_BEGIN:
            began = time.perf_counter()
        elif step == OUTCOMES_DONE:
            raise _Done(time.perf_counter() - began, peak_memory())

    try:
        build_database(state, build / "snapshot.duckdb", progress)
    except _Done as done:
        return done.seconds, done.peak
    finally:
        shutil.rmtree(build, ignore_errors=True)
    raise AssertionError(f"The build did not say '{OUTCOMES_DONE}'.")


class _Done(Exception):
    """The outcome tables are there; what follows is not measured here."""

    def __init__(self, seconds: float, peak: int | None) -> None:
        super().__init__(seconds)
        self.seconds, self.peak = seconds, peak


def against_pandas(store: Path) -> Row:
    """Compare the steps from sessions and scores to weeks and pairs with the same in pandas, reading included."""
    snapshot = open_current(store)
    state = store / "batches" / snapshot.snapshot_id
    steps = ";\n".join(steps_to_pairs(snapshot))
    (ours, theirs), runs = medians(lambda: snapshot.query(f"{steps};\nselect 1"), lambda: weeks_and_pairs(state))
    ((weeks, stays, pairs),) = snapshot.query(
        f"{steps};\nselect (select count(*) from temp.attendance_week), (select count(*) from episode_attendance), "
        "count(first_day) from score_pair"
    )
    their_weeks, their_stays, their_pairs = (len(table) for table in weeks_and_pairs(state))
    # Pandas leaves a score where it was filed; ours moves the few that belong to another stay of the person.
    same = (weeks, stays) == (their_weeks, their_stays) and abs(pairs - their_pairs) <= 0.02 * pairs
    return Row(
        "sessions to weeks and stays, scores to pairs and weeks", "s", FASTER_THAN_PANDAS, ours, "pandas", theirs, runs,
        disagreement=""
        if same
        else f"{weeks} weeks, {stays} stays, {pairs} pairs against {their_weeks}, {their_stays} and {their_pairs}",
    )  # fmt: skip


def steps_to_pairs(snapshot: Snapshot) -> Iterator[str]:
    """Yield the statements of the outcome SQL up to the pairs, for the whole snapshot, into temporary tables."""
    ((last_person, last_episode),) = snapshot.query("select max(person_id), max(episode_id) from episode")
    for name, value in (("person", last_person), ("episode", last_episode)):
        yield f"set variable first_{name} = 0"
        yield f"set variable last_{name} = {value}"
    before, last, after = range_sql().partition(LAST_OF_PAIRING)
    own = before.replace("create table if not exists attendance_week", "create temp table attendance_week")
    yield own.replace("insert into attendance_week", "insert into temp.attendance_week").rstrip().removesuffix(";")
    yield last + after.partition(";\n")[0]
