"""The import report: what every file gave, as JSON for programs and as sentences for people. Never a value of a row."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, Literal

# Above this many records a report gives the number of accepted rows instead of listing them.
LISTED_ROWS: Final = 10_000
# So that a file in the wrong format does not write a million lines.
LISTED_REJECTIONS: Final = 10_000

# What to do about a rule, in the words of the person who will do it.
ADVICE: Final[dict[str, str]] = {
    "EMPTY_FILE": "The file is empty. Export it again.",
    "FILE_TYPE": "The file is not plain text (it looks compressed). Unpack it first.",
    "FILE_TOO_LARGE": "The file is larger than allowed. Split it, or raise max_file_bytes in a mapping.",
    "ENCODING": "The file is not UTF-8. Save it as UTF-8, or name the encoding in a mapping.",
    "DELIMITER": "The columns are not separated by commas. Export with commas, or name the delimiter in a mapping.",
    "MALFORMED_CSV": "A quotation mark is opened and never closed. Export the file again.",
    "MISSING_COLUMN": "A required column is missing. Add it, or declare it in a mapping.",
    "DUPLICATE_COLUMN": "Two columns have one name. Rename or remove one.",
    "PHI_COLUMN": "A column holds identifiers of people. Remove it from the export, or leave it out by a mapping.",
    "FREE_TEXT_COLUMN": "A column holds free text. Remove it from the export, or leave it out by a mapping.",
    "PHI_VALUE": "A value looks like an identifier of a person. Use codes made by your system instead.",
    "REQUIRED": "A required value is missing.",
    "BAD_ID": "Ids have 1 to 64 letters, digits, hyphens or underscores and begin with a letter or digit.",
    "ID_SCIENTIFIC": "A spreadsheet turned an id into a number like 1.2E+10. Format it as text and export again.",
    "DATE_FORMAT": "Dates are written YYYY-MM-DD; name another format in a mapping (date_format).",
    "DATE_INVALID": "There is no such day in the calendar.",
    "DATE_FUTURE": "The day lies after the day of the import.",
    "DATE_RANGE": "The day is too long ago to be right.",
    "DATE_ORDER": "The second day lies before the first.",
    "DATE_OUTSIDE_EPISODE": "The session lies outside the stay. Check the episode's dates.",
    "AFTER_DATA_CUT": "The day lies after the data cut; the row is set aside and read again next time.",
    "BAD_ENUM": "The word is not in the list of docs/import.md. Translate it in a mapping (codes).",
    "AGE_OVER_89": "Ages above 89 are written 90+, so that nobody can be told by age.",
    "BAD_BOOL": "Write true or false.",
    "BAD_NUMBER": "This is not a whole number.",
    "RANGE": "The number lies outside the allowed range.",
    "MINUTES_RANGE": "Minutes are 0 to 600.",
    "SCORE_RANGE": "The value lies outside the questionnaire's range. Check that it is the total.",
    "SCORE_INTEGER": "This questionnaire has whole totals.",
    "SCORE_INCONSISTENT": "Item 9 does not fit the total or the questionnaire.",
    "INCONSISTENT": "Two columns contradict each other (docs/import.md).",
    "FK_MISSING": "The row belongs to an episode or person that is not among the accepted ones.",
    "FOLLOWUP_BEFORE_DISCHARGE": "A follow-up comes after discharge; this episode is still open or ended later.",
    "EPISODE_OVERLAP": "Two stays of one person at one level of care overlap; the later one is set aside.",
    "DUPLICATE_EXACT": "The row stands in the file twice; the first is kept.",
    "DUPLICATE_CONFLICT": "Rows with one key say different things; none is believed.",
    "IMMUTABLE_CHANGED": "A known episode now names another person. Correct the export.",
    "FIELD_TOO_LONG": "A field is longer than 1,024 characters.",
    "FIELD_COUNT": "The row has more or fewer fields than the header.",
    "UNKNOWN_COLUMN": "A column outside the model; its values were not read.",
    "UNKNOWN_FILE": "A file outside the model; it was not read.",
    "FILE_NOT_USED": "No measure uses this file yet; it was not read.",
    "DISCHARGE_AFTER_CUT": "A discharge after the data cut was left out; the episode counts as open.",
    "SESSION_KEY_COLLISIONS": "More than 1 % of the sessions share episode, day and type. Add a column session_no "
    "that tells them apart.",
    "SHRINK_GUARD": "The new data have over 20 % fewer rows, or miss a file, so nothing was published. If that is "
    "right, import again with --allow-shrink.",
    "FILE_REFUSED": "A file was refused, so nothing was published; the earlier data are still shown.",
    "NO_EPISODES": "There is no usable episodes.csv, so nothing was published.",
    "ANCHORS_MISSING": "The anchors beside the key are missing or belong to other data, so new rows cannot be placed. "
    "Run a full import once.",
    "KEY_CHANGED": "The key is not the one of the published data, so one person would become two. Use the same key, "
    "or start a new store.",
    "MODE_UNDOCUMENTED": "The agreement or certificate of this privacy mode is not recorded.",
}  # fmt: skip


@dataclass(frozen=True)
class Rejection:
    """One refused row (or file, when `row` is None): where, and by which rule. `masked` never identifies anybody."""

    row: int | None
    column: str | None
    rule: str
    masked: str | None = None


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
        lines += [f"Note: {ADVICE.get(rule, rule)}" for rule in self.warnings]
        return "\n".join(lines) + "\n"

    def _headline(self) -> str:
        if self.published and self.unchanged:
            return f"Nothing new: snapshot {self.snapshot_id} holds the same content already."
        if self.published:
            return f"Published snapshot {self.snapshot_id}."
        reason = ADVICE.get(self.batch_rule or "", "Nothing was published.")
        return f"Nothing was published ({self.batch_rule}). {reason}"

    @staticmethod
    def _findings(file: FileReport) -> list[str]:
        counts = Counter((item.rule, item.column) for item in file.rejected)
        lines = [
            f"  {count:,} × {rule}{f' in {column}' if column else ''}: {ADVICE.get(rule, rule)}"
            for (rule, column), count in counts.most_common()
        ]
        lines += [
            f"  Warning {item.rule}{f' ({item.column})' if item.column else ''}: {ADVICE.get(item.rule, item.rule)}"
            for item in file.warnings
        ]
        return lines
