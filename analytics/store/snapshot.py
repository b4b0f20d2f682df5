"""Open a published snapshot: read-only, caged, one cursor per call."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import duckdb

from analytics.errors import MeasureProblem, StoreProblem
from analytics.store.facts import SCHEMA_VERSION, SnapshotFacts, read_facts

POINTER: Final = "CURRENT"

# The database is opened as if its reader were hostile: nothing outside the file can be read or written
# (privacy.md 3.1 lists what was tried against these settings).
CAGE: Final[dict[str, str | bool | int | float | list[str]]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "memory_limit": "4GB",
    "threads": "2",
    "lock_configuration": "true",
}


def snapshot_path(store: Path, snapshot_id: str) -> Path:
    """Return where the database file of a snapshot lies."""
    return store / f"snapshot-{snapshot_id}.duckdb"


def manifest_path(store: Path, snapshot_id: str) -> Path:
    """Return where the manifest of a snapshot lies."""
    return store / f"snapshot-{snapshot_id}.json"


def current_id(store: Path) -> str | None:
    """Return the id that the pointer names, None when nothing was published yet.

    Raises
    ------
    StoreProblem
        When the pointer is there but does not name a snapshot.
    """
    try:
        text = (store / POINTER).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text.isalnum():
        raise StoreProblem(f"The pointer {POINTER} in the store is damaged. Run the import again; it writes a new one.")
    return text


def newest_facts(store: Path) -> SnapshotFacts | None:
    """Return the newest manifest that can be read; None without one. It guards an import that mends a damaged store."""
    for path in sorted(store.glob("snapshot-*.json"), key=lambda path: path.stat().st_mtime, reverse=True):
        with contextlib.suppress(StoreProblem):
            return read_facts(path)
    return None


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Snapshot:
    """An open snapshot. Many threads may query it: every query has its own cursor."""

    def __init__(self, path: Path, facts: SnapshotFacts) -> None:
        """Open the file read-only; use `open_current` or `open_snapshot` instead."""
        self.facts = facts
        # Seconds after which a query is stopped, so that one page cannot hold up all others; None: never.
        self.patience: float | None = None
        self._connection = duckdb.connect(str(path), read_only=True, config=dict(CAGE))

    @property
    def snapshot_id(self) -> str:
        """Return the id printed on every page, figure and export."""
        return self.facts.snapshot_id

    def query(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """Return all rows of a statement of ours; values are bound as `$name`.

        Raises
        ------
        MeasureProblem
            When it takes longer than `patience`.
        """
        with contextlib.closing(self._connection.cursor()) as cursor, self._stopped_in_time(cursor):
            return cursor.execute(sql, dict(parameters or {})).fetchall()

    @contextlib.contextmanager
    def _stopped_in_time(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
        if self.patience is None:
            yield
            return
        watch = threading.Timer(self.patience, cursor.interrupt)
        watch.daemon = True
        watch.start()
        try:
            yield
        except duckdb.InterruptException:
            raise MeasureProblem(
                f"This question took longer than {self.patience:g} seconds and was stopped, so that other pages are "
                "not held up. Ask for a shorter period or without a split."
            ) from None
        finally:
            watch.cancel()
            watch.join()  # the cursor is closed only when nobody interrupts it any more

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def open_snapshot(store: Path, snapshot_id: str) -> Snapshot:
    """Open one snapshot after checking the file against its manifest.

    Raises
    ------
    StoreProblem
        When the file is missing, of another schema version, has another content than its manifest says, or still
        has a write-ahead log: a damaged file is never served.
    """
    path = snapshot_path(store, snapshot_id)
    facts = read_facts(manifest_path(store, snapshot_id))
    if facts.schema_version != SCHEMA_VERSION:
        raise StoreProblem(
            f"The snapshot has schema version {facts.schema_version}; this program reads version {SCHEMA_VERSION}. "
            "Run `python -m analytics rebuild`: it makes the snapshot anew from the folder batches, nothing is lost."
        )
    if not path.exists():
        raise StoreProblem(f"The snapshot file {path.name} is missing. Restore the store folder or import again.")
    if path.with_name(path.name + ".wal").exists() or file_sha256(path) != facts.file_sha256:
        raise StoreProblem(
            f"The snapshot file {path.name} is not what was published (its checksum differs), so it is not shown. "
            "Run the import again, or restore the store folder."
        )
    try:
        return Snapshot(path, facts)
    except duckdb.Error:
        raise StoreProblem(f"The snapshot file {path.name} cannot be opened. Run the import again.") from None


def open_current(store: Path) -> Snapshot:
    """Open the snapshot that is published now.

    Raises
    ------
    StoreProblem
        When nothing has been published yet, or the file is damaged.
    """
    snapshot_id = current_id(store)
    if snapshot_id is None:
        raise StoreProblem(
            "There are no data yet. Make the demo with `python -m analytics demo`, "
            "or import your files with `python -m analytics import`."
        )
    return open_snapshot(store, snapshot_id)


def open_before(store: Path) -> Snapshot | None:
    """Open the newest snapshot before the one that the pointer names; None when none of them is whole.

    Each manifest says what served before it; a copy lies in the state, for when the manifest is what is damaged.
    """
    with contextlib.suppress(StoreProblem):
        known = {"", current_id(store)}
        former = served_before(store, current_id(store) or "")
        while former not in known:
            known.add(former)
            with contextlib.suppress(StoreProblem):
                return open_snapshot(store, former)
            former = served_before(store, former)
    return None


def served_before(store: Path, snapshot_id: str) -> str:
    """Return the id of the snapshot that served before this one; "" when it was the first, or nobody knows."""
    for manifest in (manifest_path(store, snapshot_id), store / "batches" / snapshot_id / "manifest.json"):
        with contextlib.suppress(StoreProblem):
            return read_facts(manifest).previous
    return ""
