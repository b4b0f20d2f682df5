"""Type and check every row of a canonical file in one pass, in SQL.

`stage()` turns a view of text columns into a table of typed columns with one more column, `finding`: the first rule
that the row breaks (`column|RULE|masked value`), NULL when it breaks none. Nothing is dropped here, so that
accepted + rejected = read holds by construction. Dates become whole days since 2000-01-01; a source in study days
gives its own day numbers, and everything after this module treats both alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import duckdb

from analytics.instruments import instrument_forms, load_instruments
from analytics.intake.columns import cell_error_rule, normal_form, read_column
from analytics.intake.model import DAY_TWINS, Column, TableSpec
from analytics.intake.rules import UNMASKED_RULES, row_findings
from analytics.intake.sql_text import quoted
from analytics.store.codes import enum_statements

EPOCH: Final = date(2000, 1, 1)  # no program of ours has older data: DATE_RANGE

NULL_TOKENS: Final = ("", "null", "na", "n/a", "nan", "none", "#n/a", ".", "-")
LONGEST_FIELD: Final = 1024

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
    connection.execute(f"create macro code_form(x) as ({normal_form('x', '_')})")
    connection.execute(f"create macro instrument_form(x) as ({normal_form('x', '')})")
    connection.execute(
        "create table instrument_name (form varchar, instrument_id varchar, lowest double, highest double, "
        "step double, takes_item_9 boolean)"
    )
    instruments = load_instruments()
    named = [(form, instruments[identity]) for form, identity in sorted(instrument_forms().items())]
    rows = [(form, each.id, each.minimum, each.maximum, each.step, each.item_9) for form, each in named]
    connection.executemany("insert into instrument_name values (?, ?, ?, ?, ?, ?)", rows)
    connection.execute(
        "create table instrument_fact as select distinct instrument_id, lowest, highest, step, takes_item_9 "
        "from instrument_name"
    )


def cleaned_sql(text: str) -> str:
    """Return SQL for a text without blanks around it; NULL when it means "not given"."""
    tokens = ", ".join(repr(token) for token in NULL_TOKENS)
    plain = f"trim({text}, {_BLANKS})"
    # A list, not `in (…)`: DuckDB makes a join of the latter, over every row, wherever it stands.
    return f"case when list_contains([{tokens}], lower({plain})) then null else {plain} end"


def source_name(column: str, study_days: bool) -> str:
    """Return the name under which a canonical column is given: its own, or its day twin."""
    return DAY_TWINS.get(column, column) if study_days else column


def stage(
    connection: duckdb.DuckDBPyConnection,
    spec: TableSpec,
    view: str,
    present: frozenset[str],
    context: StagingContext,
) -> None:
    """Create table `stage_<table>` from the text view: record, ix, typed columns, `finding`.

    Parameters
    ----------
    view : a view or table of text columns named canonically (or by their day twin), with `record` and
        `misshapen` (the record has too few or too many fields).
    present : the canonical names of the columns that the view has.

    Notes
    -----
    A child row is joined to `parent_episode` or `parent_person` (raw, ix, first_day, last_day), made by the caller;
    `ix` is NULL in a row without a parent, and the record number itself in a file without parents.
    """
    staged = [_Staged(spec, column, present, context) for column in spec.columns]
    _make_domains(connection, view, [each for each in staged if each.is_domain])
    join, ix = _parent_join(spec)
    instrument = f"left join instrument_fact f on f.instrument_id = {quoted('instrument')}" if _has_scores(spec) else ""
    pieces = ["case when misshapen then '|FIELD_COUNT|' end", *(each.finding for each in staged)]
    rules = " ".join(
        f"when {condition} then {_finding_text(name, rule, f'trim(t_{name})')}"
        for condition, name, rule in row_findings(spec.table, context.unknown)
    )
    pieces += [f"case {rules} end"] if rules else []
    texts = ", ".join(f"{each.text} as t_{each.name}" for each in staged)
    values = ", ".join(f"{each.value} as {quoted(each.name)}" for each in staged)
    domains = " ".join(each.join for each in staged if each.is_domain)
    columns = ", ".join(quoted(column.name) for column in spec.columns)
    connection.execute(
        f"create table stage_{spec.table} as select record, {ix} as ix, {columns}, "
        f"coalesce({', '.join(piece for piece in pieces if piece)}) as finding from ("
        f"select *, {values} from (select v.record, v.misshapen, {texts}"
        f"{''.join(f', {each.carried}' for each in staged if each.is_domain)} from {view} v {domains}) t {join}"
        f") r {instrument}"
    )
    for each in staged:
        if each.is_domain:
            connection.execute(f"drop table {each.domain}")


# Columns with nearly as many values as rows; every other column repeats itself.
_WIDE: Final = ("episode_id", "person_id", "session_no")


class _Staged:
    """How one column enters the staged table.

    A column that repeats itself is read and judged once per distinct text, in a small table (its *domain*) that the
    rows are joined to: thirty million sessions have some thousand dates and four kinds of status, and a join is a
    fraction of the cost of reading each text anew. A wide column is read row by row.
    """

    def __init__(self, spec: TableSpec, column: Column, present: frozenset[str], context: StagingContext) -> None:
        self.name = column.name
        self.is_domain = column.name in present and column.name not in _WIDE
        self.domain = f"domain_{spec.table}_{column.name}"
        source = quoted(source_name(column.name, context.study_days))
        self.raw = f"coalesce(v.{source}, '')"
        self._read, rules = read_column(column, f"t_{column.name}", spec, context)
        given = [
            (f"strlen(t_{column.name}) > {LONGEST_FIELD}", column.name, "FIELD_TOO_LONG"),
            cell_error_rule(column.name, f"t_{column.name}"),
            *rules,
        ]
        chain = " ".join(f"when {c} then {_finding_text(n, rule, f't_{n}')}" for c, n, rule in given)
        self._judged = f"case {chain} end"
        if self.is_domain:
            # The text is carried as it is: only a rule across columns still looks at it, to mask it.
            self.text, self.value, self.finding = f"v.{source}", f"d_{self.name}", f"f_{self.name}"
            self.join = f"left join {self.domain} d{self.name} on d{self.name}.raw = {self.raw}"
            self.carried = f"d{self.name}.value as d_{self.name}, d{self.name}.finding as f_{self.name}"
        elif column.name in present:
            self.text, self.value, self.finding = f"cleaned(v.{source})", self._read, self._judged
        else:
            # Read all the same, so that the empty column has its type; an instrument is looked up, and has nowhere.
            absent = "null::varchar" if column.kind == "instrument" else self._read
            self.text, self.value, self.finding = "null::varchar", absent, ""

    def make_domain(self, connection: duckdb.DuckDBPyConnection, values: str) -> None:
        """Read and judge every distinct text, which is in the list column `values` of `distinct_texts`."""
        instrument = "left join instrument_name i on i.form = instrument_form(t_instrument)"
        joined = instrument if self.name == "instrument" else ""
        connection.execute(
            f"create table {self.domain} as select raw, {quoted(self.name)} as value, {self._judged} as finding from ("
            f"select raw, t_{self.name}, {self._read} as {quoted(self.name)} from ("
            f"select raw, cleaned(raw) as t_{self.name} from (select unnest({values}) as raw from distinct_texts)) "
            f"{joined})"
        )


def _make_domains(connection: duckdb.DuckDBPyConnection, view: str, staged: list[_Staged]) -> None:
    """Find the distinct texts of all columns in one pass over the file, then read and judge them."""
    if not staged:
        return
    lists = ", ".join(f"list(distinct {each.raw}) as texts_{number}" for number, each in enumerate(staged))
    connection.execute(f"create table distinct_texts as select {lists} from {view} v")
    for number, each in enumerate(staged):
        each.make_domain(connection, f"texts_{number}")
    connection.execute("drop table distinct_texts")


def _has_scores(spec: TableSpec) -> bool:
    return any(column.kind == "instrument" for column in spec.columns)


def _finding_text(name: str, rule: str, text: str) -> str:
    if rule in UNMASKED_RULES or not name:
        return f"'{name}|{rule}|'"
    return f"'{name}|{rule}|' || coalesce(left({text}, 1) || '… (' || length({text}) || ' characters)', '')"


def _parent_join(spec: TableSpec) -> tuple[str, str]:
    if spec.parent is None:
        return "", "record"
    return f"left join parent_{spec.parent} p on p.raw = t_{spec.parent}_id", "ix"
