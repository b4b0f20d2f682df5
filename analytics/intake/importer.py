"""One import from a folder of raw files to a published snapshot: the only writer of the store.

A batch is one thing: if any file is refused, nothing is published and the old snapshot serves, yet the report says
what every file would have given. A row is accepted or quarantined with row, column and rule; none is lost.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal

import duckdb

from analytics.errors import StoreProblem
from analytics.intake import merge
from analytics.intake.anchors import anchored_cut, prepare_anchors, settle_anchors
from analytics.intake.batch_tables import write_batch
from analytics.intake.changes import changes_of
from analytics.intake.checked import CheckedFiles, count_rows
from analytics.intake.deidentify import Key, add_receipt
from analytics.intake.forgotten import RULE, load_forgotten, read_forgotten
from analytics.intake.kept import KeptRows
from analytics.intake.mapping import SourceMapping
from analytics.intake.model import EPISODES, REFERRALS, SCORES, TABLES
from analytics.intake.program_rows import write_program_rows
from analytics.intake.published_data import published_data, quiet_days
from analytics.intake.referrals import write_referrals
from analytics.intake.relative import CALENDAR_MODES, PrivacyMode, StateWriter, label_of_cut
from analytics.intake.report import ImportReport
from analytics.intake.sources import Sources, open_sources
from analytics.intake.staging import StagingContext, day_number, prepare
from analytics.store.facts import Paper, SnapshotFacts, paper_gap, read_facts
from analytics.store.failures import failures_in_a_sentence
from analytics.store.publish import BatchFacts, import_lock, new_build_folder, publish, reached
from analytics.store.snapshot import current_id, manifest_path, newest_facts
from analytics.store.spill import spilling_connection
from analytics.store.states import state_folder, state_is_whole

SHRINK_LIMIT: Final = 0.20

# With what the process holds besides, an import stays below 4 GB.
MEMORY_LIMIT: Final = "3GB"

# The canonical file behind each row table that an import may shrink.
_ROW_TABLE: Final = {
    "episodes": "episode",
    "attendance": "attendance",
    "scores": "score",
    "score_items": "score_item",
    "substance_use": "substance_use",
    "readmissions": "acute_event",
    "followups": "followup",
    "capture": "capture",
    "referrals": "referral",
    "satisfaction": "satisfaction",
    "finance": "finance",
}


@dataclass(frozen=True)
class ImportRequest:
    """What to import, under which privacy mode, up to which day.

    Attributes
    ----------
    data_cut : the last day for which all files are complete. import_date : the day of the import ("today" is the
        caller's business, so that an import can be repeated).
    batch_mode : "full" replaces the data (rows not in it are retired, the former state is kept), "incremental" adds
        and corrects. allow_shrink : publish although the data shrink; who decides is recorded beside the key, and why:
        `reason`.
    paper : the agreement or certificate of the privacy mode; None publishes with MODE_UNDOCUMENTED where one is needed.
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
    reason: str | None = None
    paper: Paper | None = None


def run_import(request: ImportRequest, progress: Callable[[str], None] = lambda step: None) -> ImportReport:
    """Read, check, de-identify and publish; return the report. Raises only where nothing could be read at all."""
    with import_lock(request.store), failures_in_a_sentence():
        build = new_build_folder(request.store)
        try:
            with spilling_connection(":memory:", build / "spill", MEMORY_LIMIT) as connection:
                return _Import(request, build, connection, progress).run()
        finally:
            shutil.rmtree(build, ignore_errors=True)


class _Import:
    """The steps of one import, over one in-memory database that may read the sources and write the build folder."""

    def __init__(
        self,
        request: ImportRequest,
        build: Path,
        connection: duckdb.DuckDBPyConnection,
        progress: Callable[[str], None],
    ) -> None:
        self._request = request
        self._build = build
        self._connection = connection
        self._progress = progress
        self._report = ImportReport()
        # Joins stay as they are written, the small side on the right: of a CSV file DuckDB knows no size, and would
        # build its hash tables from millions of rows.
        self._connection.execute("set disabled_optimizers = 'join_order,build_side_probe_side'")
        mapping = request.mapping
        self._context = StagingContext(
            import_day=day_number(request.import_date),
            cut_day=day_number(request.data_cut),
            date_format=mapping.date_format if mapping else None,
            decimal=mapping.decimal if mapping else ".",
            timezone=mapping.timezone if mapping else None,
            study_days=bool(mapping and mapping.study_days),
            scales=mapping.scales if mapping else {},
        )

    def run(self) -> ImportReport:
        request, report = self._request, self._report
        current = self._current_facts()
        if current is not None and current.key_id != request.key.key_id:
            report.batch_rule = "KEY_CHANGED"
            return report
        if current is not None:
            settle_anchors(request.key, current.snapshot_id)
        prepare(self._connection)
        load_forgotten(self._connection, read_forgotten(request.key))
        folders = [self._build / "rows", request.store / "batches"]
        sources = open_sources(self._connection, request.folder, request.mapping, folders, report)
        incremental = request.batch_mode == "incremental" and current is not None
        snapshot_id = current.snapshot_id if current is not None else ""
        if incremental and not merge.load_known(
            self._connection, request.key, request.store, snapshot_id, self._context.cut_day
        ):
            report.batch_rule = "ANCHORS_MISSING"
            return report
        checked = CheckedFiles(self._connection, self._context, request.key, report, self._progress)
        checked.stage_all(sources, incremental)
        if any(file.outcome == "rejected" for file in report.files.values()):
            report.batch_rule = "FILE_REFUSED"
            return report
        KeptRows(self._connection, sources, request.store, request.key, request.privacy_mode, incremental).keep(
            checked, report
        )
        reached("staged")
        if not incremental and current is not None and self._shrinks(current):
            report.batch_rule = "SHRINK_GUARD"
            if not request.allow_shrink:
                return report
        if count_rows(self._connection, "all_episodes") == 0:
            report.batch_rule = "NO_EPISODES"
            return report
        return self._publish(sources, current)

    def _current_facts(self) -> SnapshotFacts | None:
        """Return what serves now; a full import mends a damaged store, guarded by the newest manifest there is."""
        store = self._request.store
        try:
            snapshot_id = current_id(store)
            return None if snapshot_id is None else read_facts(manifest_path(store, snapshot_id))
        except StoreProblem:
            if self._request.batch_mode == "incremental":
                raise
            return newest_facts(store)

    def _shrinks(self, current: SnapshotFacts) -> bool:
        for spec in TABLES:
            before = current.counts.get(_ROW_TABLE[spec.table], 0)
            kept = {EPISODES: "all_episodes", REFERRALS: "all_referrals", SCORES: "kept_all_scores"}
            now = count_rows(self._connection, kept.get(spec, f"kept_{spec.table}"))
            # People who are left out by request are no loss.
            now += count_rows(self._connection, f"stage_{spec.table}", f"finding like '%|{RULE}|'")
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
        adds = request.batch_mode == "incremental" and current is not None
        before = merge.known_collected(self._connection, request.store) if adds else {}
        collected = {
            table: name in sources.tables or before.get(table, False)
            for name, table in _ROW_TABLE.items()
            if name != "episodes"
        }
        collected["score"] = collected["score"] or collected["score_item"]
        writer.write(collected)
        write_referrals(
            self._connection, writer.copy, request.privacy_mode, self._context.cut_day, self._context.study_days
        )
        write_program_rows(self._connection, writer.copy)
        quiet = quiet_days(self._connection) if not self._context.study_days else (0, 0)
        write_batch(self._connection, self._build / "rows", report, request.batch_mode)
        # The state is on disk: let go of millions of rows before the snapshot needs the memory.
        # `all_episodes` and `all_referrals` stay: the anchors come from them.
        rows = self._connection.execute(
            "select table_name, table_type from information_schema.tables where table_name like 'kept!_%' escape '!' "
            "or table_name like 'stage!_%' escape '!' order by table_type desc"
        ).fetchall()
        for name, kind in rows:
            self._connection.execute(f"drop {'view' if kind == 'VIEW' else 'table'} {name}")
        # A damaged state is no reason to stop: a full import mends it.
        if current is not None and state_is_whole(request.store, current.snapshot_id, current.content_hash):
            self._progress("comparing with the data before")
            report.changes = changes_of(
                self._connection,
                self._build / "rows",
                state_folder(request.store, current.snapshot_id),
                self._context.cut_day,
                self._former_cut(current),
            )
        gap = paper_gap(request.privacy_mode, request.paper, request.import_date)
        if gap:
            report.warnings = ["CERTIFICATE_EXPIRED" if gap == "certificate_expired" else "MODE_UNDOCUMENTED"]
        facts, is_new = publish(
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
                paper=request.paper,
            ),
            self._progress,
            self._prepare_anchors,
        )
        report.published, report.unchanged, report.snapshot_id = True, not is_new, facts.snapshot_id
        report.data = published_data(self._connection, request.privacy_mode, facts.data_as_of, quiet)
        report.paper, report.anonymity = facts.paper, facts.anonymity
        try:
            settle_anchors(request.key, facts.snapshot_id)
            add_receipt(
                request.key, facts.snapshot_id, request.data_cut, request.import_date, report.batch_rule, request.reason
            )
        except OSError:
            # It is published all the same; the next import puts the prepared anchors to use.
            report.warnings.append("RECEIPT_UNWRITTEN")
        return report

    def _former_cut(self, current: SnapshotFacts) -> int | None:
        """Return the data cut of what serves as a day, where it is known: in the manifest or beside the key."""
        if self._context.study_days:
            return None
        known = anchored_cut(self._request.key, current.snapshot_id)
        exact = current.privacy_mode in CALENDAR_MODES and current.data_as_of
        return day_number(date.fromisoformat(current.data_as_of)) if known is None and exact else known

    def _prepare_anchors(self, snapshot_id: str) -> None:
        if not self._context.study_days:
            prepare_anchors(
                self._connection,
                self._request.key,
                "all_episodes",
                "all_referrals",
                snapshot_id,
                self._context.cut_day,
            )

    def _data_as_of(self, day: int) -> str:
        return "" if self._context.study_days else label_of_cut(self._connection, day, self._request.privacy_mode)
