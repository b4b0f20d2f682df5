"""Make a snapshot anew from its state in `batches/`: after a restore, for a pruned snapshot, for a new schema version.

A state that is not what its manifest says is refused. The same schema version and engine give the same content hash,
so the same id; a newer schema version gives a new id, and the former state stays.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path

import duckdb

from analytics.errors import StoreProblem
from analytics.store.facts import SCHEMA_VERSION, SnapshotFacts
from analytics.store.failures import failures_in_a_sentence
from analytics.store.publish import (
    BatchFacts,
    build_snapshot,
    engine,
    import_lock,
    new_build_folder,
    place_snapshot,
    place_state,
    point_to,
    reached,
)
from analytics.store.snapshot import current_id
from analytics.store.states import damaged_files, state_facts, state_folder, state_ids
from analytics.store.verify import table_hashes


@dataclass(frozen=True)
class Rebuilt:
    """What was rebuilt: the manifest, the id that the state had before, and whether the snapshot serves now."""

    facts: SnapshotFacts
    former_id: str
    serves: bool


def rebuild(
    store: Path,
    snapshot_id: str | None = None,
    served: str | None = None,
    progress: Callable[[str], None] = lambda step: None,
    prepare: Callable[[str, str], None] = lambda former_id, snapshot_id: None,
) -> Rebuilt:
    """Rebuild one snapshot from its state.

    Parameters
    ----------
    snapshot_id : the state; None for the one that serves. Another one can be opened by its id afterwards, and what
        serves stays as it is.
    served : the id that served last, as somebody outside the store knows it (the anchors beside the key); used when
        the store has lost its pointer.
    prepare : called with the former and the new id before a snapshot that serves is pointed to.

    Raises
    ------
    StoreProblem
        When it cannot be told what served, or the state is missing or not what its manifest says.
    """
    with import_lock(store), failures_in_a_sentence():
        pointed = _pointed(store)
        chosen = snapshot_id or pointed or _only(store, served)
        former = state_facts(store, chosen)
        damaged = damaged_files(store, former)
        if damaged:
            raise _not_whole(chosen, damaged)
        build = new_build_folder(store)
        try:
            target = build / "snapshot.duckdb"
            facts = replace(_built(store, former, target, progress), previous=former.previous)
            serves = pointed in (None, chosen)
            if facts.snapshot_id != chosen:
                shutil.copytree(state_folder(store, chosen), build / "rows", dirs_exist_ok=True)
                place_state(store, build, facts)
            place_snapshot(store, target, facts)
            if serves:
                prepare(chosen, facts.snapshot_id)
                point_to(store, facts.snapshot_id)
                reached("pointer")
            return Rebuilt(facts, chosen, serves)
        finally:
            shutil.rmtree(build, ignore_errors=True)


def batch_facts(facts: SnapshotFacts) -> BatchFacts:
    """Return what intake knew of a state when it was imported."""
    return BatchFacts(**{field.name: getattr(facts, field.name) for field in fields(BatchFacts)})


def _pointed(store: Path) -> str | None:
    """Return the id that the pointer names; a damaged pointer names none."""
    with contextlib.suppress(StoreProblem):
        return current_id(store)
    return None


def _only(store: Path, served: str | None) -> str:
    ids = state_ids(store)
    if served in ids:
        return str(served)
    if len(ids) == 1:
        return ids[0]
    if not ids:
        raise StoreProblem(
            "The folder batches of the store is empty, so nothing can be rebuilt. Restore it, or import."
        )
    known = []
    for snapshot_id in ids:
        with contextlib.suppress(StoreProblem):
            known.append(f"{snapshot_id} (data as of {state_facts(store, snapshot_id).data_as_of or 'a study day'})")
    raise StoreProblem(
        "The store does not say which snapshot served. Give --key, whose anchors know it, or name one of these: "
        + ", ".join(known)
        + "."
    )


def _built(store: Path, former: SnapshotFacts, target: Path, progress: Callable[[str], None]) -> SnapshotFacts:
    rows = state_folder(store, former.snapshot_id)
    try:
        facts = build_snapshot(rows, target, batch_facts(former), progress)
    except duckdb.Error:
        if former.state_sha256:
            raise  # its files are whole: the disk or the memory failed
        raise _not_whole(former.snapshot_id, []) from None
    if former.schema_version == 1:
        # Its manifest has no checksums of files: the rows themselves are compared, by the hash of that version.
        with duckdb.connect(str(target), read_only=True) as connection:
            found = table_hashes(connection, 1, _known_columns(rows)) if former.engine == engine() else facts.counts
        expected = former.table_hashes if former.engine == engine() else former.counts
        differ = [table for table in sorted(former.table_hashes) if found.get(table) != expected[table]]
        if differ:
            raise _not_whole(former.snapshot_id, differ)
    same_program = (former.schema_version, former.engine) == (SCHEMA_VERSION, engine())
    if same_program and facts.content_hash != former.content_hash:
        raise _not_whole(former.snapshot_id, [])
    return facts


def _known_columns(rows: Path) -> dict[str, list[str]]:
    """Return the columns that each table of a state has."""
    with duckdb.connect() as connection:
        return {
            path.stem: [
                row[0]
                for row in connection.execute(
                    "select name from parquet_schema(?) where num_children is null", [str(path)]
                ).fetchall()
            ]
            for path in rows.glob("*.parquet")
        }


def _not_whole(snapshot_id: str, tables: list[str]) -> StoreProblem:
    where = f" (look at {', '.join(f'{table}.parquet' for table in tables)})" if tables else ""
    return StoreProblem(
        f"The state {snapshot_id} in the folder batches is not what its manifest says{where}, so nothing was rebuilt. "
        "Restore the folder from a backup, or run a full import."
    )
