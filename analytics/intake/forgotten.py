"""People who asked to be left out: their pseudonyms beside the key (`<key>.forgotten`), and their rows in an import.

Without this list the next export would bring back whom `forget` has removed. It holds pseudonyms only; whoever loses
it has to give the ids again.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

import duckdb

from analytics.errors import UsageProblem
from analytics.intake.deidentify import Key, Pseudonyms
from analytics.intake.model import TableSpec

RULE: Final = "FORGOTTEN_PERSON"
_HEAD: Final = "iop-forgotten 1"


def person_pseudonym(key: Key, person_id: str) -> str:
    """Return the pseudonym of one person, as `Pseudonyms.sql` makes it for many."""
    message = b"person\x1f" + person_id.encode("utf-8")
    return hmac.new(key.secret, message, hashlib.sha256).hexdigest()[:32]


def read_people(path: Path) -> list[str]:
    """Read source ids, one per line; blank lines are skipped. A message never repeats one."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UsageProblem(f"{path.name} cannot be read. Give a text file with one person id per line.") from None
    people = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not people:
        raise UsageProblem(f"{path.name} names nobody. Give a text file with one person id per line.")
    return people


def read_forgotten(key: Key) -> frozenset[str]:
    """Return the pseudonyms of all who asked to be left out.

    Raises
    ------
    UsageProblem
        When the list is damaged: an import without it would bring people back.
    """
    path = _path(key)
    if path is None or not path.exists():
        return frozenset()
    head, *lines = path.read_text(encoding="ascii", errors="replace").splitlines() or [""]
    if head != _HEAD or not all(re.fullmatch("[0-9a-f]{32}", line) for line in lines):
        raise UsageProblem(
            f"The list {path.name} beside the key is damaged: it says who is left out by request. Restore it from a "
            "backup; without it these people would come back."
        )
    return frozenset(lines)


def write_forgotten(key: Key, people: Iterable[str]) -> None:
    """Write the list of pseudonyms, sorted, mode 0600, whole or not at all."""
    path = _path(key)
    if path is None:
        raise UsageProblem("The key of the demo has no place for a list of people.")
    scratch = path.with_name(path.name + ".new")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii", newline="\n") as file:
        file.write("\n".join([_HEAD, *sorted(people)]) + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(scratch, path)


def _path(key: Key) -> Path | None:
    return None if key.path is None else key.path.with_name(key.path.name + ".forgotten")


def load_forgotten(connection: duckdb.DuckDBPyConnection, people: Collection[str]) -> None:
    """Make table `forgotten` (person_key)."""
    connection.execute(
        "create table forgotten as select unnest($people::varchar[]) as person_key", {"people": [*people]}
    )


def set_aside_stays(connection: duckdb.DuckDBPyConnection, key: Key) -> None:
    """Set aside the staged episodes of these people, whatever else is wrong with them.

    No masked value of theirs is kept. `forgotten_episode` (raw) then names their stays.
    """
    if _anybody(connection):
        connection.execute(
            f"update stage_episodes set finding = 'person_id|{RULE}|' "
            f"where {Pseudonyms.sql('person', 'person_id')} in (select person_key from forgotten)",
            Pseudonyms(key).parameters,
        )
    connection.execute(
        "create table forgotten_episode as select distinct episode_id as raw from stage_episodes "
        f"where finding = 'person_id|{RULE}|' and episode_id is not null"
    )


def set_aside_rows(connection: duckdb.DuckDBPyConnection, spec: TableSpec, key: Key) -> None:
    """Set aside the staged rows of a child file that belong to these people or their stays in this batch.

    They are among the orphans of the file: no stay or person of theirs is accepted.
    """
    if not _anybody(connection):
        return
    if spec.parent == "person":
        theirs = (
            f"select raw from (select distinct raw from orphan_{spec.table}) "
            f"where {Pseudonyms.sql('person', 'raw')} in (select person_key from forgotten)"
        )
        parameters = Pseudonyms(key).parameters
    else:
        theirs, parameters = "select raw from forgotten_episode", {}
    connection.execute(
        f"create temp table theirs as select record from orphan_{spec.table} where raw in ({theirs})", parameters
    )
    connection.execute(
        f"update stage_{spec.table} set finding = '{spec.parent}_id|{RULE}|' where record in (from theirs)"
    )
    connection.execute(f"delete from orphan_{spec.table} where record in (from theirs)")
    connection.execute("drop table theirs")


def _anybody(connection: duckdb.DuckDBPyConnection) -> bool:
    return connection.execute("from forgotten limit 1").fetchone() is not None
