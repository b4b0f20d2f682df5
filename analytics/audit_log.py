"""The audit log: who took what out, as lines that cannot be changed or lost without notice.

One JSON object per line. Each carries the hash of the line before it, so a changed, removed or swapped line
breaks the chain. A second, one-line file beside the log (`<log>.head`) holds the last sequence number and
hash: it is the lock of concurrent writers, and it gives away a log whose end was cut off. Somebody who may
write to both files and knows this format can forge them; keep a copy elsewhere where that matters.

A line says what was taken and which file it was (SHA-256), never a value from the data.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

_BEGINNING: Final = "0" * 64  # "the hash of the line before" of the first line
_RESERVED: Final = frozenset({"sequence", "time", "previous"})
_PIECE: Final = 65_536  # bytes read at a time when looking for the last line


@dataclass(frozen=True)
class _Tip:
    """The last good line: its number, its hash, and the hash it carries of the line before it."""

    sequence: int
    line_hash: str
    previous: str


def log_of(store: Path) -> Path:
    """Return where the audit log of a store lies."""
    return store / "logs" / "audit.jsonl"


def append(path: Path, action: str, **fields: object) -> None:
    """Add one line and force it to disk.

    Parameters
    ----------
    path
        The log, created with its folder when missing (readable by its owner only).
    action
        What happened: "download", "import", "release", ...
    fields
        Further facts that JSON can hold; filters as given, counts of rows, hashes of files. No data values.

    Raises
    ------
    OSError
        The line could not be written. What was to be logged must then not happen.
    ValueError, TypeError
        A field uses a reserved name (sequence, time, previous) or is something that JSON cannot hold.
    """
    taken = sorted(_RESERVED & fields.keys())
    if taken:
        raise ValueError(f"The audit log sets these fields itself: {', '.join(taken)}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(_head_of(path)) as head:
        tip = _tip(path, head)
        entry = {
            "sequence": tip.sequence + 1,
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "previous": tip.line_hash,
            "action": action,
            **fields,
        }
        line = json.dumps(entry, allow_nan=False).encode()
        _write_line(path, line)
        _write_head(head, tip.sequence + 1, _hash(line))


def verify(path: Path) -> list[str]:
    """Return what is wrong with a log, one sentence per problem; an empty list when the chain is whole.

    A log that does not exist and was never begun has no problems.
    """
    recorded = _read_head(_head_of(path))
    if not path.exists():
        return [] if recorded is None else ["The log is missing, but lines were written to it."]
    problems: list[str] = []
    tip = _Tip(0, _BEGINNING, "")
    with path.open("rb") as log:
        for number, raw in enumerate(log, start=1):
            line = raw.rstrip(b"\r\n")
            read = _parse(line) if raw.endswith(b"\n") else None
            if read is None:
                problems.append(f"Line {number} is damaged or incomplete.")
                continue
            if read.previous != tip.line_hash or read.sequence != tip.sequence + 1:
                problems.append(
                    f"Line {number} does not follow the line before it: a line was changed, removed, added or moved."
                )
            tip = read
    if recorded is None and tip.sequence:
        problems.append("The file with the last line's hash is missing.")
    # One line more than the head says is what a power cut between the two writes leaves, and no problem.
    elif recorded is not None and not _follows(tip, recorded) and tip.line_hash != recorded.line_hash:
        problems.append(f"The end of the log is not line {recorded.sequence} as it was written.")
    return problems


def _head_of(path: Path) -> Path:
    return path.with_name(path.name + ".head")


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _follows(line: _Tip, before: _Tip) -> bool:
    return line.sequence == before.sequence + 1 and line.previous == before.line_hash


def _parse(line: bytes) -> _Tip | None:
    """Return what the chain needs of a line; None when it is not a whole entry."""
    try:
        entry: Any = json.loads(line)
        return _Tip(int(entry["sequence"]), _hash(line), str(entry["previous"]))
    except (ValueError, TypeError, KeyError):
        return None


def _tip(path: Path, head: int) -> _Tip:
    """Return the line that the next one follows.

    The head wins over the log: when the log's end was cut off, the next line must not close the gap. Only a
    line that follows the head's own was written without the head being told (the power went in between).
    """
    os.lseek(head, 0, os.SEEK_SET)
    recorded = _parse_head(os.read(head, 200))
    last = _last_line(path)
    if recorded is None:
        return last or _Tip(0, _BEGINNING, "")
    return last if last is not None and _follows(last, recorded) else recorded


def _parse_head(text: bytes) -> _Tip | None:
    parts = text.decode("ascii", "replace").split()
    return _Tip(int(parts[0]), parts[1], "") if len(parts) == 2 and parts[0].isdigit() else None


def _read_head(head: Path) -> _Tip | None:
    return _parse_head(head.read_bytes()) if head.exists() else None


def _last_line(path: Path) -> _Tip | None:
    """Return the last whole line of the log, None when there is none."""
    if not path.exists():
        return None
    tail = b""
    with path.open("rb") as log:
        start = log.seek(0, os.SEEK_END)
        while start and tail.count(b"\n") < 2:
            start, end = max(0, start - _PIECE), start
            log.seek(start)
            tail = log.read(end - start) + tail
    whole = [line for line in tail.split(b"\n")[:-1] if line]
    return _parse(whole[-1]) if whole else None


def _write_line(path: Path, line: bytes) -> None:
    log = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    try:
        size = os.fstat(log).st_size
        if size:
            os.lseek(log, size - 1, os.SEEK_SET)
            if os.read(log, 1) != b"\n":  # a line torn by a crash stays visible, on a line of its own
                line = b"\n" + line
        line += b"\n"
        if os.write(log, line) != len(line):
            raise OSError("The audit log could not be written in full; is the disk full?")
        os.fsync(log)
    finally:
        os.close(log)


def _write_head(head: int, sequence: int, line_hash: str) -> None:
    os.lseek(head, 0, os.SEEK_SET)
    # Always as long as before, so that nothing of the old one is left over.
    os.write(head, f"{sequence:020d} {line_hash}\n".encode())
    os.fsync(head)


@contextmanager
def _locked(head: Path) -> Iterator[int]:
    """Open the head file alone: one writer at a time, in this and in every other process."""
    descriptor = os.open(head, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            # One byte far behind the end: on Windows a locked byte cannot be read by others.
            os.lseek(descriptor, 1 << 30, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)  # lets go of the lock, too
