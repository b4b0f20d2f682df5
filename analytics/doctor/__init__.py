"""What is wrong with this installation, in sentences: `python -m analytics doctor`.

Only the standard library is used and nothing is changed, so that it also answers when the packages, the
snapshot or the disk are broken.
"""

import contextlib
import os
import shutil
import socket
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from analytics.doctor.finding import Finding
from analytics.doctor.published import anchors_finding, paper_findings, snapshot_findings

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

OLDEST_PYTHON = (3, 11)
SPACE_NEEDED = 10**9  # bytes: a new snapshot is built beside the old one, which stays until it is replaced
KEY_BYTES = 32  # HMAC-SHA256 gains nothing from a longer key and loses strength with a shorter one


def examine(store: Path, key: Path | None, port: int) -> list[Finding]:
    """Look at Python, disk, store, key, anchors, snapshot, paper, import lock and port, in this order.

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
        *_looked_at("snapshot", lambda: snapshot_findings(store)),
        *_looked_at("paper", lambda: paper_findings(store)),
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
        yield _private(anchors, "anchors") or anchors_finding(store, anchors)
    # Who asked to be left out; without such a list nobody did.
    forgotten = key.with_name(key.name + ".forgotten")
    if forgotten.exists():
        yield _private(forgotten, "forgotten") or Finding(True, "forgotten", f"{forgotten} is private.")


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
