"""A proposal how unknown files become the canonical ones: which file, which column, which code, and how sure.

`propose` looks at a folder, guesses, says why, and tries the guess on all rows with the importer's own checks. Nothing
is published or kept. No value of a row leaves this package unmasked but codes (`showing`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb

from analytics.errors import ImportProblem
from analytics.intake.mapping import load_mapping
from analytics.intake.mapping_model import AgeBand, RawColumn
from analytics.intake.model import EPISODES
from analytics.intake.proposal.codes import guess_codes, is_translated
from analytics.intake.proposal.dates import guess_dates
from analytics.intake.proposal.dry_run import FileCount, dry_run
from analytics.intake.proposal.guess import DateGuess, TableGuess
from analytics.intake.proposal.matching import Parents, match_tables
from analytics.intake.proposal.opening import ENDINGS, has_header, one_encoding, open_files
from analytics.intake.proposal.profile import (
    DATE_FORMATS,
    FileProfile,
    counts,
    overlap,
    profiles,
)
from analytics.intake.proposal.showing import MOST_CODES
from analytics.intake.proposal.toml_text import mapping_text
from analytics.intake.readers import FileFacts, FileRefusal
from analytics.intake.staging import prepare

__all__ = ["Proposal", "propose"]


@dataclass(frozen=True)
class Proposal:
    """What `map` found.

    Attributes
    ----------
    tables : in the order of the model. dates : how days are written, over all of them.
    dropped : (file, column as written, rule or None) of every column that would not be read.
    unused : files that are no table. doubles : of those, by name, the canonical file that another one fits better.
    refused : why a file cannot be read, by name.
    toml : the mapping; empty when no file holds episodes.
    trials : what an import would give, by the date format tried: one entry, or two where day and month cannot be told
        apart. problem : why nothing could be tried, or None.
    """

    tables: tuple[TableGuess, ...]
    dates: DateGuess
    dropped: tuple[tuple[str, str, str | None], ...]
    unused: tuple[FileProfile, ...]
    doubles: Mapping[str, str]
    refused: Mapping[str, str]
    toml: str
    trials: Mapping[str, Mapping[str, FileCount]]
    problem: str | None


def propose(
    folder: Path,
    data_cut: date,
    import_date: date,
    date_format: str | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Proposal:
    """Look at all files of a folder, guess what they are, and try it.

    Parameters
    ----------
    date_format : how days are written, for a person who knows; a strptime format out of `profile.DATE_FORMATS`.

    Raises
    ------
    ImportProblem
        There is no file that could be read.
    """
    readable, refused = _open(folder, progress)
    readable = one_encoding(readable)
    with duckdb.connect(config={"memory_limit": "2GB", "threads": "2"}) as connection:
        prepare(connection)
        progress("looking at columns")
        files = profiles(connection, readable)
        progress("matching columns")
        found, doubles = match_tables(files, _parents(connection))
        tables = [_with_codes(connection, table) for table in found]
    used = {table.file.name for table in tables}
    dates = guess_dates(tables, date_format)
    dropped = tuple(_dropped(tables))
    toml, trials, problem = "", {}, None
    if tables and tables[0].spec is EPISODES and tables[0].is_usable:
        drops = [f"{file}: {column} ({rule or 'not in the model'})" for file, column, rule in dropped]
        toml = mapping_text(folder.resolve().name, tables, dates, drops)
        try:
            for form in dates.formats or ("%Y-%m-%d",):
                progress("counting rows")
                tried = mapping_text("trial", tables, dates, drops, stand_ins=True, date_format=form)
                trials[form] = _try(folder, tried, data_cut, import_date, progress)
        except ImportProblem as found:
            problem = str(found)
    unused = tuple(file for file in files if file.name not in used)
    also = {name: guess.spec.file for name, guess in doubles.items()}
    return Proposal(tuple(tables), dates, dropped, unused, also, refused, toml, trials, problem)


def _open(folder: Path, progress: Callable[[str], None]) -> tuple[list[FileFacts], dict[str, str]]:
    readable: list[FileFacts] = []
    refused: dict[str, str] = {}
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.name.startswith((".", "~$")):
            continue
        if not path.name.lower().endswith(ENDINGS):
            refused[path.name] = "Not looked at: only .csv, .csv.gz, .xlsx and .parquet files are read."
            continue
        progress(f"reading {path.name}")
        for label, facts in open_files(path).items():
            if isinstance(facts, FileRefusal):
                refused[label] = facts.sentence
            elif not has_header(facts):
                refused[label] = (
                    "The first line looks like data, not like names of columns. Export it with a header line."
                )
            elif facts.records == 0:
                refused[label] = "It has a header line and no rows."
            else:
                readable.append(facts)
    if not readable:
        reasons = " ".join(f"{name}: {why}" for name, why in refused.items())
        raise ImportProblem(f"There is no file in the folder that can be read. {reasons}".rstrip())
    return readable, refused


def _parents(connection: duckdb.DuckDBPyConnection) -> Callable[[TableGuess], Parents]:
    """Return the look-up of ids, each pair of columns asked once."""

    def of_episodes(episodes: TableGuess) -> Parents:
        known: dict[tuple[str, str], tuple[float, float]] = {}
        columns = [episodes.raw_of("episode_id"), episodes.raw_of("person_id")]

        def look_up(file: FileProfile, column: str) -> tuple[float, float]:
            key = (file.name, column)
            if key not in known:
                shares = [overlap(connection, file, column, episodes.file, raw.name) if raw else 0.0 for raw in columns]
                known[key] = (shares[0], shares[1])
            return known[key]

        return look_up

    return of_episodes


def _with_codes(connection: duckdb.DuckDBPyConnection, table: TableGuess) -> TableGuess:
    codes = {}
    for name, guess in table.columns.items():
        if guess.raw is not None and is_translated(guess):
            found = guess_codes(guess.column, counts(connection, table.file, guess.raw.name, MOST_CODES))
            if found:
                codes[name] = found
    return replace(table, codes=codes)


def _dropped(tables: Sequence[TableGuess]) -> list[tuple[str, str, str | None]]:
    dropped = []
    for table in tables:
        used = {raw.name for raw, _ in table.wide}
        for guess in table.columns.values():
            if isinstance(guess.source, RawColumn):
                used.add(guess.source.name)
            elif isinstance(guess.source, AgeBand) and guess.raw is not None:
                used.add(guess.raw.name)
        for raw in table.file.columns:
            if raw.name not in used:
                rule = raw.header_rule or (raw.identifier.rule if raw.identifier is not None else None)
                dropped.append((table.file.name, raw.written, rule))
    return dropped


def _try(
    folder: Path, toml: str, data_cut: date, import_date: date, progress: Callable[[str], None]
) -> dict[str, FileCount]:
    with tempfile.TemporaryDirectory(prefix="iop-map-") as scratch:
        path = Path(scratch) / "proposal.toml"
        path.write_text(toml, encoding="utf-8")
        mapping = load_mapping(path)
    return dry_run(folder, mapping, data_cut, import_date, progress)


def format_of(word: str) -> str | None:
    """Return the strptime format for the word by which a mapping names it (`MM/DD/YYYY`), or None."""
    return next((form for form, name in DATE_FORMATS.items() if name == word), None)
