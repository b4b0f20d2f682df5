"""The value of a canonical column, as SQL over the cells of a raw file: c0, c1, ... as in its header."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from analytics.intake.mapping_model import AgeBand, ColumnSource, Constant, RawColumn
from analytics.intake.readers import FileFacts
from analytics.intake.sql_text import literal
from analytics.store.codes import CODES

_OLDEST_BAND: Final = CODES["age_band"][-1]


def raw_names(source: ColumnSource) -> list[str]:
    """Return the raw columns that a canonical column is made of, by their normalised names."""
    if isinstance(source, RawColumn):
        return [source.name]
    if isinstance(source, AgeBand):
        return [name for name in (source.age, source.birth_date, source.on) if name is not None]
    return []


def value_sql(
    source: ColumnSource,
    facts: FileFacts,
    codes: Mapping[str, str],
    date_format: str | None,
) -> str:
    """Return SQL for the value; the raw columns must be among those of the file.

    Parameters
    ----------
    codes : raw value (trimmed, in lower case) -> canonical value; any other raw value stays as it is.
    date_format : of the dates of an age band; None: ISO.
    """
    if isinstance(source, Constant):
        return constant_sql(source)
    cells = [f"c{facts.columns.index(name)}" for name in raw_names(source)]
    if isinstance(source, RawColumn):
        return translated(cells[0], codes)
    if source.age is not None:
        return age_band_sql(cells[0])
    birth, day = (day_sql(cell, date_format) for cell in cells)
    return age_band_sql(f"case when {birth} <= {day} then extract(year from age({day}, {birth})) end")


def constant_sql(source: ColumnSource) -> str:
    """Return SQL for a constant, the only source of a column that may stand beside a select."""
    assert isinstance(source, Constant)
    return f"{literal(source.value)}::varchar"


def day_sql(cell: str, date_format: str | None) -> str:
    """Return SQL for the DATE in a cell: ISO, or in the format of the mapping; NULL when it is neither."""
    iso = f"try_cast(left(trim({cell}), 10) as date)"
    if date_format is None:
        return iso
    # A workbook's own dates are ISO whatever the texts beside them look like.
    return f"coalesce(try_strptime(trim({cell}), {literal(date_format)})::date, {iso})"


def translated(cell: str, codes: Mapping[str, str]) -> str:
    """Return SQL for a raw value with its codes translated."""
    if not codes:
        return cell
    pairs = " ".join(f"when {literal(raw)} then {literal(code)}" for raw, code in codes.items())
    return f"case lower(trim(coalesce({cell}, ''))) {pairs} else {cell} end"


def age_band_sql(years: str) -> str:
    """Return SQL for the age band of a number of years.

    What is no age gives a text that is no band either (the row is then refused), so that neither an age above
    89 nor anything else from that column gets any further.
    """
    whole = f"floor(try_cast({years} as double))"
    bands = [(band, *band.split("-")) for band in CODES["age_band"] if band != _OLDEST_BAND]
    cases = [f"when {whole} between {low} and {high} then '{band}'" for band, low, high in bands]
    cases.append(f"when {whole} between 90 and 130 then '{_OLDEST_BAND}'")
    return f"case when {years} is null then null {' '.join(cases)} else 'no age' end"
