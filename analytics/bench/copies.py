"""Ten million episodes from one million: the same people again and again, under new numbers.

Raw files of ten million episodes would fill the disk and take an hour to import, and prove nothing more about the
import, whose speed is told per row. What is slower than the data grow shows on a snapshot, so only that is made large.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from analytics.bench.timing import in_child
from analytics.errors import StoreProblem
from analytics.store.publish import import_lock, new_build_folder, publish
from analytics.store.rebuild import batch_facts
from analytics.store.snapshot import open_current
from analytics.store.states import state_facts, state_folder
from analytics.store.verify import ROW_TABLES


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
        with duckdb.connect() as connection:
            step = _numbers(connection, rows)
            for table in (*ROW_TABLES, "import_batch", "quarantine"):
                source, into = rows / f"{table}.parquet", build / "rows" / f"{table}.parquet"
                copies = " union all by name ".join(_copy(connection, source, step, times, k) for k in range(times))
                if table == "program":
                    copies = (
                        f"select program_id, (episodes * {times})::integer as episodes from read_parquet('{source}')"
                    )
                connection.execute(f"copy ({copies}) to '{into}' (format parquet, compression zstd)")
        publish(target, build, batch_facts(state_facts(store, snapshot_id)))


def _numbers(connection: duckdb.DuckDBPyConnection, rows: Path) -> dict[str, int]:
    """Return how far apart the numbers of two copies are, and how many people there are with and without a stay."""
    found = connection.execute(
        f"select (select max(episode_id) + 1 from '{rows}/episode.parquet'), "
        f"(select max(person_id) + 1 from '{rows}/episode.parquet'), "
        f"(select coalesce(max(person_id), 0) + 1 from '{rows}/referral.parquet'), "
        f"(select coalesce(max(referral_id), 0) + 1 from '{rows}/referral.parquet')"
    ).fetchone()
    if found is None or None in found:
        raise StoreProblem("There is no episode to copy.")
    episodes, admitted, people, referrals = found
    return {"episode_id": episodes, "admitted": admitted, "people": max(people, admitted), "referral_id": referrals}


def _copy(connection: duckdb.DuckDBPyConnection, source: Path, step: dict[str, int], times: int, k: int) -> str:
    """Return the SELECT of one copy of a table; a table without numbers has its rows in the first copy only."""
    columns = [row[0] for row in connection.execute(f"describe from '{source}'").fetchall()]
    numbered = {name: f"{name} + {k * step[name]}" for name in ("episode_id", "referral_id") if name in columns}
    if "person_id" in columns:
        only_asked = (times - 1) * step["admitted"] + k * (step["people"] - step["admitted"])
        numbered["person_id"] = (
            f"person_id + case when person_id < {step['admitted']} then {k * step['admitted']} else {only_asked} end"
        )
    if not numbered:
        return f"select * from read_parquet('{source}'){'' if k == 0 else ' where false'}"
    changed = [f"({text})::integer as {name}" for name, text in numbered.items()]
    changed += [f"{name} || '-{k}' as {name}" for name in columns if name.endswith("_key")]
    return f"select * replace ({', '.join(changed)}) from read_parquet('{source}')"
