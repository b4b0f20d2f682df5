"""The one table of rules: every name that an import report can print, and what intake does with it.

The words (what is wrong, what to do) stand in `analytics/texts/rules.toml`, one entry per rule. The rules of single
columns follow from the kind of the column (`analytics.intake.columns`); those that compare columns of one row are
data, in `ROW_CONDITIONS`; those of files, of several rows and of the batch are named where they are found.
A conformance test holds the table, the words, the code and docs/data-dictionary.md together.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

Level = Literal["file", "row", "rows together", "batch", "warning"]
Cure = Literal[
    "identifiers", "export", "format", "columns", "ids", "dates", "codes", "numbers", "missing", "days",
    "contradictions", "parents", "request", "duplicates", "later", "batch", "papers", "ignored",
]  # fmt: skip

# (condition in SQL, column, rule); the first that holds is the row's finding.
Finding = tuple[str, str, str]

_DATES: Final = ("date",)
_DAYS: Final = (*_DATES, "period")
_NUMBERS: Final = ("integer", "number", "total")
_NAMES: Final = ("instrument", "questionnaire")
_WORDS: Final = ("code", "age_band", "codes", "word", *_NAMES)
EVERY_KIND: Final = ("id", *_DAYS, *_WORDS, *_NUMBERS, "boolean", "item", "answer")


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes
    ----------
    level : what is refused: the whole file, the row, rows that do not go together, the batch; a warning refuses
        nothing.
    cure : the group of the report in which the rule stands: rules that one mends in one go.
    kinds : the kinds of column (`analytics.intake.model.Kind`) whose values can break it; () when it is not about a
        single value.
    masked : whether first character and length of the value may be kept. Not where the value may itself identify
        somebody.
    """

    name: str
    level: Level
    cure: Cure
    kinds: tuple[str, ...] = ()
    masked: bool = True


_TABLE: Final = (
    Rule("EMPTY_FILE", "file", "export"),
    Rule("FILE_TYPE", "file", "export"),
    Rule("FILE_TOO_LARGE", "file", "export"),
    Rule("ENCODING", "file", "format"),
    Rule("DELIMITER", "file", "format"),
    Rule("MALFORMED_CSV", "file", "export"),
    Rule("DUPLICATE_COLUMN", "file", "columns"),
    Rule("MISSING_COLUMN", "file", "columns"),
    Rule("HEADER_ROW", "file", "columns"),
    Rule("NESTED_COLUMN", "file", "columns"),
    Rule("MISSING_SHEET", "file", "columns"),
    Rule("HIDDEN_SHEET", "file", "columns"),
    Rule("TABLE_TWICE", "file", "duplicates"),
    Rule("PHI_COLUMN", "file", "identifiers"),
    Rule("FREE_TEXT_COLUMN", "file", "identifiers"),
    Rule("PHI_VALUE", "row", "identifiers", ("id",), masked=False),
    Rule("FIELD_COUNT", "row", "export"),
    Rule("FIELD_TOO_LONG", "row", "export", EVERY_KIND),
    Rule("CELL_ERROR", "row", "export", EVERY_KIND),
    Rule("REQUIRED", "row", "missing", EVERY_KIND),
    Rule("BAD_ID", "row", "ids", ("id",), masked=False),
    Rule("ID_SCIENTIFIC", "row", "ids", ("id",), masked=False),
    Rule("DATE_FORMAT", "row", "dates", _DATES),
    Rule("DATE_INVALID", "row", "dates", _DATES),
    Rule("PERIOD_FORMAT", "row", "dates", ("period",)),
    Rule("DATE_FUTURE", "row", "days", _DAYS),
    Rule("DATE_RANGE", "row", "days", _DAYS),
    Rule("DATE_ORDER", "row", "days"),
    Rule("DATE_OUTSIDE_EPISODE", "row", "days"),
    Rule("FOLLOWUP_BEFORE_DISCHARGE", "row", "days"),
    Rule("AFTER_DATA_CUT", "row", "later", _DAYS),
    Rule("BAD_ENUM", "row", "codes", (*_WORDS, "integer")),
    Rule("OTHER_FORM", "row", "codes", _NAMES),
    Rule("ITEMS_NOT_SCORED", "row", "codes", ("questionnaire",)),
    Rule("ITEM_UNKNOWN", "row", "codes", ("item",)),
    Rule("AGE_OVER_89", "row", "codes", ("age_band",)),
    Rule("BAD_BOOL", "row", "codes", ("boolean",)),
    Rule("BAD_NUMBER", "row", "numbers", (*_NUMBERS, "answer")),
    Rule("RANGE", "row", "numbers", ("integer", "number")),
    Rule("MINUTES_RANGE", "row", "numbers", ("integer",)),
    Rule("SCORE_RANGE", "row", "numbers", ("integer",)),
    Rule("SCORE_INTEGER", "row", "numbers"),
    Rule("ITEM_RANGE", "row", "numbers"),
    Rule("SCALE_UNKNOWN", "rows together", "numbers"),
    Rule("SCORE_INCONSISTENT", "row", "contradictions"),
    Rule("INCONSISTENT", "row", "contradictions"),
    Rule("FK_MISSING", "rows together", "parents", ("id",)),
    Rule("FORGOTTEN_PERSON", "rows together", "request", masked=False),
    Rule("DUPLICATE_EXACT", "rows together", "duplicates"),
    Rule("DUPLICATE_CONFLICT", "rows together", "duplicates"),
    Rule("ITEMS_CONTRADICT", "rows together", "contradictions"),
    Rule("EPISODE_OVERLAP", "rows together", "contradictions"),
    Rule("PERIOD_OVERLAP", "rows together", "contradictions"),
    Rule("RECOMMEND_SCALE", "rows together", "numbers"),
    Rule("IMMUTABLE_CHANGED", "rows together", "contradictions"),
    Rule("FILE_REFUSED", "batch", "batch"),
    Rule("NO_EPISODES", "batch", "batch"),
    Rule("SHRINK_GUARD", "batch", "batch"),
    Rule("KEY_CHANGED", "batch", "batch"),
    Rule("ANCHORS_MISSING", "batch", "batch"),
    Rule("UNKNOWN_COLUMN", "warning", "ignored"),
    Rule("UNIQUE_CODES", "warning", "identifiers"),
    Rule("UNKNOWN_FILE", "warning", "ignored"),
    Rule("UNKNOWN_SHEET", "warning", "ignored"),
    Rule("EMPTY_SHEET", "warning", "ignored"),
    Rule("FILE_NOT_USED", "warning", "ignored"),
    Rule("DISCHARGE_AFTER_CUT", "warning", "later"),
    Rule("ITEMS_MISSING", "warning", "missing"),
    Rule("SESSION_KEY_COLLISIONS", "warning", "duplicates"),
    Rule("MODE_UNDOCUMENTED", "warning", "papers"),
    Rule("CERTIFICATE_EXPIRED", "warning", "papers"),
    Rule("RECEIPT_UNWRITTEN", "warning", "batch"),
)

RULES: Final[dict[str, Rule]] = {rule.name: rule for rule in _TABLE}

# A value under one of these rules may itself identify somebody: not even its first character is kept.
UNMASKED_RULES: Final = frozenset(rule.name for rule in _TABLE if not rule.masked)


@dataclass(frozen=True)
class RowCondition:
    """A rule that compares columns of one row of `table`.

    Attributes
    ----------
    condition : SQL over the typed columns of the row, and over `first_day`, `last_day` of its parent and `lowest`,
        `highest`, `step`, `takes_item_9` of its instrument, or `known_item`, `lowest`, `highest`, `step` of the item
        of its questionnaire; `t_<column>` is the text as given. NULL counts as "holds not".
    column : where the report points to.
    """

    table: str
    condition: str
    column: str
    rule: str


ROW_CONDITIONS: Final = (
    RowCondition(
        "episodes", "discharge_date is not null and discharge_reason is null", "discharge_reason", "INCONSISTENT"
    ),
    RowCondition(
        "episodes", "discharge_date is null and discharge_reason is not null", "discharge_date", "INCONSISTENT"
    ),
    RowCondition("episodes", "discharge_date < admit_date", "discharge_date", "DATE_ORDER"),
    RowCondition("episodes", "referral_date > admit_date", "referral_date", "DATE_ORDER"),
    RowCondition(
        "attendance",
        "session_date < first_day or session_date > coalesce(last_day, 1000000)",
        "session_date",
        "DATE_OUTSIDE_EPISODE",
    ),
    RowCondition("attendance", "status = 'attended' and minutes = 0", "minutes", "INCONSISTENT"),
    RowCondition("attendance", "status <> 'attended' and minutes > 0", "minutes", "INCONSISTENT"),
    RowCondition("scores", "total <> floor(total) and step >= 1", "total", "SCORE_INTEGER"),
    RowCondition("scores", "total < lowest or total > highest", "total", "SCORE_RANGE"),
    RowCondition("scores", "item_9 is not null and not takes_item_9", "item_9", "SCORE_INCONSISTENT"),
    RowCondition("scores", "item_9 > total", "item_9", "SCORE_INCONSISTENT"),
    RowCondition("scores", "assessed_on <= first_day - 1000", "assessed_on", "DATE_RANGE"),
    RowCondition("score_items", "known_item is null", "item", "ITEM_UNKNOWN"),
    # Yes and no are answers where there are only two.
    RowCondition(
        "score_items",
        "value is not null and not regexp_matches(t_value, '[0-9]') and (lowest <> 0 or highest <> 1)",
        "value",
        "BAD_NUMBER",
    ),
    RowCondition(
        "score_items",
        "value < lowest or value > highest or (value - lowest) % step <> 0",
        "value",
        "ITEM_RANGE",
    ),
    RowCondition("score_items", "assessed_on <= first_day - 1000", "assessed_on", "DATE_RANGE"),
    RowCondition("substance_use", "result is null and days_used_past_30 is null", "result", "REQUIRED"),
    RowCondition("readmissions", "discharge_date < admit_date", "discharge_date", "DATE_ORDER"),
    RowCondition("followups", "last_day is null", "episode_id", "FOLLOWUP_BEFORE_DISCHARGE"),
    RowCondition("followups", "attempted_on < last_day", "attempted_on", "FOLLOWUP_BEFORE_DISCHARGE"),
    RowCondition("followups", "completed_on < last_day", "completed_on", "FOLLOWUP_BEFORE_DISCHARGE"),
    RowCondition(
        "followups",
        "not reached and days_abstinent_past_30 is not null",
        "days_abstinent_past_30",
        "INCONSISTENT",
    ),
    RowCondition("capture", '"to" < "from"', "to", "DATE_ORDER"),
    RowCondition(
        "referrals",
        "episode_id is not null and decision in ('not_eligible', 'declined', 'unreachable', 'referred_elsewhere')",
        "decision",
        "INCONSISTENT",
    ),
    RowCondition("satisfaction", "coalesce(total, recommend, invited, answered) is null", "total", "REQUIRED"),
    RowCondition(
        "satisfaction",
        "coalesce(total, recommend) is not null and coalesce(invited, answered) is not null",
        "invited",
        "INCONSISTENT",
    ),
    RowCondition("satisfaction", "answered is not null and invited is null", "invited", "REQUIRED"),
    RowCondition("satisfaction", "answered > invited", "answered", "INCONSISTENT"),
    RowCondition("satisfaction", "invited is not null and response_no is not null", "response_no", "INCONSISTENT"),
    RowCondition("satisfaction", "total is not null and instrument is null", "instrument", "REQUIRED"),
    RowCondition("satisfaction", "total <> floor(total) and step >= 1", "total", "SCORE_INTEGER"),
    RowCondition("satisfaction", "total < lowest or total > highest", "total", "SCORE_RANGE"),
    RowCondition("finance", "cost is null and capacity_slots is null", "cost", "REQUIRED"),
)


def row_findings(table: str, unknown: Collection[str]) -> list[Finding]:
    """Return the conditions of one table, in order, without those about columns that are declared unknown."""
    return [
        (each.condition, each.column, each.rule)
        for each in ROW_CONDITIONS
        if each.table == table and each.column not in unknown
    ]
