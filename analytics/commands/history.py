"""`python -m analytics rebuild | forget`: what is done with the states that the store keeps."""

from __future__ import annotations

import argparse
from pathlib import Path

from analytics.errors import UsageProblem
from analytics.settings import store_folder


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the command line."""
    rebuild = commands.add_parser("rebuild", help="make a snapshot anew from its rows in the folder batches")
    rebuild.add_argument("snapshot", nargs="?", metavar="ID", help="a former one (default: what serves)")
    rebuild.add_argument("--store", type=Path, help="store folder (default: IOP_STORE, else data/local)")
    rebuild.add_argument("--key", type=Path, help="so that the anchors beside the key follow a new snapshot id")
    rebuild.set_defaults(command=_rebuild)

    forget = commands.add_parser("forget", help="take people out of everything that is kept")
    forget.add_argument("--person-ids", type=Path, metavar="FILE", help="one person id per line, as in your files")
    forget.add_argument("--key", type=Path, required=True, help="the key of these data")
    forget.add_argument("--reason", metavar="TEXT", help="for the audit log; names and ids do not belong here")
    forget.add_argument("--undo", action="store_true", help="let these people come back with the next import")
    forget.add_argument("--store", type=Path, help="store folder (default: IOP_STORE, else data/local)")
    forget.set_defaults(command=_forget)


def _rebuild(options: argparse.Namespace) -> int:
    from analytics.intake.anchors import anchored_snapshot, carry_anchors, settle_anchors
    from analytics.intake.deidentify import read_key
    from analytics.store.rebuild import rebuild

    store = store_folder(options.store)
    key = read_key(options.key, store) if options.key else None

    def prepare(former_id: str, snapshot_id: str) -> None:
        if key is not None and former_id != snapshot_id:
            carry_anchors(key, former_id, snapshot_id)

    rebuilt = rebuild(store, options.snapshot, anchored_snapshot(key) if key else None, prepare=prepare)
    snapshot_id = rebuilt.facts.snapshot_id
    if key is not None and rebuilt.serves:
        settle_anchors(key, snapshot_id)
    rows = f"{rebuilt.facts.counts['episode']:,} episodes"
    if snapshot_id == rebuilt.former_id:
        print(f"Rebuilt snapshot {snapshot_id} ({rows}): the same content hash as before.")
    else:
        print(f"Rebuilt {rebuilt.former_id} as snapshot {snapshot_id} ({rows}), in the form of this program version.")
    if rebuilt.serves:
        print("It serves now.")
    else:
        print("It can be opened by its id; what serves stays as it was.")
    if rebuilt.serves and key is None and snapshot_id != rebuilt.former_id:
        print("The anchors beside the key still name the former id: run it again with --key before the next import")
        print("with --mode incremental, or run a full import.")
    return 0


def _forget(options: argparse.Namespace) -> int:
    from analytics.intake.deidentify import read_key
    from analytics.intake.forget import allow_return, forget
    from analytics.intake.forgotten import read_people

    store = store_folder(options.store)
    key = read_key(options.key, store)
    people = read_people(options.person_ids) if options.person_ids else []
    if options.undo:
        if not people:
            raise UsageProblem("Name the people who may come back with --person-ids FILE.")
        back = allow_return(key, people)
        print(f"{back} of {len(people)} stood on the list and may come back with the next import.")
        return 0
    if not (options.reason or "").strip():
        raise UsageProblem("Say why with --reason TEXT, without names and ids: it is written into the audit log.")
    done = forget(store, key, people, options.reason.strip())
    if people:
        print(f"{done.found} of {done.asked} people were in the store; now nothing of them is.")
    print(f"States written anew without them: {done.rewritten}. Removed whole: {done.removed}.")
    print(f"What serves now: {f'snapshot {done.snapshot_id}' if done.snapshot_id else 'nothing, nobody is left'}.")
    print(f"{done.listed} on the list beside the key are left out of every later import.")
    if people:
        print(f"Delete {options.person_ids.name} now, and remember your backups: they still hold these people.")
    return 0
