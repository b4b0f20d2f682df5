"""One import from a folder of raw files to a published snapshot: the only writer of the store.

A batch is one thing: if any file is refused, nothing is published and the old snapshot serves, yet the report says
what every file would have given. A row is accepted or quarantined with row, column and rule; none is lost.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal

import duckdb

from analytics.intake import merge
from analytics.intake.crossrow import (
    key_columns,
    mark_changed_person,
    mark_duplicates,
    mark_overlaps,
    rejected_rows,
)
from analytics.intake.deidentify import Key, Pseudonyms, add_receipt, save_anchors
from analytics.intake.mapping import SourceMapping
from analytics.intake.model import EPISODE_FACTS, EPISODES, TABLES, TableSpec
from analytics.intake.relative import PrivacyMode, StateWriter, label_of_cut
from analytics.intake.report import LISTED_REJECTIONS, LISTED_ROWS, FileReport, ImportReport, Rejection
from analytics.intake.sources import Sources, SourceTable, open_sources
from analytics.intake.sql_text import quoted
from analytics.intake.staging import StagingContext, day_number, prepare, stage
from analytics.store.facts import SnapshotFacts, read_facts
from analytics.store.publish import BatchFacts, import_lock, new_build_folder, publish, reached
from analytics.store.snapshot import current_id, manifest_path

SHRINK_LIMIT: Final = 0.20
COLLISION_WARNING: Final = 0.01

# The canonical file behind each row table that an import may shrink.
_ROW_TABLE: Final = {
    "episodes": "episode",
    "attendance": "attendance",
    "scores": "score",
    "substance_use": "substance_use",
    "readmissions": "acute_event",
    "followups": "followup",
    "capture": "capture",
}


@dataclass(frozen=True)
class ImportRequest:
    """What to import, under which privacy mode, up to which day.

    Attributes
    ----------
    data_cut : the last day for which all files are complete. import_date : the day of the import ("today" is the
        caller's business, so that an import can be repeated).
    batch_mode : "full" replaces the data (rows not in it are retired, the former state is kept), "incremental" adds
        and corrects. allow_shrink : publish although the data shrink; who decides is recorded.
    """

    folder: Path
    store: Path
    privacy_mode: PrivacyMode
    key: Key
    data_cut: date
    import_date: date
    mapping: SourceMapping | None = None
    batch_mode: Literal["full", "incremental"] = "full"
    allow_shrink: bool = False


def run_import(request: ImportRequest, progress: Callable[[str], None] = lambda step: None) -> ImportReport:
    """Read, check, de-identify and publish; return the report. Raises only where nothing could be read at all."""
    with import_lock(request.store):
        build = new_build_folder(request.store)
        try:
            return _Import(request, build, progress).run()
        finally:
            shutil.rmtree(build, ignore_errors=True)


class _Import:
    """The steps of one import, over one in-memory database that may read the sources and write the build folder."""

    def __init__(self, request: ImportRequest, build: Path, progress: Callable[[str], None]) -> None:
        self._request = request
        self._build = build
        self._progress = progress
        self._report = ImportReport()
        self._connection = duckdb.connect(
            config={"memory_limit": "3GB", "threads": "2", "temp_directory": str(build / "spill")}
        )
        self._connection.execute("set temp_file_encryption = true")
        mapping = request.mapping
        self._context = StagingContext(
            import_day=day_number(request.import_date),
            cut_day=day_number(request.data_cut),
            date_format=mapping.date_format if mapping else None,
            study_days=bool(mapping and mapping.study_days),
        )

    def run(self) -> ImportReport:
        request, report = self._request, self._report
        current = self._current_facts()
        if current is not None and current.key_id != request.key.key_id:
            report.batch_rule = "KEY_CHANGED"
            return report
        prepare(self._connection)
        folders = [self._build / "rows", request.store / "batches"]
        sources = open_sources(self._connection, request.folder, request.mapping, folders, report)
        incremental = request.batch_mode == "incremental" and current is not None
        if incremental and not merge.load_known(
            self._connection, request.key, str(current and current.snapshot_id)
        ):
            report.batch_rule = "ANCHORS_MISSING"
            return report
        self._stage_all(sources, incremental)
        if any(file.outcome == "rejected" for file in report.files.values()):
            report.batch_rule = "FILE_REFUSED"
            return report
        self._keep(sources, incremental)
        reached("staged")
        if not incremental and current is not None and self._shrinks(current):
            report.batch_rule = "SHRINK_GUARD"
            if not request.allow_shrink:
                return report
        if self._count("all_episodes") == 0:
            report.batch_rule = "NO_EPISODES"
            return report
        return self._publish(sources, current)

    def _current_facts(self) -> SnapshotFacts | None:
        snapshot_id = current_id(self._request.store)
        return None if snapshot_id is None else read_facts(manifest_path(self._request.store, snapshot_id))

    # --- rows ---------------------------------------------------------------------------------------------------

    def _stage_all(self, sources: Sources, incremental: bool) -> None:
        self._stage(EPISODES, sources, incremental)
        self._connection.execute(
            "create table parent_episode as select episode_id as raw, ix, admit_date as first_day, "
            "discharge_date as last_day from stage_episodes where finding is null"
        )
        self._connection.execute(
            "create table person_ix as select row_number() over () as ix, person_key from "
            "(select distinct person_key from stage_episodes where finding is null)"
        )
        self._connection.execute(
            "create table parent_person as select distinct person_id as raw, p.ix, null::integer as first_day, "
            "null::integer as last_day from stage_episodes join person_ix p using (person_key) where finding is null"
        )
        for spec in TABLES[1:]:
            if incremental and spec.table in sources.tables:
                merge.add_known_parents(
                    self._connection, spec, sources.tables[spec.table].view, self._request.key
                )
            self._stage(spec, sources, incremental)

    def _stage(self, spec: TableSpec, sources: Sources, incremental: bool) -> None:
        """Stage one file and write its part of the report; an absent file gives an empty stage and no report."""
        source = sources.tables.get(spec.table) or _absent(self._connection, spec)
        self._progress(f"checking {spec.file}")
        context = StagingContext(
            self._context.import_day,
            self._context.cut_day,
            self._context.date_format,
            self._context.study_days,
            source.unknown,
        )
        stage(self._connection, spec, source.view, source.present, context)
        if spec is EPISODES:
            self._connection.execute("alter table stage_episodes add column episode_key varchar")
            self._connection.execute("alter table stage_episodes add column person_key varchar")
            self._connection.execute(
                f"update stage_episodes set episode_key = {Pseudonyms.sql('episode', 'episode_id')}, "
                f"person_key = {Pseudonyms.sql('person', 'person_id')} where finding is null",
                Pseudonyms(self._request.key).parameters,
            )
        marked = mark_duplicates(self._connection, spec, source.present)
        if spec is EPISODES:
            if incremental:
                mark_changed_person(self._connection, merge.KNOWN)
            mark_overlaps(self._connection, merge.KNOWN if incremental else None)
        file = self._report.files.get(spec.file)
        if file is None or file.outcome == "rejected":
            return
        self._fill(file, spec)
        collisions = "attendance" == spec.table and "session_no" not in source.present
        if collisions and marked > COLLISION_WARNING * max(1, file.records_read):
            file.warnings.append(Rejection(None, "session_no", "SESSION_KEY_COLLISIONS"))
        if spec is EPISODES and not self._context.study_days:
            self._leave_open_after_cut(file)

    def _leave_open_after_cut(self, file: FileReport) -> None:
        late = f"discharge_date > {self._context.cut_day}"
        rows = self._connection.execute(
            f"select record from stage_episodes where finding is null and {late} order by record limit {LISTED_ROWS}"
        ).fetchall()
        file.warnings += [Rejection(int(row[0]), "discharge_date", "DISCHARGE_AFTER_CUT") for row in rows]
        self._connection.execute(
            f"update stage_episodes set discharge_date = null, discharge_reason = null where finding is null and {late}"
        )

    def _fill(self, file: FileReport, spec: TableSpec) -> None:
        table = f"stage_{spec.table}"
        file.records_read = self._count(table)
        file.accepted = self._count(table, "finding is null")
        file.rejected_count = file.records_read - file.accepted
        rows = rejected_rows(self._connection, spec, LISTED_REJECTIONS)
        file.rejected = [Rejection(record, column, rule, masked) for record, column, rule, masked in rows]
        if file.records_read <= LISTED_ROWS:
            listed = self._connection.execute(
                f"select record from {table} where finding is null order by record"
            ).fetchall()
            file.accepted_rows = [int(row[0]) for row in listed]

    def _count(self, table: str, condition: str = "true") -> int:
        row = self._connection.execute(f"select count(*) from {table} where {condition}").fetchone()
        return int(row[0]) if row else 0

    # --- state --------------------------------------------------------------------------------------------------

    def _keep(self, sources: Sources, incremental: bool) -> None:
        """Make `all_episodes` and `kept_<file>`: the accepted rows, joined by the known ones when incremental."""
        names = ", ".join(EPISODE_FACTS)
        self._connection.execute(
            f"create table all_episodes as select ix, episode_key, person_key, {names} "
            "from stage_episodes where finding is null"
        )
        if incremental:
            merge.add_known_episodes(self._connection, self._request.store)
        for spec in TABLES[1:]:
            derived = {
                "session_no": self._session_number(spec, sources),
                "substance": "coalesce(substance, 'any') as substance",
            }
            columns = [
                derived.get(column.name, quoted(column.name))
                for column in spec.columns
                if column.name != f"{spec.parent}_id"
            ]
            self._connection.execute(
                f"create {'table' if incremental else 'view'} kept_{spec.table} as select ix, {', '.join(columns)} "
                f"from stage_{spec.table} where finding is null"
            )
            if incremental:
                source = sources.tables.get(spec.table)
                keys = key_columns(
                    spec, source.present | {"substance", "session_no"} if source else frozenset()
                )
                merge.add_known_rows(self._connection, spec, keys, self._request.store, self._context.cut_day)

    def _session_number(self, spec: TableSpec, sources: Sources) -> str:
        """Return SQL for the number of a session among those of one episode, day and type.

        A file's own small numbers are kept; any other marks are replaced by their rank, so that no mark of the
        source system enters the store.
        """
        source = sources.tables.get(spec.table)
        if source is None or "session_no" not in source.present:
            return "1 as session_no"
        if self._count("stage_attendance", r"not regexp_full_match(session_no, '\d{1,4}')") == 0:
            return "coalesce(session_no::integer, 0) as session_no"
        same = "partition by ix, session_date, session_type"
        return f"(dense_rank() over ({same} order by session_no))::integer as session_no"

    def _shrinks(self, current: SnapshotFacts) -> bool:
        for spec in TABLES:
            before = current.counts.get(_ROW_TABLE[spec.table], 0)
            now = self._count("all_episodes" if spec is EPISODES else f"kept_{spec.table}")
            if before and now < (1 - SHRINK_LIMIT) * before:
                return True
        return False

    def _publish(self, sources: Sources, current: SnapshotFacts | None) -> ImportReport:
        request, report = self._request, self._report
        self._progress("writing relative days")
        writer = StateWriter(
            self._connection,
            self._build / "rows",
            request.privacy_mode,
            self._context.cut_day,
            self._context.study_days,
        )
        collected = {
            table: name in sources.tables
            or bool(request.batch_mode == "incremental" and current and current.counts.get(table))
            for name, table in _ROW_TABLE.items()
            if name != "episodes"
        }
        writer.write(collected)
        self._write_batch()
        self._connection.execute("create table anchored as select * from all_episodes")
        documented = request.privacy_mode in ("synthetic", "safe_harbor")
        report.warnings = [] if documented else ["MODE_UNDOCUMENTED"]
        facts, report.unchanged = _turned(
            publish(
                request.store,
                self._build,
                BatchFacts(
                    privacy_mode=request.privacy_mode,
                    key_id=request.key.key_id,
                    data_as_of=self._data_as_of(day_number(request.data_cut)),
                    imported=self._data_as_of(day_number(request.import_date)),
                    batch_mode=request.batch_mode,
                    warnings=tuple(report.warnings),
                    notes=tuple(report.notes),
                    left_out=dict(report.left_out),
                    sources=dict(report.sources),
                    override="SHRINK_GUARD" if report.batch_rule == "SHRINK_GUARD" else None,
                ),
                self._progress,
            )
        )
        report.published, report.snapshot_id = True, facts.snapshot_id
        if not self._context.study_days:
            save_anchors(self._connection, request.key, "anchored", facts.snapshot_id, self._context.cut_day)
        add_receipt(request.key, facts.snapshot_id, request.data_cut, request.import_date, report.batch_rule)
        return report

    def _data_as_of(self, day: int) -> str:
        return (
            ""
            if self._context.study_days
            else label_of_cut(self._connection, day, self._request.privacy_mode)
        )

    def _write_batch(self) -> None:
        """Write what was read and what was quarantined, per file, into the state."""
        batch_id = hashlib.sha256(repr(sorted(self._report.sources.items())).encode()).hexdigest()[:12]
        self._connection.execute(
            "create table import_batch (batch_id varchar, mode varchar, file varchar, records_read bigint, "
            "accepted bigint, rejected bigint)"
        )
        self._connection.execute(
            "create table quarantine (batch_id varchar, file varchar, record bigint, column_name varchar, "
            "rule varchar, masked varchar)"
        )
        for spec in TABLES:
            file = self._report.files.get(spec.file)
            if file is None:
                continue
            self._connection.execute(
                "insert into import_batch values (?, ?, ?, ?, ?, ?)",
                [
                    batch_id,
                    self._request.batch_mode,
                    spec.file,
                    file.records_read,
                    file.accepted,
                    file.rejected_count,
                ],
            )
            self._connection.execute(
                "insert into quarantine select ?, ?, record, nullif(split_part(finding, '|', 1), ''), "
                "split_part(finding, '|', 2), nullif(split_part(finding, '|', 3), '') "
                f"from stage_{spec.table} where finding is not null",
                [batch_id, spec.file],
            )
        for table in ("import_batch", "quarantine"):
            path = str(self._build / "rows" / f"{table}.parquet").replace("'", "''")
            self._connection.execute(f"copy {table} to '{path}' (format parquet)")


def _turned(published: tuple[SnapshotFacts, bool]) -> tuple[SnapshotFacts, bool]:
    facts, is_new = published
    return facts, not is_new


def _absent(connection: duckdb.DuckDBPyConnection, spec: TableSpec) -> SourceTable:
    """Return an empty source for a canonical file that is not there."""
    view = f"absent_{spec.table}"
    columns = ", ".join(f"null::varchar as {quoted(column.name)}" for column in spec.columns)
    connection.execute(
        f"create view {view} as select 0::bigint as record, false as misshapen, {columns} where false"
    )
    return SourceTable(view, frozenset(), frozenset(column.name for column in spec.columns))
