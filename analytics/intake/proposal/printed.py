"""A proposal in words, for the person at a clinic who knows the system it came from."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from analytics.intake.model import EPISODES
from analytics.intake.proposal import Proposal
from analytics.intake.proposal.codes import unread
from analytics.intake.proposal.dry_run import FileCount
from analytics.intake.proposal.guess import CodeGuess, ColumnGuess, TableGuess
from analytics.intake.proposal.hints import hints
from analytics.intake.proposal.profile import DATE_FORMATS
from analytics.intake.proposal.showing import shown
from analytics.intake.readers import FileFacts
from analytics.texts.rules import rule_words

WIDTH: Final = 100
_WIDEST_CELL: Final = 34
_RULES_SHOWN: Final = 8
_IDENTIFIES: Final = {
    "PHI_COLUMN": "identifiers of people, by their name",
    "PHI_VALUE": "identifiers of people, by their values",
    "FREE_TEXT_COLUMN": "free text",
    "UNIQUE_CODES": "codes that are different in nearly every row",
    None: "not in the model",
}
_NEVER_SHOWN: Final = "identifiers of people"


def proposal_text(proposal: Proposal, saved: str | None) -> str:
    """Return the whole proposal as text of at most 100 characters a line.

    Parameters
    ----------
    saved : the name of the file that the mapping was saved to, or None.
    """
    lines = [*_wrapped(_summary(proposal)), ""]
    for table in proposal.tables:
        lines += [*_table(table, proposal), ""]
    lines += _not_used(proposal)
    lines += [*_heading("How days are written"), *_wrapped(_dates(proposal))]
    questions = list(_questions(proposal))
    if questions:
        lines += ["", *_heading("What you must still decide")]
        for number, question in enumerate(questions, start=1):
            lines += _wrapped(question, f"{number:>2}. ")
    lines += ["", *_heading("What an import would accept now"), *_trials(proposal)]
    lines += ["", *_wrapped(_next_step(proposal, saved, bool(questions)))]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _summary(proposal: Proposal) -> str:
    usable = [table for table in proposal.tables if table.is_usable]
    count = len({table.file.name for table in proposal.tables}) + len(proposal.unused) + len(proposal.refused)
    return (
        f"Looked at {count} {'file' if count == 1 else 'files'}; {len(usable)} can be made into "
        f"{', '.join(table.spec.file for table in usable) or 'files of ours'}. Nothing was imported, and no value is "
        "shown but codes that must be translated."
    )


def _heading(text: str) -> list[str]:
    return [text, "-" * len(text)]


def _wrapped(text: str, lead: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead), break_long_words=False)


def _table(table: TableGuess, proposal: Proposal) -> Iterator[str]:
    yield from _heading(f"{table.file.name} {'is' if table.is_usable else 'could be'} {table.spec.file} ({table.sure})")
    yield f"{table.file.facts.records:,} rows{_written(table.file.facts)}"
    yield ""
    plain = [name for name, guess in table.columns.items() if _is_plain(guess)]
    absent = [name for name, guess in table.columns.items() if guess.raw is None and guess.source is None]
    guesses = [guess for name, guess in table.columns.items() if name not in (*plain, *absent)]
    rows: list[Sequence[str]] = [(guess.column.name, _source(guess), guess.sure, guess.why) for guess in guesses]
    rows += [(column.name, "?", "missing", "you need this column") for column in table.missing]
    rows += [
        (item.id, raw.written, "likely", "a total of its own; each filled cell becomes a row")
        for raw, item in table.wide
    ]
    if plain:
        yield from _wrapped(f"sure, under the names of the model: {', '.join(plain)}", "  ")
    if rows:
        yield from [""] * bool(plain)
        yield from _columns(("column", "comes from", "how sure", "why"), rows)
    if absent and table.is_usable:
        yield from _wrapped(f'not in the file, so "unknown": {", ".join(absent)}', "  ")
    if not table.is_usable:
        return
    for name, codes in table.codes.items():
        if wanted := [code for code in codes if code.needed]:
            yield ""
            listed = [(shown(code.raw, code.visible), *_meaning(code), _rows(code.rows)) for code in wanted]
            yield from _columns((f"codes of {name}", "mean", "how sure", "in"), listed)
    dropped: dict[str, list[str]] = {}
    for file, column, rule in proposal.dropped:
        if file == table.file.name:
            dropped.setdefault(_IDENTIFIES.get(rule, _NEVER_SHOWN), []).append(column)
    if dropped:
        yield ""
    for why, columns in dropped.items():
        yield from _wrapped(f"not read ({why}): {', '.join(columns)}", "  ")


def _is_plain(guess: ColumnGuess) -> bool:
    return guess.sure == "sure" and guess.raw is not None and guess.raw.name == guess.column.name


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _is_canonical(table: TableGuess) -> bool:
    """Return True when the file would be read the same without a mapping."""
    options = table.file.facts.options
    return (
        table.file.stem.lower() == table.spec.table
        and (options.delimiter, options.encoding) == (",", "utf-8")
        and not table.wide
        and all(guess.raw is not None and guess.raw.name == name for name, guess in table.columns.items())
        and not any(code.needed for codes in table.codes.values() for code in codes)
    )


def _written(facts: FileFacts) -> str:
    """Return how a text is written; nothing for a sheet or Parquet."""
    separators = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
    return "" if facts.typed else f", {separators[facts.options.delimiter]}, {facts.options.encoding}"


def _source(guess: ColumnGuess) -> str:
    if guess.raw is not None:
        return guess.raw.written
    return "unknown" if guess.source is None else "one value"


def _columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a table whose last column is wrapped to the width."""
    widths = [min(_WIDEST_CELL, max(len(row[at]) for row in [head, *rows])) for at in range(len(head) - 1)]
    indent = 2 + sum(widths) + 2 * len(widths)
    for row in [head, ["-" * width for width in widths] + ["-" * 3], *rows]:
        cells = [
            text if len(text) <= width else f"{text[: width - 1]}…" for text, width in zip(row, widths, strict=False)
        ]
        lead = "  " + "".join(f"{text:<{width}}  " for text, width in zip(cells, widths, strict=True))
        yield from textwrap.wrap(row[-1], WIDTH, initial_indent=lead, subsequent_indent=" " * indent) or [lead]


def _meaning(code: CodeGuess) -> tuple[str, str]:
    if code.code is not None and code.visible:
        return code.code, code.sure
    return " or ".join(code.choices) or "?", "please check"


def _not_used(proposal: Proposal) -> Iterator[str]:
    if proposal.unused or proposal.refused:
        yield from _heading("Files that are not used")
    for file in proposal.unused:
        said = " ".join(hints(file)) or "It looks like none of the files of docs/import.md."
        if file.name in proposal.doubles:
            said = (
                f"It fits {proposal.doubles[file.name]} too, and a table is made of one file. Export them as one, or "
                "join them by a select in the mapping (docs/import.md)."
            )
        yield from _wrapped(f"{file.name} ({file.facts.records:,} rows). {said}", "- ")
    for name, why in proposal.refused.items():
        yield from _wrapped(f"{name}. {why}", "- ")
    if proposal.unused or proposal.refused:
        yield ""


def _dates(proposal: Proposal) -> str:
    dates = proposal.dates
    if not dates.formats:
        return f"Not known ({dates.sure}): {dates.why}."
    words = " or ".join(DATE_FORMATS[form] for form in dates.formats)
    return f"{words} ({dates.sure}): {dates.why}."


def _questions(proposal: Proposal) -> Iterator[str]:
    """Yield what only a person can say, the gravest first."""
    if not any(table.spec is EPISODES for table in proposal.tables):
        yield (
            "No file looks like the list of stays (one row per admission, with a person, a program and a day). "
            "Nothing can be imported without it."
        )
    for table in proposal.tables:
        for column in table.missing:
            how = "name its column, or give one word for all rows" if column.name == "program_id" else "name its column"
            rest = "" if table.is_usable else f" Without it {table.spec.file} is left out."
            if column.name == "episode_id":
                how = "export the number of the stay (admission, enrollment), which tells two stays of a person apart"
                yield f"{table.file.name}: nothing in it names the stay; {how}.{rest}"
            else:
                yield f"{table.file.name}: {column.name} is missing; {how} in the mapping.{rest}"
    usable = [table for table in proposal.tables if table.is_usable]
    if len(proposal.dates.formats) != 1 and usable:
        yield f"Days: {proposal.dates.why}. Say which with --date-format, or in the mapping."
    if proposal.dates.timed:
        yield 'Days hold a time of day. Name the program\'s time zone in the mapping (timezone = "America/New_York").'
    for table in usable:
        if table.sure == "please check":
            yield f"{table.file.name}: is this {table.spec.file}?"
        for guess in table.columns.values():
            if guess.sure == "please check":
                yield f"{table.file.name}: is {guess.column.name} {_asked(guess)}? ({guess.why})"
        for name, codes in table.codes.items():
            if rows := unread(codes):
                open_codes = sum(code.needed and (code.code is None or not code.visible) for code in codes)
                yield (
                    f"{table.file.name}: codes of {name} that are not known: {open_codes} in {_rows(rows)}. "
                    f"Write them into [{table.spec.table}.codes.{name}] of the mapping."
                )
    for name in _written_otherwise(usable):
        yield f"{name} is written with another separator or encoding than the others. Export all files alike."


def _asked(guess: ColumnGuess) -> str:
    if guess.raw is not None:
        return f"the column {guess.raw.written}"
    value = getattr(guess.source, "value", None)
    return f"always {value}" if value is not None else "not known"


def _written_otherwise(tables: Sequence[TableGuess]) -> list[str]:
    """Return the text files that are not written as the first one is: a mapping says it once."""
    texts = [table.file for table in tables if not table.file.facts.typed]
    return [
        file.name
        for file in texts
        if (file.facts.options.delimiter, file.facts.options.encoding)
        != (texts[0].facts.options.delimiter, texts[0].facts.options.encoding)
    ]


def _trials(proposal: Proposal) -> Iterator[str]:
    if proposal.problem is not None:
        yield from _wrapped(f"Nothing could be tried: {proposal.problem}")
    elif not proposal.trials:
        yield "Nothing: there is no usable file of stays."
    for form, counts in proposal.trials.items():
        if len(proposal.trials) > 1:
            yield f"With {DATE_FORMATS[form]}:"
        yield from _counts(counts)
    if proposal.trials and any(column.name == "program_id" for table in proposal.tables for column in table.missing):
        yield ""
        yield "Counted as if the program were given."
    if proposal.trials and proposal.dates.timed:
        yield ""
        yield "Counted as if the times of day were those of the program."


def _counts(counts: Mapping[str, FileCount]) -> Iterator[str]:
    width = max((len(name) for name in counts), default=0)
    for name, count in counts.items():
        if count.refused:
            yield f"  {name:<{width}}  refused as a whole"
            for rule, column in count.refused:
                yield from _wrapped(f"{rule}{f' in {column}' if column else ''}: {_advice(rule)}", "      ")
            continue
        share = f" ({100 * count.accepted / count.read:.1f} %)" if count.read else ""
        yield f"  {name:<{width}}  {count.accepted:>9,} of {count.read:>9,} rows{share}"
        for (rule, column), rows in list(count.set_aside.items())[:_RULES_SHOWN]:
            yield from _wrapped(f"{rule}{f' in {column}' if column else ''}: {_advice(rule)}", f"      {rows:>9,} × ")
        more = list(count.set_aside.values())[_RULES_SHOWN:]
        if more:
            yield f"      {sum(more):>9,} × by {len(more)} other rules"


def _advice(rule: str) -> str:
    words = rule_words(rule)
    return f"{words.wrong} {words.do}"


def _next_step(proposal: Proposal, saved: str | None, questions: bool) -> str:
    if not proposal.toml:
        return "No mapping can be proposed without a usable file of stays."
    if all(_is_canonical(table) for table in proposal.tables) and proposal.dates.formats == ("%Y-%m-%d",):
        return "These files have the names and codes of the model, so they can be imported without a mapping."
    if saved is None:
        return "Nothing was saved. --save FILE.toml writes this as a mapping that you can correct."
    first = f"Saved as {saved}." + (" Answer the questions above in it." if questions else " Read it once.")
    return f"{first} Then import with --mapping {saved}; the next export of this shape needs nothing more."
