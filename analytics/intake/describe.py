"""docs/import.md, written from the declarations that the importer itself uses, so that it cannot say anything else."""

from __future__ import annotations

from collections.abc import Iterator

from analytics.instruments import load_instruments
from analytics.intake.model import DAY_TWINS, TABLES, Column, TableSpec
from analytics.intake.rules import RULES
from analytics.intake.staging import NULL_TOKENS
from analytics.store.codes import CODES
from analytics.texts.rules import rule_words

_ABOUT = {
    "episodes": "One row per stay. Every import begins with it.",
    "attendance": "One row per booked session.",
    "scores": "One row per completed questionnaire: the total, never the answers.",
    "substance_use": "One row per test and substance, or per self report of days of use.",
    "readmissions": "Stays in hospital, residential or detox units, whenever they were, by person.",
    "followups": "One row per follow-up call that was due.",
    "capture": "From when to when hospital stays of a person could be seen, by source. Without this file results are "
    '"known to us".',
}

_HEAD = """# Import

Generated from `analytics/intake`; do not edit (`python -m analytics docs`).

```
python -m analytics key new FILE                      once; keep it outside the store, and keep a copy
python -m analytics import DIR --store DIR --privacy limited|expert|safe_harbor --key FILE --data-cut DATE
```

`--data-cut` is the last day for which all files are complete, never "today". `--mode incremental` adds and corrects;
without it the folder replaces the data (what is no longer in it is retired, and the former state is kept).
`--report FILE` writes what every file gave as JSON. The exit code is 0 when the data were published or are unchanged,
1 when nothing was published, 2 when the command was wrong.

Every row is accepted or set aside with row, column and rule: accepted + rejected = read. If one file is refused,
nothing is published and the former data stay. Dates are YYYY-MM-DD. Codes are read without regard to case; blanks and
hyphens count as underscores. Empty cells and the words {tokens} mean "not given".
Files are CSV, UTF-8, with commas and a header; column order does not matter.
"""

_MAPPING = """## Another shape: mappings

A TOML in `data/mappings/` says which raw file and column is which, and how codes are translated; no code is needed.
`--mapping FILE` uses it. Only the columns that it names leave the reader. `data/mappings/ctn0027.toml` is a whole
example: it builds the tables by selects, in study days, and accounts for every raw record that it leaves out.

### Study days

A source without calendar dates gives whole days on each person's own clock under these names: {twins}.
Its periods are "not known".

## Privacy modes

`limited` keeps the month of admission and needs a data use agreement; `expert` keeps the quarter; `safe_harbor` keeps
the year. There is no default. What each mode leaves in the store stands in [privacy.md](privacy.md).

## Rules

| rule | what is wrong | what to do |
|---|---|---|
"""


def import_markdown() -> str:
    """Return docs/import.md."""
    tokens = ", ".join(f"`{token}`" for token in NULL_TOKENS if token)
    lines = [_HEAD.format(tokens=tokens)]
    for spec in TABLES:
        lines += ["", *_table(spec)]
    twins = ", ".join(f"`{twin}` for `{name}`" for name, twin in DAY_TWINS.items() if name != twin)
    lines += ["", _MAPPING.format(twins=twins).rstrip()]
    lines += [f"| `{rule}` | {rule_words(rule).wrong} | {rule_words(rule).do} |" for rule in RULES]
    return "\n".join(lines) + "\n"


def _table(spec: TableSpec) -> Iterator[str]:
    yield f"## {spec.file}"
    yield ""
    yield _ABOUT[spec.table]
    key = ", ".join(f"`{name}`" for name in spec.key)
    optional = f", and `{spec.optional_key}` where the file has it" if spec.optional_key else ""
    yield f"Two rows are the same when they agree in {key}{optional}."
    yield ""
    yield "| column | needed | values |"
    yield "|---|---|---|"
    for column in spec.columns:
        if column.name != "observed_until":
            needed = "yes" if column.required else "column" if column.present else ""
            yield f"| `{column.name}` | {needed} | {_values(column)} |"


def _values(column: Column) -> str:
    if column.kind in ("code", "age_band"):
        return ", ".join(CODES[column.codes])
    if column.kind == "instrument":
        return ", ".join(item.name for item in load_instruments().values())
    words = {
        "id": "1 to 64 letters, digits, hyphens, underscores",
        "date": "YYYY-MM-DD",
        "codes": "codes of your own, such as `cbt`, several joined by `|`",
        "word": "a code of your own",
        "boolean": "true, false",
        "total": "the questionnaire's total",
        "integer": "whole number",
        "number": "number",
    }[column.kind]
    if column.low is not None and column.high is not None:
        return f"{words}, {column.low:g} to {column.high:g}"
    return "30, 90, 180, 365" if column.name == "due_day" else words
