"""Wide files: one column per week, visit or item becomes one row per cell.

A group of columns (`Unpivot`) says which columns, into which canonical column their cells go, and what the name of
each column gives: a day, an item, a questionnaire. Empty cells are no rows; they are counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from analytics.errors import ImportProblem
from analytics.intake.file_facts import FileFacts, normalised
from analytics.intake.sql_text import literal

PLACEHOLDERS: Final = {"{number}": r"(?P<number>\d+)", "{word}": "(?P<word>.+?)"}


@dataclass(frozen=True)
class CellFact:
    """What every cell of a group has besides its value, in one canonical column; one of four ways.

    Attributes
    ----------
    text : the same for all, but for {number} and {word} of the column's name.
    column : the value of another raw column of the record, named the same way.
    by_column : raw column -> text.
    per_number, plus, after : the number of the column's name times `per_number` plus `plus`; counted from the day in
        the raw column `after`, if there is one.
    because : why the days are so.
    """

    text: str | None = None
    column: str | None = None
    by_column: Mapping[str, str] | None = None
    per_number: int | None = None
    plus: int = 0
    after: str | None = None
    because: str = ""


@dataclass(frozen=True)
class Unpivot:
    """A group of raw columns: names or patterns, the canonical column of their values, and what else a row has."""

    columns: tuple[str, ...]
    value: str
    gives: Mapping[str, CellFact]


@dataclass(frozen=True)
class WideCell:
    """One raw column of a group, found in a file: its name, and what the pattern's placeholders stand for in it."""

    column: str
    unpivot: Unpivot
    found: Mapping[str, str]

    def filled(self, template: str) -> str:
        """Return a text with the placeholders filled in."""
        for name, value in self.found.items():
            template = template.replace("{" + name + "}", value)
        return template


def wide_cells(where: str, unpivots: Sequence[Unpivot], facts: FileFacts) -> list[WideCell]:
    """Return the columns of a file that the groups name, in the order of the groups and then of the file.

    Raises
    ------
    ImportProblem
        A name or pattern fits no column, or a column belongs to two groups; `where` begins the sentence.
    """
    cells: list[WideCell] = []
    for unpivot in unpivots:
        for pattern in unpivot.columns:
            matches = [(column, _regex(pattern).fullmatch(column)) for column in facts.columns]
            found = [WideCell(column, unpivot, match.groupdict()) for column, match in matches if match]
            if not found:
                raise ImportProblem(f"{where}: {facts.label} has no column {pattern!r}.")
            cells += found
    names = [cell.column for cell in cells]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ImportProblem(f"{where}: the column {twice!r} belongs to two groups.")
    return cells


def _regex(pattern: str) -> re.Pattern[str]:
    form = re.escape(normalised(pattern))
    for placeholder, regex in PLACEHOLDERS.items():
        form = form.replace(re.escape(placeholder), regex, 1)
    return re.compile(form)


def raw_names_of(cells: Sequence[WideCell]) -> list[str]:
    """Return every raw column that the cells and their facts are read from."""
    names = []
    for cell in cells:
        facts = cell.unpivot.gives.values()
        others = [cell.filled(name) for fact in facts for name in (fact.column, fact.after) if name]
        names += [cell.column, *(normalised(name) for name in others)]
    return list(dict.fromkeys(names))


def fact_sql(where: str, cell: WideCell, fact: CellFact, facts: FileFacts, day: str | None) -> str:
    """Return SQL for what a cell has in one canonical column.

    Parameters
    ----------
    day : SQL for the day in the column `after`: a DATE, or a number in a source in study days.
    """
    if fact.text is not None:
        return literal(cell.filled(fact.text))
    if fact.column is not None:
        return raw_cell(where, facts, cell.filled(fact.column))
    if fact.by_column is not None:
        if cell.column not in fact.by_column:
            raise ImportProblem(f"{where}: by_column says nothing of {cell.column!r}.")
        return literal(fact.by_column[cell.column])
    days = int(cell.found["number"]) * (fact.per_number or 0) + fact.plus
    if fact.after is None:
        return literal(str(days))
    raw = raw_cell(where, facts, cell.filled(fact.after))
    # What is no day stays as it is, so that the rule of dates names it.
    return f"coalesce(({day} + {days})::varchar, {raw})"


def raw_cell(where: str, facts: FileFacts, name: str) -> str:
    """Return the SQL name of a raw column; ImportProblem when the file has no such column."""
    column = normalised(name)
    if column not in facts.columns:
        raise ImportProblem(f"{where}: {facts.label} has no column {column!r}.")
    return facts.cell(column)
