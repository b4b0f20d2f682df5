"""Make the canonical tables of a source through its mapping, as text: the same rules apply to every source.

Only the columns that a mapping names leave this module. Raw tables live in the memory of the import's
database and are dropped before this module returns; file access is switched off before the first select
runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import duckdb

from analytics.errors import ImportProblem
from analytics.intake.cage import cage
from analytics.intake.mapping_columns import age_band_sql, constant_sql, raw_names, value_sql
from analytics.intake.mapping_model import (
    Account,
    AgeBand,
    ColumnSource,
    Constant,
    RawColumn,
    RawFile,
    SourceMapping,
    TableMapping,
)
from analytics.intake.mapping_sql import first_line
from analytics.intake.mapping_tables import output_names
from analytics.intake.mapping_toml import load_mapping
from analytics.intake.mapping_wide import wide_rows
from analytics.intake.model import TABLES
from analytics.intake.readers import FileFacts, FileRefusal, Lines, inspect, text_table, text_view
from analytics.intake.sql_text import quoted

__all__ = [
    "Account",
    "AccountCount",
    "AgeBand",
    "Constant",
    "MappedTable",
    "MappedTables",
    "RawColumn",
    "RawFile",
    "SourceMapping",
    "TableMapping",
    "load_mapping",
    "run_selects",
]


@dataclass(frozen=True)
class MappedTable:
    """A canonical table as text, named `view` in the database: `record`, `misshapen` and these columns.

    Attributes
    ----------
    columns : names in the view; day twins in a source in study days. Unknown and constant columns are
        included.
    unknown : those that the mapping declares "unknown" (NULL throughout).
    records : rows of the view.
    typed : dates may be ISO and numbers have a decimal point, whatever the mapping says of texts.
    label, place : what people call its file, and where they find a record of it.
    cells : where the cells of a wide file went.
    lines : the same rows without numbers, where they come straight from a file.
    """

    view: str
    columns: frozenset[str]
    unknown: frozenset[str]
    records: int
    typed: bool = False
    label: str = ""
    place: Callable[[int], str] = "row {}".format
    cells: AccountCount | None = None
    lines: Lines | None = None


@dataclass(frozen=True)
class AccountCount:
    """Where the rows of one raw file went: used + left out = read. `left_out` is by the TOML's reasons."""

    table: str
    source: str
    read: int
    used: int
    left_out: Mapping[str, int]


@dataclass(frozen=True)
class MappedTables:
    """What a mapping gave.

    Attributes
    ----------
    tables : by canonical name; empty when a file was refused.
    sources : facts of every raw file (or sheet) that could be read, by what people call it.
    refusals : the same way. A record with too few or too many fields refuses the raw file of a select.
    accounts : one per account of the TOML.
    """

    tables: Mapping[str, MappedTable]
    sources: Mapping[str, FileFacts]
    refusals: Mapping[str, FileRefusal]
    accounts: tuple[AccountCount, ...]


def run_selects(
    connection: duckdb.DuckDBPyConnection,
    mapping: SourceMapping,
    folder: Path,
    allowed_directories: Iterable[Path] = (),
) -> MappedTables:
    """Make `mapped_<table>` in the database for every table of the mapping.

    A table with a `select` becomes a table, numbered in the order of its order by; one with a `file`
    becomes a view that reads the file again whenever it is queried.

    Parameters
    ----------
    connection : to a database in memory, with access to files still on. Afterwards it reaches only the
        files of the views and `allowed_directories`, and its configuration is locked.

    Raises
    ------
    ImportProblem
        A raw file is missing, lacks a column, a select fails, or an account does not add up.
    """
    sources: dict[RawFile, FileFacts] = {}
    refusals: dict[str, FileRefusal] = {}
    viewed = [table.file for table in mapping.tables.values() if table.file is not None]
    for raw in dict.fromkeys([*mapping.sources.values(), *viewed]):
        facts = inspect(folder / raw.file, mapping.read_options_of(raw))
        if isinstance(facts, FileRefusal):
            refusals[raw.label] = facts
        elif len(facts.misshapen) and raw in mapping.sources.values():
            words = f"{facts.label} has records with more or fewer fields than its header. Export it again."
            refusals[raw.label] = FileRefusal("FIELD_COUNT", None, words)
        else:
            sources[raw] = facts
    by_label = {facts.label: facts for facts in sources.values()}
    if refusals:
        return MappedTables({}, by_label, refusals, ())
    # DuckDB reads CSV and Parquet files in place; whatever Python reads is in memory already.
    for name, raw in mapping.sources.items():
        text_table(connection, name, sources[raw])
    tables = {}
    for table in mapping.tables.values():
        if table.file is not None:
            tables[table.table] = _make_view(connection, table, sources[table.file], mapping)
    cage(connection, [sources[raw].path for raw in viewed], allowed_directories)
    connection.execute(f"create or replace macro age_band(years) as ({age_band_sql('years')})")
    for table in mapping.tables.values():
        if table.select is not None:
            tables[table.table] = _make_table(connection, table, mapping)
    accounts = [*_accounts(connection, mapping, sources)]
    accounts += [made.cells for made in tables.values() if made.cells is not None]
    for name in mapping.sources:
        connection.execute(f"drop table {quoted(name)}")
    return MappedTables(tables, by_label, {}, tuple(accounts))


def _make_view(
    connection: duckdb.DuckDBPyConnection, table: TableMapping, facts: FileFacts, mapping: SourceMapping
) -> MappedTable:
    """Make the view of a table whose columns are columns of one raw file."""
    where = f"{mapping.name}.toml, {table.table}"
    spec = next(spec for spec in TABLES if spec.table == table.table)
    model_name = output_names(spec, mapping.study_days)
    columns = _with_observed(table, mapping)
    days: set[str] = set()
    for name, source in columns.items():
        for raw in raw_names(source):
            if raw not in facts.columns:
                raise ImportProblem(f"{where}.columns.{name}: {facts.label} has no {raw!r}.")
        is_day = spec.column(model_name[name]).kind == "date" and not mapping.study_days
        if is_day or (isinstance(source, AgeBand) and source.birth_date is not None):
            days |= set(raw_names(source))
    form = table.date_format or mapping.date_format
    values = {name: value_sql(source, facts, table.codes.get(name, {}), form) for name, source in columns.items()}
    wide = wide_rows(where, table, spec, model_name, facts, mapping)
    needed = wide.raw_columns.union(*(raw_names(source) for source in columns.values()))
    raw_view = f"raw_{table.table}"
    chosen = {facts.cell(raw): raw for raw in sorted(needed)}
    lines = text_view(connection, raw_view, facts, chosen, {facts.cell(raw) for raw in days | wide.raw_days})
    rows = f"select * from {quoted(raw_view)}"
    records, place = facts.records, facts.place
    if wide.cells:
        values |= wide.values
        rows, place = wide.rows_sql(raw_view), partial(wide.place, facts)
    view = _select_into(connection, "view", table, values, rows)
    if wide.cells:
        records, lines = _number(connection, _count_of(view)), None
    if lines is not None:
        cells = ", ".join(_cells(table, values))
        connection.execute(
            f"create or replace view {quoted(f'{view} lines')} as select {cells} from {quoted(lines.view)}"
        )
        lines = replace(lines, view=f"{view} lines")
    return MappedTable(
        view,
        frozenset(values) | table.unknown,
        table.unknown,
        records,
        typed=facts.typed or wide.reckons,
        label=facts.label,
        place=place,
        lines=lines,
        cells=_cell_account(connection, table.table, facts, wide.counts_sql(raw_view)) if wide.cells else None,
    )


def _cell_account(connection: duckdb.DuckDBPyConnection, table: str, facts: FileFacts, counts: str) -> AccountCount:
    read, filled, empty = connection.execute(counts).fetchall()[0]
    if filled + empty != read:
        raise ImportProblem(f"{facts.label} was changed while it was read. Import it again.")
    return AccountCount(
        table, facts.label, read, filled, {f"empty cells of columns that become rows of {table}": empty}
    )


def _make_table(connection: duckdb.DuckDBPyConnection, table: TableMapping, mapping: SourceMapping) -> MappedTable:
    """Run a select into a table; its rows are numbered as they come."""
    where = f"{mapping.name}.toml, {table.table}.select"
    try:
        connection.execute(f"create or replace table picked as {table.select}")
    except duckdb.Error as problem:
        # Without the cause: the text of an error over values holds a value.
        raise ImportProblem(f"{where}: {first_line(problem)}") from None
    described = connection.execute("describe picked").fetchall()
    given = {str(row[0]) for row in described}
    constants = _with_observed(table, mapping)
    spec = next(spec for spec in TABLES if spec.table == table.table)
    if foreign := given - set(output_names(spec, mapping.study_days)):
        raise ImportProblem(f"{where}: {spec.file} has no column {min(foreign)}, so it stays in the raw files.")
    if twice := given & (set(constants) | table.unknown):
        raise ImportProblem(f"{where}: {min(twice)} is given by the select and by columns.")
    values = {name: f"{quoted(name)}::varchar" for name in sorted(given)}
    values |= {name: constant_sql(source) for name, source in constants.items()}
    numbered = "select rowid + 1 as record, false as misshapen, * from picked"
    view = _select_into(connection, "table", table, values, f"{numbered} order by rowid")
    connection.execute("drop table picked")
    return MappedTable(
        view, frozenset(values) | table.unknown, table.unknown, _number(connection, _count_of(view)), typed=True
    )


def _select_into(
    connection: duckdb.DuckDBPyConnection,
    kind: str,
    table: TableMapping,
    values: Mapping[str, str],
    rows: str,
) -> str:
    view = f"mapped_{table.table}"
    cells = ["record", "misshapen", *_cells(table, values)]
    connection.execute(f"create or replace {kind} {quoted(view)} as select {', '.join(cells)} from ({rows})")
    return view


def _cells(table: TableMapping, values: Mapping[str, str]) -> list[str]:
    cells = [f"{value} as {quoted(name)}" for name, value in values.items()]
    return cells + [f"null::varchar as {quoted(name)}" for name in sorted(table.unknown)]


def _with_observed(table: TableMapping, mapping: SourceMapping) -> dict[str, ColumnSource]:
    columns = dict(table.columns)
    if table.table == "episodes" and mapping.observed_until is not None:
        columns["observed_until_day"] = Constant(str(mapping.observed_until), "observed_until of the mapping")
    return columns


def _accounts(
    connection: duckdb.DuckDBPyConnection, mapping: SourceMapping, sources: Mapping[RawFile, FileFacts]
) -> Iterable[AccountCount]:
    for table in mapping.tables.values():
        for source, account in table.accounts.items():
            facts = sources[mapping.sources[source]]
            where = f"{mapping.name}.toml, {table.table}.accounts.{source}"
            used = _counted(connection, where, account.used or _count_of(f"mapped_{table.table}"))
            left_out = {why: _counted(connection, where, count) for why, count in account.left_out.items()}
            read = facts.records
            if used + sum(left_out.values()) != read:
                raise ImportProblem(
                    f"{where}: {facts.label} has {read:,} records, but {used:,} are used and "
                    f"{sum(left_out.values()):,} are left out. Every record must be one or the other."
                )
            yield AccountCount(table.table, facts.label, read, used, left_out)


def _counted(connection: duckdb.DuckDBPyConnection, where: str, select: str) -> int:
    try:
        return _number(connection, select)
    except duckdb.Error as problem:
        raise ImportProblem(f"{where}: {first_line(problem)}") from None


def _count_of(table: str) -> str:
    return f"select count(*) from {quoted(table)}"


def _number(connection: duckdb.DuckDBPyConnection, select: str) -> int:
    row = connection.execute(select).fetchone()
    return row[0] if row and isinstance(row[0], int) else 0
