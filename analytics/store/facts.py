"""What is known about a snapshot besides its rows: the manifest that lies beside the file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

from analytics.errors import StoreProblem
from analytics.store.anonymity import Anonymity

PaperKind = Literal["agreement", "certificate"]
PaperGap = Literal["", "agreement_missing", "certificate_missing", "certificate_expired"]

# The paper that a privacy mode needs: a limited data set its data use agreement (45 CFR 164.514(e)), an expert's
# determination its certificate (164.514(b)(1)). The other modes need none.
NEEDED_PAPER: Final[dict[str, PaperKind]] = {"limited": "agreement", "expert": "certificate"}

# Raised when the row or outcome tables change. Snapshots of another version are not opened; the states of former
# versions are rebuilt (analytics/store/rebuild.py).
#   1: the first
#   2: a content hash sees the names of programs and sites, not only their places in the list of names; answers item
#      by item (score_item), and whence a score comes (score.given_as)
#   3: referral, satisfaction, finance
#   4: outcome tables of requests for help and of satisfaction, the way from a hospital stay to a first session
#   5: score_outcome knows the worst and the latest score of a stay, and the day of the last complete one;
#      minutes that lack some are not known; sessions missed in hospital are counted by themselves;
#      consent to be called, controlled places and use since leaving at follow-up;
#      the days to a return to the same program; step-ups of open stays; waits counted from the file of requests
#   6: who was reached half a year after admission; drug tests that were booked and at random; minutes of the full
#      weeks; attendance of a program that has no row is not known, and referral_outcome knows whether it is
#   7: therapies, periods, instruments, bands and weeks at dose are codes in the outcome tables
SCHEMA_VERSION: Final = 7

# Of the manifest itself: one digit more or less in it would be shown as a fact.
CHECKSUM: Final = "checksum"


@dataclass(frozen=True)
class Paper:
    """The paper of a privacy mode: which, how it is found (a number, a date), the last day of a certificate (ISO)."""

    kind: PaperKind
    reference: str
    expires: str | None = None


@dataclass(frozen=True)
class SnapshotFacts:
    """The manifest of a snapshot.

    Attributes
    ----------
    snapshot_id : first 12 hex digits of the content hash. content_hash : SHA-256 over the row tables.
    data_as_of : the data cut as it may be printed in this privacy mode. imported : when, at the same grain.
    counts : rows per table. table_hashes : content per table. file_bytes, file_sha256 : of the database file.
    warnings : rule names that every page must repeat (MODE_UNDOCUMENTED).
    notes : sentences of the mapping that made the data, printed where they are shown. left_out : what the mapping
        left out on purpose, with counts. sources : records read per raw file.
    state_sha256 : of each Parquet file of the state that the snapshot was built from; empty in version 1.
    paper : the agreement or certificate under which the data were imported; None = not recorded, or not needed.
    anonymity : how many episodes are alike, for the expert.
    previous : the snapshot that served before it, shown instead when this one is damaged; "" for the first.
    schema_version : of the snapshot. state_version : of the state, which a rebuild does not change.
    """

    snapshot_id: str
    content_hash: str
    privacy_mode: str
    key_id: str
    data_as_of: str
    imported: str
    engine: str
    counts: Mapping[str, int]
    table_hashes: Mapping[str, str]
    file_bytes: int
    file_sha256: str
    batch_mode: str = "full"
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    sources: Mapping[str, int] = field(default_factory=dict)
    override: str | None = None
    state_sha256: Mapping[str, str] = field(default_factory=dict)
    paper: Paper | None = None
    anonymity: tuple[Anonymity, ...] = ()
    previous: str = ""
    schema_version: int = SCHEMA_VERSION
    state_version: int = SCHEMA_VERSION

    @property
    def synthetic(self) -> bool:
        """True when the data are made up."""
        return self.privacy_mode == "synthetic"

    def paper_gap(self, today: date) -> PaperGap:
        """Return what is missing of the paper that this privacy mode needs; "" when nothing is."""
        return paper_gap(self.privacy_mode, self.paper, today)

    def is_documented(self, today: date) -> bool:
        """Return whether what leaves the organisation may be made from these data: the paper is there and valid."""
        return not self.paper_gap(today)

    def write(self, path: Path) -> None:
        """Write the manifest as JSON, with a checksum of all that it says."""
        content = asdict(self)
        content[CHECKSUM] = _checksum(content)
        path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def paper_gap(privacy_mode: str, paper: Paper | None, today: date) -> PaperGap:
    """Return what is missing of the paper that a privacy mode needs, on a day; "" when nothing is."""
    needed = NEEDED_PAPER.get(privacy_mode)
    if needed is None:
        return ""
    if paper is None:
        return "agreement_missing" if needed == "agreement" else "certificate_missing"
    expired = paper.expires is not None and date.fromisoformat(paper.expires) < today
    return "certificate_expired" if expired else ""


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _typed(content: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a manifest that JSON cannot hold as they are."""
    typed: dict[str, Any] = {name: tuple(content[name]) for name in ("warnings", "notes")}
    if content.get("paper"):
        typed["paper"] = Paper(**content["paper"])
    typed["anonymity"] = tuple(
        Anonymity(**{**row, "columns": tuple(row["columns"])}) for row in content.get("anonymity", ())
    )
    return typed


def read_facts(path: Path) -> SnapshotFacts:
    """Read a manifest of this schema version or a former one.

    Raises
    ------
    StoreProblem
        When it is missing, damaged, or of a schema version that this program does not know.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version, written = content["schema_version"], content.pop(CHECKSUM, None)
        # Manifests of earlier programs have none.
        if version == SCHEMA_VERSION and written not in (None, _checksum(content)):
            raise ValueError("the checksum differs")
        if version in range(1, SCHEMA_VERSION + 1):
            return SnapshotFacts(**{"state_version": version, **content, **_typed(content)})
    except (OSError, ValueError, KeyError, TypeError):
        raise StoreProblem(
            f"The manifest {path.name} is missing or damaged. Run the import again, or restore the store folder."
        ) from None
    raise StoreProblem(
        f"The snapshot has schema version {version}; this program reads version {SCHEMA_VERSION}. "
        "Use the program version that wrote the snapshot, or a later one."
    )
