"""What a batch was: the tables `import_batch` and `quarantine` of the state."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb

from analytics.intake.forgotten import RULE
from analytics.intake.model import TABLES
from analytics.intake.report import ImportReport


def write_batch(connection: duckdb.DuckDBPyConnection, folder: Path, report: ImportReport, mode: str) -> None:
    """Write what was read and what was quarantined, per file, into the state."""
    batch_id = hashlib.sha256(repr(sorted(report.sources.items())).encode()).hexdigest()[:12]
    connection.execute(
        "create table import_batch (batch_id varchar, mode varchar, file varchar, records_read bigint, "
        "accepted bigint, rejected bigint)"
    )
    connection.execute(
        "create table quarantine (batch_id varchar, file varchar, record bigint, column_name varchar, "
        "rule varchar, masked varchar)"
    )
    for spec in TABLES:
        file = report.files.get(spec.file)
        if file is None:
            continue
        connection.execute(
            "insert into import_batch values (?, ?, ?, ?, ?, ?)",
            [
                batch_id,
                mode,
                spec.file,
                file.records_read,
                file.accepted,
                file.rejected_count,
            ],
        )
        connection.execute(
            # Where somebody's rows stand who asked to be left out is nobody's business.
            f"insert into quarantine select ?, ?, case when finding not like '%|{RULE}|%' then record end, "
            "nullif(split_part(finding, '|', 1), ''), "
            "split_part(finding, '|', 2), nullif(split_part(finding, '|', 3), '') "
            f"from stage_{spec.table} where finding is not null",
            [batch_id, spec.file],
        )
    for table in ("import_batch", "quarantine"):
        path = str(folder / f"{table}.parquet").replace("'", "''")
        connection.execute(f"copy {table} to '{path}' (format parquet)")
