"""Incremental batches: place new rows among those that the store already has.

The store has no dates; the anchors beside the key have. With them the rows of the current state are put back on the
calendar inside the importing process, merged with the new ones (same key: the later wins), and made relative again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import duckdb

from analytics.errors import ImportProblem, StoreProblem
from analytics.intake.anchors import anchored_cut, load_anchors
from analytics.intake.deidentify import Key, Pseudonyms
from analytics.intake.model import EPISODE_FACTS, TableSpec
from analytics.intake.rules import ROW_CONDITIONS
from analytics.intake.sql_text import literal, quoted
from analytics.store.snapshot import current_id
from analytics.store.states import damaged_files, state_facts, state_folder, state_tables

KNOWN: Final = "known_episode"

# Row table of the state, and each staged column as SQL over it: `p` is the state's row, `k` the known episode,
# `s` the person's first admission.
_PLACED: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "attendance": ("attendance", {"session_date": "p.day + k.admit_date"}),
    "scores": ("score", {"assessed_on": "p.day + k.admit_date", "prorated": "p.is_prorated"}),
    "score_items": ("score_item", {"assessed_on": "p.day + k.admit_date"}),
    "substance_use": ("substance_use", {"observed_on": "p.day + k.admit_date"}),
    "followups": (
        "followup",
        {
            "attempted_on": "p.attempted_day + k.discharge_date",
            "completed_on": "p.completed_day + k.discharge_date",
        },
    ),
    "readmissions": (
        "acute_event",
        {"admit_date": "p.start_day + s.first_admit", "discharge_date": "p.end_day + s.first_admit"},
    ),
    "capture": ("capture", {"from": "p.from_day + s.first_admit", "to": "p.to_day + s.first_admit"}),
}


def load_known(connection: duckdb.DuckDBPyConnection, key: Key, store: Path, snapshot_id: str, cut_day: int) -> bool:
    """Load the anchors as table `known_episode`; False when there are none for the current snapshot.

    Raises
    ------
    ImportProblem
        When the data cut of the batch lies before that of the data it adds to.
    StoreProblem
        When the state of the current snapshot is not whole.
    """
    known_cut = anchored_cut(key, snapshot_id)
    if known_cut is None:
        return False
    if cut_day < known_cut:
        raise ImportProblem(
            "The data cut lies before that of the published data, so nothing was published. An incremental import "
            "goes on from there: give the same day or a later one, or run a full import."
        )
    if damaged_files(store, state_facts(store, snapshot_id)):
        raise StoreProblem(
            f"The rows behind snapshot {snapshot_id} in the folder batches are missing or damaged, so nothing can be "
            "added. Restore the store folder, or run a full import."
        )
    if not load_anchors(connection, key, KNOWN, "anchored_referral"):
        return False
    # Of people who are left out by request nothing goes on, also when the store still has them.
    connection.execute(f"delete from {KNOWN} where person_key in (select person_key from forgotten)")
    connection.execute(f"alter table {KNOWN} add column ix integer")
    connection.execute(f"update {KNOWN} set ix = (-1 - rowid)::integer")
    tables = state_tables(store, snapshot_id)
    for table in ("referral", "satisfaction", "finance"):
        if table in tables:
            dated = "join anchored_referral using (referral_key)" if table == "referral" else ""
            connection.execute(f"create table known_{table} as from {_state(store, table)} {dated}")
    if "referral" in tables:
        connection.execute("delete from known_referral where person_key in (select person_key from forgotten)")
    connection.execute(f"create table known_program as select episode_key, program_id from {_state(store, 'episode')}")
    return True


def knows(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Return whether rows of this table are known from the store: the import is incremental, and its state has it."""
    found = connection.execute(
        "select count(*) from information_schema.tables where table_name = ?", [f"known_{table}"]
    ).fetchone()
    return found == (1,)


def add_known_parents(connection: duckdb.DuckDBPyConnection, spec: TableSpec, view: str, key: Key) -> None:
    """Let rows of a child file find an episode or person that is in the store but not in this batch."""
    kind: Literal["person", "episode"] = "person" if spec.parent == "person" else "episode"
    first, last = ("admit_date", "discharge_date") if kind == "episode" else ("null", "null")
    if kind == "person":
        connection.execute(
            f"insert into person_ix select -1 - row_number() over (), person_key from "
            f"(select distinct person_key from {KNOWN} anti join person_ix using (person_key))"
        )
    parents = KNOWN if kind == "episode" else "person_ix"
    connection.execute(
        f"insert into parent_{kind} select raw, k.ix, {first}, {last} from ("
        f"select raw, {Pseudonyms.sql(kind, 'raw')} as {kind}_key from "
        f"(select distinct cleaned({kind}_id) as raw from {view}) where raw is not null) "
        f"join {parents} k using ({kind}_key) where raw not in (select raw from parent_{kind})",
        Pseudonyms(key).parameters,
    )


def _state(store: Path, table: str) -> str:
    return f"read_parquet({literal(str(state_folder(store, str(current_id(store))) / f'{table}.parquet'))})"


def _given(connection: duckdb.DuckDBPyConnection, store: Path, table: str) -> frozenset[str]:
    """Return the columns of a table of the state; none when the state is of a version that had no such table."""
    if table not in state_tables(store, str(current_id(store))):
        return frozenset()
    return frozenset(row[0] for row in connection.execute(f"describe from {_state(store, table)}").fetchall())


def known_collected(connection: duckdb.DuckDBPyConnection, store: Path) -> dict[str, bool]:
    """Return, by row table, whether a source of the data in the store has had that file, also when it was empty."""
    found = connection.execute(f"select * from {_state(store, 'collected')}")
    names = [column[0] for column in found.description or ()]
    return {name: value for row in found.fetchall() for name, value in zip(names, row, strict=True)}


def add_known_episodes(connection: duckdb.DuckDBPyConnection, store: Path) -> None:
    """Add to `all_episodes` the episodes of the store that the batch does not correct; note where rows belong now.

    `moved` maps every known episode to its `ix` in this import: its own, or that of the corrected row.
    """
    placed = {
        "admit_date": "k.admit_date",
        "discharge_date": "k.discharge_date",
        "referral_date": "k.admit_date - p.wait_days",
        "observed_until": "null",
    }
    given = _given(connection, store, "episode")
    columns = ", ".join(placed.get(name, f"p.{quoted(name)}" if name in given else "null") for name in EPISODE_FACTS)
    connection.execute(
        f"create table moved as select k.episode_key, k.person_key, k.admit_date, k.discharge_date, "
        f"coalesce(s.ix, k.ix) as ix, p.episode_id as state_id, p.person_id as state_person "
        f"from {KNOWN} k join {_state(store, 'episode')} p using (episode_key) "
        "left join all_episodes s using (episode_key)"
    )
    connection.execute(
        f"insert into all_episodes select k.ix, k.episode_key, k.person_key, {columns} from {KNOWN} k "
        f"join {_state(store, 'episode')} p using (episode_key) anti join all_episodes s using (episode_key)"
    )
    connection.execute(
        "create table first_known as select state_person, any_value(person_key) as person_key, "
        "min(admit_date) as first_admit from moved group by 1"
    )
    connection.execute(
        "insert into person_ix select -1000000000 - row_number() over (), person_key from "
        "(select distinct person_key from all_episodes anti join person_ix using (person_key))"
    )


def _still_inside(spec: TableSpec) -> str:
    """Return SQL that keeps the rows `o` whose stay, as it is now, would not refuse them."""
    conditions = [
        f"({each.condition})"
        for each in ROW_CONDITIONS
        if each.table == spec.table and ("first_day" in each.condition or "last_day" in each.condition)
    ]
    if not conditions:
        return ""
    return (
        "join (select ix, admit_date as first_day, discharge_date as last_day from all_episodes) e using (ix) "
        f"where not coalesce({' or '.join(conditions)}, false)"
    )


def add_known_rows(connection: duckdb.DuckDBPyConnection, spec: TableSpec, keys: list[str], store: Path) -> None:
    """Add to `kept_<file>` the rows of the store that this batch does not replace.

    Rows that a corrected stay leaves outside its days are left behind: the source has to give them again.
    """
    table, placed = _PLACED[spec.table]
    given = _given(connection, store, table)
    if not given:
        return
    names = [column.name for column in spec.columns if column.name != f"{spec.parent}_id"]
    columns = ", ".join(
        f"{placed.get(name, f'p.{quoted(name)}' if name in given else 'null')} as {quoted(name)}" for name in names
    )
    if spec.parent == "person":
        join, ix = (
            "join first_known s on s.state_person = p.person_id join person_ix x using (person_key)",
            "x.ix",
        )
    else:
        join, ix = "join moved k on k.state_id = p.episode_id", "k.ix"
    # A window of capture begins in the store with the person's first admission, however early its source began.
    given_rows = (
        '(select r.* replace (greatest("from", first_admit) as "from") from kept_capture r left join '
        "(select x.ix, first_admit from first_known join person_ix x using (person_key)) using (ix))"
        if spec.table == "capture"
        else f"kept_{spec.table}"
    )
    same = " and ".join(f"n.{key} is not distinct from o.{key}" for key in keys)
    inside = _still_inside(spec)
    connection.execute(
        f"create temp table earlier as select {ix} as ix, {columns} from {_state(store, table)} p {join} "
        # A total that was made from answers is made again.
        + ("where p.given_as <> 'items'" if "given_as" in given else "")
    )
    connection.execute(
        f"insert into kept_{spec.table} select o.* from earlier o {inside} "
        f"{'and' if inside else 'where'} not exists (select 1 from {given_rows} n where {same})"
    )
    connection.execute("drop table earlier")
