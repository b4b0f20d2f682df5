"""The canonical files: which columns each has, what a value may be, and what makes a row the same row.

One declaration per file. `analytics.intake.staging` turns it into the SQL that types and checks every row, so that a
new optional column is one line here. The names of rules are those that the import report prints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal[
    "id", "date", "period", "code", "codes", "word", "integer", "number", "boolean", "instrument", "total", "age_band",
    "questionnaire", "item", "answer",
]  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One column of a canonical file.

    Attributes
    ----------
    kind : how the text is read. "word" is a free code `[a-z0-9_]{1,32}`; "codes" several of them joined by `|`;
        "period" a month, quarter or year (`analytics.intake.periods`).
        "questionnaire", "item" and "answer": a form, the number of a question in it, and what was answered.
    required : a value is required in every row (the column too). `present` : the column is required, not the value.
    codes : the name of the closed list in `analytics.store.codes.CODES` (kind "code").
    low, high : inclusive range of a number; `range_rule` names the finding outside it.
    """

    name: str
    kind: Kind
    required: bool = False
    present: bool = False
    codes: str = ""
    low: float | None = None
    high: float | None = None
    range_rule: str = "RANGE"


@dataclass(frozen=True)
class TableSpec:
    """One canonical file: its columns, its key, and the column that names its parent.

    `key` columns present in the file make the key; `optional_key` joins it when the file has that column. `keyed` is a
    condition in SQL: other rows have no key, so that two alike are two.
    """

    table: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    optional_key: str | None = None
    parent: Literal["episode", "person", "program", None] = "episode"
    keyed: str = "true"

    @property
    def file(self) -> str:
        """Return the canonical file name."""
        return f"{self.table}.csv"

    def column(self, name: str) -> Column:
        """Return the column of that name; KeyError when the model has none."""
        return next(column for column in self.columns if column.name == name)


def _id(name: str, required: bool = True) -> Column:
    return Column(name, "id", required=required)


def _date(name: str, required: bool = False, present: bool = False) -> Column:
    return Column(name, "date", required=required, present=present)


def _code(name: str, codes: str = "", required: bool = False, present: bool = False) -> Column:
    return Column(name, "code", required=required, present=present, codes=codes or name)


def _flag(name: str, required: bool = False) -> Column:
    return Column(name, "boolean", required=required)


EPISODES: Final = TableSpec(
    "episodes",
    (
        _id("episode_id"),
        _id("person_id"),
        _id("program_id"),
        _date("admit_date", required=True),
        _date("discharge_date", present=True),
        _code("discharge_reason", present=True),
        _code("modality", required=True),
        Column("planned_weeks", "integer", required=True, low=1, high=52),
        _code("level_of_care", required=True),
        _code("primary_condition", required=True),
        Column("age_band", "age_band", required=True, codes="age_band"),
        _code("gender", required=True),
        _code("referral_source", required=True),
        _id("site", required=False),
        _code("population"),
        _code("track"),
        Column("therapy", "codes"),
        _code("payer_group"),
        _code("discharged_to"),
        _date("referral_date"),
        Column("planned_hours_per_week", "number", low=0, high=60),
        _flag("consent_followup"),
        _flag("employed_at_admission"),
        _flag("stable_housing_at_admission"),
        _flag("arrested_past_30_at_admission"),
        _date("observed_until"),  # sources in study days only: the last day the person was observed
    ),
    key=("episode_id",),
    parent=None,
)

ATTENDANCE: Final = TableSpec(
    "attendance",
    (
        _id("episode_id"),
        _date("session_date", required=True),
        _code("session_type", required=True),
        _code("status", required=True),
        Column("minutes", "integer", required=True, low=0, high=600, range_rule="MINUTES_RANGE"),
        _code("delivery", required=True),
        _id("session_no", required=False),
        Column("scheduled_minutes", "integer", low=0, high=600, range_rule="MINUTES_RANGE"),
        Column("cancel_notice_hours", "number", low=0, high=8760),
    ),
    key=("episode_id", "session_date", "session_type"),
    optional_key="session_no",
)

SCORES: Final = TableSpec(
    "scores",
    (
        _id("episode_id"),
        Column("instrument", "instrument", required=True),
        _date("assessed_on", required=True),
        Column("total", "total", required=True, range_rule="SCORE_RANGE"),
        Column("item_9", "integer", low=0, high=3, range_rule="SCORE_RANGE"),
        _flag("prorated"),
        _flag("shared_with_person"),
        _flag("plan_changed"),
    ),
    key=("episode_id", "instrument", "assessed_on"),
)

# A row without a value says that the question was not answered. `analytics.intake.item_scores` makes totals of it.
SCORE_ITEMS: Final = TableSpec(
    "score_items",
    (
        _id("episode_id"),
        Column("instrument", "questionnaire", required=True),
        _date("assessed_on", required=True),
        Column("item", "item", required=True),
        Column("value", "answer", present=True),
    ),
    key=("episode_id", "instrument", "assessed_on", "item"),
)

SUBSTANCE_USE: Final = TableSpec(
    "substance_use",
    (
        _id("episode_id"),
        _date("observed_on", required=True),
        _code("source", required=True),
        _code("result", required=True),
        Column("substance", "word"),
        _flag("scheduled"),
        Column("days_used_past_30", "integer", low=0, high=30, range_rule="SCORE_RANGE"),
        _flag("controlled_environment"),
    ),
    key=("episode_id", "observed_on", "source"),
    optional_key="substance",
)

READMISSIONS: Final = TableSpec(
    "readmissions",
    (
        _id("person_id"),
        _date("admit_date", required=True),
        _date("discharge_date", present=True),
        _code("level_of_care", required=True),
        _flag("planned", required=True),
    ),
    key=("person_id", "admit_date", "level_of_care"),
    parent="person",
)

FOLLOWUPS: Final = TableSpec(
    "followups",
    (
        _id("episode_id"),
        Column("due_day", "integer", required=True),
        _date("attempted_on", present=True),
        _flag("reached", required=True),
        Column("days_abstinent_past_30", "integer", present=True, low=0, high=30, range_rule="SCORE_RANGE"),
        _code("outcome", codes="followup_outcome"),
        _date("completed_on"),
        _flag("any_use_since_discharge"),
        _flag("employed"),
        _flag("stable_housing"),
        _flag("arrested"),
        _flag("rehospitalised"),
        _flag("controlled_environment"),
        Column("recovery_meetings", "integer", low=0, high=1000),
    ),
    key=("episode_id", "due_day"),
)

CAPTURE: Final = TableSpec(
    "capture",
    (
        _id("person_id"),
        Column("source", "word", required=True),
        _date("from", required=True),
        _date("to", required=True),
    ),
    key=("person_id", "source", "from"),
    parent="person",
)

# A referral need not lead to a stay, nor name a person: it has no parent, and `analytics.intake.referrals` looks up the
# stay that it names.
REFERRALS: Final = TableSpec(
    "referrals",
    (
        _id("referral_id"),
        _id("person_id", required=False),
        _date("received_on", required=True),
        _code("source", codes="referral_source"),
        _code("decision", codes="referral_decision"),
        _id("episode_id", required=False),
    ),
    key=("referral_id",),
    parent=None,
)

# Two kinds of row: one answered questionnaire, or how many were invited and answered in a period.
SATISFACTION: Final = TableSpec(
    "satisfaction",
    (
        _id("program_id"),
        Column("period", "period", required=True),
        _code("respondent", required=True),
        Column("instrument", "instrument"),
        _id("response_no", required=False),
        Column("total", "total", range_rule="SCORE_RANGE"),
        Column("recommend", "integer", low=1, high=4),
        Column("invited", "integer", low=0, high=1_000_000),
        Column("answered", "integer", low=0, high=1_000_000),
    ),
    key=("program_id", "period", "respondent", "instrument"),
    optional_key="response_no",
    parent="program",
    keyed="response_no is not null or invited is not null",
)

FINANCE: Final = TableSpec(
    "finance",
    (
        _id("program_id"),
        Column("period", "period", required=True),
        Column("cost", "number", low=0, high=1e12),
        Column("capacity_slots", "integer", low=0, high=100_000_000),
    ),
    key=("program_id", "period"),
    parent="program",
)

# In the order in which they are read: parents first.
TABLES: Final = (
    EPISODES,
    ATTENDANCE,
    SCORES,
    SCORE_ITEMS,
    SUBSTANCE_USE,
    READMISSIONS,
    FOLLOWUPS,
    CAPTURE,
    REFERRALS,
    SATISFACTION,
    FINANCE,
)

# A source in study days gives the day twin of each date column (docs/import.md#study-days).
DAY_TWINS: Final[dict[str, str]] = {
    "admit_date": "admit_day",
    "discharge_date": "discharge_day",
    "referral_date": "referral_day",
    "observed_until": "observed_until_day",
    "session_date": "session_day",
    "assessed_on": "assessed_day",
    "observed_on": "observed_day",
    "attempted_on": "attempted_day",
    "completed_on": "completed_day",
    "received_on": "received_day",
    "from": "from_day",
    "to": "to_day",
}

# What an episode carries on once its ids have become pseudonyms.
EPISODE_FACTS: Final = tuple(
    column.name for column in EPISODES.columns if column.name not in ("episode_id", "person_id")
)
