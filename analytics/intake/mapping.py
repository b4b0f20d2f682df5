"""Make the canonical tables of a source through its mapping, as text, so that the same rules apply to every source.

Only the columns that a mapping names leave this module. Raw tables live in the memory of the import's database and
are dropped before this module returns; file access is switched off before the first select runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from analytics.errors import ImportProblem
from analytics.intake.cage import cage
from analytics.intake.mapping_model import (
    Account,
    AgeBand,
    ColumnSource,
    Constant,
    RawColumn,
    SourceMapping,
    TableMapping,
)
from analytics.intake.mapping_sql import first_line
from analytics.intake.mapping_toml import load_mapping
from analytics.intake.readers import FileFacts, FileRefusal, inspect, text_table, text_view
from analytics.intake.sql_text import literal, quoted
from analytics.store.codes import CODES

__all__ = [
    "Account",
    "AccountCount",
    "AgeBand",
    "Constant",
    "MappedTable",
    "MappedTables",
    "RawColumn",
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
    columns : names in the view; day twins in a source in study days. Unknown and constant columns are among them.
    unknown : those that the mapping declares "unknown" (NULL throughout).
    records : rows of the view.
    """

    view: str
    columns: frozenset[str]
    unknown: frozenset[str]
    records: int


@dataclass(frozen=True)
class AccountCount:
    """Where the rows of one raw file went: used + left out = read. `left_out` is by reason, in the TOML's words."""

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
    sources : facts of every raw file that could be read, by file name.
    refusals : by raw file name. A record with too few or too many fields refuses the raw file of a select.
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

    A table with a `select` becomes a table, numbered in the order of its order by; one with a `file` becomes a view
    that reads the file again whenever it is queried.

    Parameters
    ----------
    connection : to a database in memory, with access to files still on. Afterwards it reaches only the files of the
        views and `allowed_directories`, and its configuration is locked.

    Raises
    ------
    ImportProblem
        A raw file is missing, lacks a column, a select fails, or an account does not add up.
    """
    sources: dict[str, FileFacts] = {}
    refusals: dict[str, FileRefusal] = {}
    by_columns = {table.file: table for table in mapping.tables.values() if table.file is not None}
    for file in dict.fromkeys([*mapping.sources.values(), *by_columns]):
        facts = inspect(folder / file, mapping.read_options_of(file))
        if isinstance(facts, FileRefusal):
            refusals[file] = facts
        elif len(facts.misshapen) and file in mapping.sources.values():
            words = f"{file} has records with more or fewer fields than its header. Export it again."
            refusals[file] = FileRefusal("FIELD_COUNT", None, words)
        else:
            sources[file] = facts
    if refusals:
        return MappedTables({}, sources, refusals, ())
    for name, file in mapping.sources.items():
        text_table(connection, name, sources[file])
    tables = {}
    for table in mapping.tables.values():
        if table.file is not None:
            tables[table.table] = _make_view(connection, table, sources[table.file], mapping)
    cage(connection, [sources[file].path for file in by_columns], allowed_directories)
    connection.execute(f"create or replace macro age_band(years) as ({_age_band('years')})")
    for table in mapping.tables.values():
        if table.select is not None:
            tables[table.table] = _make_table(connection, table, mapping)
    accounts = tuple(_accounts(connection, mapping, sources))
    for name in mapping.sources:
        connection.execute(f"drop table {quoted(name)}")
    return MappedTables(tables, sources, {}, accounts)


def _make_view(
    connection: duckdb.DuckDBPyConnection, table: TableMapping, facts: FileFacts, mapping: SourceMapping
) -> MappedTable:
    """Make the view of a table whose columns are columns of one raw file."""
    values = {}
    for name, source in _with_observed(table, mapping).items():
        for raw in _raw_names(source):
            if raw not in facts.columns:
                raise ImportProblem(
                    f"{mapping.name}.toml, {table.table}.columns.{name}: {facts.path.name} has no {raw!r}."
                )
        values[name] = _value(source, facts, table.codes.get(name, {}), mapping.date_format)
    raw_view = f"raw_{table.table}"
    text_view(connection, raw_view, facts, {f"c{place}": raw for place, raw in enumerate(facts.columns)})
    view = _select_into(connection, "view", table, values, f"select * from {quoted(raw_view)}")
    return MappedTable(view, frozenset(values) | table.unknown, table.unknown, facts.records)


def _make_table(
    connection: duckdb.DuckDBPyConnection, table: TableMapping, mapping: SourceMapping
) -> MappedTable:
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
    if twice := given & (set(constants) | table.unknown):
        raise ImportProblem(
            f"{where}: {sorted(twice)[0]} is given by the select and by columns. Take one away."
        )
    values = {name: f"{quoted(name)}::varchar" for name in sorted(given)}
    values |= {name: _constant(source) for name, source in constants.items()}
    numbered = "select rowid + 1 as record, false as misshapen, * from picked"
    view = _select_into(connection, "table", table, values, f"{numbered} order by rowid")
    connection.execute("drop table picked")
    return MappedTable(
        view, frozenset(values) | table.unknown, table.unknown, _number(connection, _count_of(view))
    )


def _select_into(
    connection: duckdb.DuckDBPyConnection,
    kind: str,
    table: TableMapping,
    values: Mapping[str, str],
    rows: str,
) -> str:
    view = f"mapped_{table.table}"
    cells = [f"{value} as {quoted(name)}" for name, value in values.items()]
    cells += [f"null::varchar as {quoted(name)}" for name in sorted(table.unknown)]
    connection.execute(
        f"create or replace {kind} {quoted(view)} as select {', '.join(['record', 'misshapen', *cells])} from ({rows})"
    )
    return view


def _with_observed(table: TableMapping, mapping: SourceMapping) -> dict[str, ColumnSource]:
    columns = dict(table.columns)
    if table.table == "episodes" and mapping.observed_until is not None:
        columns["observed_until_day"] = Constant(str(mapping.observed_until), "observed_until of the mapping")
    return columns


def _raw_names(source: ColumnSource) -> list[str]:
    if isinstance(source, RawColumn):
        return [source.name]
    if isinstance(source, AgeBand):
        return [name for name in (source.age, source.birth_date, source.on) if name is not None]
    return []


def _value(
    source: ColumnSource,
    facts: FileFacts,
    codes: Mapping[str, str],
    date_format: str | None,
) -> str:
    if isinstance(source, Constant):
        return _constant(source)
    cells = [f"c{facts.columns.index(name)}" for name in _raw_names(source)]
    if isinstance(source, RawColumn):
        return _translated(cells[0], codes)
    if source.age is not None:
        return _age_band(cells[0])
    birth, day = (_date(cell, date_format) for cell in cells)
    return _age_band(f"case when {birth} <= {day} then extract(year from age({day}, {birth})) end")


def _constant(source: ColumnSource) -> str:
    assert isinstance(source, Constant)  # the TOML reader lets nothing else stand beside a select
    return f"{literal(source.value)}::varchar"


def _date(cell: str, date_format: str | None) -> str:
    if date_format is None:
        return f"try_cast(left(trim({cell}), 10) as date)"
    return f"try_strptime(trim({cell}), {literal(date_format)})::date"


def _translated(cell: str, codes: Mapping[str, str]) -> str:
    if not codes:
        return cell
    pairs = " ".join(f"when {literal(raw)} then {literal(code)}" for raw, code in codes.items())
    return f"case lower(trim(coalesce({cell}, ''))) {pairs} else {cell} end"


_OLDEST_BAND: Final = CODES["age_band"][-1]


def _age_band(years: str) -> str:
    """Return SQL for the age band of a number of years.

    What is no age gives a text that is no band either (the row is then refused), so that neither an age above 89
    nor anything else from that column gets any further.
    """
    whole = f"floor(try_cast({years} as double))"
    bands = [(band, *band.split("-")) for band in CODES["age_band"] if band != _OLDEST_BAND]
    cases = " ".join(f"when {whole} between {low} and {high} then '{band}'" for band, low, high in bands)
    return f"case when {years} is null then null {cases} when {whole} between 90 and 130 then '{_OLDEST_BAND}' else 'no age' end"


def _accounts(
    connection: duckdb.DuckDBPyConnection, mapping: SourceMapping, sources: Mapping[str, FileFacts]
) -> Iterable[AccountCount]:
    for table in mapping.tables.values():
        for source, account in table.accounts.items():
            file = mapping.sources[source]
            where = f"{mapping.name}.toml, {table.table}.accounts.{source}"
            used = _counted(connection, where, account.used or _count_of(f"mapped_{table.table}"))
            left_out = {why: _counted(connection, where, count) for why, count in account.left_out.items()}
            read = sources[file].records
            if used + sum(left_out.values()) != read:
                raise ImportProblem(
                    f"{where}: {file} has {read:,} records, but {used:,} are used and "
                    f"{sum(left_out.values()):,} are left out. Every record must be one or the other."
                )
            yield AccountCount(table.table, file, read, used, left_out)


def _counted(connection: duckdb.DuckDBPyConnection, where: str, select: str) -> int:
    try:
        return _number(connection, select)
    except duckdb.Error as problem:
        raise ImportProblem(f"{where}: {first_line(problem)}") from None


def _count_of(table: str) -> str:
    return f"select count(*) from {quoted(table)}"


def _number(connection: duckdb.DuckDBPyConnection, select: str) -> int:
    row = connection.execute(select).fetchone()
    return int(row[0]) if row else 0
