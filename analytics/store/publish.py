"""Build a snapshot from a state, verify it, and publish it by an atomic pointer.

Order: build a new file -> load -> outcome tables -> verify -> content hash -> checkpoint and close, no write-ahead
log -> fsync -> rename -> manifest -> pointer. Readers keep what they have open; a crash at any step leaves the old
snapshot serving and rubbish that the next start removes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final

import duckdb

from analytics.errors import StoreProblem
from analytics.store.anonymity import anonymity
from analytics.store.codes import enum_statements
from analytics.store.facts import SCHEMA_VERSION, Paper, SnapshotFacts, read_facts
from analytics.store.outcomes import build_outcomes
from analytics.store.snapshot import (
    POINTER,
    current_id,
    file_sha256,
    manifest_path,
    open_snapshot,
    served_before,
    snapshot_path,
)
from analytics.store.spill import spilling_connection
from analytics.store.states import BATCH_MANIFEST, state_folder, state_is_whole, state_sha256
from analytics.store.verify import ROW_TABLES, check, row_counts, table_hashes

KEPT_SNAPSHOTS: Final = 5
# The importer holds its episodes beside it.
MEMORY_LIMIT: Final = "1800MB"
_BUILD: Final = ".build-"
LOCK_NAME: Final = "import.lock"
OWNER_ONLY: Final = 0o600  # the mode of every file with data, whatever the umask is


@dataclass(frozen=True)
class BatchFacts:
    """What intake knows and the manifest must say; see `SnapshotFacts` for the fields of the same name."""

    privacy_mode: str
    key_id: str
    data_as_of: str
    imported: str
    batch_mode: str
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    left_out: dict[str, int]
    sources: dict[str, int]
    override: str | None
    paper: Paper | None = None
    state_version: int = SCHEMA_VERSION


def reached(step: str) -> None:
    """Kill the process here when IOP_FAIL_AT names this step: how the crash tests reach every step."""
    if os.environ.get("IOP_FAIL_AT") == step:
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


@contextmanager
def import_lock(store: Path) -> Iterator[None]:
    """Hold the only right to write into the store; remove what a killed import left behind.

    Raises
    ------
    StoreProblem
        When another import is running, or the folder cannot be written.
    """
    try:
        # A folder that is there keeps the permissions that somebody gave it.
        store.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.fdopen(os.open(store / LOCK_NAME, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600), "r+b")
    except OSError as error:
        raise StoreProblem(f"The store folder cannot be written ({error.strerror}). Check its permissions.") from None
    with lock:
        if not _try_lock(lock):
            raise StoreProblem("Another import is running on this store. Wait until it has ended, then try again.")
        for rubbish in store.glob(f"{_BUILD}*"):
            shutil.rmtree(rubbish, ignore_errors=True)
        _remove_unfinished(store)
        yield


def _remove_unfinished(store: Path) -> None:
    """Remove snapshots that were never given a manifest: nobody can open them, and what they came from is kept."""
    try:
        serving = current_id(store)
    except StoreProblem:
        return  # what serves cannot be told: somebody may still restore the manifest
    for path in store.glob("snapshot-*.duckdb"):
        if not path.with_suffix(".json").exists() and path.stem != f"snapshot-{serving}":
            with contextlib.suppress(OSError):
                path.unlink()


def _try_lock(file: IO[bytes]) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def new_build_folder(store: Path) -> Path:
    """Make a folder for one build inside the store, readable by its owner only, so that renames stay on one disk."""
    folder = store / f"{_BUILD}{uuid.uuid4().hex}"
    folder.mkdir(mode=0o700)
    (folder / "rows").mkdir(mode=0o700)
    return folder


def build_database(
    rows: Path, target: Path, progress: Callable[[str], None], written_by: int = SCHEMA_VERSION
) -> tuple[dict[str, int], dict[str, str]]:
    """Load a state into a new database file, make the outcome tables, verify; return row counts and hashes.

    Parameters
    ----------
    rows : folder of Parquet files, one per row table.
    written_by : the schema version of the state. One of a former version may lack tables, which are then empty, and
        columns, which then have their default.
    """
    folder = str(rows).replace("'", "''")
    spill = target.with_name("spill-of-snapshot")
    with spilling_connection(str(target), spill, MEMORY_LIMIT) as connection:
        # From some hundred million rows on DuckDB would split the sessions of a range into dozens of parts, and read
        # the range once for each: five times the work.
        connection.execute("set disabled_optimizers = 'partitioned_execution'")
        for statement in enum_statements():
            connection.execute(statement)
        for name in ("program_id", "site"):
            source = f"{folder}/episode.parquet"
            connection.execute(
                f"create type {name.removesuffix('_id')}_code as enum (select distinct {name}::varchar as code "
                f"from read_parquet('{source}') where {name} is not null order by 1)"
            )
        schema = (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")
        connection.execute(schema)
        progress("loading rows")
        for table in (*ROW_TABLES, "import_batch", "quarantine"):
            source = f"read_parquet('{folder}/{table}.parquet')"
            columns = _columns(connection, table)
            if written_by < SCHEMA_VERSION:
                if not (rows / f"{table}.parquet").exists():
                    continue
                given = _columns(connection, f"(from {source})")
                columns = [name for name in columns if name in given]
            names = ", ".join(columns)
            connection.execute(f"insert into {table} ({names}) select {names} from {source}")
        reached("loaded")
        progress("making outcome tables")
        build_outcomes(connection)
        reached("outcomes")
        progress("verifying")
        check(connection)
        counts, hashes = row_counts(connection), table_hashes(connection)
        connection.execute("checkpoint")
    if target.with_name(target.name + ".wal").exists():
        raise StoreProblem("The new snapshot still has a write-ahead log, so it is not published. Import again.")
    return counts, hashes


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    return [row[0] for row in connection.execute(f"select column_name from (describe {table})").fetchall()]


def content_hash(facts: BatchFacts | SnapshotFacts, table_hashes: Mapping[str, str]) -> str:
    """Return what names a state: SHA-256 over its row tables, key, privacy mode and paper, data cut, schema version."""
    content = [facts.privacy_mode, facts.key_id, facts.data_as_of, SCHEMA_VERSION, sorted(table_hashes.items())]
    if facts.paper is not None:
        # Another paper is another snapshot: what was published under none stays so.
        content.append([facts.paper.kind, facts.paper.reference, facts.paper.expires])
    return hashlib.sha256(repr(content).encode()).hexdigest()


def build_snapshot(
    rows: Path,
    target: Path,
    batch: BatchFacts,
    progress: Callable[[str], None] = lambda step: None,
) -> SnapshotFacts:
    """Build and verify the snapshot of a state as file `target`; return its manifest. Nothing is published."""
    counts, hashes = build_database(rows, target, progress, batch.state_version)
    whole = content_hash(batch, hashes)
    _sync(target)
    reached("built")
    return SnapshotFacts(
        snapshot_id=whole[:12],
        content_hash=whole,
        engine=engine(),
        counts=counts,
        table_hashes=hashes,
        file_bytes=target.stat().st_size,
        file_sha256=file_sha256(target),
        anonymity=anonymity(target),
        state_sha256=state_sha256(rows),
        **vars(batch),
    )


def engine() -> str:
    """Return what computes content hashes: another version of it may compute others."""
    return f"duckdb {duckdb.__version__}"


def publish(
    store: Path,
    build: Path,
    batch: BatchFacts,
    progress: Callable[[str], None] = lambda step: None,
    prepare: Callable[[str], None] = lambda snapshot_id: None,
) -> tuple[SnapshotFacts, bool]:
    """Build, verify and publish the state in `build/rows`; return the manifest and whether anything is new.

    A state whose content equals the current snapshot's publishes nothing new and writes no new file.

    Parameters
    ----------
    prepare : called with the new id before anything of the state can be seen: what has to exist beside it.
    """
    target = build / "snapshot.duckdb"
    facts = build_snapshot(build / "rows", target, batch, progress)
    prepare(facts.snapshot_id)
    if _serves(store, facts):
        shutil.rmtree(build, ignore_errors=True)
        return read_facts(manifest_path(store, facts.snapshot_id)), False
    progress("publishing")
    facts = replace(facts, previous=_served_until_now(store, facts.snapshot_id))
    place_state(store, build, facts)
    place_snapshot(store, target, facts)
    point_to(store, facts.snapshot_id)
    reached("pointer")
    shutil.rmtree(build, ignore_errors=True)
    prune(store)
    return facts, True


def _served_until_now(store: Path, snapshot_id: str) -> str:
    """Return the id of what this snapshot follows; one that is written again follows what it followed before."""
    try:
        serving = current_id(store) or ""
    except StoreProblem:
        return ""
    return served_before(store, serving) if serving == snapshot_id else serving


def place_state(store: Path, build: Path, facts: SnapshotFacts) -> None:
    """Move the state in `build/rows` into the store. With its manifest it can be rebuilt when its snapshot is gone."""
    rows, placed = build / "rows", state_folder(store, facts.snapshot_id)
    facts.write(rows / BATCH_MANIFEST)
    for path in rows.iterdir():
        path.chmod(OWNER_ONLY)
        _sync(path)
    placed.parent.mkdir(mode=0o700, exist_ok=True)
    if placed.exists():
        os.replace(placed, build / "former")
    os.replace(rows, placed)
    _sync(placed.parent)
    reached("batch")


def place_snapshot(store: Path, target: Path, facts: SnapshotFacts) -> None:
    """Move a snapshot that was built and its manifest into the store, where they can be opened by id."""
    target.chmod(OWNER_ONLY)
    os.replace(target, snapshot_path(store, facts.snapshot_id))
    reached("renamed")
    manifest = target.with_name("manifest.json")
    facts.write(manifest)
    manifest.chmod(OWNER_ONLY)
    _sync(manifest)
    os.replace(manifest, manifest_path(store, facts.snapshot_id))
    reached("manifest")


def _serves(store: Path, facts: SnapshotFacts) -> bool:
    """Return whether this snapshot is published and whole; one that is damaged is to be written again."""
    try:
        if current_id(store) != facts.snapshot_id or not state_is_whole(store, facts.snapshot_id, facts.content_hash):
            return False
        open_snapshot(store, facts.snapshot_id).close()
    except StoreProblem:
        return False
    return True


def point_to(store: Path, snapshot_id: str) -> None:
    """Replace the pointer atomically."""
    scratch = store / f"{POINTER}.new"
    scratch.write_text(snapshot_id + "\n", encoding="ascii")
    scratch.chmod(OWNER_ONLY)
    _sync(scratch)
    os.replace(scratch, store / POINTER)
    _sync(store)


def prune(store: Path) -> None:
    """Remove all but the newest snapshots; their states stay in `batches/`, from which they can be rebuilt."""
    files = sorted(store.glob("snapshot-*.duckdb"), key=lambda path: path.stat().st_mtime, reverse=True)
    serving = current_id(store)
    for path in files[KEPT_SNAPSHOTS:]:
        if path.stem != f"snapshot-{serving}":
            path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows has no fsync of a folder
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
