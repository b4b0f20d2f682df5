"""Open the files of an import: by canonical names, or through a mapping; refuse files that hold identifiers.

A file read by canonical names is refused whole for an identifier column. A file read through a mapping may hold
anything: only the columns that the mapping names leave the reader, and the same scans run on what leaves it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from analytics.intake.cage import cage
from analytics.intake.canonical_files import find_candidates
from analytics.intake.coding import source_name
from analytics.intake.identifiers import header_finding, scan_unknown_columns, shown_header
from analytics.intake.mapping import SourceMapping, run_selects
from analytics.intake.model import EPISODES, TABLES, TableSpec
from analytics.intake.readers import FileFacts, FileRefusal, Lines, ReadOptions, drop_text_view, inspect, text_view
from analytics.intake.report import FileReport, ImportReport, Rejection
from analytics.intake.rules import RULES


@dataclass(frozen=True)
class SourceTable:
    """A canonical table as text: a view with `record`, `misshapen` and the columns `present`.

    `unknown` are columns that the mapping declares not known: required, yet NULL. `typed`, `date_formats` as in
    `staging.StagingContext`. `lines` : the same without numbers, where the records come straight from a file.
    """

    view: str
    present: frozenset[str]
    unknown: frozenset[str] = frozenset()
    typed: bool = False
    date_formats: Mapping[str, str] = field(default_factory=dict)
    lines: Lines | None = None


@dataclass
class Sources:
    """The canonical tables of one import that could be opened, by table name."""

    tables: dict[str, SourceTable] = field(default_factory=dict)


def open_sources(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    mapping: SourceMapping | None,
    folders: Sequence[Path],
    report: ImportReport,
) -> Sources:
    """Check every file, make a text view of each that passes, and write refusals and warnings into the report.

    From here on the connection reaches nothing but these files and `folders` (of the store).
    """
    sources = Sources()
    if mapping is not None and mapping.has_tables:
        _through_mapping(connection, folder, mapping, folders, report, sources)
        return sources
    options = mapping.read_options if mapping is not None else ReadOptions()
    readable: list[tuple[TableSpec, FileFacts]] = []
    for candidate, how in find_candidates(folder, options, report):
        file = report.files[candidate.spec.file]
        file.source = "" if candidate.raw.label.lower() == candidate.spec.file else candidate.raw.label
        facts = inspect(candidate.path, how)
        if isinstance(facts, FileRefusal):
            file.refuse(facts.rule, facts.column and shown_header(facts.column), facts.sentence)
            continue
        file.records_read, file.place = facts.records, facts.place
        if candidate.raw.sheet is not None and facts.records == 0 and candidate.spec is not EPISODES:
            # A sheet of an empty workbook that nobody filled in does not say that nothing happened.
            file.warnings.append(Rejection(None, None, "EMPTY_SHEET"))
            continue
        report.sources[facts.label.lower() if not file.source else facts.label] = facts.records
        readable.append((candidate.spec, facts))
    cage(connection, [facts.path for _, facts in readable], folders)
    for spec, facts in readable:
        file = report.files[spec.file]
        _open_canonical(connection, spec, facts, file, sources)
    return sources


def _open_canonical(
    connection: duckdb.DuckDBPyConnection,
    spec: TableSpec,
    facts: FileFacts,
    file: FileReport,
    sources: Sources,
) -> None:
    known = {column.name for column in spec.columns if column.name != "observed_until"}
    unknown = [name for name in facts.columns if name not in known]
    as_written = {name: shown_header(written) for name, written in zip(facts.columns, facts.header, strict=True)}
    by_header = dict(zip(facts.columns, facts.header, strict=True))
    refusals = [(header_finding(by_header[name], known), as_written[name]) for name in unknown]
    missing = [c.name for c in spec.columns if (c.required or c.present) and c.name not in facts.columns]
    # Self reports need no test result; the two columns may take each other's place.
    if spec.table == "substance_use" and "days_used_past_30" in facts.columns and "result" in missing:
        missing.remove("result")
    found = [(rule, column) for rule, column in refusals if rule] + [("MISSING_COLUMN", name) for name in missing]
    view = f"text_{spec.table}"
    if unknown and not found:
        scratch = f"unknown_{spec.table}"
        places = {f"column {place}": name for place, name in enumerate(unknown)}
        text_view(connection, scratch, facts, places)
        findings = scan_unknown_columns(connection, scratch, list(places))
        by_rule = [(finding.rule, as_written[places[finding.column]]) for finding in findings]
        found = [(rule, column) for rule, column in by_rule if RULES[rule].level != "warning"]
        file.warnings += [Rejection(None, column, rule) for rule, column in by_rule if RULES[rule].level == "warning"]
        drop_text_view(connection, scratch)
    present = frozenset(known & set(facts.columns))
    headless = "" if present else f"No name in the first line of {spec.file} is a column of ours. Has it a header?"
    for rule, column in found:
        file.refuse(rule, column, headless if rule == "MISSING_COLUMN" else "")
    # Without any column of ours the first line may be a row, and its "names" are values.
    refused = {column for _, column in found}
    file.warnings += [
        Rejection(None, as_written[name], "UNKNOWN_COLUMN")
        for name in (unknown if present else ())
        if as_written[name] not in refused
    ]
    if found:
        return
    days = [column.name for column in spec.columns if column.kind == "date"]
    lines = text_view(connection, view, facts, sorted(present), days)
    sources.tables[spec.table] = SourceTable(view, present, typed=facts.typed, lines=lines)


def _through_mapping(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    mapping: SourceMapping,
    folders: Sequence[Path],
    report: ImportReport,
    sources: Sources,
) -> None:
    report.mapped = True
    mapped = run_selects(connection, mapping, folder, folders)
    report.sources.update({name: facts.records for name, facts in mapped.sources.items()})
    report.notes = [
        *mapping.rules,
        *(f"Left out of the source on purpose: {words}" for words in mapping.drops),
    ]
    report.notes += [f"{name} is {each.value} throughout: {each.because}" for name, each in mapping.constants.items()]
    report.notes += mapping.assumptions
    for account in mapped.accounts:
        for reason, count in account.left_out.items():
            report.left_out[f"{account.source}: {reason}"] = count
    for name, refusal in mapped.refusals.items():
        report.files.setdefault(name, FileReport()).refuse(refusal.rule, refusal.column, refusal.sentence)
    for spec in TABLES:
        table = mapped.tables.get(spec.table)
        if table is None:
            continue
        file = report.files.setdefault(spec.file, FileReport(records_read=table.records))
        file.source, file.place = table.label, table.place
        present = frozenset(
            column.name for column in spec.columns if source_name(column.name, mapping.study_days) in table.columns
        )
        given = {source_name(name, mapping.study_days) for name in present}
        for name in sorted(table.columns - given):
            file.refuse(header_finding(name, given) or "UNKNOWN_COLUMN", name)
        for column in spec.columns:
            if (column.required or column.present) and column.name not in present:
                file.refuse("MISSING_COLUMN", column.name)
        if not file.refused:
            unknown = frozenset(name for name in present if source_name(name, mapping.study_days) in table.unknown)
            formats = mapping.tables[spec.table].date_formats
            sources.tables[spec.table] = SourceTable(table.view, present, unknown, table.typed, formats, table.lines)
