"""How many rows an import would accept: the importer's own checks, without a store, and with a key thrown away."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from analytics.intake.checked import CheckedFiles
from analytics.intake.deidentify import KEY_BYTES, Key
from analytics.intake.forgotten import load_forgotten
from analytics.intake.importer import MEMORY_LIMIT
from analytics.intake.mapping_model import SourceMapping
from analytics.intake.model import TABLES
from analytics.intake.report import ImportReport
from analytics.intake.sources import open_sources
from analytics.intake.staging import StagingContext, day_number, prepare
from analytics.store.spill import spilling_connection


@dataclass(frozen=True)
class FileCount:
    """What one canonical file would give: accepted + set aside = read.

    Attributes
    ----------
    refused : rule and column for which the whole file would be refused, empty when it would be read.
    set_aside : rows by (rule, column), most rows first.
    """

    read: int
    accepted: int
    refused: tuple[tuple[str, str | None], ...]
    set_aside: Mapping[tuple[str, str], int]


def dry_run(
    folder: Path,
    mapping: SourceMapping,
    data_cut: date,
    import_date: date,
    progress: Callable[[str], None] = lambda step: None,
) -> dict[str, FileCount]:
    """Check all rows of a folder as an import would, and publish and keep nothing; by canonical file name.

    Raises
    ------
    ImportProblem
        Nothing could be read at all; the sentence says why.
    """
    report = ImportReport()
    with (
        tempfile.TemporaryDirectory(prefix="iop-map-") as scratch,
        spilling_connection(":memory:", Path(scratch) / "spill", MEMORY_LIMIT) as connection,
    ):
        connection.execute("set disabled_optimizers = 'join_order,build_side_probe_side'")  # as in an import
        prepare(connection)
        load_forgotten(connection, [])  # a key that is thrown away knows nobody
        sources = open_sources(connection, folder, mapping, [], report)
        context = StagingContext(
            day_number(import_date),
            day_number(data_cut),
            date_format=mapping.date_format,
            decimal=mapping.decimal,
            timezone=mapping.timezone,
            study_days=mapping.study_days,
        )
        key = Key(secrets.token_bytes(KEY_BYTES), None)
        CheckedFiles(connection, context, key, report, progress).stage_all(sources, incremental=False)
        counts = {}
        for spec in TABLES:
            file = report.files.get(spec.file)
            if file is None:
                continue
            found = connection.execute(
                "select split_part(finding, '|', 2), split_part(finding, '|', 1), count(*) as n "
                f"from stage_{spec.table} where finding is not null group by all order by n desc, 1, 2"
            ).fetchall()
            counts[spec.file] = FileCount(
                read=file.records_read,
                accepted=file.accepted,
                refused=tuple((item.rule, item.column) for item in file.rejected if file.refused),
                set_aside={(str(rule), str(column)): int(rows) for rule, column, rows in found},
            )
        return counts
