"""A cohort as SQL: which rows of an outcome table are looked at. Every value is bound, every name is ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from analytics.errors import MeasureProblem
from analytics.instruments import find_instrument
from analytics.measures.denominators import STAY
from analytics.measures.subjects import SUBJECTS, unknown_filters
from analytics.measures.types import NOT_KNOWN, Cohort, Stratifier, Table
from analytics.store.codes import CODES
from analytics.texts.periods import Grain

# Where people were on the day from which a measure counts.
STILL_IN_THEN, LEFT_BEFORE = "still in", "left before"

PERIOD: Final = re.compile(r"\d{4}(-(0[1-9]|1[0-2])|-Q[1-4])?")
THERAPY: Final = re.compile(r"[a-z0-9_]{1,32}")

# The episodes' own severity is that of the program's PHQ-9, else of its GAD-7, whose bands have the same
# names.
SEVERITY_INSTRUMENT: Final = "phq9"

# Closed lists; the other columns hold what the data brought, so a code that is not there matches nobody.
CLOSED_LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    **{split.value: CODES[split.value] for split in Stratifier if split.value in CODES},
    Stratifier.AT_LANDMARK.value: (STILL_IN_THEN, LEFT_BEFORE),
}

# The first closed episode of each person; someone who has not left yet keeps a row, so that the ladder can
# say so. The episode number settles two admissions on one day.
FIRST_OF_PERSON: Final = "row_number() over (partition by person_id order by is_closed desc, start_day, episode_id) = 1"
# Of the days between requests nothing is stored, so any of a person's requests that repeats none may stand for all:
# their numbers are in the order of keyed pseudonyms, which says nothing. Whoever was not named is a person each time.
ONE_OF_PERSON: Final = {
    Table.EPISODE_OUTCOME: FIRST_OF_PERSON,
    Table.SCORE_OUTCOME: FIRST_OF_PERSON,
    Table.REFERRAL_OUTCOME: (
        "person_id is null or row_number() over (partition by person_id order by is_repeat, referral_id) = 1"
    ),
}
# Only the episodes themselves know their course.
LAST_OF_COURSE: Final = {
    Table.EPISODE_OUTCOME: "is_course_last",
    Table.SCORE_OUTCOME: "episode_id in (select episode_id from episode_outcome where is_course_last)",
}


@dataclass(frozen=True)
class Rows:
    """The rows a statement reads: the text of a FROM clause and the values it binds."""

    text: str
    parameters: dict[str, object] = field(default_factory=dict)


def severity_bands(instrument: str | None = None) -> tuple[str, ...]:
    """Return the bands of severity at the start, mildest first; None asks for the episodes' own."""
    found = find_instrument(instrument or SEVERITY_INSTRUMENT)
    return tuple(name for name, _, _ in found.bands) if found else ()


def rows_of(table: Table, cohort: Cohort, instrument: str | None = None) -> Rows:
    """Return the FROM clause that holds exactly the cohort's rows of one outcome table.

    Parameters
    ----------
    table : the outcome table.
    cohort : filters, admission periods and the unit that is counted.
    instrument : for `score_outcome`, the instrument whose rows are meant; None takes the table as it is.

    Raises
    ------
    MeasureProblem
        A column that cannot be filtered, a code that the column cannot hold, or a period that is none.
    """
    conditions: list[str] = []
    parameters: dict[str, object] = {}
    if instrument is not None:
        conditions.append("instrument = $instrument")
        parameters["instrument"] = instrument
    for column, codes in cohort.where.items():
        if codes:
            text, values = _column_condition(column, codes, instrument)
            conditions.append(text)
            parameters.update(values)
    for name, boundary, relation in (("start", cohort.start, ">="), ("end", cohort.end, "<=")):
        if boundary is not None:
            conditions.append(_period_condition(name, relation))
            parameters[name] = _period(Stratifier.ADMIT_PERIOD.value, boundary)
    subject = SUBJECTS[table]
    if any(unknown_filters(subject, cohort)):
        # Nobody is known to be among them; the result says what is not known.
        conditions, parameters = ["false"], {}
    if cohort.unit == "course" and table in LAST_OF_COURSE:
        conditions.append(LAST_OF_COURSE[table])
    source = subject.rows
    of_person = ONE_OF_PERSON.get(table) if cohort.unit == "person" else None
    if conditions or of_person:
        filters = f" where {' and '.join(conditions)}" if conditions else ""
        first = f" qualify {of_person}" if of_person else ""
        source = f"(select * from {subject.rows}{filters}{first})"
    return Rows(source, parameters)


def at_grain(column: str, grain: Grain) -> str:
    """Return SQL for the period of a column at a grain; what is coarser stays as it is."""
    if grain == "month":
        return column
    if grain == "year":
        return f"left({column}, 4)"
    quarter = f"cast(floor((try_cast(right({column}, 2) as integer) + 2) / 3) as integer)"
    of_month = f"length({column}) = 7 and not contains({column}, 'Q')"
    return f"case when {of_month} then left({column}, 4) || '-Q' || cast({quarter} as varchar) else {column} end"


def at_landmark(day: int) -> str:
    """Return, as SQL, where people were on a day after admission; NULL where they are not known to have reached it."""
    return f"case when {STAY} >= {day} then '{STILL_IN_THEN}' when exit_day is not null then '{LEFT_BEFORE}' end"


def _column_condition(column: str, codes: tuple[str, ...], instrument: str | None) -> tuple[str, dict[str, object]]:
    """Return "one of these codes" for one column; codes of one column are joined by "or"."""
    if column not in set(Stratifier):
        raise MeasureProblem(
            f"There is no filter '{column}'. Filters are: {', '.join(split.value for split in Stratifier)}."
        )
    values = {
        f"where_{column}_{position}": _checked(column, code, instrument)
        for position, code in enumerate(code for code in codes if code != NOT_KNOWN)
    }
    parts = []
    if column == Stratifier.THERAPY.value:
        # One text `cbt|dbt` per episode: the bars on both sides keep `cbt` from matching `cbt_i`.
        parts = [f"contains('|' || {column} || '|', '|' || ${name} || '|')" for name in values]
    elif values:
        parts = [f"{column} in ({', '.join(f'${name}' for name in values)})"]
    if NOT_KNOWN in codes:
        parts.append(f"{column} is null")
    return f"({' or '.join(parts)})", values


def _checked(column: str, code: str, instrument: str | None) -> object:
    """Return the value to bind, or say which values the column takes."""
    closed = CLOSED_LISTS.get(column)
    if column == Stratifier.BASELINE_SEVERITY.value:
        closed = severity_bands(instrument)
    if closed is not None and code not in closed:
        choices = ", ".join((*closed, f"'{NOT_KNOWN}'"))
        raise MeasureProblem(f"The filter {column} does not take '{code}'. It takes: {choices}.")
    if column == Stratifier.PLANNED_WEEKS.value:
        if not (code.isascii() and code.isdigit()):
            raise MeasureProblem(f"The filter {column} takes a whole number of weeks, such as 8.")
        return int(code)
    if column in (Stratifier.ADMIT_PERIOD.value, Stratifier.DISCHARGE_PERIOD.value):
        return _period(column, code)
    if column == Stratifier.THERAPY.value and not THERAPY.fullmatch(code):
        raise MeasureProblem(f"The filter {column} takes codes of small letters, digits and _, such as cbt.")
    return code


def _period(column: str, text: str) -> str:
    if not PERIOD.fullmatch(text):
        raise MeasureProblem(f"{column} takes a month (2026-03), a quarter (2026-Q1) or a year (2026).")
    return text


def _period_condition(name: str, relation: str) -> str:
    """Compare admission periods of one grain as they are; across grains only the year can be compared."""
    column = Stratifier.ADMIT_PERIOD.value
    same_grain = f"length({column}) = length(${name}) and contains({column}, 'Q') = contains(${name}, 'Q')"
    years = f"left({column}, 4) {relation} left(${name}, 4)"
    return f"case when {same_grain} then {column} {relation} ${name} else {years} end"
