"""What is published: the snapshot, the rows behind it, its anchors and its paper."""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from analytics.doctor.finding import Finding


def served_id(store: Path) -> str:
    """The id that the pointer names; "" without one."""
    with contextlib.suppress(OSError):
        return (store / "CURRENT").read_text(encoding="utf-8", errors="replace").strip()
    return ""


def paper_findings(store: Path) -> Iterator[Finding]:
    """The agreement or certificate of the privacy mode; nothing to say of data without a manifest."""
    try:
        recorded = json.loads((store / f"snapshot-{served_id(store)}.json").read_text(encoding="utf-8"))
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


def anchors_finding(store: Path, anchors: Path) -> Finding:
    """Whether the anchors are whole and those of the snapshot that serves: only those can place later rows."""
    if _whole_anchors_of(anchors) is None:
        return Finding(
            False,
            "anchors",
            f"{anchors} is damaged, so nothing can be added to the data: bring it back from its safe copy, or run a "
            "full import, which writes it again.",
        )
    # A process that died after publishing has left the new ones beside them; the next import puts them to use.
    prepared = anchors.with_name(anchors.name + ".new")
    served = served_id(store)
    if served and served not in (_whole_anchors_of(anchors), _whole_anchors_of(prepared)):
        return Finding(
            False,
            "anchors",
            f"{anchors} belongs to other data than those that are shown, so nothing can be added to them: bring back "
            "the right file from its safe copy, or run a full import, which writes it again.",
        )
    return Finding(True, "anchors", f"{anchors} is private and belongs to the data that are shown.")


def _whole_anchors_of(anchors: Path) -> str | None:
    """The snapshot that the anchors belong to; None when they are missing or a byte is not as it was written."""
    if not anchors.exists():
        return None
    first, _, body = anchors.read_bytes().partition(b"\n")
    head = first.decode("ascii", "replace").split(" ")
    if len(head) != 5 or hashlib.sha256(f"{head[2]} {head[3]}\n".encode() + body).hexdigest() != head[4]:
        return None
    return head[2]


def snapshot_findings(store: Path) -> Iterator[Finding]:
    """Whether what the pointer names is there and as it was published, and the rows behind it too."""
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
    yield _state(store, snapshot_id)
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
        recorded = _manifest(manifest)
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


def _manifest(path: Path) -> dict[str, Any]:
    """Read a manifest; ValueError when it does not say what was written (manifests of earlier programs cannot tell)."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    written = content.pop("checksum", None)
    if written not in (None, hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()):
        raise ValueError("the checksum differs")
    return content


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _state(store: Path, snapshot_id: str) -> Finding:
    """Whether the rows behind the snapshot are as they were written: later batches are added to them."""
    folder = store / "batches" / snapshot_id
    try:
        recorded = _manifest(folder / "manifest.json")["state_sha256"]
        damaged = [table for table, sha256 in recorded.items() if _sha256(folder / f"{table}.parquet") != sha256]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        damaged = ["manifest"]
    if damaged:
        return Finding(
            False,
            "batches",
            f"{folder} is missing or damaged ({', '.join(damaged)}): nothing can be added to it or rebuilt. Restore "
            "the folder, or run a full import.",
        )
    return Finding(True, "batches", f"The rows behind the snapshot in {folder} are whole.")
