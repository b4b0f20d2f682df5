"""Which file of a folder holds which table, by canonical names: episodes.csv, episodes.parquet, a sheet "Episodes"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from analytics.errors import ImportProblem
from analytics.intake.excel import workbook_sheets
from analytics.intake.file_facts import normalised
from analytics.intake.file_text import Refused
from analytics.intake.mapping_model import RawFile
from analytics.intake.model import EPISODES, TABLES, TableSpec
from analytics.intake.readers import CANONICAL_FILES, WORKBOOKS, ReadOptions
from analytics.intake.report import FileReport, ImportReport, Rejection

_SPECS: Final = {spec.table: spec for spec in TABLES}
_NAMES: Final = frozenset(Path(file).stem for file in CANONICAL_FILES)
# Sheets of our own empty workbook (`template_workbook`) that hold no data.
READ_ME_SHEET: Final = "Read me"
DICTIONARY_SHEET: Final = "Data dictionary"
_OF_THE_TEMPLATE: Final = tuple(name.lower().replace(" ", "_") for name in (READ_ME_SHEET, DICTIONARY_SHEET))
# What a clinic could take for a file that is read.
_LOOKS_LIKE_DATA: Final = (".xls", ".xlsb", ".ods", ".numbers", ".tsv", ".txt", ".gz", ".zip")


@dataclass(frozen=True)
class Candidate:
    """A file, or a sheet of a workbook, with the name of a table."""

    spec: TableSpec
    path: Path
    raw: RawFile
    hidden: bool = False


def find_candidates(folder: Path, options: ReadOptions, report: ImportReport) -> list[tuple[Candidate, ReadOptions]]:
    """Return the one file of each table, and write into the report what is not read, and what stands twice.

    Raises
    ------
    ImportProblem
        The folder cannot be read, or nothing in it holds the episodes.
    """
    found: dict[str, list[Candidate]] = {}
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise ImportProblem(
            f"The folder {folder.name} cannot be read ({error.strerror}). Check its permissions."
        ) from None
    for path in paths:
        # Office programs leave "~$name" beside an open document.
        if not path.name.startswith(("~$", ".")):
            for candidate in _in_file(path, options, report):
                found.setdefault(candidate.spec.table, []).append(candidate)
    refused = any(file.refused for file in report.files.values())
    if EPISODES.table not in found and not refused:
        raise ImportProblem(
            "There is no episodes.csv in the folder, no episodes.parquet, and no workbook (.xlsx) with a sheet "
            '"episodes". Every import begins with it (docs/import.md).'
        )
    chosen = []
    for candidates in found.values():
        first = candidates[0]
        file = report.files.setdefault(first.spec.file, FileReport())
        if len(candidates) > 1:
            names = " and ".join(candidate.raw.label for candidate in candidates)
            file.refuse("TABLE_TWICE", None, f"{names} have the name of one table. Keep the right one only.")
        elif first.hidden:
            words = f"The {first.raw.label} is hidden, so nobody looks at what it holds. Unhide it, or delete it."
            file.refuse("HIDDEN_SHEET", None, words)
        else:
            chosen.append((first, replace(options, sheet=first.raw.sheet)))
    return chosen


def _in_file(path: Path, options: ReadOptions, report: ImportReport) -> Iterator[Candidate]:
    suffix, name = path.suffix.lower(), path.stem.lower()
    if suffix in WORKBOOKS:
        yield from _in_workbook(path, options, report)
    elif suffix in (".csv", ".parquet") and name in _SPECS:
        yield Candidate(_SPECS[name], path, RawFile(path.name))
    elif suffix in (".csv", ".parquet", *_LOOKS_LIKE_DATA):
        used = suffix in (".csv", ".parquet") and name in _NAMES
        file = report.files.setdefault(path.name.lower(), FileReport())
        file.warnings.append(Rejection(None, None, "FILE_NOT_USED" if used else "UNKNOWN_FILE"))


def _in_workbook(path: Path, options: ReadOptions, report: ImportReport) -> Iterator[Candidate]:
    try:
        sheets = workbook_sheets(path, options)
    except Refused as refused:
        refusal = refused.refusal
        report.files.setdefault(path.name.lower(), FileReport()).refuse(refusal.rule, None, refusal.sentence)
        return
    for place, sheet in enumerate(sheets, start=1):
        name = normalised(sheet.name).replace(" ", "_").replace("-", "_")
        if name in _SPECS:
            yield Candidate(_SPECS[name], path, RawFile(path.name, sheet.name), sheet.hidden)
        elif not sheet.hidden and name not in _OF_THE_TEMPLATE:
            # By its place, not by its name: somebody may have named a sheet after a person.
            rule = "FILE_NOT_USED" if name in _NAMES else "UNKNOWN_SHEET"
            file = report.files.setdefault(path.name.lower(), FileReport())
            file.warnings.append(Rejection(None, f"sheet {place}", rule))
