"""Type and check every row of a canonical file in one pass, in SQL.

`stage()` turns a view of text columns into a table of typed columns with one more column, `finding`: the first rule
that the row breaks (`column|RULE|masked value`), NULL when it breaks none. Nothing is dropped here, so that
accepted + rejected = read holds by construction. Dates become whole days since 2000-01-01; a source in study days
gives its own day numbers, and everything after this module treats both alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import duckdb

from analytics.instruments import instrument_forms, load_instruments, load_questionnaires, questionnaire_forms
from analytics.intake.coding import CodedColumn, code_rows, finding_text
from analytics.intake.columns import normal_form, type_of
from analytics.intake.loading import load_rows
from analytics.intake.model import TableSpec
from analytics.intake.readers import Lines
from analytics.intake.rules import row_findings
from analytics.intake.scales import FileScale
from analytics.intake.sql_text import literal, quoted
from analytics.store.codes import enum_statements
from analytics.store.spill import compress

EPOCH: Final = date(2000, 1, 1)  # no program of ours has older data: DATE_RANGE

NULL_TOKENS: Final = ("", "null", "na", "n/a", "nan", "none", "#n/a", ".", "-")

_BLANKS: Final = "' ' || chr(9) || chr(10) || chr(13) || chr(160)"


@dataclass(frozen=True)
class StagingContext:
    """What the rows of one import are checked against.

    Attributes
    ----------
    import_day, cut_day : days since 2000-01-01; rows after the first are DATE_FUTURE, after the second
        AFTER_DATA_CUT. Not used for a source in study days.
    date_format : a strptime format, or None for ISO dates; date_formats : of single columns, before it.
    typed : dates may be ISO beside that, and numbers have a decimal point: they come from a format with types.
    decimal : before the fraction of a number in a text. timezone : in which a moment becomes a day, or None.
    study_days : dates are given as whole study days.
    scales : what the mapping says of totals that may be on either of two scales.
    unknown : columns that the mapping declares "unknown": required, yet NULL is allowed.
    """

    import_day: int
    cut_day: int
    date_format: str | None = None
    date_formats: Mapping[str, str] = field(default_factory=dict)
    typed: bool = False
    decimal: str = "."
    timezone: str | None = None
    study_days: bool = False
    unknown: frozenset[str] = frozenset()
    scales: Mapping[str, FileScale] = field(default_factory=dict)

    def format_of(self, column: str) -> str | None:
        """Return the strptime format of a date column; None: ISO."""
        return self.date_formats.get(column, self.date_format)


def day_number(day: date) -> int:
    """Return whole days since 2000-01-01, the unit in which intake compares dates."""
    return (day - EPOCH).days


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the code types, the macros and the table of instrument names that staging needs."""
    for statement in enum_statements():
        connection.execute(statement)
    connection.execute(f"create macro cleaned(x) as ({cleaned_sql('x')})")
    connection.execute(f"create macro cleaned_once(x) as ({_cleaned_slowly('x')})")
    connection.execute(f"create macro code_form(x) as ({normal_form('x', '_')})")
    connection.execute(f"create macro instrument_form(x) as ({normal_form('x', '')})")
    scored = {each.id for each in load_questionnaires().values() if each.items}
    forms = {form: identity for form, identity in questionnaire_forms().items() if identity in scored}
    for table, names in (("instrument_name", instrument_forms()), ("questionnaire_name", forms)):
        connection.execute(f"create table {table} (form varchar, identity varchar)")
        load_rows(connection, table, sorted(names.items()))
    connection.execute(
        "create table instrument_fact (instrument_id varchar, lowest double, highest double, step double, "
        "takes_item_9 boolean)"
    )
    load_rows(
        connection,
        "instrument_fact",
        [(each.id, each.minimum, each.maximum, each.step, each.item_9) for each in load_instruments().values()],
    )
    connection.execute(
        "create table item_fact (questionnaire_id varchar, known_item varchar, lowest double, highest double, "
        "step double)"
    )
    load_rows(
        connection,
        "item_fact",
        [
            (form.id, item.number, item.low, item.high, item.step)
            for form in load_questionnaires().values()
            for item in form.items
        ],
    )


def cleaned_sql(text: str) -> str:
    """Return SQL for a text without blanks around it; NULL when it means "not given"."""
    # Nearly every text begins and ends with a letter or digit and is none of the tokens, which is quickly seen.
    last = f"right({text}, 1)"
    ends = f"{last} between '0' and '9' or strlen({text}) > 4 and {last} between 'A' and 'z'"
    plain = f"{text} >= '0' and {text} < '{{' and ({ends})"
    return f"case when {plain} then {text} else {_cleaned_slowly(text)} end"


def _cleaned_slowly(text: str) -> str:
    """Return the same without the quick look: for the few texts of a domain it only lengthens the statement."""
    # A pattern, not `in (…)` or a list: DuckDB makes a join of those, over every row, also where a case is not reached.
    tokens = literal("(?i)" + "|".join(map(re.escape, NULL_TOKENS)))
    trimmed = f"trim({text}, {_BLANKS})"
    return f"case when regexp_full_match({trimmed}, {tokens}) then null else {trimmed} end"


def stage(
    connection: duckdb.DuckDBPyConnection,
    spec: TableSpec,
    view: str,
    present: frozenset[str],
    context: StagingContext,
    lines: Lines | None = None,
) -> None:
    """Create table `stage_<table>` from the text view: record, ix, typed columns, `finding`.

    Parameters
    ----------
    view : a view or table of text columns named canonically (or by their day twin), with `record` and
        `misshapen` (the record has too few or too many fields).
    present : the canonical names of the columns that the view has.
    lines : the same columns as the file has them, without numbers; None where the view is all there is.

    Notes
    -----
    A child row is joined to `parent_episode` or `parent_person` (raw, ix, first_day, last_day), made by the caller;
    `ix` is NULL in a row without a parent, and the record number itself in a file without parents. The raw ids of rows
    without a parent go into `orphan_<table>`; all others are let go.
    """
    staged = [CodedColumn(spec, column, present, context) for column in spec.columns]
    coded, rows = code_rows(connection, spec, view, lines, staged)
    join, ix = _parent_join(spec)
    facts = next((_FACTS[column.kind] for column in spec.columns if column.kind in _FACTS), "")
    pieces = ["case when misshapen then '|FIELD_COUNT|' end", *(each.finding for each in staged)]
    rules = " ".join(
        f"when {condition} then {finding_text(name, rule, f'trim(t_{name})')}"
        for condition, name, rule in row_findings(spec.table, context.unknown)
    )
    pieces += [f"case {rules} end"] if rules else []
    carried = ", ".join(item for each in staged for item in each.carried)
    values = ", ".join(f"{each.value} as {quoted(each.name)}" for each in staged)
    domains = " ".join(each.join for each in staged)
    columns = ", ".join(quoted(name) for name in staged_columns(spec))
    connection.execute(
        f"create table stage_{spec.table} as select record, {ix}::integer as ix, {columns}, "
        f"coalesce({', '.join(piece for piece in pieces if piece)}) as finding from ("
        f"select *, {values} from ("
        f"select v.record::integer as record, v.misshapen, {carried} from {coded} v {domains}) t {join}) r {facts}"
    )
    _keep_orphans(connection, spec, coded, present)
    connection.execute(f"drop table coded_{spec.table}")
    compress(connection, rows)
    for each in staged:
        if each.has_domain:
            each.drop_domain(connection)


def stage_nothing(connection: duckdb.DuckDBPyConnection, spec: TableSpec) -> None:
    """Create what `stage` would of a file without a row: most clinics have some of the files only."""
    types = {column.name: type_of(column) for column in spec.columns}
    columns = ", ".join(f"{quoted(name)} {types[name]}" for name in staged_columns(spec))
    connection.execute(f"create table stage_{spec.table} (record integer, ix integer, {columns}, finding varchar)")
    connection.execute(f"create table orphan_{spec.table} (record integer, raw varchar)")


# What is known about the instrument or the item of a row, for the rules that compare columns.
_FACTS: Final = {
    "instrument": "left join instrument_fact f on f.instrument_id = r.instrument",
    "item": "left join item_fact f on f.questionnaire_id = r.instrument and f.known_item = r.item",
}


def _keep_orphans(connection: duckdb.DuckDBPyConnection, spec: TableSpec, coded: str, present: frozenset[str]) -> None:
    """Make `orphan_<table>`: `record` and raw parent id of the rows that are set aside for want of their parent."""
    parent = f"{spec.parent}_id"
    if parent not in present:
        connection.execute(f"create table orphan_{spec.table} (record integer, raw varchar)")
        return
    orphans = f"select record from stage_{spec.table} where ix is null and finding like '%|FK_MISSING|%'"
    connection.execute(
        f"create table orphan_{spec.table} as select record, cleaned(v.r_{parent}) as raw from {coded} v "
        f"semi join ({orphans}) using (record)"
    )


def staged_columns(spec: TableSpec) -> list[str]:
    """Return the columns of the staged table: a child row knows its parent by `ix`, and the id is let go."""
    return [column.name for column in spec.columns if column.name != f"{spec.parent}_id"]


def _parent_join(spec: TableSpec) -> tuple[str, str]:
    if spec.parent is None:
        return "", "record"
    return f"left join parent_{spec.parent} p on p.raw = t_{spec.parent}_id", "ix"
