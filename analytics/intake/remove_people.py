"""Write a state anew without some people: what an import without them would have given.

Persons and episodes are numbered in the order of their pseudonyms, so those that stay keep their order. Nothing else
of a row depends on other people, but for what is counted: programs, the questionnaires they use, and sessions by
calendar.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import cast

import duckdb

from analytics.intake.anchors import load_anchors
from analytics.intake.checked import count_rows
from analytics.intake.deidentify import Key
from analytics.intake.relative import (
    CALENDAR_MODES,
    OBSERVED_AFTER_DISCHARGE,
    PrivacyMode,
    period_label,
    used_instruments,
)
from analytics.intake.sql_text import literal
from analytics.store.facts import SnapshotFacts
from analytics.store.publish import MEMORY_LIMIT
from analytics.store.spill import spilling_connection


def holds_any(state: Path, people: Collection[str]) -> bool:
    """Return whether a state holds any of these people; one that cannot be read counts as if it did."""
    with duckdb.connect() as connection:
        try:
            return bool(_found(connection, state, people))
        except duckdb.Error:
            return True


def known_people(states: Collection[Path], people: Collection[str]) -> set[str]:
    """Return which of these people any of the states holds."""
    found: set[str] = set()
    with duckdb.connect() as connection:
        for state in states:
            with contextlib.suppress(duckdb.Error):
                found |= _found(connection, state, people)
    return found


def _found(connection: duckdb.DuckDBPyConnection, state: Path, people: Collection[str]) -> set[str]:
    """Return which of these people had a stay or asked for one; states of former versions have no referrals."""
    paths = [state / "episode.parquet", *state.glob("referral.parquet")]
    rows = connection.execute(
        " union ".join(
            f"select person_key from read_parquet({literal(str(path))}) "
            "where list_contains($people::varchar[], person_key)"
            for path in paths
        ),
        {"people": [*people]},
    ).fetchall()
    return {str(row[0]) for row in rows}


class StateWithout:
    """Writes `source` without `people` into `target`.

    Attributes
    ----------
    episodes : how many remain. placed : False when a session of theirs cannot be found in the calendar counts any
        more; the target then is not complete and must not be used.
    """

    def __init__(self, source: Path, target: Path, people: Collection[str], facts: SnapshotFacts, key: Key) -> None:
        """Write the state."""
        self._source, self._target = source, target
        self._facts = facts
        with spilling_connection(":memory:", target.parent / "spill", MEMORY_LIMIT) as connection:
            self._connection = connection
            self._number(people, key)
            self.episodes = count_rows(connection, "stay")
            self.placed = self._without_their_sessions()
            if self.placed and self.episodes:
                for path in sorted(source.glob("*.parquet")):
                    self._write(path)

    def _read(self, table: str, more: str = "") -> str:
        path = str(self._source / f"{table}.parquet").replace("'", "''")
        return f"read_parquet('{path}'{more})"

    def _has(self, table: str) -> bool:
        return (self._source / f"{table}.parquet").exists()

    def _number(self, people: Collection[str], key: Key) -> None:
        self._connection.execute(
            "create table gone as select unnest($people::varchar[]) as person_key", {"people": [*people]}
        )
        episodes = self._read("episode")
        asking = f"union select person_id, person_key from {self._read('referral')}" if self._has("referral") else ""
        self._connection.execute(
            "create table person as select person_id as former, row_number() over (order by person_id)::integer as "
            f"person_id from (select person_id, person_key from {episodes} {asking}) anti join gone using (person_key) "
            "where person_id is not null group by person_id"
        )
        self._connection.execute(
            "create table stay as select episode_id as former, row_number() over (order by episode_id)::integer as "
            f"episode_id, program_id from {episodes} anti join gone using (person_key)"
        )
        if not load_anchors(self._connection, key, "anchor", "referral_anchor"):
            self._connection.execute(
                "create table anchor (episode_key varchar, admit_date integer, discharge_date integer)"
            )

    def _write(self, path: Path) -> None:
        table = path.stem
        source = self._read(table)
        columns = {row[0] for row in self._connection.execute(f"describe from {source}").fetchall()}
        if table == "program":
            query = "select program_id, count(*)::integer as episodes from stay group by 1 order by 1"
        elif table == "program_instrument":
            query = used_instruments(
                f"(select episode_id as former, instrument from {self._read('score')})", "stay", "former"
            )
        elif table == "attendance_calendar":
            query = "select * from calendar_left order by all"
        elif table == "referral":
            # Who asked need not have come, nor be named.
            query = (
                "select t.* replace ((row_number() over (order by referral_id))::integer as referral_id, "
                f"p.person_id as person_id, e.episode_id as episode_id) from {source} t "
                "anti join gone using (person_key) left join person p on p.former = t.person_id "
                "left join stay e on e.former = t.episode_id order by referral_id"
            )
        elif table in ("satisfaction", "finance"):
            query = f"select * from {source} where program_id in (select program_id from stay) order by all"
        elif {"episode_id", "person_id"} & columns:
            query = self._renumbered(self._read(table, ", file_row_number = true"), columns)
        elif table == "quarantine":
            # Which of these rows were theirs is not known: no row keeps even the first character of a value.
            query = f"select * replace (null::varchar as masked) from {source}"
        else:
            shutil.copy(path, self._target / path.name)
            return
        target = str(self._target / path.name).replace("'", "''")
        self._connection.execute(f"copy ({query}) to '{target}' (format parquet, compression zstd)")

    @staticmethod
    def _renumbered(source: str, columns: set[str]) -> str:
        numbers, joins = [], []
        if "person_id" in columns:
            numbers.append("p.person_id as person_id")
            joins.append("join person p on p.former = t.person_id")
        if "episode_id" in columns:
            numbers.append("e.episode_id as episode_id")
            joins.append(f"{'left ' if joins else ''}join stay e on e.former = t.episode_id")
        return (
            f"select t.* exclude (file_row_number) replace ({', '.join(numbers)}) from {source} t {' '.join(joins)} "
            "order by t.file_row_number"
        )

    def _without_their_sessions(self) -> bool:
        """Make `calendar_left`; False when a session of theirs cannot be placed on the calendar.

        The state gives the admission of an open stay and of one that ended within 455 days before the data cut: the
        cut less the observed days. Older ones are in the anchors, which must agree with what the state says of them.
        """
        calendar = self._read("attendance_calendar")
        mode = cast("PrivacyMode", self._facts.privacy_mode)
        self._connection.execute(f"create table calendar_left as from {calendar}")
        if mode not in CALENDAR_MODES or not count_rows(self._connection, "calendar_left"):
            return True
        self._connection.execute(
            "create table gone_stay as select e.*, (case "
            f"when los_days is null or observed_days < los_days + {OBSERVED_AFTER_DISCHARGE} then "
            " date_diff('day', date '2000-01-01', $cut::date) - observed_days "
            "when a.discharge_date - a.admit_date = los_days then a.admit_date end)::integer as admitted "
            f"from {self._read('episode')} e join gone using (person_key) left join anchor a using (episode_key)",
            {"cut": self._facts.data_as_of},
        )
        self._connection.execute(
            "create table gone_session as select program_id, site, modality, level_of_care, session_type, status, "
            "isodow(date '2000-01-01' + (admitted + day))::integer as weekday, "
            f"{period_label('(admitted + day)', mode)} as period, "
            f"bool_and(admit_period = {period_label('admitted', mode)} and (los_days is null or "
            f"discharge_period = {period_label('(admitted + los_days)', mode)})) as agrees, "
            f"count(*)::integer as sessions from {self._read('attendance')} join gone_stay using (episode_id) "
            "group by all"
        )
        names = (
            "program_id", "site", "modality", "level_of_care", "session_type", "status", "weekday", "period"
        )  # fmt: skip
        same = " and ".join(f"c.{name} is not distinct from g.{name}" for name in names)
        unplaced = count_rows(
            self._connection,
            f"gone_session g left join calendar_left c on {same}",
            "c.sessions is null or c.sessions < g.sessions or agrees is distinct from true",
        )
        self._connection.execute(
            "create or replace table calendar_left as select c.* replace "
            "((c.sessions - coalesce(g.sessions, 0))::integer as sessions) "
            f"from calendar_left c left join gone_session g on {same} where c.sessions > coalesce(g.sessions, 0)"
        )
        return not unplaced
