"""What an import keeps: the accepted rows of every file, joined by those of the store when it adds to them."""

from __future__ import annotations

from pathlib import Path

import duckdb

from analytics.intake import merge
from analytics.intake.checked import CheckedFiles, count_rows
from analytics.intake.crossrow import key_columns
from analytics.intake.deidentify import SMALL_NUMBER, Key, Pseudonyms
from analytics.intake.item_scores import settle_scores
from analytics.intake.model import EPISODE_FACTS, REFERRALS, SCORE_ITEMS, TABLES, TableSpec
from analytics.intake.program_rows import keep_program_rows
from analytics.intake.referrals import keep_referrals
from analytics.intake.relative import PrivacyMode
from analytics.intake.report import ImportReport
from analytics.intake.sources import Sources
from analytics.intake.sql_text import quoted


class KeptRows:
    """Makes `all_episodes`, `all_referrals` and `kept_<file>` from the staged rows that broke no rule."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        sources: Sources,
        store: Path,
        key: Key,
        mode: PrivacyMode,
        incremental: bool,
    ) -> None:
        """Remember what is kept, and whether known rows join it."""
        self._connection = connection
        self._sources = sources
        self._store = store
        self._key = key
        self._mode = mode
        self._incremental = incremental

    def keep(self, checked: CheckedFiles, report: ImportReport) -> None:
        """Make all tables; scores that follow from answers come last, and may set rows aside again."""
        names = ", ".join(EPISODE_FACTS)
        self._connection.execute(
            f"create table all_episodes as select ix, episode_key, person_key, {names} "
            "from stage_episodes where finding is null"
        )
        if self._incremental:
            merge.add_known_episodes(self._connection, self._store)
        keep_referrals(self._connection)
        for spec in TABLES[1:]:
            if spec.parent == "program":
                keep_program_rows(self._connection, spec, self._key, self._mode)
            elif spec is not REFERRALS:
                self._keep_rows(spec)
        self._score(checked, report)

    def _keep_rows(self, spec: TableSpec) -> None:
        """Make `kept_<file>` of one child file."""
        session_number, bound = self._session_number(spec)
        derived = {
            "session_no": session_number,
            "substance": "coalesce(substance, 'any') as substance",
        }
        columns = [
            derived.get(column.name, quoted(column.name))
            for column in spec.columns
            if column.name != f"{spec.parent}_id"
        ]
        self._connection.execute(
            f"create {'table' if self._incremental or bound else 'view'} kept_{spec.table} as "
            f"select ix, {', '.join(columns)} from stage_{spec.table} where finding is null",
            bound,
        )
        if self._incremental:
            source = self._sources.tables.get(spec.table)
            keys = key_columns(spec, source.present | {"substance", "session_no"} if source else frozenset())
            merge.add_known_rows(self._connection, spec, keys, self._store)

    def _score(self, checked: CheckedFiles, report: ImportReport) -> None:
        """Make `kept_all_scores`: totals as given, and those that follow from answers."""

        def keep_again(spec: TableSpec) -> None:
            self._connection.execute(f"drop {'table' if self._incremental else 'view'} kept_{spec.table}")
            self._keep_rows(spec)
            if spec.table in self._sources.tables:
                checked.write_report(spec, self._sources.tables[spec.table])

        warning = settle_scores(self._connection, keep_again)
        if warning is not None and SCORE_ITEMS.file in report.files:
            report.files[SCORE_ITEMS.file].warnings.append(warning)

    def _session_number(self, spec: TableSpec) -> tuple[str, dict[str, bytes]]:
        """Return SQL for the number of a session among those of one episode, day and type, and what it binds."""
        source = self._sources.tables.get(spec.table)
        if source is None or "session_no" not in source.present:
            return "1 as session_no", {}
        if count_rows(self._connection, "stage_attendance", f"not {SMALL_NUMBER.format('session_no')}") == 0:
            return "coalesce(session_no::integer, -1) as session_no", {}
        number = f"coalesce({Pseudonyms.mark('session', 'session_no')}, -1) as session_no"
        return number, Pseudonyms(self._key).parameters
