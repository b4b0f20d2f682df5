"""The key and pseudonyms: what turns a source id into a code, and what must stay beside the key.

Pseudonyms are HMAC-SHA256 (RFC 2104) of the kind and the source id with a 32-byte key that lives outside the store.
Beside the key lie the anchors (analytics/intake/anchors.py). Whoever has the store but not these files cannot date
anybody.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal

from analytics.errors import UsageProblem

KEY_BYTES: Final = 32
_BLOCK: Final = 64  # the block size of SHA-256, in bytes

# Published on purpose: demo data are made up, and with this key a seed gives one content hash everywhere.
DEMO_KEY: Final = hashlib.sha256(b"iop-outcomes demo key, published, never for real data").digest()


@dataclass(frozen=True)
class Key:
    """A pseudonym key. `secret` never leaves the importing process; `key_id` may be shown."""

    secret: bytes
    path: Path | None

    @property
    def key_id(self) -> str:
        """Return the first 8 hex digits of the key's SHA-256: tells two keys apart, gives nothing away."""
        return hashlib.sha256(self.secret).hexdigest()[:8]

    @property
    def anchors_path(self) -> Path | None:
        """Return where the anchors lie: beside the key; None for the demo key."""
        return None if self.path is None else self.path.with_name(self.path.name + ".anchors")

    @property
    def receipt_path(self) -> Path | None:
        """Return where exact days of an import are noted: beside the key; None for the demo key."""
        return None if self.path is None else self.path.with_name(self.path.name + ".receipts.jsonl")


def new_key(path: Path) -> None:
    """Write 32 random bytes to a new file with mode 0600. An existing file is never touched."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    except FileExistsError:
        raise UsageProblem(f"{path.name} exists already. A key is never overwritten: give another name.") from None
    except OSError as error:
        raise UsageProblem(f"The key file cannot be written ({error.strerror}). Choose another folder.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))


def read_key(path: Path, store: Path) -> Key:
    """Read a key file: exactly 32 bytes, any bytes, outside the store folder."""
    try:
        secret = path.read_bytes()
    except OSError:
        raise UsageProblem(
            f"The key file {path.name} cannot be read. Write one with `python -m analytics key new FILE`, "
            "outside the store, and keep it: the same key gives the same pseudonyms."
        ) from None
    if len(secret) != KEY_BYTES:
        raise UsageProblem(
            f"The key file {path.name} has {len(secret)} bytes; a key has exactly {KEY_BYTES}. "
            "Write one with `python -m analytics key new FILE`."
        )
    if path.resolve().is_relative_to(store.resolve()):
        raise UsageProblem(
            "The key file lies inside the store. Move it elsewhere: whoever copies the store must not get the key."
        )
    return Key(secret, path)


PseudonymKind = Literal["person", "episode", "session", "referral", "response", "period"]

# SQL: the text of a column is a small number, written in the usual way.
SMALL_NUMBER: Final = r"regexp_full_match({}, '0|[1-9]\d{{0,3}}')"


class Pseudonyms:
    """HMAC-SHA256 in SQL, so that a million ids take a second: the key enters as two bound blobs."""

    def __init__(self, key: Key) -> None:
        """Derive the two pads of RFC 2104 from the key."""
        padded = key.secret.ljust(_BLOCK, b"\0")
        self.parameters: dict[str, bytes] = {
            "inner_pad": bytes(byte ^ 0x36 for byte in padded),
            "outer_pad": bytes(byte ^ 0x5C for byte in padded),
        }

    @staticmethod
    def sql(kind: PseudonymKind, expression: str) -> str:
        """Return SQL for the pseudonym: the first 32 hex digits of HMAC(key, kind || 0x1F || id)."""
        message = f"encode('{kind}' || chr(31) || {expression})"
        inner = f"unhex(sha256($inner_pad::blob || {message}))"
        return f"left(sha256($outer_pad::blob || {inner}), 32)"

    @staticmethod
    def number(kind: PseudonymKind, expression: str) -> str:
        """Return SQL for a keyed number of 28 bits: tells the few rows of one cell apart."""
        return f"('0x' || left({Pseudonyms.sql(kind, expression)}, 7))::integer"

    @staticmethod
    def mark(kind: PseudonymKind, name: str) -> str:
        """Return SQL for what tells rows apart in a column such as session_no, NULL when it is not given.

        Numbers up to 9999 are kept. Any other mark becomes a number that is the same in every batch: no mark of the
        source system enters the store, and a later batch corrects the row it means.
        """
        code = f"10000 + {Pseudonyms.number(kind, name)}"
        return f"case when {SMALL_NUMBER.format(name)} then try_cast({name} as integer) else {code} end"


def add_receipt(
    key: Key, snapshot_id: str, data_cut: date, import_date: date, override: str | None, reason: str | None
) -> None:
    """Note the exact days of an import beside the key, where they may stand; the snapshot has only their label.

    Of an import that a guard held and somebody let through, also who, and the reason that was given.
    """
    path = key.receipt_path
    if path is None:
        return
    line = {
        "snapshot_id": snapshot_id,
        "data_cut": data_cut.isoformat(),
        "import_date": import_date.isoformat(),
        "override": override,
        "by": getpass.getuser() if override else None,
        "reason": reason if override else None,
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        file.write(json.dumps(line, sort_keys=True) + "\n")
