"""The states in `batches/`: one folder of Parquet files per published content, from which its snapshot can be made.

History lies here, also when snapshots have been pruned: each state is complete.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from analytics.errors import StoreProblem
from analytics.store.facts import SnapshotFacts, read_facts
from analytics.store.snapshot import file_sha256

BATCH_MANIFEST: Final = "manifest.json"


def state_folder(store: Path, snapshot_id: str) -> Path:
    """Return where the rows behind a snapshot lie."""
    return store / "batches" / snapshot_id


def state_ids(store: Path) -> list[str]:
    """Return the ids of all states in the store, sorted."""
    return sorted(path.name for path in (store / "batches").glob("*") if path.is_dir())


def state_facts(store: Path, snapshot_id: str) -> SnapshotFacts:
    """Read the manifest of a state.

    Raises
    ------
    StoreProblem
        When there is no such state, or its manifest is damaged or of a newer schema version.
    """
    folder = state_folder(store, snapshot_id)
    if not snapshot_id.isalnum() or not folder.is_dir():
        raise StoreProblem(f"There is no state {snapshot_id} in the folder batches. Restore it from a backup.")
    return read_facts(folder / BATCH_MANIFEST)


def state_sha256(rows: Path) -> dict[str, str]:
    """Return the SHA-256 of each Parquet file of a state, by table."""
    return {path.stem: file_sha256(path) for path in sorted(rows.glob("*.parquet"))}


def state_tables(store: Path, snapshot_id: str) -> frozenset[str]:
    """Return the tables that a state has a file for, as its manifest says; one of a former version lacks some."""
    facts = state_facts(store, snapshot_id)
    return frozenset(facts.state_sha256 or facts.table_hashes)


def damaged_files(store: Path, facts: SnapshotFacts) -> list[str]:
    """Return the tables whose file is not what the manifest says; of version 1, those whose file is missing."""
    folder = state_folder(store, facts.snapshot_id)
    if facts.schema_version == 1:
        return [table for table in sorted(facts.table_hashes) if not (folder / f"{table}.parquet").exists()]
    found = state_sha256(folder)
    return sorted(
        table for table in found.keys() | facts.state_sha256 if found.get(table) != facts.state_sha256.get(table)
    )


def state_is_whole(store: Path, snapshot_id: str, content_hash: str) -> bool:
    """Return whether the state of this content is there with every file as its manifest says."""
    try:
        facts = state_facts(store, snapshot_id)
        return facts.content_hash == content_hash and not damaged_files(store, facts)
    except StoreProblem:
        return False
