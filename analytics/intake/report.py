"""The import report: what every file gave, as JSON for programs and as sentences for people. Never a value of a row."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from analytics.texts.rules import rule_words

# Above this many records a report gives the number of accepted rows instead of listing them.
LISTED_ROWS: Final = 10_000
# So that a file in the wrong format does not write a million lines.
LISTED_REJECTIONS: Final = 10_000


@dataclass(frozen=True)
class Rejection:
    """One refused row (or file, when `row` is None): where, and by which rule. `masked` never identifies anybody."""

    row: int | None
    column: str | None
    rule: str
    masked: str | None = None


def _advice(rule: str) -> str:
    words = rule_words(rule)
    return f"{words.wrong} {words.do}"


@dataclass
class FileReport:
    """What one canonical file gave; accepted + rejected = read."""

    outcome: Literal["accepted", "rejected"] = "accepted"
    records_read: int = 0
    accepted: int = 0
    accepted_rows: list[int] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    rejected_count: int = 0
    warnings: list[Rejection] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """True when the whole file was refused."""
        return self.outcome == "rejected"

    def refuse(self, rule: str, column: str | None = None) -> None:
        """Refuse the whole file."""
        self.outcome = "rejected"
        self.rejected = [*([r for r in self.rejected if r.row is None]), Rejection(None, column, rule)]
        self.rejected_count = self.records_read
        self.accepted, self.accepted_rows = 0, []

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form of design.md 10."""
        result: dict[str, Any] = {"outcome": self.outcome, "records_read": self.records_read}
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
    return {"row": item.row, "column": item.column, "rule": item.rule}


@dataclass
class ImportReport:
    """What an import did. `published` is False when nothing new is served; `batch_rule` then says why, or is None."""

    published: bool = False
    snapshot_id: str | None = None
    batch_rule: str | None = None
    unchanged: bool = False
    sources: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    files: dict[str, FileReport] = field(default_factory=dict)

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
            "files": {name: file.as_dict() for name, file in self.files.items()},
        }
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"

    def as_text(self) -> str:
        """Return the report in sentences."""
        lines = [self._headline()]
        for name, file in self.files.items():
            lines.append("")
            lines.append(
                f"{name}: {file.records_read:,} read, {file.accepted:,} accepted, {file.rejected_count:,} set aside."
                if file.outcome == "accepted"
                else f"{name}: refused as a whole."
            )
            lines.extend(self._findings(file))
        if self.left_out:
            lines += ["", "Left out on purpose by the mapping:"]
            lines += [f"  {count:,} {words}" for words, count in self.left_out.items()]
        if self.sources:
            lines += [
                "",
                "Raw records read: " + ", ".join(f"{n} {c:,}" for n, c in self.sources.items()) + ".",
            ]
        lines += [f"Note: {_advice(rule)}" for rule in self.warnings]
        return "\n".join(lines) + "\n"

    def _headline(self) -> str:
        if self.published and self.unchanged:
            return f"Nothing new: snapshot {self.snapshot_id} holds the same content already."
        if self.published:
            return f"Published snapshot {self.snapshot_id}."
        return f"Nothing was published ({self.batch_rule}). {_advice(self.batch_rule or 'FILE_REFUSED')}"

    @staticmethod
    def _findings(file: FileReport) -> list[str]:
        counts = Counter((item.rule, item.column) for item in file.rejected)
        lines = [
            f"  {count:,} × {rule}{f' in {column}' if column else ''}: {_advice(rule)}"
            for (rule, column), count in counts.most_common()
        ]
        lines += [
            f"  Warning {item.rule}{f' ({item.column})' if item.column else ''}: {_advice(item.rule)}"
            for item in file.warnings
        ]
        return lines
