"""`python -m analytics map` and `template`: for files that are not known yet, and for clinics that have none."""

from __future__ import annotations

import argparse
import os
from datetime import date
from pathlib import Path

from analytics.commands.terminal import Progress, day
from analytics.errors import UsageProblem


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the command line."""
    propose = commands.add_parser("map", help="propose how unknown files become files that can be imported")
    propose.add_argument("folder", type=Path, metavar="DIR", help="folder with the raw files")
    propose.add_argument("--save", type=Path, metavar="FILE.toml", help="write the proposal as a mapping")
    propose.add_argument(
        "--data-cut", type=day, metavar="DATE", help="last day for which all is complete (default: today)"
    )
    propose.add_argument("--date-format", metavar="FORM", help="how days are written, such as DD/MM/YYYY")
    propose.set_defaults(command=_map)

    template = commands.add_parser("template", help="write empty files to fill in: CSV, or an Excel workbook")
    template.add_argument("folder", type=Path, metavar="DIR", help="where to write them; it is made if need be")
    template.set_defaults(command=_template)


def _map(options: argparse.Namespace) -> int:
    from analytics.intake.proposal import format_of, propose
    from analytics.intake.proposal.printed import proposal_text
    from analytics.intake.proposal.profile import DATE_FORMATS

    if not options.folder.is_dir():
        raise UsageProblem(f"There is no folder {options.folder.name}. Give the folder that holds the raw files.")
    if options.save is not None and options.save.suffix != ".toml":
        raise UsageProblem("A mapping is saved as a file whose name ends in .toml.")
    if options.save is not None and options.save.exists():
        raise UsageProblem(f"{options.save.name} exists already, and may hold corrections. Give another name.")
    date_format = format_of(options.date_format) if options.date_format else None
    if options.date_format and date_format is None:
        raise UsageProblem(f"--date-format takes one of {', '.join(DATE_FORMATS.values())}.")
    today = date.today()
    if options.data_cut is not None and options.data_cut > today:
        raise UsageProblem("The data cut lies after today. It is the last day that is complete.")
    progress = Progress()
    try:
        proposal = propose(options.folder, options.data_cut or today, today, date_format, progress)
    finally:
        progress.done()
    saved = None
    if options.save is not None and proposal.toml:
        _write_new(options.save, proposal.toml)
        saved = options.save.name
    print(proposal_text(proposal, saved), end="")
    return 0 if proposal.toml else 1


def _template(options: argparse.Namespace) -> int:
    from analytics.intake.template import CSV_FOLDER, EXCEL_FOLDER, WORKBOOK, write_template

    written = write_template(options.folder)
    tables = sum(path.suffix == ".csv" for path in written)
    print(
        f"Wrote {EXCEL_FOLDER}/{WORKBOOK}, one sheet per table with lists to choose from, and {tables} empty files in\n"
        f"{CSV_FOLDER}/. Fill in one or the other, delete the sheets or files of what you do not collect, and import\n"
        "that folder. What each column takes stands in the workbook and in docs/data-dictionary.md."
    )
    return 0


def _write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except OSError as error:
        raise UsageProblem(f"{path.name} cannot be written ({error.strerror}). Give another name.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
