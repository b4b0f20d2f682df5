"""Tables of a result, as words and as numbers, and their CSV: the twin of every figure."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import unicodedata
from dataclasses import dataclass
from typing import Final, TypeAlias

from analytics.disclosure import Disclosed, disclosed_only
from analytics.measures.results import Estimate, Ladder, StratifiedResult
from analytics.measures.subjects import counted_as
from analytics.measures.types import ALL, Estimator
from analytics.reports.frame import privacy_words
from analytics.reports.numbers import NO_VALUE, Scale, count, interval, percent, scale_of, value_text
from analytics.texts import heading, label, period_range_words, unit_words, words

Number: TypeAlias = float | int | str | None  # what a cell holds for a machine; None = no value

SMALL_MARK: Final = "small numbers - do not compare, do not share"
WITHHELD_MARK: Final = "withheld: too few people"
# What a spreadsheet takes for a formula; their full-width forms become these when normalised (NFKC).
FORMULA_STARTS: Final = "=+-@\t\r\n"
RECORD_NAMES: Final = (
    "group",
    "numerator",
    "denominator",
    "value",
    "ci_low",
    "ci_high",
    "not_known",
    "too_recent",
    "persons",
    "lower_bound",
    "upper_bound",
    "note",
)


@dataclass(frozen=True)
class Column:
    """One column: its name for machines (CSV), its head for people, and whether it is aligned as a number."""

    name: str
    head: str
    is_number: bool = True


@dataclass(frozen=True)
class Table:
    """A table twice, row by row: `texts` by `columns` as people read it, `records` by name for machines."""

    columns: tuple[Column, ...]
    texts: tuple[tuple[str, ...], ...]
    records: tuple[dict[str, Number], ...]


@disclosed_only
def result_table(disclosed: Disclosed[StratifiedResult]) -> Table:
    """Return one row per group, everybody first: counts, value, doubt, not known, people, bounds, mark.

    A withheld group has its name and its mark and nothing else; a small one has its numbers and its mark.
    """
    result = disclosed.content
    scale = scale_of(result.measure, result.estimates.values())
    columns = _columns(result)
    texts: list[tuple[str, ...]] = []
    records: list[dict[str, Number]] = []
    for group, estimate in result.estimates.items():
        name, mark = _group_name(result, group), _mark(disclosed, group)
        if group in disclosed.withheld:
            texts.append((name, *[NO_VALUE] * (len(columns) - 2), mark))
            records.append({"group": name, **dict.fromkeys(RECORD_NAMES[1:-1]), "note": mark})
        else:
            texts.append((name, *_texts(estimate, scale), mark))
            records.append({"group": name, **_record(estimate), "note": mark})
    return Table(columns, tuple(texts), tuple(records))


def _texts(estimate: Estimate, scale: Scale) -> tuple[str, ...]:
    return (
        count(estimate.numerator),
        count(estimate.denominator),
        value_text(estimate.value, scale),
        interval(estimate.ci_low, estimate.ci_high, scale) or NO_VALUE,
        count(estimate.unknown),
        count(estimate.too_recent),
        NO_VALUE if estimate.persons is None else count(estimate.persons),
        percent(estimate.lower_bound),
        percent(estimate.upper_bound),
    )


def _record(estimate: Estimate) -> dict[str, Number]:
    return {
        "numerator": estimate.numerator,
        "denominator": estimate.denominator,
        "value": _number(estimate.value),
        "ci_low": _number(estimate.ci_low),
        "ci_high": _number(estimate.ci_high),
        "not_known": estimate.unknown,
        "too_recent": estimate.too_recent,
        "persons": estimate.persons,
        "lower_bound": _number(estimate.lower_bound),
        "upper_bound": _number(estimate.upper_bound),
    }


@disclosed_only
def ladder_table(disclosed: Disclosed[StratifiedResult], group: str = ALL) -> Table:
    """Return one row per rung: who remains, how many, how many fell out on the way to it, and why.

    Steps that take nobody out stand below, and say of how many they are not true.
    """
    result = disclosed.content
    ladder = result.ladder if group == ALL else result.ladders.get(group, Ladder(()))
    columns = (
        Column("step", "Step", is_number=False),
        Column("count", "Remaining"),
        Column("lost", "Fell out"),
        Column("lost_because", "Because", is_number=False),
    )
    texts = tuple(
        (step.label, count(step.count), count(step.lost), step.lost_label if step.lost else "") for step in ladder.steps
    ) + tuple(
        (f"of them {step.label}", count(step.count), count(0), f"{count(step.lost)} {step.lost_label}; all stay in")
        for step in ladder.printed
    )
    rungs = [*((step, step.lost) for step in ladder.steps), *((step, 0) for step in ladder.printed)]
    records: tuple[dict[str, Number], ...] = tuple(
        {"step": text[0], "count": step.count, "lost": lost, "lost_because": text[-1]}
        for (step, lost), text in zip(rungs, texts, strict=True)
    )
    return Table(columns, texts, records)


@disclosed_only
def csv_bytes(disclosed: Disclosed[StratifiedResult]) -> bytes:
    """Return the result as UTF-8 CSV: lines that begin with `#` say what it is, then one row per group.

    Values and limits are numbers with a point (shares from 0 to 1), empty where there is none. A text that a
    spreadsheet would take for a formula gets an apostrophe in front.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for line in _head_lines(disclosed):
        writer.writerow([f"# {line}"])
    writer.writerow(RECORD_NAMES)
    for record in result_table(disclosed).records:
        writer.writerow([_cell(record[name]) for name in RECORD_NAMES])
    return text.getvalue().encode("utf-8")


@disclosed_only
def download_entry(disclosed: Disclosed[StratifiedResult], file: bytes) -> dict[str, object]:
    """Return the fields of the audit log's line for this download: what, filters, which file; no values."""
    result = disclosed.content
    cohort = result.cohort
    return {
        "what": "csv",
        "measure": result.measure.name,
        "by": None if result.by is None else result.by.value,
        "tier": disclosed.provenance.tier,
        "snapshot_id": disclosed.provenance.snapshot_id,
        "filters": {column: list(codes) for column, codes in cohort.where.items() if codes},
        "start": cohort.start,
        "end": cohort.end,
        "unit": cohort.unit,
        "rows": len(result.estimates),
        "sha256": hashlib.sha256(file).hexdigest(),
    }


def safe_text(text: str) -> str:
    """Return a text that no spreadsheet runs as a formula: an apostrophe goes before what would start one.

    Leading blanks are looked through, and full-width signs count as what they look like (SEC-35).
    """
    if unicodedata.normalize("NFKC", text[:1]) in tuple("\t\r\n"):
        return f"'{text}"
    bare = unicodedata.normalize("NFKC", text.lstrip())
    return f"'{text}" if bare.startswith(tuple(FORMULA_STARTS)) else text


def _cell(value: Number) -> Number:
    # A number stays one, also a negative one; only texts could be formulas.
    return "" if value is None else safe_text(value) if isinstance(value, str) else value


def _columns(result: StratifiedResult) -> tuple[Column, ...]:
    heads = {
        Estimator.PROPORTION: ("Number", "Of", "Result"),
        Estimator.RATIO: ("Number", "Of", "Result"),
        Estimator.RATE: ("Events", "Time", "Rate"),
        Estimator.MEDIAN: ("Number", "Number", "Median"),
        Estimator.COST: ("Cost", "Number", "Cost each"),
        Estimator.CAPACITY: ("Sessions", "Places", "Result"),
        Estimator.MEAN: ("Number", "Number", "Mean"),
        Estimator.MEAN_CHANGE: ("Pairs", "Pairs", "Points"),
        Estimator.SLOPE: ("Measured", "Measured", "Points per week"),
        Estimator.SURVIVAL: ("Left", "Watched", "Median days"),
        Estimator.INCIDENCE: ("Seen", "Watched", "Result"),
    }[result.measure.estimator]
    group = "Group" if result.by is None else heading(result.by.value)
    return (
        Column("group", group, is_number=False),
        Column("numerator", heads[0]),
        Column("denominator", heads[1]),
        Column("value", heads[2]),
        Column("interval", "95%"),
        Column("not_known", "Not known"),
        Column("too_recent", "Too recent"),
        Column("persons", "People"),
        Column("lower_bound", "Not known as no"),
        Column("upper_bound", "Not known as yes"),
        Column("note", "Note", is_number=False),
    )


def _group_name(result: StratifiedResult, group: str) -> str:
    return label("special", group) if result.by is None or group == ALL else label(result.by.value, group)


def _mark(disclosed: Disclosed[StratifiedResult], group: str) -> str:
    if group in disclosed.withheld:
        return WITHHELD_MARK
    reason = disclosed.content.estimates[group].reason or ""
    marks = [SMALL_MARK] if group in disclosed.small else []
    return "; ".join([*marks, reason] if reason else marks)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _head_lines(disclosed: Disclosed[StratifiedResult]) -> list[str]:
    result, provenance = disclosed.content, disclosed.provenance
    measure, cohort = result.measure, result.cohort
    admitted = period_range_words(cohort.start, cohort.end)
    tier = words("tier", provenance.tier).replace(",", " -")
    lines = [
        f"Measure: {measure.title} ({measure.name})",
        f"Definition: {measure.question}",
        f"Source: {measure.source}; reviewed {measure.reviewed.isoformat()}",
        f"Who: {disclosed.cohort_words}",
        f"Period: admitted {admitted}",
        f"Counted: {unit_words(counted_as(measure, cohort.unit), 2)}",
        f"Data as of: {provenance.data_as_of}",
        f"Snapshot: {provenance.snapshot_id}",
        f"Tier: {tier}",
    ]
    if provenance.synthetic:
        lines.append("Made-up data: no real people")
    else:
        lines.append(f"Privacy: {privacy_words(provenance)}".replace(",", " -"))
    return lines
