"""What an import changes: rows that are new, corrected, unchanged or retired, by file.

The new state is compared with the one that serves, both as Parquet files. Rows are matched by their keys on the
calendar: a corrected admission moves every relative day of a stay, and is one correction, not hundreds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from analytics.intake.model import EPISODES, TABLES
from analytics.intake.relative import OBSERVED_AFTER_DISCHARGE
from analytics.intake.sql_text import quoted


@dataclass(frozen=True)
class Changes:
    """Rows of one file against those that served before.

    `new`: the key was not there. `corrected`: other content. `retired`: no longer there, kept in the former state.
    """

    new: int
    corrected: int
    unchanged: int
    retired: int


@dataclass(frozen=True)
class _Compared:
    """How rows of one table are matched.

    Attributes
    ----------
    parent : whose days its days are counted from. key : columns that make a row the same, besides the parent.
    moving : columns in days, and which shift of the parent they follow.
    """

    table: str
    parent: str
    key: tuple[str, ...]
    moving: dict[str, str]


_COMPARED: Final = {
    "attendance": _Compared("attendance", "episode", ("day", "session_type", "session_no"), {"day": "shift"}),
    "scores": _Compared("score", "episode", ("instrument", "day"), {"day": "shift"}),
    "score_items": _Compared("score_item", "episode", ("instrument", "day", "item"), {"day": "shift"}),
    "substance_use": _Compared("substance_use", "episode", ("day", "source", "substance"), {"day": "shift"}),
    "followups": _Compared(
        "followup", "episode", ("due_day",), {"attempted_day": "left_shift", "completed_day": "left_shift"}
    ),
    "readmissions": _Compared(
        "acute_event", "person", ("start_day", "level_of_care"), {"start_day": "shift", "end_day": "shift"}
    ),
    "capture": _Compared("capture", "person", ("source", "from_day"), {"from_day": "shift", "to_day": "shift"}),
}

# Rows of a program: SQL of what makes a row the same, and of what it says. Responses without a number have no key: of
# those that are alike each is one of so many.
_LIKE: Final = "program_id, period_code, respondent, instrument, total, recommend"
_PROGRAM_ROWS: Final = {
    "satisfaction": (
        "program_id, period_code, respondent, instrument, response_no, invited is null, "
        "case when invited is null and response_no is null then "
        f"hash({_LIKE}, row_number() over (partition by {_LIKE}, response_no, invited)) end",
        "total, recommend, invited, answered",
    ),
    "finance": ("program_id, period_code", "cost, capacity_slots"),
}

# Of an episode: what depends on other stays, on the data cut, or on its number.
_NOT_CONTENT: Final = ("episode_id", "person_id", "episode_key", "person_key", "observed_days", "start_day")


class _Comparison:
    """Compares the state in `now` with the one in `then`. Tables `dense` and `dense_person` of this import exist.

    Parameters
    ----------
    cut_day, former_cut_day : the data cuts; None when the former is not known or there are no dates. Then a stay
        whose admission alone was moved is not seen as corrected.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, now: Path, then: Path, cut_day: int, former_cut_day: int | None
    ) -> None:
        self._connection = connection
        self._now, self._then = now, then
        self._cut_day, self._former_cut_day = cut_day, former_cut_day
        cut = "null" if former_cut_day is None else str(former_cut_day)
        # Observed days end with the former data cut, unless they are capped; then the admission is not known.
        connection.execute(
            "create temp table former_stay as select episode_id as then_id, person_id as then_person, episode_key, "
            f"person_key, los_days, start_day, case when los_days is null or observed_days < los_days + "
            f"{OBSERVED_AFTER_DISCHARGE} then {cut} - observed_days end as admitted from {self._read(then, 'episode')}"
        )
        connection.execute(
            "create temp table moved_episode as select then_id, coalesce(d.episode_id, -then_id) as now_id, "
            "coalesce(d.admit_date - admitted, 0)::integer as shift, "
            "(coalesce(d.admit_date - admitted, 0) + coalesce(d.discharge_date - d.admit_date - los_days, 0))::integer "
            "as left_shift from former_stay left join dense d using (episode_key)"
        )
        connection.execute(
            "create temp table moved_person as select then_person as then_id, "
            "coalesce(any_value(d.person_id), -then_person) as now_id, any_value(admitted - start_day) as first_then, "
            "coalesce(any_value(d.first_admit) - any_value(admitted - start_day), 0)::integer as shift "
            "from former_stay left join dense_person d using (person_key) group by then_person"
        )

    def of_episodes(self) -> Changes:
        """Return the changes of episodes."""
        names = [name for name in self._both("episode") if name not in _NOT_CONTENT]
        content = ", ".join(f"e.{quoted(name)}" for name in names)
        return self._counted(
            f"select e.episode_id as key, hash({content}, 0) as content from {self._read(self._now, 'episode')} e",
            f"select m.now_id as key, hash({content}, m.shift) as content from {self._read(self._then, 'episode')} e "
            "join moved_episode m on m.then_id = e.episode_id",
        )

    def of_rows(self, file: str) -> Changes | None:
        """Return the changes of a file; None when not both states have its table."""
        if file in _PROGRAM_ROWS:
            return self.of_program_rows(file)
        if file == "referrals":
            return self.of_referrals()
        how = _COMPARED[file]
        columns = self._both(how.table)
        if not columns:
            return None
        parent = f"{how.parent}_id"
        rest = [name for name in columns if name not in (*how.key, parent)]
        then = {name: f"(t.{name} - m.{shift})::integer" for name, shift in how.moving.items()}
        now: dict[str, str] = {}
        if how.table == "capture":
            # A window begins with the first admission: both are taken from the later of the two that there were.
            then["from_day"] = f"greatest({then['from_day']}, 0)"
            now["from_day"] = "greatest(t.from_day, -coalesce(m.shift, 0))"
        if how.table == "capture" and self._former_cut_day is not None:
            # A window that reaches the data cut goes on with it.
            ended = f"coalesce(t.to_day + m.first_then < {self._former_cut_day}, true)"
            then["to_day"] = f"case when {ended} then {then['to_day']} end"
            unknown = "m.then_id is not null and m.first_then is null"
            now["to_day"] = f"case when t.to_day + d.first_admit < {self._cut_day} or ({unknown}) then t.to_day end"
        join = "join dense_person d using (person_id) left join moved_person m on m.now_id = d.person_id" if now else ""

        def hashed(names: list[str], side: dict[str, str], first: str) -> str:
            return f"hash({', '.join([first, *(side.get(name, f't.{quoted(name)}') for name in names)])})"

        key = list(how.key)
        return self._counted(
            f"select {hashed(key, now, f't.{parent}')} as key, {hashed(rest, now, '0')} as content "
            f"from {self._read(self._now, how.table)} t {join}",
            f"select {hashed(key, then, 'm.now_id')} as key, {hashed(rest, then, '0')} as content "
            f"from {self._read(self._then, how.table)} t join moved_{how.parent} m on m.then_id = t.{parent}",
        )

    def of_referrals(self) -> Changes | None:
        """Return the changes of referrals; another day is seen where it shows: before a stay, or in the label."""
        columns = self._both("referral")
        if not columns:
            return None
        row = ", ".join(f"t.{name}" for name in ("source", "decision", "person_key", "episode_given"))
        # The stay of a referral that names none depends on other rows: its days count where it is still the same.
        then = (
            f"select t.referral_key as key, {row}, t.episode_id, m.now_id, t.referral_period, "
            f"t.days_to_admission + m.shift as days from {self._read(self._then, 'referral')} t "
            "left join moved_episode m on m.then_id = t.episode_id"
        )
        same = " and ".join(
            f"n.{name} is not distinct from o.{name}" for name in ("source", "decision", "person_key", "episode_given")
        )
        moved = (
            "(n.episode_given and n.episode_id is distinct from o.now_id) or "
            "(n.episode_id = o.now_id and n.days_to_admission <> o.days) or n.referral_period <> o.referral_period"
        )
        now = self._read(self._now, "referral")
        unchanged = f"n.referral_key is null or {same} and not coalesce({moved}, false)"
        return self._counted(
            f"select n.referral_key as key, 0 as content from {now} n",
            f"select o.key, case when {unchanged} then 0 else 1 end as content "
            f"from ({then}) o left join {now} n on n.referral_key = o.key",
        )

    def of_program_rows(self, file: str) -> Changes | None:
        """Return the changes of a file whose rows belong to a program and a period."""
        if not self._both(file):
            return None
        key, content = _PROGRAM_ROWS[file]
        now, then = (
            f"select hash({key}) as key, hash({content}) as content from {self._read(state, file)}"
            for state in (self._now, self._then)
        )
        return self._counted(now, then)

    def _counted(self, now: str, then: str) -> Changes:
        row = self._connection.execute(
            "select count(*) filter (t.key is null), count(*) filter (n.content <> t.content), "
            "count(*) filter (n.content = t.content), count(*) filter (n.key is null) "
            f"from ({now}) n full join ({then}) t on n.key = t.key"
        ).fetchone() or (0, 0, 0, 0)
        return Changes(*(int(count) for count in row))

    def _both(self, table: str) -> list[str]:
        """Return the columns that a table has in both states; a former version may lack some."""
        found = []
        for state in (self._now, self._then):
            if not (state / f"{table}.parquet").exists():
                return []
            described = self._connection.execute(f"describe from {self._read(state, table)}").fetchall()
            found.append([row[0] for row in described])
        return [name for name in found[0] if name in found[1]]

    @staticmethod
    def _read(state: Path, table: str) -> str:
        path = str(state / f"{table}.parquet").replace("'", "''")
        return f"read_parquet('{path}')"


def changes_of(
    connection: duckdb.DuckDBPyConnection, now: Path, then: Path, cut_day: int, former_cut_day: int | None
) -> dict[str, Changes]:
    """Return the changes by canonical file name."""
    comparison = _Comparison(connection, now, then, cut_day, former_cut_day)
    found = {EPISODES.file: comparison.of_episodes()}
    for spec in TABLES[1:]:
        changes = comparison.of_rows(spec.table)
        if changes is not None and any(vars(changes).values()):
            found[spec.file] = changes
    return found
