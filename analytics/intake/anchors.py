"""The anchors beside the key (`<key>.anchors`): the only calendar days that the product keeps.

They hold the admission and discharge day of each episode and the day of each referral, so that later batches can be
placed, and the snapshot that they belong to; format 1 had no referrals. They are prepared before a snapshot is
published and put to use when it serves: a process that dies in between has lost nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable
from pathlib import Path

import duckdb
import pyarrow
import pyarrow.csv

from analytics.errors import ImportProblem
from analytics.intake.deidentify import Key

_COLUMNS = {
    "episode_key": pyarrow.string(),
    "person_key": pyarrow.string(),
    "admit_date": pyarrow.int32(),
    "discharge_date": pyarrow.int32(),
    "level_of_care": pyarrow.string(),
    "kind": pyarrow.string(),
}
_FORMATS = {"1": 5, "2": 6}  # how many of the columns a line has


def prepare_anchors(
    connection: duckdb.DuckDBPyConnection, key: Key, episodes: str, referrals: str, snapshot_id: str, cut_day: int
) -> None:
    """Write the anchors of a state beside the key, mode 0600, before it is published.

    `settle_anchors` puts them to use. Until then the former ones count.

    Parameters
    ----------
    episodes : a table with episode_key, person_key, admit_date, discharge_date (days since 2000-01-01),
        level_of_care.
    referrals : a table with referral_key, person_key (may be NULL), received_on (days since 2000-01-01).
    """
    if key.anchors_path is None:
        return
    rows = connection.execute(
        "select episode_key, person_key, admit_date, discharge_date, level_of_care::varchar, 'episode' "
        f"from {episodes} union all select referral_key, person_key, received_on, null, null, 'referral' "
        f"from {referrals} order by 6, 1"
    ).fetchall()
    lines = (",".join("" if value is None else str(value) for value in row) for row in rows)
    try:
        _write(_prepared(key.anchors_path), snapshot_id, cut_day, lines)
    except OSError as error:
        raise ImportProblem(
            f"The anchors cannot be written beside the key ({error.strerror}), so nothing was published. Check the "
            "permissions and the disk of the folder of the key."
        ) from None


def settle_anchors(key: Key, snapshot_id: str) -> None:
    """Put prepared anchors to use when they are those of the snapshot that serves; remove any other.

    Done after publishing and before the next import: a process that died in between has lost nothing.
    """
    path = key.anchors_path
    if path is None:
        return
    if _cut_of(_prepared(path), snapshot_id) is not None:
        os.replace(_prepared(path), path)
    else:
        _prepared(path).unlink(missing_ok=True)


def carry_anchors(key: Key, former_id: str, snapshot_id: str, without: Collection[str] = ()) -> None:
    """Prepare the anchors of one snapshot for another that holds the same stays, but for the people `without`.

    Anchors of a third snapshot only lose these people. Damaged ones are removed: they place nothing any more.
    """
    path = key.anchors_path
    if path is None or not path.exists():
        return
    head = _head(path)
    if not head:
        path.unlink()
        return
    lines = path.read_text(encoding="ascii").splitlines()[1:]
    kept = [line for line in lines if line.split(",")[1:2] != [] and line.split(",")[1] not in without]
    if head[1] == "1":
        kept = [f"{line},episode" for line in kept]
    cut_day = _cut_of(path, former_id)
    if cut_day is not None:
        _write(_prepared(path), snapshot_id, cut_day, kept)
    elif without:
        _write(path, head[2], int(head[3]), kept)


def anchored_cut(key: Key, snapshot_id: str) -> int | None:
    """Return the data cut of the anchors beside the key, None when they are not those of this snapshot.

    Only anchors of the snapshot that serves may place rows. The cut is in days since 2000-01-01.
    """
    return None if key.anchors_path is None else _cut_of(key.anchors_path, snapshot_id)


def anchored_snapshot(key: Key) -> str | None:
    """Return the snapshot that the anchors belong to: what served last. None without anchors."""
    if key.anchors_path is None:
        return None
    head = _head(key.anchors_path)
    return head[2] if head else None


def load_anchors(connection: duckdb.DuckDBPyConnection, key: Key, episodes: str, referrals: str) -> bool:
    """Create two tables of the anchors; False when there are none, or the file is damaged.

    `episodes` has episode_key, person_key, admit_date, discharge_date, level_of_care; `referrals` has referral_key,
    received_on.
    """
    if key.anchors_path is None or not _head(key.anchors_path):
        return False
    head = _head(key.anchors_path)
    if not head:
        return False
    names = list(_COLUMNS)[: _FORMATS[head[1]]]
    try:
        anchors = pyarrow.csv.read_csv(
            key.anchors_path,
            read_options=pyarrow.csv.ReadOptions(skip_rows=1, column_names=names),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=_COLUMNS, strings_can_be_null=True, null_values=[""]
            ),
        )
    except (OSError, pyarrow.ArrowInvalid):
        return False
    connection.register("anchors", anchors)
    kind = "kind" if "kind" in names else "'episode'"
    connection.execute(
        f"create table {episodes} as select episode_key, person_key, admit_date, discharge_date, level_of_care "
        f"from anchors where {kind} = 'episode'"
    )
    connection.execute(
        f"create table {referrals} as select episode_key as referral_key, admit_date as received_on "
        f"from anchors where {kind} = 'referral'"
    )
    connection.unregister("anchors")
    return True


def _prepared(anchors: Path) -> Path:
    return anchors.with_name(anchors.name + ".new")


def _head(anchors: Path) -> list[str]:
    """Return the words of the first line; none when a byte is not as it was written, which could move a stay unseen."""
    if not anchors.exists():
        return []
    first, _, body = anchors.read_bytes().partition(b"\n")
    head = first.decode("ascii", "replace").split(" ")
    whole = (
        len(head) == 5
        and head[0] == "iop-anchors"
        and head[1] in _FORMATS
        and head[4] == _checksum(head[2], head[3], body)
    )
    return head if whole else []


def _checksum(snapshot_id: str, cut_day: int | str, body: bytes) -> str:
    return hashlib.sha256(f"{snapshot_id} {cut_day}\n".encode() + body).hexdigest()


def _cut_of(anchors: Path, snapshot_id: str) -> int | None:
    head = _head(anchors)
    return int(head[3]) if head and head[2] == snapshot_id else None


def _write(path: Path, snapshot_id: str, cut_day: int, lines: Iterable[str]) -> None:
    """Write a file for its owner only, whole or not at all."""
    body = "".join(line + "\n" for line in lines).encode("ascii")
    head = f"iop-anchors 2 {snapshot_id} {cut_day} {_checksum(snapshot_id, cut_day, body)}\n"
    scratch = path if path.suffix == ".new" else path.with_name(path.name + ".rewritten.new")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(head.encode("ascii") + body)
        file.flush()
        os.fsync(file.fileno())
    os.replace(scratch, path)
