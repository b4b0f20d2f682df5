"""Which raw column is which canonical column, and which file is which table: each once, the best fit overall."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from analytics.intake.mapping_model import AgeBand, RawColumn
from analytics.intake.model import EPISODES, TABLES, Column, TableSpec
from analytics.intake.proposal.evidence import (
    TELLING_COLUMNS,
    TELLING_KINDS,
    Evidence,
    best_format,
    evidence,
    percent,
)
from analytics.intake.proposal.guess import ORDER_OF_SURENESS, ColumnGuess, Sure, TableGuess
from analytics.intake.proposal.profile import ColumnProfile, FileProfile
from analytics.intake.proposal.stand_ins import constant_of, core_columns, may_be_unknown
from analytics.intake.proposal.vocabulary import instrument_in, name_score, table_score
from analytics.intake.proposal.wide import wide_totals

# Returns which share of a raw column's ids the parent file has, as (episodes, persons).
Parents = Callable[[FileProfile, str], tuple[float, float]]

_LEAST_SCORE: Final = 0.45
_LEAST_TABLE: Final = 0.4
_DOUBLE: Final = 0.6
_NEAR: Final = 0.75
_TELLING: Final = 0.55
_UNUSABLE: Final = 0.75
_GOOD_NAME: Final = 0.9
_OVERLAP: Final = 0.8
_COSTS_ROWS: Final = 0.5
_NAME_WEIGHT: Final = 0.7
_WIDE: Final = ("instrument", "total")
_NOT_LOOKED_AT: Final = Evidence(0.0, "")
_DAYS_OF_A_LIFE: Final = ("birth", "death", "dob", "dod")
_HARD_KINDS: Final = ("id", "date", "integer", "number", "total", "boolean", "age_band")


def match_tables(
    files: Sequence[FileProfile], parents: Callable[[TableGuess], Parents]
) -> tuple[list[TableGuess], dict[str, TableGuess]]:
    """Return the tables that were found, in the order of the model, each from another file.

    Beside them, by file name, what a file would be that fits a table which another file fits better.

    Parameters
    ----------
    parents : makes the look-up of ids once it is known which file holds the episodes.
    """
    usable = [file for file in files if file.columns]
    first = [[match_columns(file, spec, None) for spec in TABLES] for file in usable]
    chosen = _assign([[guess.score for guess in guesses] for guesses in first], _LEAST_TABLE)
    at = next((at for at, table in chosen.items() if TABLES[table].table == "episodes"), None)
    if at is None:
        return [first[at][table] for at, table in sorted(chosen.items(), key=lambda item: item[1])], {}
    episodes = first[at][0]
    look_up = parents(episodes)
    others = [file for file in usable if file is not episodes.file]
    second = [[match_columns(file, spec, look_up) for spec in TABLES[1:]] for file in others]
    scores = [[guess.score for guess in guesses] for guesses in second]
    # A second file of one table is a second file of it, not the first of another that it hardly resembles.
    near = [[score if score >= _NEAR * max(row) else 0.0 for score in row] for row in scores]
    chosen = _assign(near, _LEAST_TABLE)
    found = [second[at][table] for at, table in chosen.items()]
    order = [spec.table for spec in TABLES]
    doubles = {}
    for at, guesses in enumerate(second):
        best = max(guesses, key=lambda guess: guess.score)
        if at not in chosen and best.is_usable and best.score >= _DOUBLE:
            doubles[best.file.name] = best
    return [episodes, *sorted(found, key=lambda guess: order.index(guess.spec.table))], doubles


def _assign(scores: Sequence[Sequence[float]], least: float) -> dict[int, int]:
    """Return row -> column of the best one-to-one assignment, without pairs that score less than `least`."""
    if not scores or not scores[0]:
        return {}
    matrix = np.array(scores)
    rows, columns = linear_sum_assignment(np.where(matrix >= least, matrix, 0.0), maximize=True)
    return {int(row): int(column) for row, column in zip(rows, columns, strict=True) if matrix[row, column] >= least}


def match_columns(file: FileProfile, spec: TableSpec, parents: Parents | None) -> TableGuess:
    """Return what each column of a file would be, were the file this table."""
    wanted = [column for column in spec.columns if column.name != "observed_until"]
    judged = [[_judge(raw, spec, column, file, parents) for column in wanted] for raw in file.columns]
    scores = [[score for score, _, _ in row] for row in judged]
    guesses: dict[str, ColumnGuess] = {}
    assigned = _assign(scores, _LEAST_SCORE)
    for at, place in assigned.items():
        score, name, found = judged[at][place]
        rivals = [
            other.written
            for other_at, other in enumerate(file.columns)
            if other_at not in assigned and scores[other_at][place] >= max(_LEAST_SCORE, score - 0.1)
        ]
        guesses[wanted[place].name] = _column_guess(wanted[place], file.columns[at], score, name, found, rivals)
    _one_date(file, wanted, guesses)
    if spec is EPISODES:
        _same_person(spec, guesses)
    _age_band(guesses)
    wide = wide_totals(file) if spec.table == "scores" and not _has_raw(guesses, "instrument") else ()
    if wide:
        for given in _WIDE:
            guesses[given] = ColumnGuess(spec.column(given), None, None, "likely", "in the headers", _GOOD_NAME)
    missing = []
    for column in wanted:
        if column.name in guesses or not (column.required or column.present):
            continue
        constant = constant_of(file, spec, column, guesses)
        if constant is not None:
            guesses[column.name] = constant
        elif may_be_unknown(spec, column):
            guesses[column.name] = ColumnGuess(column, None, None, "likely", "no column of the file fits")
        else:
            missing.append(column)
    ordered = {column.name: guesses[column.name] for column in wanted if column.name in guesses}
    score = _table_score(file, spec, ordered)
    if wide:
        # A row of another questionnaire has no item 9.
        ordered = {name: guess for name, guess in ordered.items() if name not in (*_WIDE, "item_9")}
    sure = _table_sureness(score, missing)
    guess = TableGuess(spec, file, sure, score, ordered, tuple(missing), {}, wide)
    return guess if guess.is_usable else replace(guess, score=_UNUSABLE * score)


def _has_raw(guesses: Mapping[str, ColumnGuess], name: str) -> bool:
    return name in guesses and guesses[name].raw is not None


def _judge(
    raw: ColumnProfile, spec: TableSpec, column: Column, file: FileProfile, parents: Parents | None
) -> tuple[float, float, Evidence]:
    """Return (score, score of the name, evidence of the values) of a pair."""
    name = name_score(raw.written, spec.table, column.name)
    if column.kind == "total" and instrument_in(raw.written) is not None:
        name = max(name, _GOOD_NAME)  # PHQ9_Score: a questionnaire's total is called after it
    if column.name == "item_9" and name < _GOOD_NAME:
        name = 0.0  # one question of nine: the others are called nearly so
    is_parent = parents is not None and spec.parent is not None and column.name == f"{spec.parent}_id"
    if (name < _GOOD_NAME and raw.header_rule is not None and not is_parent) or (
        name == 0.0 and not is_parent and column.kind not in TELLING_KINDS and column.name not in TELLING_COLUMNS
    ):
        return 0.0, name, _NOT_LOOKED_AT
    found = evidence(raw, column)
    if parents is not None and is_parent and found.fit > 0.5:
        share = parents(file, raw.name)[0 if spec.parent == "episode" else 1]
        if share >= _OVERLAP:
            words = f"{percent(share)} of its ids are those of {spec.parent}s"
            return 0.6 + 0.4 * max(name, share * 0.8), name, Evidence(share, words, proof=True)
        name *= 0.6
    if name == 0.0 and not found.telling:
        return 0.0, name, found
    if raw.header_rule is not None and name < _GOOD_NAME:
        return 0.0, name, found
    if column.kind in _HARD_KINDS and found.fit < 0.5 and name < _GOOD_NAME:
        return 0.0, name, found
    score = _NAME_WEIGHT * name + (1 - _NAME_WEIGHT) * found.fit
    return max(score, _TELLING * found.fit if found.telling else 0.0), name, found


def _column_guess(
    column: Column, raw: ColumnProfile, score: float, name: float, found: Evidence, rivals: Sequence[str]
) -> ColumnGuess:
    if name >= 1:
        words = "the name of the model"
    elif name >= _GOOD_NAME:
        words = "a known name"
    elif name > 0:
        words = "a similar name"
    else:
        words = "no known name"
    sure: Sure = "please check"
    if found.fit >= 0.98 and (name >= _GOOD_NAME or found.proof):
        sure = "sure"
    elif found.fit >= 0.8 and (name >= 0.5 or found.telling or found.proof):
        sure = "likely"
    why = f"{words}; {found.words}"
    if rivals:
        sure, why = "please check", f"{why}; {' and '.join(rivals)} would fit too"
    if raw.timed > 0.01 and column.kind == "date":
        sure, why = "please check", f"{why}; with a time of day"
    if found.fit < _COSTS_ROWS and not (column.required or column.present):
        # Every value that cannot be read sets its row aside; nobody has to have this column.
        why = f'{why}; to use it, write "{raw.name}" here'
        return ColumnGuess(column, None, raw, "please check", why, score)
    return ColumnGuess(column, RawColumn(raw.name), raw, sure, why, score)


def _one_date(file: FileProfile, wanted: Sequence[Column], guesses: dict[str, ColumnGuess]) -> None:
    """Take the only column of days of a file for the only required day that is left."""
    used = {guess.raw.name for guess in guesses.values() if guess.raw is not None}
    days = [
        raw
        for raw in file.columns
        if raw.name not in used and raw.filled and best_format(raw)[1] >= 0.95
        if not any(part in raw.name for part in _DAYS_OF_A_LIFE)
    ]
    open_days = [
        column for column in wanted if column.kind == "date" and column.required and column.name not in guesses
    ]
    if len(days) == len(open_days) == 1 and not any(guess.column.kind == "date" for guess in guesses.values()):
        column, raw = open_days[0], days[0]
        why = "the only column of days in the file"
        guesses[column.name] = ColumnGuess(column, RawColumn(raw.name), raw, "please check", why, _LEAST_SCORE)


def _same_person(spec: TableSpec, guesses: dict[str, ColumnGuess]) -> None:
    """Let the id of a person stand for the episode where every person has one stay only."""
    raw = guesses["person_id"].raw if "person_id" in guesses else None
    if "episode_id" not in guesses and raw is not None and raw.is_key:
        why = "no column of its own; every person stands in one row, so the person's id can stand for the episode"
        column = spec.column("episode_id")
        guesses["episode_id"] = ColumnGuess(column, RawColumn(raw.name), raw, "please check", why, 0.6)


def _age_band(guesses: dict[str, ColumnGuess]) -> None:
    """Say how the age band is made where the column holds ages or days of birth."""
    guess = guesses.get("age_band")
    if guess is None or guess.raw is None or "age bands" in guess.why:
        return
    if "days of birth" in guess.why:
        admit = guesses["admit_date"].raw if "admit_date" in guesses else None
        if admit is None:
            del guesses["age_band"]
            return
        source = AgeBand(None, guess.raw.name, admit.name)
    else:
        source = AgeBand(guess.raw.name, None, None)
    guesses["age_band"] = ColumnGuess(guess.column, source, guess.raw, guess.sure, guess.why, guess.score)


def _table_score(file: FileProfile, spec: TableSpec, guesses: Mapping[str, ColumnGuess]) -> float:
    def mean(names: Sequence[str]) -> float:
        return sum(guesses[name].score for name in names if name in guesses) / max(1, len(names))

    needed = [column.name for column in spec.columns if column.required or column.present]
    named = table_score(file.stem, spec.table)
    return 0.45 * mean(core_columns(spec)) + 0.3 * mean(needed) + 0.25 * named


def _table_sureness(score: float, missing: Sequence[Column]) -> Sure:
    at = 0 if score >= 0.75 else 1 if score >= 0.6 else 2
    return ORDER_OF_SURENESS[max(at, 1) if missing else at]
