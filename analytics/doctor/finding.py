"""One sentence of the doctor."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    `what` is a short name (`python`, `instruments`, `disk`, `store`, `key`, `anchors`, `forgotten`, `snapshot`,
    `batches`, `log`, `paper`, `lock`, `port`); `sentence` says what was found, where, and, when it is not `ok`, what to
    do.
    """

    ok: bool
    what: str
    sentence: str
