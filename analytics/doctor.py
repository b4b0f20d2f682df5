"""What is wrong with this installation, in sentences: `python -m analytics doctor`.

Only the standard library is used and nothing is changed, so that it also answers when the packages, the
snapshot or the disk are broken.
"""

import contextlib
import hashlib
import json
import os
import shutil
import socket
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

OLDEST_PYTHON = (3, 11)
SPACE_NEEDED = 10**9  # bytes: a new snapshot is built beside the old one, which stays until it is replaced
KEY_BYTES = 32  # HMAC-SHA256 gains nothing from a longer key and loses strength with a shorter one


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    `what` is a short name (`python`, `disk`, `store`, `key`, `anchors`, `forgotten`, `snapshot`, `batches`, `log`,
    `paper`, `lock`, `port`);
    `sentence` says what was found, where, and, when it is not `ok`, what to do.
    """

    ok: bool
    what: str
    sentence: str


def examine(store: Path, key: Path | None, port: int) -> list[Finding]:
    """Look at Python, disk, store folder, key and anchors, snapshot and paper, import lock and port, in this order.

    Parameters
    ----------
    store
        Folder of snapshots; may be missing.
    key
        Key file of the pseudonyms. None: no key was named, which only imports of real data need.
    port
        Port on 127.0.0.1 that the dashboard is to use.
    """
    return [
        _python(),
        *_looked_at("disk", lambda: [_disk(store)]),
        *_looked_at("store", lambda: [_folder(store)]),
        *_looked_at("key", lambda: _key(store, key)),
        *_looked_at("snapshot", lambda: _snapshot(store)),
        *_looked_at("paper", lambda: _paper(store)),
        *_looked_at("lock", lambda: [_lock(store / "import.lock")]),
        _port(port),
    ]


def port_is_free(port: int) -> bool:
    """Whether a server could listen on `port` of 127.0.0.1 now; tried by binding, without connecting."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
        if sys.platform == "win32":
            # On Windows a second server could otherwise take over a port that is in use.
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            # A server that has just stopped leaves connections behind for a minute; they do no harm.
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_bytes(folder: Path) -> int:
    """Free bytes on the disk of `folder`, or of its nearest parent that exists."""
    return shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.exists())).free


def _looked_at(what: str, look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Findings of `look`; a file that cannot be opened is a finding too, not the end of the examination."""
    try:
        return list(look())
    except OSError as error:
        place = error.filename or what
        return [Finding(False, what, f"Could not look at {place}: {error.strerror}. Mend that and ask again.")]


def _python() -> Finding:
    found, needed = (".".join(map(str, version)) for version in (sys.version_info[:3], OLDEST_PYTHON))
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Finding(False, "python", f"Python {found} is too old: install Python {needed} or later.")
    return Finding(True, "python", f"Python {found} is new enough ({needed} or later).")


def _disk(store: Path) -> Finding:
    free = free_bytes(store)
    found = f"{free / 1e9:.1f} GB are free on the disk of {store}"
    if free < SPACE_NEEDED:
        return Finding(False, "disk", f"Only {found}: free at least {SPACE_NEEDED / 1e9:.0f} GB before an import.")
    return Finding(True, "disk", f"{found}.")


def _folder(store: Path) -> Finding:
    if not store.exists():
        return Finding(True, "store", f"The store folder {store} does not exist yet; the first import makes it.")
    if not store.is_dir():
        return Finding(False, "store", f"{store} is not a folder: name another with --store or IOP_STORE.")
    if not os.access(store, os.R_OK | os.W_OK | os.X_OK):
        return Finding(False, "store", f"You may not read and write {store}: ask its owner for the permission.")
    if os.name == "posix" and store.stat().st_mode & stat.S_IWOTH:
        return Finding(False, "store", f"Everybody on this machine may replace files in {store}: run chmod o-w on it.")
    return Finding(True, "store", f"The store folder {store} can be read and written.")


def _key(store: Path, key: Path | None) -> Iterator[Finding]:
    if key is None:
        yield Finding(True, "key", "No key file was named; an import of real data needs one (key new FILE).")
        return
    yield _key_file(store, key)
    anchors = key.with_name(key.name + ".anchors")
    if not anchors.exists():
        yield Finding(
            True,
            "anchors",
            f"There is no {anchors} yet: a full import writes it; until then an incremental import is refused.",
        )
    else:
        yield _private(anchors, "anchors") or _anchors_of(store, anchors)
    # Who asked to be left out; without such a list nobody did.
    forgotten = key.with_name(key.name + ".forgotten")
    if forgotten.exists():
        yield _private(forgotten, "forgotten") or Finding(True, "forgotten", f"{forgotten} is private.")


def _anchors_of(store: Path, anchors: Path) -> Finding:
    """Whether the anchors are those of the snapshot that serves: only those can place the rows of a later batch."""
    with anchors.open(encoding="ascii", errors="replace") as file:
        head = file.readline().split()
    # A process that died after publishing has left the new ones beside them; the next import puts them to use.
    prepared = anchors.with_name(anchors.name + ".new")
    with contextlib.suppress(OSError), prepared.open(encoding="ascii", errors="replace") as file:
        head += file.readline().split()
    served = _served(store)
    if served and served not in head:
        return Finding(
            False,
            "anchors",
            f"{anchors} belongs to other data than those that are shown, so nothing can be added to them: bring back "
            "the right file from its safe copy, or run a full import, which writes it again.",
        )
    return Finding(True, "anchors", f"{anchors} is private and belongs to the data that are shown.")


def _served(store: Path) -> str:
    """The id that the pointer names; "" without one."""
    with contextlib.suppress(OSError):
        return (store / "CURRENT").read_text(encoding="utf-8", errors="replace").strip()
    return ""


def _paper(store: Path) -> Iterator[Finding]:
    """The agreement or certificate of the privacy mode; nothing to say of data without a manifest."""
    try:
        recorded = json.loads((store / f"snapshot-{_served(store)}.json").read_text(encoding="utf-8"))
        paper, mode, warnings = recorded.get("paper"), recorded.get("privacy_mode"), recorded.get("warnings", [])
        last_day = date.fromisoformat(paper["expires"]) if paper and paper.get("expires") else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return
    if paper is None and "MODE_UNDOCUMENTED" in warnings:
        option = "--agreement TEXT" if mode == "limited" else "--certificate TEXT --expires DATE"
        yield Finding(
            False,
            "paper",
            f"The paper of the mode {mode} is not recorded, and every page says so: import again with {option}.",
        )
    elif last_day is not None and last_day < date.today():
        yield Finding(
            False,
            "paper",
            f"The certificate of the data that are shown ended on {last_day}: have it renewed, and import again with "
            "the new --certificate TEXT --expires DATE.",
        )
    elif paper is not None:
        until = f", valid to {last_day}" if last_day else ""
        yield Finding(True, "paper", f"The {paper['kind']} of the privacy mode {mode} is recorded{until}.")


def _key_file(store: Path, key: Path) -> Finding:
    if not key.is_file():
        return Finding(False, "key", f"There is no key file {key}: write one with `key new`, or mend the path.")
    size = key.stat().st_size
    if size != KEY_BYTES:
        return Finding(
            False,
            "key",
            f"The key file {key} has {size} bytes, not {KEY_BYTES}: bring back the right file from its "
            "safe copy, because another key makes every person a new one.",
        )
    if key.resolve().is_relative_to(store.resolve()):
        return Finding(
            False,
            "key",
            f"The key file {key} lies inside the store {store}: move it out, because whoever copies the "
            "store must not get the key.",
        )
    return _private(key, "key") or Finding(True, "key", f"The key file {key} is private and complete.")


def _private(file: Path, what: str) -> Finding | None:
    """Nothing when only the owner can read and write `file`; Windows has no such mode bits."""
    mode = stat.S_IMODE(file.stat().st_mode)
    if os.name == "posix" and mode & 0o177:
        return Finding(False, what, f"Others may use {file} (mode {mode:04o}): run chmod 600 on it.")
    return None


def _snapshot(store: Path) -> Iterator[Finding]:
    if (store / "forget.unfinished").exists():
        yield Finding(
            False,
            "forgotten",
            "A `forget` was interrupted: the store still holds people who asked to be taken out. Run it again, with "
            "--key and --reason.",
        )
    pointer = store / "CURRENT"
    if not pointer.is_file():
        yield Finding(
            False,
            "snapshot",
            f"There is no snapshot in {store}: run `python run.py` for demo data, or import.",
        )
        return
    snapshot_id = pointer.read_text(encoding="utf-8", errors="replace").strip()
    snapshot = store / f"snapshot-{snapshot_id}.duckdb"
    if not snapshot_id.isalnum() or not snapshot.is_file():
        yield Finding(
            False,
            "snapshot",
            f"{pointer} names {snapshot_id!r}, which is not in {store}: run `python -m analytics rebuild`, import "
            "again, or restore it.",
        )
        return
    yield _against_manifest(snapshot)
    if not (store / "batches" / snapshot_id / "manifest.json").is_file():
        yield Finding(
            False,
            "batches",
            f"The rows behind {snapshot.name} are not in {store / 'batches'}: nothing can be added to them or rebuilt. "
            "Restore the folder, or run a full import.",
        )
    # A published file was checkpointed and closed; replaying a damaged log silently loses its last batches.
    log = snapshot.with_name(snapshot.name + ".wal")
    if log.exists():
        yield Finding(
            False,
            "log",
            f"{log} should not exist beside a published snapshot: another program wrote to it. Set both "
            "files aside and import again.",
        )
    else:
        yield Finding(True, "log", "No write-ahead log lies beside the snapshot.")


def _against_manifest(snapshot: Path) -> Finding:
    manifest = snapshot.with_suffix(".json")
    try:
        recorded = json.loads(manifest.read_text(encoding="utf-8"))
        expected_bytes = int(recorded["file_bytes"])
        expected_hash = recorded.get("file_sha256")
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Finding(
            False, "snapshot", f"The manifest {manifest} is missing or damaged: import again, or restore it."
        )
    size = snapshot.stat().st_size
    if size != expected_bytes:
        found = f"has {size} bytes, its manifest says {expected_bytes}"
    elif expected_hash is not None and _sha256(snapshot) != expected_hash:
        found = "does not have the SHA-256 that its manifest records"
    else:
        return Finding(True, "snapshot", f"{snapshot.name} is served and matches its manifest.")
    return Finding(False, "snapshot", f"{snapshot} {found}: it is damaged. Restore it, or import again.")


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _lock(lock: Path) -> Finding:
    if lock.exists():
        with lock.open("rb") as handle:
            if not _can_lock(handle):
                return Finding(
                    False,
                    "lock",
                    f"An import is running, it holds {lock}: wait for its end (the lock ends with it).",
                )
    return Finding(True, "lock", "No import is running.")


def _can_lock(handle: IO[bytes]) -> bool:
    """Take the lock and give it back at once; closing the file would also free it."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
            msvcrt.locking(handle.fileno(), msvcrt.LK_UNLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(handle, fcntl.LOCK_UN)
        return True
    return False


def _port(port: int) -> Finding:
    if not port_is_free(port):
        return Finding(
            False,
            "port",
            f"Port {port} is taken, perhaps by a dashboard that is open: choose another with --port.",
        )
    return Finding(True, "port", f"Port {port} is free.")
