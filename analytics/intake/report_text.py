"""The import report in sentences, for the person who will mend the files and has nothing else to read.

What is mended in one go stands together, the most rows first: refused files, rows that were set aside, what a mapping
left out on purpose, warnings, what was published. Plain text of at most 100 columns.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from analytics.intake.expected import expected_values
from analytics.intake.model import EPISODES, TABLES
from analytics.intake.rules import RULES
from analytics.store.anonymity import SMALL_GROUP
from analytics.texts import data_cut_words, period_range_words
from analytics.texts.rules import cure_words, rule_words

if TYPE_CHECKING:
    from analytics.intake.report import FileReport, ImportReport, Rejection

WIDTH: Final = 100
FIRST_ROWS: Final = 3

# Rules after which it helps to read what the column takes.
_SAY_EXPECTED: Final = frozenset(
    {"BAD_ENUM", "BAD_NUMBER", "RANGE", "MINUTES_RANGE", "SCORE_RANGE", "MISSING_COLUMN", "REQUIRED"}
)
_KNOWN_WORDS: Final = {
    "admit_period": "period",
    "age_band": "age",
    "gender": "gender",
    "primary_condition": "condition",
}
_SPECS: Final = {spec.file: spec for spec in TABLES}


@dataclass(frozen=True)
class _Place:
    """Rows of one file that break one rule in one column."""

    file: str
    column: str | None
    rule: str
    rows: int
    first: tuple[int, ...]
    waiting: int
    hint: str
    place: Callable[[int], str]

    @property
    def rows_words(self) -> str:
        """Return where the first rows are, by their numbers or as people find them in their file."""
        if self.place(1) == "row 1":
            return rows_words(self.first, self.rows)
        more = self.rows - len(self.first)
        return ", ".join(self.place(row) for row in self.first) + (f" and {more:,} more" if more else "")


def text_of(report: ImportReport) -> str:
    """Return the report as text; its last line ends with a line feed."""
    refused = {name: file for name, file in report.files.items() if file.refused}
    parts = [
        _headline(report),
        _read(report),
        _changed(report),
        _refused_files(refused),
        _set_aside(report),
        _left_out(report),
        _warnings(report),
        _published(report),
        _alike(report),
    ]
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part))) + "\n"


def count_words(rows: int, noun: str = "row") -> str:
    """Return a number with its noun: "1 row", "1,211 rows"."""
    return f"{rows:,} {noun}{'' if rows == 1 else 's'}"


def rows_words(first: Sequence[int], rows: int) -> str:
    """Return the first row numbers: "row 3", "rows 3, 17 and 204", "rows 3, 17, 204 and 1,211 more"."""
    shown = [f"{row:,}" for row in first[:FIRST_ROWS]]
    if rows > len(shown):
        return f"rows {', '.join(shown)} and {rows - len(shown):,} more"
    if len(shown) == 1:
        return f"row {shown[0]}"
    return f"rows {', '.join(shown[:-1])} and {shown[-1]}"


def _wrapped(text: str, indent: int = 0, first: str = "") -> list[str]:
    lead = " " * indent
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first or lead,
        subsequent_indent=lead,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _headline(report: ImportReport) -> Iterator[str]:
    if report.published and report.unchanged:
        yield f"Nothing new: snapshot {report.snapshot_id} holds the same content already."
    elif report.published:
        yield f"Published snapshot {report.snapshot_id}."
        if report.batch_rule:
            yield from _wrapped(f"{rule_words(report.batch_rule).wrong.split(', so ')[0]}; you allowed it.")
    elif report.batch_rule is None:
        yield "Nothing was published."
    else:
        words = rule_words(report.batch_rule)
        yield f"NOTHING WAS PUBLISHED ({report.batch_rule})"
        yield from _wrapped(words.wrong)
        yield from _wrapped(words.do)


def _read(report: ImportReport) -> Iterator[str]:
    if not report.files:
        return
    yield "What was read"
    names = {name: f"{name} ({file.source})" if file.source else name for name, file in report.files.items()}
    width = max(len(name) for name in names.values())
    for name, file in zip(names.values(), report.files.values(), strict=True):
        if file.refused:
            yield f"  {name:{width}}  refused as a whole"
        elif _not_read(file):
            yield f"  {name:{width}}  not read"
        else:
            set_aside = f"{file.accepted:,} accepted, {file.rejected_count:,} set aside"
            result = set_aside if file.rejected_count else "all accepted"
            yield f"  {name:{width}}  {count_words(file.records_read)}, {result}"
    if report.mapped and report.sources:
        raw = ", ".join(f"{name} {count:,}" for name, count in report.sources.items())
        yield from _wrapped(f"Made by the mapping from these raw records: {raw}.", 2)


def _changed(report: ImportReport) -> Iterator[str]:
    if not report.published or report.unchanged or not report.changes:
        return
    yield "What changed against the data before"
    width = max(len(name) for name in report.changes)
    for name, changes in report.changes.items():
        counts = (
            (changes.new, "new"),
            (changes.corrected, "corrected"),
            (changes.unchanged, "unchanged"),
            (changes.retired, "retired"),
        )
        yield f"  {name:{width}}  " + ", ".join(f"{count:,} {word}" for count, word in counts if count)
    if any(changes.retired for changes in report.changes.values()):
        yield from _wrapped("Retired rows are not in the data any more; the former snapshot keeps them.", 2)


def _not_read(file: FileReport) -> bool:
    return any(item.column is None and RULES[item.rule].cure == "ignored" for item in file.warnings)


# --- refused files ----------------------------------------------------------------------------------------------


def _refused_files(refused: dict[str, FileReport]) -> Iterator[str]:
    if not refused:
        return
    yield "Files that were refused: mend these first"
    for name, file in refused.items():
        for rule, items in groupby(sorted(file.rejected, key=lambda item: item.rule), key=lambda item: item.rule):
            yield from _refusal(name, rule, list(items))


def _refusal(name: str, rule: str, items: Sequence[Rejection]) -> Iterator[str]:
    words = rule_words(rule)
    columns = [item.column for item in items if item.column]
    said = " ".join(dict.fromkeys(item.sentence for item in items if item.sentence))
    yield ""
    yield from _wrapped(f"{name}: {said or words.wrong} ({rule})", 4, "  ")
    if rule in _SAY_EXPECTED:
        for column in columns:
            yield from _wrapped(f"{column}{_expected(name, column)}", 8, "      ")
    elif columns:
        yield from _wrapped(f"{'Column' if len(columns) == 1 else 'Columns'}: {', '.join(columns)}", 6)
    # A sentence about one file names its own cure.
    if not said or rule in _SAY_EXPECTED:
        yield from _wrapped(f"→ {words.do}", 6, "    ")


def _expected(file: str, column: str) -> str:
    """Return what a canonical column takes, after a colon; "" for a column that is not ours."""
    spec = _SPECS.get(file)
    found = next((each for each in spec.columns if each.name == column), None) if spec else None
    return f": {expected_values(found)}" if found else ""


# --- rows -------------------------------------------------------------------------------------------------------


def _set_aside(report: ImportReport) -> Iterator[str]:
    stays_refused = EPISODES.file in report.files and report.files[EPISODES.file].refused
    places = [
        _Place(name, count.column, count.rule, count.rows, count.first, count.waiting, count.hint, file.place)
        for name, file in report.files.items()
        if not file.refused
        for count in file.counts
    ]
    orphans = sum(place.rows for place in places if stays_refused and place.rule == "FK_MISSING")
    if orphans:
        places = [place for place in places if place.rule != "FK_MISSING"]
    if places:
        yield "Rows that were set aside, the most first"
        yield from _wrapped(_how_rows_count(report), 2)
    groups = [(cure, list(members)) for cure, members in groupby(sorted(places, key=_cure), key=_cure)]
    groups.sort(key=lambda group: -_total(group[1]))
    for number, (cure, members) in enumerate(groups, start=1):
        yield ""
        yield f"{number}. {cure_words(cure)}: {count_words(_total(members))}"
        yield from _rules(members)
    if orphans:
        yield from [
            "",
            *_wrapped(f"{count_words(orphans)} of other files wait for {EPISODES.file}, which was refused."),
        ]


def _how_rows_count(report: ImportReport) -> str:
    if report.mapped:
        return (
            "Rows are those of the raw file that the mapping names, counted from 1 below its line of names; where the "
            "mapping has a select, those of the table that it makes, in its order."
        )
    if all(file.source for file in report.files.values()):
        return "Rows of a sheet have the numbers of the spreadsheet."
    return "Rows are counted from 1 below the line of column names: row 3 is line 4 of the file."


def _cure(place: _Place) -> str:
    return RULES[place.rule].cure


def _total(places: Iterable[_Place]) -> int:
    return sum(place.rows for place in places)


def _rules(places: Sequence[_Place]) -> Iterator[str]:
    by_rule = [
        list(same) for _, same in groupby(sorted(places, key=lambda each: each.rule), key=lambda each: each.rule)
    ]
    for same in sorted(by_rule, key=lambda each: -_total(each)):
        rule = same[0].rule
        words = rule_words(rule)
        yield from _wrapped(f"{words.wrong} ({rule})", 3)
        for place in sorted(same, key=lambda each: -each.rows):
            where = f"{place.file}, {place.column}" if place.column else place.file
            told = f"{where}: {count_words(place.rows)}"
            if place.waiting == place.rows:
                told += f", waiting for rows of {EPISODES.file} that were set aside"
            else:
                told += f" ({place.rows_words})"
            if 0 < place.waiting < place.rows:
                told += f"; {place.waiting:,} wait for rows of {EPISODES.file} that were set aside"
            if rule in _SAY_EXPECTED and place.column:
                takes = _expected(place.file, place.column)
                told += f"; it takes{takes}" if takes else ""
            yield from _wrapped(told, 7, "     - ")
            yield from _wrapped(place.hint, 7)
        yield from _wrapped(f"→ {words.do}", 5, "   ")


# --- the rest ---------------------------------------------------------------------------------------------------


def _left_out(report: ImportReport) -> Iterator[str]:
    if report.left_out:
        yield "Left out on purpose by the mapping"
        for words, count in report.left_out.items():
            yield from _wrapped(f"{count:,} of {words}", 4, "  ")


def _warnings(report: ImportReport) -> Iterator[str]:
    items = [(item.rule, name, item) for name, file in report.files.items() for item in file.warnings]
    if not items and not report.warnings:
        return
    yield "Warnings: nothing was refused for these"
    for rule, same in groupby(sorted(items, key=lambda item: item[:2]), key=lambda item: item[0]):
        members = list(same)
        yield from _wrapped(f"{rule_words(rule).wrong} ({rule})", 4, "  ")
        for name, of_file in groupby(members, key=lambda item: item[1]):
            yield from _wrapped(_warned(name, [item for _, _, item in of_file]), 8, "    - ")
        yield from _wrapped(f"→ {rule_words(rule).do}", 6, "    ")
    for rule in report.warnings:
        yield from _wrapped(f"{rule_words(rule).wrong} ({rule})", 4, "  ")
        yield from _wrapped(f"→ {rule_words(rule).do}", 6, "    ")


def _warned(name: str, items: Sequence[Rejection]) -> str:
    columns = list(dict.fromkeys(item.column for item in items if item.column))
    rows = [item.row for item in items if item.row is not None]
    where = f"{name}, {', '.join(columns)}" if columns else name
    said = " ".join(item.sentence for item in items if item.sentence)
    if said:
        return f"{where}: {said}"
    return f"{where}: {count_words(len(rows))} ({rows_words(rows, len(rows))})" if rows else where


def _published(report: ImportReport) -> Iterator[str]:
    data = report.data
    if data is None:
        return
    yield "What is shown now"
    yield f"  {count_words(data.episodes, 'episode')} of {data.people:,} {'person' if data.people == 1 else 'people'}"
    if data.first_period:
        yield f"  admitted {period_range_words(data.first_period, data.last_period)}"
    yield (
        f"  data as of {data_cut_words(data.data_as_of)}" if data.data_as_of else "  in study days, without a calendar"
    )
    yield f"  snapshot {report.snapshot_id}, privacy mode {data.privacy_mode}"
    if report.paper is not None:
        until = f", valid to {data_cut_words(report.paper.expires)}" if report.paper.expires else ""
        yield from _wrapped(f"under {report.paper.kind} {report.paper.reference}{until}", 4, "  ")


def _alike(report: ImportReport) -> Iterator[str]:
    """Write the k table of privacy.md 1.5 and what it means."""
    if not report.anonymity:
        return
    yield "How many stored episodes are alike (for the expert who judges the risk)"
    names = [" + ".join(_KNOWN_WORDS[column] for column in row.columns) for row in report.anonymity]
    width = max(len(name) for name in names)
    yield f"  {'they agree in':{width}}  {'k':>5}  {'l':>3}  in groups under {SMALL_GROUP}"
    for name, row in zip(names, report.anonymity, strict=True):
        yield f"  {name:{width}}  {row.k:>5,}  {row.l:>3}  {row.share_small:>17.0%}"
    last = report.anonymity[-1]
    yield from _wrapped(
        "k is the smallest group of episodes that agree, l the fewest reasons for leaving in a group. "
        f"{last.share_small:.0%} of the episodes have fewer than {SMALL_GROUP} like them in all of these, so whoever "
        "knows them of a person could find the row. Rows stay inside: no page and no download shows one.",
        2,
    )
    if report.data and report.data.session_span:
        yield from _wrapped(
            f"On {report.data.quiet_days:,} of the {report.data.session_span:,} days from the first session to the "
            "last no program had one; whoever knows the closing days can narrow down when somebody was here.",
            2,
        )
