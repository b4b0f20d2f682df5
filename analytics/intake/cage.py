"""The wall around the database of an import: which files and folders it may reach, for good."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb


def cage(connection: duckdb.DuckDBPyConnection, files: Iterable[Path], folders: Iterable[Path]) -> None:
    """Let the connection reach these files and folders only; no statement can widen that again."""
    connection.execute("set allowed_directories = ?", [[str(folder) for folder in folders]])
    connection.execute("set allowed_paths = ?", [[str(path) for path in files]])
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
