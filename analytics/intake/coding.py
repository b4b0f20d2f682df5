"""The texts of a file as small numbers: a text that repeats itself is read and judged once.

Thirty million sessions have some thousand dates and four kinds of status. So each distinct text of a column is typed
and judged in a small table, its *domain*, and the rows hold its number there. Rows are coded in the order of the file,
by several threads at once, and a row's place in the coded table is its record number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import duckdb

from analytics.errors import ImportProblem
from analytics.intake.columns import cell_error_rule, read_column
from analytics.intake.model import DAY_TWINS, Column, TableSpec
from analytics.intake.readers import Lines
from analytics.intake.rules import UNMASKED_RULES
from analytics.intake.sql_text import quoted
from analytics.store.spill import compress

if TYPE_CHECKING:
    from analytics.intake.staging import StagingContext

LONGEST_FIELD: Final = 1024

# Columns with nearly as many values as rows: they have no domain. Nor has the parent's id, which is looked up.
_WIDE: Final = ("episode_id", "person_id", "referral_id", "response_no")
# Either small numbers or marks of the source system, one per row: only texts up to this length have a domain.
_WIDE_WHERE_LONG: Final = {"session_no": 4}

# Kinds of column that name an instrument or a form: the table in which the name is looked up.
_NAME_TABLES: Final = {"instrument": "instrument_name", "questionnaire": "questionnaire_name"}

# Record numbers and what is made of them are INTEGER.
MOST_RECORDS: Final = 2_000_000_000


def source_name(column: str, study_days: bool) -> str:
    """Return the name under which a canonical column is given: its own, or its day twin."""
    return DAY_TWINS.get(column, column) if study_days else column


def finding_text(name: str, rule: str, text: str) -> str:
    """Return SQL for a finding, `column|RULE|masked value`."""
    if rule in UNMASKED_RULES or not name:
        return f"'{name}|{rule}|'"
    return f"'{name}|{rule}|' || {_masked(text)}"


def _masked(text: str) -> str:
    return f"coalesce(left({text}, 1) || '… (' || length({text}) || ' characters)', '')"


class CodedColumn:
    """How one column enters the coded table, and how it leaves it again.

    Attributes
    ----------
    coded : SQL items of the coded table, over the text view `v`.
    join : joins the domain to the coded table `v`, "" without one.
    carried : SQL items over that join: the cleaned text `t_<name>`, and value and finding of the domain.
    value, finding : SQL over `carried`; `finding` is "" where the column is absent.
    """

    def __init__(self, spec: TableSpec, column: Column, present: frozenset[str], context: StagingContext) -> None:
        name = self.name = column.name
        self._kind = column.kind
        wide = name in _WIDE or name == f"{spec.parent}_id"
        self.has_domain = name in present and not wide
        self.domain = f"domain_{spec.table}_{name}"
        self._type = f"code_of_{spec.table}_{name}"
        source = f"v.{quoted(source_name(name, context.study_days))}"
        self._read, rules = read_column(column, f"t_{name}", spec, context)
        too_long = (f"strlen(t_{name}) > {LONGEST_FIELD}", name, "FIELD_TOO_LONG")
        given = [too_long, cell_error_rule(name, f"t_{name}"), *rules]
        self._given = [(condition, rule) for condition, _, rule in given]
        self.raw, self.join = f"coalesce({source}, '')", ""
        if self.has_domain:
            code = f"n_{name}"
            self.join = f"left join {self.domain} d{name} on d{name}.code = v.{code}"
            self.value, self.finding = f"d_{name}", f"f_{name}"
            domain = [f"d{name}.value as d_{name}", f"d{name}.finding as f_{name}"]
            longest = _WIDE_WHERE_LONG.get(name)
            if longest is None:
                self.coded = [f"enum_code({self.raw}::{self._type}) as {code}"]
                # The text as it is: only a rule across columns still looks at it, to mask it.
                self.carried = [f"d{name}.raw as t_{name}", *domain]
            else:
                self.raw = f"case when strlen({source}) <= {longest} then {source} else '' end"
                long_text = f"case when strlen({source}) > {longest} then {source} end as r_{name}"
                self.coded = [f"enum_code(({self.raw})::{self._type}) as {code}", long_text]
                self.carried = [f"cleaned(v.r_{name}) as t_{name}", *domain]
                self.value = f"coalesce(d_{name}, {self._read})"
                self.finding = f"case when t_{name} is null then f_{name} else {self._judged()} end"
        elif name in present:
            self.coded, self.carried = [f"{source} as r_{name}"], [f"cleaned(v.r_{name}) as t_{name}"]
            self.value, self.finding = self._read, self._judged()
        else:
            # Read all the same, so that the empty column has its type; an instrument is looked up, and has nowhere.
            self.coded, self.carried = [], [f"null::varchar as t_{name}"]
            self.value, self.finding = ("null::varchar" if column.kind in _NAME_TABLES else self._read), ""

    def make_domain(self, connection: duckdb.DuckDBPyConnection, values: str) -> None:
        """Read and judge every distinct text, which is in the list column `values` of `distinct_texts`."""
        texts = f"select unnest({values}) as raw from distinct_texts"
        connection.execute(f"create type {self._type} as enum ({texts})")
        name, names = self.name, _NAME_TABLES.get(self._kind)
        joined = f"left join {names} i on i.form = instrument_form(t_{name})" if names else ""
        # The mask is written once, around the rules: DuckDB takes longer to plan a long statement than to judge texts.
        rules = " ".join(f"when {condition} then '{name}|{rule}|'" for condition, rule in self._given)
        bare = " or ".join(f"broken = '{name}|{rule}|'" for _, rule in self._given if rule in UNMASKED_RULES)
        mask = f"case when {bare} then '' else {_masked(f't_{name}')} end" if bare else _masked(f"t_{name}")
        connection.execute(
            f"create table {self.domain} as select enum_code(raw::{self._type}) as code, raw, {quoted(name)} as value, "
            f"broken || {mask} as finding from ("
            f"select *, case {rules} end as broken from ("
            f"select raw, t_{name}, {self._read} as {quoted(name)} from ("
            f"select raw, cleaned_once(raw) as t_{name} from ({texts})) {joined}))"
        )

    def _judged(self) -> str:
        name = self.name
        chain = " ".join(f"when {c} then {finding_text(name, rule, f't_{name}')}" for c, rule in self._given)
        return f"case {chain} end"

    def drop_type(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let go of the type that gave the texts their numbers; the domain stays."""
        connection.execute(f"drop type {self._type}")

    def drop_domain(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let go of the domain."""
        connection.execute(f"drop table {self.domain}")


def code_rows(
    connection: duckdb.DuckDBPyConnection, spec: TableSpec, view: str, lines: Lines | None, columns: list[CodedColumn]
) -> tuple[str, int]:
    """Make the domains and table `coded_<table>`; return SQL for its rows with `record` and `misshapen`, and how many.

    Raises
    ------
    ImportProblem
        The file was changed meanwhile, or has more records than a number of ours can count.
    """
    source, table = lines.view if lines else view, f"coded_{spec.table}"
    with_domain = [column for column in columns if column.has_domain]
    coded = [item for column in columns for item in column.coded]
    if lines is None:
        coded = ["v.record", "v.misshapen", *coded]
    if with_domain:
        lists = ", ".join(f"list(distinct {each.raw}) as texts_{place}" for place, each in enumerate(with_domain))
        connection.execute(f"create table distinct_texts as select {lists} from {quoted(source)} v")
    for place, column in enumerate(with_domain):
        column.make_domain(connection, f"texts_{place}")
    try:
        # One table, its rows as they come: DuckDB keeps their order without working one after the other.
        connection.execute(f"create table {table} as select {', '.join(coded)} from {quoted(source)} v")
    except duckdb.ConversionException:
        raise _changed(spec) from None  # a text that was not there a moment ago
    for column in with_domain:
        column.drop_type(connection)
    if with_domain:
        connection.execute("drop table distinct_texts")
    (rows,) = connection.execute(f"select count(*) from {table}").fetchone() or (0,)
    if rows > MOST_RECORDS:
        raise ImportProblem(f"{spec.file} has more than {MOST_RECORDS:,} records. Import it in parts.")
    compress(connection, rows)
    if lines is None:
        return table, rows
    if rows != lines.records + 1:
        raise _changed(spec)
    misshapen = f"rowid in (select record from {quoted(lines.misshapen)})" if lines.misshapen else "false"
    coded_rows = f"(select rowid::integer as record, {misshapen} as misshapen, * from {table} where rowid > 0)"
    return coded_rows, rows - 1


def _changed(spec: TableSpec) -> ImportProblem:
    return ImportProblem(f"The file of {spec.table} was changed while it was read. Import it again.")
