"""Ten million episodes from one million: the same people again and again, under new numbers.

Raw files of ten million episodes would fill the disk and take an hour to import, and prove nothing more about the
import, whose speed is told per row. What is slower than the data grow shows on a snapshot, so only that is made large.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from analytics.bench.timing import in_child
from analytics.store.publish import MEMORY_LIMIT, import_lock, new_build_folder, publish
from analytics.store.rebuild import batch_facts
from analytics.store.snapshot import open_current
from analytics.store.spill import spilling_connection
from analytics.store.states import state_facts, state_folder
from analytics.store.verify import ROW_TABLES

Ask = Callable[[str], list[tuple[Any, ...]]]


def copied_store(store: Path, target: Path, times: int) -> Path:
    """Publish the current state of `store` so many times over in the new store `target`; return `target`."""
    in_child(copy_state, store, target, times)
    return target


def copy_state(store: Path, target: Path, times: int) -> None:
    """Write the state of `store` with every person `times` over, and publish it in `target`.

    People who only asked and were never admitted have numbers after all others, in the copies too.
    """
    snapshot_id = open_current(store).snapshot_id
    rows = state_folder(store, snapshot_id)
    with import_lock(target):
        build = new_build_folder(target)
        with spilling_connection(":memory:", build / "spill", MEMORY_LIMIT) as connection:

            def ask(sql: str) -> list[tuple[Any, ...]]:
                return connection.execute(sql).fetchall()

            # Rows keep their order, and two threads would hold back, and spill, what is not their turn yet.
            ask("set threads = 1")
            step = _numbers(ask, rows)
            for table in (*ROW_TABLES, "import_batch", "quarantine"):
                source, into = _quoted(rows / f"{table}.parquet"), _quoted(build / "rows" / f"{table}.parquet")
                copies = " union all by name ".join(_copy(ask, source, step, times, k) for k in range(times))
                if table == "program":
                    copies = f"select program_id, (episodes * {times})::integer as episodes from read_parquet({source})"
                ask(f"copy ({copies}) to {into} (format parquet, compression zstd)")
        publish(target, build, batch_facts(state_facts(store, snapshot_id)))


def _numbers(ask: Ask, rows: Path) -> dict[str, int]:
    """Return how far apart the numbers of two copies are, and how many people there are with and without a stay."""
    episode, referral = _quoted(rows / "episode.parquet"), _quoted(rows / "referral.parquet")
    ((episodes, admitted, people, referrals),) = ask(
        f"select (select max(episode_id) + 1 from {episode}), (select max(person_id) + 1 from {episode}), "
        f"(select coalesce(max(person_id), 0) + 1 from {referral}), "
        f"(select coalesce(max(referral_id), 0) + 1 from {referral})"
    )
    return {"episode_id": episodes, "admitted": admitted, "people": max(people, admitted), "referral_id": referrals}


def _copy(ask: Ask, source: str, step: dict[str, int], times: int, k: int) -> str:
    """Return the SELECT of one copy of a table; a table without numbers has its rows in the first copy only."""
    columns = [row[0] for row in ask(f"describe from {source}")]
    numbered = {name: f"{name} + {k * step[name]}" for name in ("episode_id", "referral_id") if name in columns}
    if "person_id" in columns:
        only_asked = (times - 1) * step["admitted"] + k * (step["people"] - step["admitted"])
        numbered["person_id"] = (
            f"person_id + case when person_id < {step['admitted']} then {k * step['admitted']} else {only_asked} end"
        )
    if not numbered:
        return f"select * from read_parquet({source}){'' if k == 0 else ' where false'}"
    changed = [f"({text})::integer as {name}" for name, text in numbered.items()]
    changed += [f"{name} || '-{k}' as {name}" for name in columns if name.endswith("_key")]
    return f"select * replace ({', '.join(changed)}) from read_parquet({source})"


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
