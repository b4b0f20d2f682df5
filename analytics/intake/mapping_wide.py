"""The rows that a mapping makes of a wide file: SQL over the cells of its records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analytics.intake.file_facts import FileFacts, normalised
from analytics.intake.mapping_columns import day_sql, translated
from analytics.intake.mapping_model import SourceMapping, TableMapping
from analytics.intake.model import TableSpec
from analytics.intake.sql_text import literal, quoted
from analytics.intake.staging import cleaned_sql
from analytics.intake.unpivot import CellFact, WideCell, fact_sql, raw_cell, raw_names_of, wide_cells


@dataclass(frozen=True)
class WideRows:
    """One row per filled cell; without cells the table is not wide.

    Attributes
    ----------
    values : canonical column -> SQL over the rows of `rows_sql`. structs : SQL per cell.
    raw_columns, raw_days : raw columns that are read, and those of them that hold days.
    reckons : a day is reckoned here, so it is an ISO date whatever the texts of the file look like.
    """

    cells: tuple[WideCell, ...]
    values: Mapping[str, str]
    structs: tuple[str, ...]
    raw_columns: frozenset[str]
    raw_days: frozenset[str]
    reckons: bool

    def rows_sql(self, view: str) -> str:
        """Return SQL for the rows over the view of the file's records.

        A row is numbered by its record and the place of its cell, so that both can be told from the number. A record
        with too many or too few fields gives one row, whatever its cells hold.
        """
        return (
            f"select (record - 1) * {len(self.cells)} + cell.place as record, * exclude (record) from ("
            f"select *, unnest([{', '.join(self.structs)}]) as cell from {quoted(view)}) "
            "where case when misshapen then cell.place = 1 else cell.filled end"
        )

    def counts_sql(self, view: str) -> str:
        """Return SQL that counts the cells of well-shaped records: all, the filled, the empty."""
        return (
            "select count(*), count(*) filter (cell.filled), count(*) filter (not cell.filled) from ("
            f"select misshapen, unnest([{', '.join(self.structs)}]) as cell from {quoted(view)}) where not misshapen"
        )

    def place(self, facts: FileFacts, row: int) -> str:
        """Return where a person finds a row: the record and the column."""
        record, cell = divmod(row - 1, len(self.cells))
        return f"{facts.place(record + 1)}, column {self.cells[cell].column}"


def wide_rows(
    where: str,
    table: TableMapping,
    spec: TableSpec,
    model_name: Mapping[str, str],
    facts: FileFacts,
    mapping: SourceMapping,
) -> WideRows:
    """Find the columns of the table's groups in a file; ImportProblem when a column is not there."""
    where = f"{where}.unpivot"
    cells = wide_cells(where, table.unpivots, facts)
    names = list(dict.fromkeys(name for each in table.unpivots for name in (each.value, *each.gives)))
    days = {name for name in names if spec.column(model_name[name]).kind == "date"}
    raw_days: set[str] = set()
    reckons = False

    def value(cell: WideCell, name: str) -> str:
        nonlocal reckons
        if name == cell.unpivot.value:
            return translated(facts.cell(cell.column), table.codes.get(name, {}))
        fact = cell.unpivot.gives.get(name)
        if fact is None:
            return "null::varchar"
        if name in days and not mapping.study_days:
            raw_days.update(normalised(cell.filled(raw)) for raw in (fact.column, fact.after) if raw)
        if fact.after is not None:
            reckons = True
        return translated(fact_sql(where, cell, fact, facts, _day_after(where, cell, fact)), table.codes.get(name, {}))

    def _day_after(where: str, cell: WideCell, fact: CellFact) -> str | None:
        if fact.after is None:
            return None
        raw = raw_cell(where, facts, cell.filled(fact.after))
        if mapping.study_days:
            return f"try_cast({raw} as double)::bigint"
        return day_sql(raw, table.date_format or mapping.date_format)

    structs = []
    for place, cell in enumerate(cells, start=1):
        filled = f"{cleaned_sql(facts.cell(cell.column))} is not null"
        fields = [f"'place': {place}", f"'filled': {filled}"]
        fields += [f"{literal(name)}: {value(cell, name)}" for name in names]
        structs.append("{" + ", ".join(fields) + "}")
    return WideRows(
        cells=tuple(cells),
        values={name: f"cell.{quoted(name)}" for name in names},
        structs=tuple(structs),
        raw_columns=frozenset(raw_names_of(cells)),
        raw_days=frozenset(raw_days),
        reckons=reckons,
    )
