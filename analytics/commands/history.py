"""`python -m analytics rebuild`: what is done with the states that the store keeps."""

from __future__ import annotations

import argparse
from pathlib import Path

from analytics.settings import store_folder


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the command line."""
    rebuild = commands.add_parser("rebuild", help="make a snapshot anew from its rows in the folder batches")
    rebuild.add_argument("snapshot", nargs="?", metavar="ID", help="a former one (default: what serves)")
    rebuild.add_argument("--store", type=Path, help="store folder (default: IOP_STORE, else data/local)")
    rebuild.add_argument("--key", type=Path, help="so that the anchors beside the key follow a new snapshot id")
    rebuild.set_defaults(command=_rebuild)


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
