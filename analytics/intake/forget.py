"""Take people out of everything that is kept: states, anchors, snapshots; and keep them out of later imports.

Order: list beside the key -> one line in the audit log -> former states, one by one -> the current one, published like
an import -> its former snapshot and state. Each state becomes what an import without these people would have given. A
run that dies can be repeated, and then finishes; until it has said that it is done, the store says so itself.
"""

from __future__ import annotations

import getpass
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from analytics import audit_log
from analytics.errors import StoreProblem, UsageProblem
from analytics.intake.anchors import carry_anchors, settle_anchors
from analytics.intake.deidentify import Key
from analytics.intake.forgotten import person_pseudonym, read_forgotten, write_forgotten
from analytics.intake.remove_people import StateWithout, holds_any, known_people
from analytics.store.failures import failures_in_a_sentence
from analytics.store.publish import (
    build_snapshot,
    import_lock,
    new_build_folder,
    place_state,
    publish,
    reached,
)
from analytics.store.rebuild import batch_facts
from analytics.store.snapshot import POINTER, current_id, manifest_path, snapshot_path
from analytics.store.states import damaged_files, state_facts, state_folder, state_ids

UNFINISHED: Final = "forget.unfinished"


@dataclass(frozen=True)
class Forgotten:
    """What was done.

    Attributes
    ----------
    asked : people of the file. found : how many of them the store had. listed : people left out from now on.
    rewritten : states without them. removed : states that could not be rewritten, so they are gone whole.
    snapshot_id : what serves now; None when nothing is left.
    """

    asked: int
    found: int
    listed: int
    rewritten: int
    removed: int
    snapshot_id: str | None


def forget(
    store: Path,
    key: Key,
    people: Collection[str],
    reason: str,
    progress: Callable[[str], None] = lambda step: None,
) -> Forgotten:
    """Take people out of the store and keep them out; everybody on the list goes, whoever put them there.

    Parameters
    ----------
    people : source ids; none finishes what was begun, or cleans a store that came from a backup.
    reason : for the audit log.

    Raises
    ------
    UsageProblem
        When the reason names one of the ids, or the key is not the one of these data.
    StoreProblem
        When what serves cannot be rewritten: the sentence says what to do. Nothing is removed then, but the list is
        written: imports leave these people out.
    """
    if any(person in reason for person in people):
        raise UsageProblem("The reason names one of the ids. It is written into the audit log: give it without ids.")
    with import_lock(store), failures_in_a_sentence():
        return _Forgetting(store, key, progress).run([person_pseudonym(key, person) for person in people], reason)


def allow_return(key: Key, people: Collection[str]) -> int:
    """Take people off the list, so that later imports read them again; return how many stood on it."""
    listed = read_forgotten(key)
    back = listed & {person_pseudonym(key, person) for person in people}
    write_forgotten(key, listed - back)
    return len(back)


class _Forgetting:
    """The steps, under the lock of the store."""

    def __init__(self, store: Path, key: Key, progress: Callable[[str], None]) -> None:
        self._store = store
        self._key = key
        self._progress = progress
        self._rewritten = 0
        self._removed = 0

    def run(self, asked: Collection[str], reason: str) -> Forgotten:
        store, key = self._store, self._key
        current = current_id(store)
        if current is not None:
            self._check_key(current)
            settle_anchors(key, current)
        people = read_forgotten(key) | set(asked)
        (store / UNFINISHED).touch()
        write_forgotten(key, people)
        reached("listed")
        ids = state_ids(store)
        if current is not None and current not in ids:
            raise StoreProblem(
                f"The rows behind snapshot {current} are missing from the folder batches, so nobody can be taken out. "
                "Run a full import, which leaves these people out already, then this command again."
            )
        found = len(set(asked) & known_people([state_folder(store, each) for each in ids], asked))
        holding = [each for each in ids if holds_any(state_folder(store, each), people)]
        build = new_build_folder(store)
        try:
            remaining = self._write_current(current, build, people) if current in holding else None
            audit_log.append(
                audit_log.log_of(store), "forget", by=getpass.getuser(), reason=reason, people=len(asked),
                found=found, states=len(holding), snapshot=current,
            )  # fmt: skip
            for snapshot_id in holding:
                if snapshot_id != current:
                    self._former(snapshot_id, people)
            self._remove_snapshots_without_state()
            if remaining is not None and current is not None:
                self._publish(current, build, people, remaining)
        finally:
            shutil.rmtree(build, ignore_errors=True)
        if current not in holding:
            carry_anchors(key, "", "", people)
        (store / UNFINISHED).unlink(missing_ok=True)
        return Forgotten(len(asked), found, len(people), self._rewritten, self._removed, current_id(store))

    def _check_key(self, current: str) -> None:
        if state_facts(self._store, current).key_id != self._key.key_id:
            raise UsageProblem("The key is not the one of these data: it cannot tell who is meant. Give their key.")

    def _write_current(self, current: str, build: Path, people: Collection[str]) -> int:
        """Write the rows of what serves without these people; return how many episodes remain."""
        facts = state_facts(self._store, current)
        if damaged_files(self._store, facts):
            raise StoreProblem(
                f"The rows behind snapshot {current} are damaged, so nobody can be taken out. Run a full import, "
                "which leaves these people out already, then this command again."
            )
        written = StateWithout(state_folder(self._store, current), build / "rows", people, facts, self._key)
        if not written.placed:
            raise StoreProblem(
                "The calendar counts of sessions hold theirs, and only the anchors beside the key say where; they are "
                "missing or those of other data. Run a full import, which leaves these people out already, then this "
                "command again."
            )
        return written.episodes

    def _former(self, snapshot_id: str, people: Collection[str]) -> None:
        """Put a state without these people in the place of a former one, or nothing where that cannot be done."""
        self._progress("rewriting a former state")
        if self._rewrite(snapshot_id, people):
            self._rewritten += 1
        else:
            self._removed += 1
        reached("rewritten")
        self._remove(snapshot_id)
        reached("removed")

    def _rewrite(self, snapshot_id: str, people: Collection[str]) -> bool:
        store = self._store
        try:
            facts = state_facts(store, snapshot_id)
        except StoreProblem:
            return False
        if damaged_files(store, facts):
            return False  # what cannot be read cannot be cleaned either
        build = new_build_folder(store)
        try:
            rows = build / "rows"
            written = StateWithout(state_folder(store, snapshot_id), rows, people, facts, self._key)
            if not written.placed or not written.episodes:
                return False
            place_state(store, build, build_snapshot(rows, build / "snapshot.duckdb", batch_facts(facts)))
            return True
        finally:
            shutil.rmtree(build, ignore_errors=True)

    def _publish(self, current: str, build: Path, people: Collection[str], remaining: int) -> None:
        store, key = self._store, self._key
        if remaining:
            batch = batch_facts(state_facts(store, current))
            facts, _ = publish(
                store, build, batch, self._progress, lambda new: carry_anchors(key, current, new, people)
            )
            settle_anchors(key, facts.snapshot_id)
            self._rewritten += 1
        else:
            (store / POINTER).unlink()
            if key.anchors_path is not None:
                key.anchors_path.unlink(missing_ok=True)
            self._removed += 1
        reached("published")
        self._remove(current)

    def _remove(self, snapshot_id: str) -> None:
        """Remove a snapshot, then its state: as long as the state is there, a repeated run knows of it."""
        snapshot_path(self._store, snapshot_id).unlink(missing_ok=True)
        manifest_path(self._store, snapshot_id).unlink(missing_ok=True)
        shutil.rmtree(state_folder(self._store, snapshot_id))

    def _remove_snapshots_without_state(self) -> None:
        """Remove snapshots of which nobody can tell whom they hold."""
        for path in self._store.glob("snapshot-*.*"):
            if path.stem.removeprefix("snapshot-") not in state_ids(self._store):
                path.unlink()
