"""Stage every file of an import, parents first, with all rules applied, and write each file's part of the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import duckdb

from analytics.intake import merge
from analytics.intake.crossrow import mark_changed_person, mark_duplicates, mark_overlaps, rejected_rows
from analytics.intake.deidentify import Key, Pseudonyms
from analytics.intake.forgotten import set_aside_rows, set_aside_stays
from analytics.intake.hints import hint
from analytics.intake.model import EPISODES, FINANCE, REFERRALS, SATISFACTION, SCORES, TABLES, TableSpec
from analytics.intake.program_rows import make_program_parents, mark_other_scale, mark_period_overlaps
from analytics.intake.referrals import mark_links
from analytics.intake.report import (
    LISTED_REJECTIONS,
    LISTED_ROWS,
    FileReport,
    ImportReport,
    Rejection,
    RuleCount,
)
from analytics.intake.report_text import FIRST_ROWS
from analytics.intake.scales import settle_scales
from analytics.intake.sources import Sources, SourceTable
from analytics.intake.staging import StagingContext, stage, stage_nothing

COLLISION_WARNING: Final = 0.01


def count_rows(connection: duckdb.DuckDBPyConnection, table: str, condition: str = "true") -> int:
    """Return how many rows of a table meet a condition of ours."""
    row = connection.execute(f"select count(*) from {table} where {condition}").fetchone()
    return int(row[0]) if row else 0


class CheckedFiles:
    """Makes `stage_<file>` for every canonical file, with `finding` set by the rules of rows and across rows."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        context: StagingContext,
        key: Key,
        report: ImportReport,
        progress: Callable[[str], None],
    ) -> None:
        """Remember what the files are checked against."""
        self._connection = connection
        self._context = context
        self._key = key
        self._report = report
        self._progress = progress

    def stage_all(self, sources: Sources, incremental: bool) -> None:
        """Stage all files; when incremental, rows may belong to what the store already knows."""
        self._stage(EPISODES, sources, incremental)
        self._connection.execute(
            "create table parent_episode as select episode_id as raw, ix, admit_date as first_day, "
            "discharge_date as last_day from stage_episodes where finding is null"
        )
        self._connection.execute(
            "create table person_ix as select (row_number() over ())::integer as ix, person_key from "
            "(select distinct person_key from stage_episodes where finding is null)"
        )
        self._connection.execute(
            "create table parent_person as select distinct person_id as raw, p.ix, null::integer as first_day, "
            "null::integer as last_day from stage_episodes join person_ix p using (person_key) where finding is null"
        )
        make_program_parents(self._connection)
        for spec in TABLES[1:]:
            source = sources.tables.get(spec.table)
            names_parent = source is not None and (spec.parent == "person" or "episode_id" in source.present)
            if incremental and names_parent:
                merge.add_known_parents(self._connection, spec, sources.tables[spec.table].view, self._key)
            self._stage(spec, sources, incremental)

    def _stage(self, spec: TableSpec, sources: Sources, incremental: bool) -> None:
        """Stage one file and write its part of the report; an absent file gives an empty stage and no report."""
        source = sources.tables.get(spec.table)
        if source is None:
            stage_nothing(self._connection, spec)
        else:
            self._progress(f"checking {spec.file}")
            stage(self._connection, spec, source.view, source.present, self._context_of(source), source.lines)
        if spec is EPISODES:
            self._connection.execute("alter table stage_episodes add column episode_key varchar")
            self._connection.execute("alter table stage_episodes add column person_key varchar")
            self._connection.execute(
                f"update stage_episodes set episode_key = {Pseudonyms.sql('episode', 'episode_id')}, "
                f"person_key = {Pseudonyms.sql('person', 'person_id')} where finding is null",
                Pseudonyms(self._key).parameters,
            )
            set_aside_stays(self._connection, self._key)
        if spec is REFERRALS:
            mark_links(self._connection, self._key)
        if source is not None:
            self._judge(spec, source, incremental)

    def _judge(self, spec: TableSpec, source: SourceTable, incremental: bool) -> None:
        """Mark what the rows of one staged file break together, and write its part of the report."""
        if spec.parent in ("episode", "person"):
            set_aside_rows(self._connection, spec, self._key)
        if spec is SCORES:
            settle_scales(self._connection, self._context.scales)
        if spec.table == "substance_use" and "substance" in source.present:
            # Before rows are compared: a test of no named substance and one of "any" are the same test.
            self._connection.execute(
                "update stage_substance_use set substance = 'any' where substance is null and finding is null"
            )
        if spec is SATISFACTION:
            mark_other_scale(self._connection)
        marked = mark_duplicates(self._connection, spec, source.present)
        if spec in (SATISFACTION, FINANCE):
            mark_period_overlaps(self._connection, spec)
        if spec is EPISODES:
            if incremental:
                mark_changed_person(self._connection, merge.KNOWN)
            mark_overlaps(self._connection, merge.KNOWN if incremental else None)
        file = self._report.files.get(spec.file)
        if file is None or file.outcome == "rejected":
            return
        self.write_report(spec, source)
        collisions = spec.table == "attendance" and "session_no" not in source.present
        if collisions and marked > COLLISION_WARNING * max(1, file.records_read):
            file.warnings.append(Rejection(None, "session_no", "SESSION_KEY_COLLISIONS"))
        if spec is EPISODES and not self._context.study_days:
            self._leave_open_after_cut(file)

    def _context_of(self, source: SourceTable) -> StagingContext:
        """Return what the rows of one file are checked against."""
        return replace(self._context, unknown=source.unknown, typed=source.typed, date_formats=source.date_formats)

    def _leave_open_after_cut(self, file: FileReport) -> None:
        late = f"discharge_date > {self._context.cut_day}"
        rows = self._connection.execute(
            f"select record from stage_episodes where finding is null and {late} order by record limit {LISTED_ROWS}"
        ).fetchall()
        file.warnings += [Rejection(int(row[0]), "discharge_date", "DISCHARGE_AFTER_CUT") for row in rows]
        self._connection.execute(
            f"update stage_episodes set discharge_date = null, discharge_reason = null where finding is null and {late}"
        )

    def write_report(self, spec: TableSpec, source: SourceTable) -> None:
        """Write how many rows of a staged file were accepted, and which were not, into its part of the report."""
        file, view, context = self._report.files[spec.file], source.view, self._context_of(source)
        table = f"stage_{spec.table}"
        file.records_read = count_rows(self._connection, table)
        file.accepted = count_rows(self._connection, table, "finding is null")
        file.rejected_count = file.records_read - file.accepted
        counts = self._connection.execute(
            "select nullif(split_part(finding, '|', 1), ''), split_part(finding, '|', 2), count(*), "
            f"min(record, {FIRST_ROWS}) from {table} where finding is not null group by 1, 2 order by 3 desc, 2, 1"
        ).fetchall()
        file.counts = [
            RuleCount(
                column,
                rule,
                rows,
                tuple(first),
                self._waiting(spec) if rule == "FK_MISSING" else 0,
                hint(self._connection, spec, view, column, rule, context),
            )
            for column, rule, rows, first in counts
        ]
        rows = rejected_rows(self._connection, spec, LISTED_REJECTIONS)
        file.rejected = [Rejection(record, column, rule, masked) for record, column, rule, masked in rows]
        if file.records_read <= LISTED_ROWS:
            listed = self._connection.execute(
                f"select record from {table} where finding is null order by record"
            ).fetchall()
            file.accepted_rows = [int(row[0]) for row in listed]

    def _waiting(self, spec: TableSpec) -> int:
        """Return how many rows without a parent name a stay or person whose own row was set aside."""
        refused = f"select {spec.parent or 'episode'}_id from stage_episodes where finding is not null"
        return count_rows(self._connection, f"orphan_{spec.table}", f"raw in ({refused})")
