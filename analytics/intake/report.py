"""The import report: what every file gave, as JSON for programs and as sentences for people. Never a value of a row."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from analytics.intake.changes import Changes
from analytics.intake.report_text import text_of
from analytics.store.anonymity import Anonymity
from analytics.store.facts import Paper

# Above this many records a report gives the number of accepted rows instead of listing them.
LISTED_ROWS: Final = 10_000
# So that a file in the wrong format does not write a million lines.
LISTED_REJECTIONS: Final = 10_000


@dataclass(frozen=True)
class Rejection:
    """One refused row (or file, when `row` is None): where, and by which rule.

    `masked` never identifies anybody. `sentence` says more of a whole file than the words of the rule: never a value.
    """

    row: int | None
    column: str | None
    rule: str
    masked: str | None = None
    sentence: str = ""


@dataclass(frozen=True)
class RuleCount:
    """How many rows of a file one rule set aside for one column, and the numbers of the first few.

    `waiting`: how many of them only wait for a stay that was itself set aside. `hint`: what to write into a mapping.
    """

    column: str | None
    rule: str
    rows: int
    first: tuple[int, ...]
    waiting: int = 0
    hint: str = ""


@dataclass(frozen=True)
class PublishedData:
    """What a snapshot holds.

    Attributes
    ----------
    first_period, last_period : of admission, at the grain of the privacy mode; "" = not known.
    data_as_of : the data cut at that grain; "" = a source in study days.
    quiet_days, session_span : days between the first session and the last on which no program had one, and all days
        between them: closing days hint at the calendar. 0 of 0 when not known.
    """

    episodes: int
    people: int
    first_period: str
    last_period: str
    data_as_of: str
    privacy_mode: str
    quiet_days: int = 0
    session_span: int = 0


@dataclass
class FileReport:
    """What one canonical file gave; accepted + rejected = read.

    `rejected` lists the first refused rows only, `counts` has them all, by rule and column. `source` is where the
    table was found when that is no file of its name; `place` says where a person finds a row of it.
    """

    outcome: Literal["accepted", "rejected"] = "accepted"
    source: str = ""
    place: Callable[[int], str] = "row {}".format
    records_read: int = 0
    accepted: int = 0
    accepted_rows: list[int] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    rejected_count: int = 0
    counts: list[RuleCount] = field(default_factory=list)
    warnings: list[Rejection] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """True when the whole file was refused."""
        return self.outcome == "rejected"

    def refuse(self, rule: str, column: str | None = None, sentence: str = "") -> None:
        """Refuse the whole file."""
        self.outcome = "rejected"
        refusal = Rejection(None, column, rule, sentence=sentence)
        self.rejected = [*([each for each in self.rejected if each.row is None]), refusal]
        self.rejected_count = self.records_read
        self.accepted, self.accepted_rows = 0, []

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form of design.md 10."""
        result: dict[str, Any] = {"outcome": self.outcome, "records_read": self.records_read}
        if self.source:
            result["source"] = self.source
        if self.records_read > LISTED_ROWS and self.outcome == "accepted":
            result["accepted"] = self.accepted
        else:
            result["accepted_rows"] = self.accepted_rows
        result["rejected"] = [_row(item) for item in self.rejected[:LISTED_REJECTIONS]]
        if self.rejected_count > len(result["rejected"]):
            result["rejected_count"] = self.rejected_count
        result["warnings"] = [_row(item) for item in self.warnings]
        return result


def _row(item: Rejection) -> dict[str, Any]:
    said = {"sentence": item.sentence} if item.sentence else {}
    return {"row": item.row, "column": item.column, "rule": item.rule, **said}


@dataclass
class ImportReport:
    """What an import did. `published` is False when nothing new is served; `batch_rule` then says why, or is None.

    `changes`: by file, against what served before; {} for the first import and when nothing was published.
    `data` is None when nothing was published. `mapped`: rows count those of the tables that a mapping made.
    """

    published: bool = False
    snapshot_id: str | None = None
    batch_rule: str | None = None
    unchanged: bool = False
    sources: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    files: dict[str, FileReport] = field(default_factory=dict)
    data: PublishedData | None = None
    paper: Paper | None = None
    anonymity: tuple[Anonymity, ...] = ()
    mapped: bool = False
    changes: dict[str, Changes] = field(default_factory=dict)

    def as_json(self) -> str:
        """Return the report as JSON text."""
        content = {
            "published": self.published,
            "snapshot_id": self.snapshot_id,
            "batch_rule": self.batch_rule,
            "unchanged": self.unchanged,
            "sources": self.sources,
            "left_out": self.left_out,
            "notes": self.notes,
            "warnings": self.warnings,
            "data": asdict(self.data) if self.data else None,
            "paper": asdict(self.paper) if self.paper else None,
            "anonymity": [asdict(row) for row in self.anonymity],
            "changes": {name: asdict(changes) for name, changes in self.changes.items()},
            "files": {name: file.as_dict() for name, file in self.files.items()},
        }
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"

    def as_text(self) -> str:
        """Return the report in sentences, for the person who will mend the files."""
        return text_of(self)
