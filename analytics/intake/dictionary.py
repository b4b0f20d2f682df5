"""docs/data-dictionary.md: what is in each file, what of it is stored and where, and every rule.

Written from the declarations that the importer and the store themselves use, so that it cannot say anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, get_args

from analytics.intake.dictionary_forms import questionnaires_markdown
from analytics.intake.expected import expected_values
from analytics.intake.model import TABLES, Column, TableSpec
from analytics.intake.rules import EVERY_KIND, ROW_CONDITIONS, RULES, Level, Rule
from analytics.texts.rules import rule_words

# What one row of a file is.
FILE_WORDS: Final = {
    "episodes": "One row per stay. Every import begins with it.",
    "attendance": "One row per booked session.",
    "scores": "One row per completed questionnaire: the total.",
    "score_items": "One row per question of a questionnaire: the answer. Totals are made from it (scores.csv may give "
    "them as well; then they must agree).",
    "substance_use": "One row per test and substance, or per self report of days of use.",
    "readmissions": "Stays in hospital, residential or detox units, whenever they were, by person.",
    "followups": "One row per follow-up call that was due.",
    "capture": "From when to when hospital stays of a person could be seen, by source. Without this file results are "
    '"known to us".',
    "referrals": "One row per request for help, also of people who never came.",
    "satisfaction": "One row per answered questionnaire, or per period: how many were invited and answered.",
    "finance": "What a program cost in a period, in one currency, and how many places in sessions it offered.",
}

# How a file is understood, where its columns do not say so.
_READING: Final = {
    "referrals": "A row may name nobody. The stay that a referral led to is the one in `episode_id`, else the next "
    "admission of the person within 60 days. Several referrals before one admission all belong to it; the earliest is "
    "when the person began to wait. Who asks again within 30 days of a referral that counts asks once.",
    "satisfaction": "A row has `total`, `recommend` or both: one answered questionnaire. Or it has `invited` and, "
    "where known, `answered`: the counts, once per program, period, respondent and questionnaire. A row of means is "
    "neither, because without the single answers nobody can say how many were content. `recommend` is the question of "
    "the CSQ-8, 1 to 4. Responses have no key unless `response_no` numbers them: two that are alike are two people. An "
    "incremental import replaces the numbered responses that it gives again; without numbers it replaces all responses "
    "of that program, period, respondent and questionnaire, so give whole periods.",
}

_PERIOD_STORED: Final = (
    "`period`: made coarser to the label of the privacy mode; `period_months`: its length in the file; "
    "`period_code`: a keyed number that tells periods of one label apart"
)

_NUMBERED: Final = "a running number in the order of a keyed pseudonym"

# Where a file's rows lie in the store, and the columns that are not stored under their own name.
_STORED: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "episodes": (
        "episode",
        {
            "episode_id": f"`episode_id`: {_NUMBERED}",
            "person_id": f"`person_id`: {_NUMBERED}",
            "admit_date": "`admit_period`: month, quarter or year by privacy mode; the day of admission is day 0",
            "discharge_date": "`los_days`: days after admission; `discharge_period` in limited and synthetic mode only",
            "referral_date": "`wait_days`: days before admission",
            "observed_until": "`observed_days`: days after admission",
        },
    ),
    "attendance": (
        "attendance",
        {
            "episode_id": "`episode_id`",
            "session_date": "`day`: days after admission",
            "session_no": "`session_no`: numbers up to 9999 as they are, any other mark as a keyed number",
        },
    ),
    "scores": ("score", {"assessed_on": "`day`: days after admission", "prorated": "`is_prorated`"}),
    "score_items": ("score_item", {"assessed_on": "`day`: days after admission"}),
    "substance_use": ("substance_use", {"observed_on": "`day`: days after admission"}),
    "readmissions": (
        "acute_event",
        {
            "admit_date": "`start_day`: days after the person's first admission",
            "discharge_date": "`end_day`: days after the person's first admission",
        },
    ),
    "followups": (
        "followup",
        {
            "attempted_on": "`attempted_day`: days after discharge",
            "completed_on": "`completed_day`: days after discharge",
        },
    ),
    "capture": (
        "capture",
        {
            "from": "`from_day`: days after the person's first admission",
            "to": "`to_day`: days after the person's first admission, at most 455 after the last discharge",
        },
    ),
    "referrals": (
        "referral",
        {
            "referral_id": f"`referral_id`: {_NUMBERED}",
            "person_id": "`person_id`: of people who were never admitted a number above all others",
            "received_on": "`days_to_admission` when it led to a stay; `referral_period` (month, quarter or year by "
            "privacy mode) when the person was never admitted; `is_repeat`; `observed_days`: to the data cut, in whole "
            "30s, at most 90",
            "episode_id": "`episode_id`, also when it was found by the rule above; `episode_given` tells",
        },
    ),
    "satisfaction": (
        "satisfaction",
        {
            "period": _PERIOD_STORED,
            "response_no": "`response_no`: numbers up to 9999 as they are, any other mark as a keyed number",
        },
    ),
    "finance": ("finance", {"period": _PERIOD_STORED}),
}

_HEAD: Final = """# Data dictionary

Generated from `analytics/intake`, `analytics/store` and `analytics/instruments`: do not edit, but run
`python -m analytics docs`. [import.md](import.md) says how to import, [privacy.md](privacy.md) what the store keeps of
a person.

Needed: **yes** = the column and a value in every row; **column** = the column, though a row may be empty; nothing =
leave it out if you do not have it: what needs it then says "not collected". Source ids and dates are never stored: ids
become keyed pseudonyms, dates become whole days.
"""

_LEVELS: Final[dict[Level, str]] = {
    "file": "Rules of whole files: the file is refused, and with it the import",
    "row": "Rules of single rows: the row is set aside",
    "rows together": "Rules of rows together: rows that do not go together are set aside",
    "batch": "Rules of the import: nothing is published",
    "warning": "Warnings: nothing is refused",
}


@dataclass(frozen=True)
class StoredColumn:
    """A column of a row table as schema.sql declares it."""

    name: str
    type: str
    needed: bool
    comment: str


def stored_tables() -> dict[str, tuple[str, list[StoredColumn]]]:
    """Return, by row table, the comment above it and its columns, read from `analytics/store/schema.sql`."""
    text = files("analytics.store").joinpath("schema.sql").read_text(encoding="utf-8")
    found = {}
    for match in re.finditer(r"((?:^--[^\n]*\n)*)^create table (\w+) \(\n(.*?)^\);", text, re.MULTILINE | re.DOTALL):
        about = " ".join(line.removeprefix("--").strip() for line in match[1].splitlines())
        columns = []
        for line in match[3].splitlines():
            code, _, comment = line.partition("-- ")
            declared = re.match(r"\s+(\w+) (\w+)( not null)?", code)
            if declared and declared[1] != "check":
                columns.append(StoredColumn(declared[1], declared[2], bool(declared[3]), comment.strip()))
        found[match[2]] = (about, columns)
    return found


def dictionary_markdown() -> str:
    """Return docs/data-dictionary.md."""
    lines = [_HEAD, "## Files", ""]
    for spec in TABLES:
        lines += [*_file(spec), ""]
    lines += ["## Questionnaires", "", *questionnaires_markdown(), ""]
    lines += ["## Rules", "", "The words are those of the import report.", ""]
    for level in get_args(Level):
        lines += [f"### {_LEVELS[level]}", "", *_rules(level), ""]
    lines += ["## Row tables of the store", "", *_store()]
    return "\n".join(lines).rstrip() + "\n"


def _file(spec: TableSpec) -> Iterator[str]:
    yield f"### {spec.file}"
    yield ""
    yield FILE_WORDS[spec.table]
    key = ", ".join(f"`{name}`" for name in spec.key)
    optional = f", and `{spec.optional_key}` where the file has it" if spec.optional_key else ""
    yield f"Two rows are the same when they agree in {key}{optional}. Stored in `{_STORED[spec.table][0]}`."
    if spec.table in _READING:
        yield ""
        yield _READING[spec.table]
    yield ""
    yield "| column | needed | values | stored as |"
    yield "|---|---|---|---|"
    for column in spec.columns:
        needed = "yes" if column.required else "column" if column.present else ""
        values = expected_values(column).replace("|", "\\|")
        if column.name == "observed_until":
            values = "sources in study days only: the last day on which the person was observed"
        yield f"| `{column.name}` | {needed} | {values} | {_stored_as(spec, column)} |"


def _stored_as(spec: TableSpec, column: Column) -> str:
    table, renamed = _STORED[spec.table]
    names = {each.name for each in stored_tables()[table][1]}
    if column.name in renamed:
        return renamed[column.name]
    if column.name not in names:
        raise KeyError(f"{spec.file}, {column.name}: say in dictionary.py where it is stored")
    return f"`{column.name}`"


def _rules(level: Level) -> Iterator[str]:
    yield "| rule | about | what is wrong | what to do |"
    yield "|---|---|---|---|"
    for rule in RULES.values():
        if rule.level == level:
            words = rule_words(rule.name)
            yield f"| `{rule.name}` | {_about(rule)} | {words.wrong} | {words.do} |"


def _about(rule: Rule) -> str:
    """Return which columns a rule looks at: kinds of columns, and columns that are compared with others."""
    kinds = ["every column"] if rule.kinds == EVERY_KIND else [kind.replace("_", " ") for kind in rule.kinds]
    compared = [f"{each.table}.{each.column}" for each in ROW_CONDITIONS if each.rule == rule.name]
    return ", ".join([*kinds, *(f"`{name}`" for name in dict.fromkeys(compared))])


def _store() -> Iterator[str]:
    yield "What an import writes. The outcome tables, from which measures are computed, are made from these."
    for table, (about, columns) in stored_tables().items():
        yield ""
        yield f"### `{table}`"
        yield ""
        if about:
            yield about
            yield ""
        yield "| column | type | always there | what it is |"
        yield "|---|---|---|---|"
        for column in columns:
            kind = column.type.removesuffix("_code") + " (list)" if column.type.endswith("_code") else column.type
            needed = "yes" if column.needed else ""
            yield f"| `{column.name}` | {kind} | {needed} | {column.comment.replace('|', chr(92) + '|')} |"
