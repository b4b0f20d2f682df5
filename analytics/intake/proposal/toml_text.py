"""A proposal as the text of a mapping: every guess with its reason, every question as a line to fill in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from analytics.intake.mapping_model import AgeBand, Constant, RawColumn
from analytics.intake.proposal.guess import CodeGuess, ColumnGuess, DateGuess, TableGuess
from analytics.intake.proposal.profile import DATE_FORMATS
from analytics.intake.proposal.showing import shown
from analytics.store.codes import CODES

_HEAD = """\
# A mapping proposed by `python -m analytics map`: guesses, each with its reason. Read every line before you import.
#   sure          names and values agree
#   likely        probably so; a glance is enough
#   please check  only somebody who knows the system can say
# A line that begins with # is not used: take the # away once it says what is right (docs/import.md).
"""


def quoted_text(text: str) -> str:
    """Return a text as a TOML string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def mapping_text(
    title: str,
    tables: Sequence[TableGuess],
    dates: DateGuess,
    drops: Sequence[str],
    stand_ins: bool = False,
    date_format: str | None = None,
) -> str:
    """Return the TOML.

    Parameters
    ----------
    stand_ins : write also what only a person can say (a program for a file that names none), so that everything else
        can be tried.
    date_format : the strptime format to write where `dates` leaves two open.
    """
    lines = [_HEAD, f"title = {quoted_text(title)}", *_written(tables)]
    if dates.timed:
        why = "days hold a time of day; which day it is depends on the time zone of the program"
        lines.append('timezone = "UTC"' if stand_ins else f'# timezone = "America/New_York"   # please check: {why}')
    lines += [*_dates(dates, date_format), ""]
    if drops:
        lines += ["# What stays in the raw files, on purpose: these columns are not read.", "drops = ["]
        lines += [f"    {quoted_text(words)}," for words in drops]
        lines += ["]", ""]
    for table in tables:
        lines += [*_table(table, dates, stand_ins), ""]
    return "\n".join(lines).rstrip() + "\n"


def _written(tables: Sequence[TableGuess]) -> Iterator[str]:
    """Yield how the texts are written; what is not text (sheets, Parquet) needs no word."""
    options = next((table.file.facts.options for table in tables if not table.file.facts.typed), None)
    if options is not None and options.encoding != "utf-8":
        yield f"encoding = {quoted_text(options.encoding)}"
    if options is not None and options.delimiter != ",":
        yield f"delimiter = {quoted_text('tab' if options.delimiter == chr(9) else options.delimiter)}"


def _dates(dates: DateGuess, chosen: str | None) -> Iterator[str]:
    if not dates.formats:
        yield f"# date_format = ?   {dates.sure}: {dates.why}"
    elif len(dates.formats) > 1 and chosen is None:
        yield f"# please check: {dates.why}. Keep the right one of these two lines:"
        for form in dates.formats:
            yield f"# date_format = {quoted_text(DATE_FORMATS[form])}"
    elif (form := chosen or dates.formats[0]) != "%Y-%m-%d":
        yield f"date_format = {quoted_text(DATE_FORMATS[form])}   # {dates.sure}: {dates.why}"


def _table(table: TableGuess, dates: DateGuess, stand_ins: bool) -> Iterator[str]:
    name = table.spec.table
    off = "" if table.is_usable else "# "
    if off:
        yield f"# {table.spec.file} cannot be made from {table.file.name} yet; see what is missing below."
    yield f"{off}[{name}]"
    raw = table.file.raw_file
    yield f"{off}file = {quoted_text(raw.file)}   # {table.sure}"
    if raw.sheet is not None:
        yield f"{off}sheet = {quoted_text(raw.sheet)}"
    yield ""
    yield f"{off}[{name}.columns]"
    for guess in table.columns.values():
        yield f"{off}{guess.column.name} = {_source(guess)}   # {guess.sure}: {guess.why}"
    for column in table.missing:
        if column.name == "program_id":
            line = 'program_id = { const = "main", because = "all rows are of one program" }'
            yield "# missing: you need a program; name its column, or give one word for all rows:"
            yield f"{off}{line}" if stand_ins else f"# {line}"
        else:
            yield f'# {column.name} = ""   # missing: you need this column'
    formats = {column: form for (of, column), form in dates.by_column.items() if of == name and column != "age_band"}
    if formats:
        yield ""
        yield f"{off}[{name}.date_formats]"
        for column_name, form in formats.items():
            yield f"{off}{column_name} = {quoted_text(DATE_FORMATS.get(form, form))}   # likely"
    if table.wide:
        yield ""
        yield "# likely: a column per questionnaire; each filled cell becomes a row."
        yield f"{off}[[{name}.unpivot]]"
        yield f"{off}columns = [{', '.join(quoted_text(raw.name) for raw, _ in table.wide)}]"
        yield f'{off}value = "total"'
        pairs = ", ".join(f"{quoted_text(raw.name)} = {quoted_text(item.id)}" for raw, item in table.wide)
        yield f'{off}instrument = {{ by_column = {{ {pairs} }}, because = "the names of the columns" }}'
    for coded, codes in table.codes.items():
        wanted = [code for code in codes if code.needed]
        if not wanted:
            continue
        yield ""
        yield f"{off}[{name}.codes.{coded}]"
        for code in wanted:
            yield _code(code, _allowed(table, coded), off)


def _source(guess: ColumnGuess) -> str:
    source = guess.source
    if source is None:
        return quoted_text("unknown")
    if isinstance(source, Constant):
        return f"{{ const = {quoted_text(source.value)}, because = {quoted_text(source.because)} }}"
    if isinstance(source, AgeBand):
        if source.age is not None:
            return f"{{ age = {quoted_text(source.age)} }}"
        return f"{{ birth_date = {quoted_text(source.birth_date or '')}, on = {quoted_text(source.on or '')} }}"
    assert isinstance(source, RawColumn)
    return quoted_text(source.name)


def _allowed(table: TableGuess, column: str) -> Sequence[str]:
    kind = table.spec.column(column)
    if kind.kind == "code":
        return CODES[kind.codes]
    return ("true", "false") if kind.kind == "boolean" else ()


def _code(code: CodeGuess, allowed: Sequence[str], off: str) -> str:
    rows = "1 row" if code.rows == 1 else f"{code.rows:,} rows"
    if not code.visible:
        guessed = f", perhaps {code.code}" if code.code is not None else ""
        return (
            f"# {shown(code.raw, False)} = ?   please check: {rows}{guessed}; look it up in the file and write it here"
        )
    if code.code is not None:
        return f"{off}{quoted_text(code.raw)} = {quoted_text(code.code)}   # {code.sure}: {rows}"
    choices = " or ".join(code.choices) if code.choices else f"one of {', '.join(allowed)}"
    return f'# {quoted_text(code.raw)} = ""   # please check: {rows}; {choices}'
