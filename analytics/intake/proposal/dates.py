"""How days are written in an export."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from analytics.intake.mapping_model import AgeBand
from analytics.intake.proposal.evidence import best_format, percent
from analytics.intake.proposal.guess import DateGuess, TableGuess
from analytics.intake.proposal.profile import DATE_FORMATS, ColumnProfile

_ISO: Final = "%Y-%m-%d"
_ENOUGH: Final = 0.95
_ALIKE: Final = 0.005
_ALL: Final = 0.999
_SWAPPED: Final = {
    form: form.replace("%m", "#").replace("%d", "%m").replace("#", "%d")
    for form in DATE_FORMATS
    if "%m" in form and "%d" in form and not form.startswith("%Y")
}

# A column of days: table, canonical column, and the raw column behind it.
_Days = tuple[str, str, ColumnProfile]


def guess_dates(tables: Iterable[TableGuess], chosen: str | None = None) -> DateGuess:
    """Return how days are written in the columns that hold days.

    All columns of an export are taken together: a column in which no day is above 12 borrows the order of day and
    month from the others. Where no column has one, nobody can tell, and both orders are returned. A column that is
    plainly written in another way gets a format of its own.

    Parameters
    ----------
    chosen : the strptime format that a person named; columns that it does not fit are still looked at.
    """
    found = list(_days(tables))
    if not found:
        return DateGuess((), "please check", "there are no columns of days")
    # Formats with types give their days as ISO, whatever the texts of other files look like.
    columns = [(table, name, raw) for table, name, raw, typed in found if not (typed and raw.formats[_ISO] >= _ENOUGH)]
    if not columns:
        timed = any(raw.moments > 0 for _, _, raw, _ in found)
        return DateGuess((_ISO,), "sure", "the days are dates of the spreadsheet, not texts", {}, timed)
    best = chosen or max(DATE_FORMATS, key=lambda form: _share(columns, form))
    others = {
        (table, name): best_format(raw)[0]
        for table, name, raw in columns
        if raw.formats[best] < _ENOUGH <= best_format(raw)[1] and not _ambiguous([(table, name, raw)])
    }
    same = [each for each in columns if each[:2] not in others]
    timed = any(raw.moments > 0 or (raw.timed > 0 and best_format(raw)[0] != _ISO) for _, _, raw, _ in found)
    by_column = {each: form for each, form in others.items() if form != _ISO or best != _ISO}
    for table, name, raw in columns:
        if raw.time_form:
            by_column[table, name] = others.get((table, name), best) + raw.time_form
    share = _share(same, best)
    if chosen is not None:
        return DateGuess((chosen,), "sure", "you said so", by_column, timed)
    if share < _ENOUGH:
        return DateGuess((), "please check", "no known way of writing days fits", {}, timed)
    if _ambiguous(same):
        why = "no day is above 12, so day and month cannot be told apart"
        return DateGuess((best, _SWAPPED[best]), "please check", why, by_column, timed)
    words = f"{percent(share)} of the days in {len(same)} columns can be read so"
    return DateGuess((best,), "sure" if share > _ALL else "likely", words, by_column, timed)


def _share(columns: Sequence[_Days], form: str) -> float:
    total = sum(raw.filled for _, _, raw in columns)
    return sum(raw.formats[form] * raw.filled for _, _, raw in columns) / total if total else 0.0


def _ambiguous(columns: Sequence[_Days]) -> bool:
    best = max(DATE_FORMATS, key=lambda form: _share(columns, form))
    other = _SWAPPED.get(best)
    return other in DATE_FORMATS and _share(columns, best) - _share(columns, str(other)) <= _ALIKE


def _days(tables: Iterable[TableGuess]) -> Iterable[tuple[str, str, ColumnProfile, bool]]:
    """Yield every column of days, and whether its file has a type for days."""
    for table in tables:
        for name, guess in table.columns.items():
            if guess.raw is None or not guess.raw.filled:
                continue
            born = isinstance(guess.source, AgeBand) and guess.source.birth_date is not None
            if guess.column.kind == "date" or born:
                yield table.spec.table, name, guess.raw, table.file.facts.typed
